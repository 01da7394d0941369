"""Retry: look first; only an attempt that surely ended, or never began, is followed by another."""

from __future__ import annotations

from hpcnet.broker import records
from hpcnet.broker.context import Broker
from hpcnet.broker.settle import close_if_never_sent, settle
from hpcnet.broker.submit import decide, prepare, send
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
    if record.state in (JobState.QUEUED, JobState.ACTIVE, JobState.COMPLETED):
        raise UsageError(
            f"job {job_id} is {record.state} at {record.site}: there is nothing to retry",
            hint=f"hpcnet cancel {job_id} first, or submit the job file again",
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
