"""Finds out what became of an attempt whose answer was lost. Looks; never submits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from hpcnet.broker import records
from hpcnet.broker.context import Broker
from hpcnet.broker.together import together
from hpcnet.broker.track import attempts, note_look, refresh
from hpcnet.errors import HpcnetError
from hpcnet.model.record import EventKind, JobRecord
from hpcnet.model.site import Site
from hpcnet.model.state import JobState, Trouble
from hpcnet.posix.claim import Closed, close_attempt, seal_attempt

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
    """Make sure that an attempt without a native id can never run any more, or find it alive.

    Only the claims at the site decide. If we take the first, no submission can happen any more. If a
    submission took it and died before the scheduler had the job, we take the second, which the job
    itself must take before its payload. Either way the attempt is ABSENT from then on.
    Raises `LinkError`, `AccessError` and `StorageError` when the site cannot be asked.
    """
    if record.native_id is not None or record.state not in _OPEN_STATES or record.site is None:
        return record
    site, directory = broker.site_of(record), record.directory or ""
    closed = broker.links.ask(site, close_attempt(directory)) is Closed.NEVER_SUBMITTED
    if closed or _died_at_the_site(broker, site, record):
        records.note(broker, record.id, EventKind.ABSENT, {"attempt": record.attempt})
    record = records.load(broker, [record.id])[0]
    if record.state.final or record.native_id is not None:
        broker.senders.forget(record.token or "")
    return record


def _died_at_the_site(broker: Broker, site: Site, record: JobRecord) -> bool:
    """Whether a claimed submission left nothing anywhere, and now cannot run a payload either."""
    look = broker.links.ask(site, broker.scheduler(site).look(site, attempts([record])))
    note_look(broker, [record], look)
    if not look.conclusive or record.token in look.sightings:
        return False
    return broker.links.ask(site, seal_attempt(record.directory or ""))


def close_forgotten(broker: Broker, found: Sequence[JobRecord]) -> dict[str, Trouble]:
    """Close the attempts that nobody is sending any more: their program died, or gave up, on the way.

    All sites at once; returns the trouble by site. What could not be closed stays as it is.
    """
    by_site: dict[str, list[JobRecord]] = {}
    for record in found:
        if record.native_id is None and record.state in _OPEN_STATES and _is_forgotten(broker, record):
            by_site.setdefault(record.site or "", []).append(record)
    work = {site_id: partial(_close_all, broker, items) for site_id, items in by_site.items()}
    return {site_id: trouble for site_id, trouble in together(work) if trouble is not None}


def _close_all(broker: Broker, found: Sequence[JobRecord]) -> Trouble | None:
    try:
        for record in found:
            close_if_never_sent(broker, record)
    except HpcnetError as error:
        return Trouble(error.message, error.hint, error.exit_code)
    return None


def _is_forgotten(broker: Broker, record: JobRecord) -> bool:
    sent = broker.senders.is_sent_by_someone(record.token or "")
    if sent is not None:
        return not sent
    # No mark here: it was taken away with the sender's end, or another machine is the sender.
    since = record.state_since or record.created_at
    patience = GRACE if record.state is JobState.UNKNOWN else OTHER_MACHINE
    return broker.clock.now() - since > patience
