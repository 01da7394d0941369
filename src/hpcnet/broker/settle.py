"""Finds out what became of an attempt whose answer was lost. Looks; never submits."""

from __future__ import annotations

from datetime import timedelta

from hpcnet.broker import records
from hpcnet.broker.context import Broker
from hpcnet.broker.track import refresh
from hpcnet.errors import HpcnetError
from hpcnet.model.record import EventKind, JobRecord
from hpcnet.model.state import JobState
from hpcnet.posix.claim import Closed, close_attempt

# sbatch itself tries again for 120 s, and slurmctld may answer a MessageTimeout (10 s) late, twice.
GRACE = timedelta(seconds=140)
# A program on another machine that shares the ledger may take this long to bring its inputs.
OTHER_MACHINE = timedelta(days=1)
_OPEN_STATES = (JobState.STAGING, JobState.SUBMITTING, JobState.UNKNOWN)


def settle(broker: Broker, record: JobRecord) -> JobRecord:
    """Look for the attempt at its site; a link that is still down leaves it UNKNOWN."""
    refresh(broker, [record])
    return records.load(broker, [record.id])[0]


def close_if_never_sent(broker: Broker, record: JobRecord) -> JobRecord:
    """Make sure that an attempt without a native id can never be submitted any more.

    Only the claim at the site decides: if we take it, the attempt is ABSENT from now on. If a
    submission took it before us, its outcome is looked for instead.
    Raises `LinkError` and `AccessError` when the site cannot be asked.
    """
    if record.native_id is not None or record.state not in _OPEN_STATES or record.site is None:
        return record
    site = broker.site(record.site)
    if broker.links.ask(site, close_attempt(record.directory or "")) is Closed.NEVER_SUBMITTED:
        records.note(broker, record.id, EventKind.ABSENT, {"attempt": record.attempt})
    return settle(broker, record)


def close_forgotten(broker: Broker, found: list[JobRecord]) -> list[JobRecord]:
    """Close the attempts that nobody is sending any more: their program died, or gave up, on the way."""
    settled = []
    for record in found:
        if record.native_id is None and record.state in _OPEN_STATES and _is_forgotten(broker, record):
            try:
                settled.append(close_if_never_sent(broker, record))
                continue
            except HpcnetError:
                pass  # the site does not answer: the job stays as it is and the next look tries again
        settled.append(record)
    return settled


def _is_forgotten(broker: Broker, record: JobRecord) -> bool:
    sent = broker.senders.is_sent_by_someone(record.token or "")
    if sent is not None:
        return not sent
    # No mark here: it was taken away with the sender's end, or another machine is the sender.
    since = record.state_since or record.created_at
    patience = GRACE if record.state is JobState.UNKNOWN else OTHER_MACHINE
    return broker.clock.now() - since > patience
