"""What one attempt has come to: its sentinel, its row in the queue or in accounting, weighed."""

from __future__ import annotations

from datetime import datetime, timedelta

from hpcnet.model.state import JobState, Sighting
from hpcnet.model.submission import Attempt
from hpcnet.posix.traces import Mark, Traces, verdict
from hpcnet.schedulers.slurm.receipts import read_receipt
from hpcnet.schedulers.slurm.rows import Row
from hpcnet.schedulers.slurm.states import plain, reason_words

# Shared file systems show a file on another node late; attribute caches hold for a minute.
SENTINEL_GRACE = timedelta(seconds=120)
# sbatch tries again for 120 s; a claim without an outcome is older only if its sbatch died.
SUBMISSION_GRACE = timedelta(seconds=140)
_NO_SENTINEL = "COMPLETED without its exit sentinel: are the files safe?"
_OWN_END = ("COMPLETED", "FAILED")  # ended by itself: its sentinel says how


def sight(
    attempt: Attempt, traces: Traces, row: Row | None, now: datetime, queue_known: bool
) -> Sighting | None:
    """The sighting of one attempt, or None if it was seen nowhere. `now` is the site's clock."""
    native_id = attempt.native_id or (row.native_id if row else None) or _native_id(traces)
    if row is not None:
        return _with_row(native_id, traces, row, now)
    if traces.exit is not None:
        # Without a queue that answers, a job that failed may just have been put back into it.
        if queue_known or traces.exit.exit_status == 0:
            return verdict(native_id, traces.exit, traces.cancel_asked)
        return None
    return None if attempt.native_id else by_submission(traces, now)


def by_submission(traces: Traces, now: datetime) -> Sighting | None:
    """An attempt whose answer was lost: what its submission left behind."""
    receipt = read_receipt(traces.left)
    if receipt.refusal is not None:
        return Sighting(JobState.FAILED, "submission", None, None, receipt.refusal)
    if receipt.native_id is not None:
        reason = "submitted, and not in the queue"
        return Sighting(JobState.UNKNOWN, "submission", receipt.native_id, None, reason)
    if traces.left.exit_status is None and _under_way(traces, now):
        return Sighting(JobState.SUBMITTING, "submission", reason="its submission has not ended yet")
    return None


def _with_row(native_id: str | None, traces: Traces, row: Row, now: datetime) -> Sighting:
    mark = traces.exit
    done = mark is not None and mark.exit_status is not None
    if not row.state.final:
        if mark is not None and mark.exit_status == 0 and plain(row.native_state) == "COMPLETING":
            return _ended(native_id, row, mark, JobState.COMPLETED, None)
        return _live(native_id, row, done)
    if mark is not None and done and plain(row.native_state) in _OWN_END:
        said = verdict(native_id, mark, traces.cancel_asked)
        return _ended(native_id, row, mark, said.state, said.reason)
    if plain(row.native_state) == "COMPLETED":
        return _no_sentinel(native_id, row, now)
    return _ended(native_id, row, mark, row.state, _why(row, mark))


def _live(native_id: str | None, row: Row, done: bool) -> Sighting:
    reason = reason_words(row.native_state, row.reason)
    if done and row.state is JobState.ACTIVE:
        reason = "finishing"
    return Sighting(row.state, row.seen_in, native_id, row.native_state, reason, started_at=row.started_at)


def _ended(
    native_id: str | None, row: Row, mark: Mark | None, state: JobState, reason: str | None
) -> Sighting:
    status = mark.exit_status if mark else row.exit_status
    return Sighting(
        state=state,
        seen_in="sentinel" if mark else row.seen_in,
        native_id=native_id,
        native_state=row.native_state,
        reason=reason,
        exit_code=status,
        started_at=(mark.started_at if mark else None) or row.started_at,
        ended_at=(mark.ended_at if mark else None) or row.ended_at,
    )


def _no_sentinel(native_id: str | None, row: Row, now: datetime) -> Sighting:
    waited = row.ended_at is not None and now - row.ended_at > SENTINEL_GRACE
    state, reason = (JobState.FAILED, _NO_SENTINEL) if waited else (JobState.ACTIVE, "finishing")
    return Sighting(
        state,
        row.seen_in,
        native_id,
        row.native_state,
        reason,
        started_at=row.started_at,
        ended_at=row.ended_at if waited else None,
    )


def _why(row: Row, mark: Mark | None) -> str | None:
    if row.state is JobState.CANCELED:
        return "canceled"  # the reason of its row is why it had waited
    words = reason_words(row.native_state, row.reason)
    status = mark.exit_status if mark else row.exit_status
    if words is None and row.state is JobState.FAILED and status:
        return f"exit status {status}"
    return words


def _native_id(traces: Traces) -> str | None:
    mark = traces.exit or traces.started
    return (mark.native_id if mark else None) or read_receipt(traces.left).native_id


def _under_way(traces: Traces, now: datetime) -> bool:
    return traces.claimed_at is not None and now - traces.claimed_at < SUBMISSION_GRACE
