"""Retry: look first; only an attempt that surely ended, or never began, is followed by another."""

from __future__ import annotations

from hpcnet.broker import records
from hpcnet.broker.context import Broker
from hpcnet.broker.settle import close_if_never_sent, settle
from hpcnet.broker.submit import decide, prepare, send
from hpcnet.broker.track import attempts
from hpcnet.errors import LinkError, UsageError
from hpcnet.model.record import JobRecord
from hpcnet.model.state import JobState


def retry(broker: Broker, job_id: str) -> JobRecord:
    """Submit the job again under the next attempt number, or adopt what is found.

    Raises `UsageError` when the job is waiting, running or completed, and `LinkError` when the
    fate of the last attempt still cannot be told.
    """
    record = records.load(broker, [job_id])[0]
    if not record.state.final:
        record = close_if_never_sent(broker, settle(broker, record))
    state = _state_at_the_site(broker, record)
    if state.alive or state is JobState.COMPLETED:
        first = f"hpcnet cancel {job_id} first, or " if state.alive else ""
        raise UsageError(
            f"job {job_id} is {state} at {record.site}: there is nothing to retry",
            hint=f"{first}submit the job file again",
        )
    if not record.state.final:
        raise LinkError(
            f"what became of attempt {record.attempt} of {job_id} cannot be told yet",
            hint="nothing was submitted; try again in a few minutes",
        )
    attempt = record.attempt + 1
    job = records.spec_of(broker, job_id)
    decision = decide(broker, job_id, job, attempt)
    return send(broker, prepare(broker, decision, job, attempt))


def _state_at_the_site(broker: Broker, record: JobRecord) -> JobState:
    """The state of a job, looked at once more if it was over: a site may have put it back in its queue."""
    if not record.state.final or record.native_id is None or record.state is JobState.COMPLETED:
        return record.state
    site = broker.site_of(record)
    look = broker.links.ask(site, broker.scheduler(site).look(site, attempts([record])))
    sighting = look.sightings.get(record.token or "")
    return sighting.state if sighting is not None and sighting.state.alive else record.state
