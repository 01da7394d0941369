"""Adds the events of a job up to its record. Pure: the same events always tell the same story.

Every event that speaks of an attempt may name it (`attempt` in its body); what is said of another
attempt than the current one is late news and changes nothing. A final state is left only by an
intent with a higher attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from hpcnet.model.record import Event, EventKind, JobRecord
from hpcnet.model.state import JobState

NEVER_ARRIVED = "never arrived at the site; `hpcnet retry` submits it again"

Step = Callable[[JobRecord, Event], JobRecord]


def fold(events: Iterable[Event]) -> JobRecord:
    """The record of one job from all its events, in the order they were appended.

    Raises `ValueError` when there is no event, or events of two jobs.
    """
    records = fold_all(events)
    if len(records) != 1:
        raise ValueError(f"events of one job make a record; these are of {len(records)}")
    return next(iter(records.values()))


def fold_all(events: Iterable[Event]) -> dict[str, JobRecord]:
    """The records of any number of jobs by their ids, in the order of their first events."""
    records: dict[str, JobRecord] = {}
    for event in events:
        record = records.get(event.job) or _unwritten(event)
        records[event.job] = _after(record, event) if _concerns(record, event) else record
    return records


def attempt_of(event: Event) -> int | None:
    """The attempt an event speaks of, from 1; None means the current one."""
    if event.kind is EventKind.INTENT:
        return max(1, int(event.body.get("attempt", 1)))
    attempt = event.body.get("attempt")
    return None if attempt is None else int(attempt)


def closes(event: Event) -> bool:
    """Whether this event ends the attempt that it speaks of."""
    if event.kind is EventKind.SIGHTED:
        return JobState(event.body["state"]).final
    return event.kind in (EventKind.REFUSED, EventKind.ABSENT)


def _unwritten(event: Event) -> JobRecord:
    return JobRecord(event.job, event.job, JobState.NEW, created_at=event.at, state_since=event.at)


def _after(record: JobRecord, event: Event) -> JobRecord:
    moved = _STEPS[event.kind](record, event)
    same = (moved.state, moved.attempt) == (record.state, record.attempt)
    return replace(moved, state_since=record.state_since if same else event.at)


def _concerns(record: JobRecord, event: Event) -> bool:
    attempt = attempt_of(event)
    if event.kind is EventKind.INTENT and attempt is not None:
        return attempt > record.attempt
    if attempt not in (None, record.attempt):
        return False
    return not record.state.final or event.kind not in _MOVING


def _created(record: JobRecord, event: Event) -> JobRecord:
    spec = event.body.get("spec", {})
    return replace(record, name=spec.get("name", record.name), created_at=event.at)


def _intent(record: JobRecord, event: Event) -> JobRecord:
    body = event.body
    return JobRecord(
        id=record.id,
        name=record.name,
        state=JobState.STAGING if body.get("files", 0) > 0 else JobState.SUBMITTING,
        created_at=record.created_at,
        site=body.get("site"),
        partition=body.get("partition"),
        attempt=attempt_of(event) or 1,
        token=body.get("token"),
        directory=body.get("directory"),
    )


def _staged(record: JobRecord, _: Event) -> JobRecord:
    return replace(record, state=JobState.SUBMITTING)


def _submitted(record: JobRecord, event: Event) -> JobRecord:
    return replace(
        record,
        state=JobState.QUEUED,
        reason=None,
        native_id=event.body.get("native_id", record.native_id),
        directory=event.body.get("directory", record.directory),
        submitted_at=_time(event.body, "submitted_at") or event.at,
    )


def _refused(record: JobRecord, event: Event) -> JobRecord:
    return replace(record, state=JobState.FAILED, reason=event.body.get("reason"))


def _uncertain(record: JobRecord, event: Event) -> JobRecord:
    return replace(record, state=JobState.UNKNOWN, reason=event.body.get("reason"))


def _absent(record: JobRecord, event: Event) -> JobRecord:
    if record.cancel_asked:
        return replace(record, state=JobState.CANCELED, reason="canceled before it was submitted")
    return replace(record, state=JobState.FAILED, reason=event.body.get("reason") or NEVER_ARRIVED)


def _sighted(record: JobRecord, event: Event) -> JobRecord:
    body = event.body
    exit_code = body.get("exit_code")
    return replace(
        record,
        state=JobState(body["state"]),
        native_id=body.get("native_id") or record.native_id,
        native_state=body.get("native_state"),
        reason=body.get("reason"),
        exit_code=record.exit_code if exit_code is None else exit_code,
        started_at=_time(body, "started_at") or record.started_at,
        ended_at=_time(body, "ended_at") or record.ended_at,
    )


def _cancel_asked(record: JobRecord, _: Event) -> JobRecord:
    return replace(record, cancel_asked=True)


def _unmoved(record: JobRecord, _: Event) -> JobRecord:
    return record


def _time(body: Mapping[str, Any], key: str) -> datetime | None:
    text = body.get(key)
    return None if text is None else datetime.fromisoformat(text)


_STEPS: Mapping[EventKind, Step] = {
    EventKind.CREATED: _created,
    EventKind.DECIDED: _unmoved,
    EventKind.INTENT: _intent,
    EventKind.STAGED: _staged,
    EventKind.SUBMITTED: _submitted,
    EventKind.REFUSED: _refused,
    EventKind.UNCERTAIN: _uncertain,
    EventKind.SIGHTED: _sighted,
    EventKind.CANCEL_ASKED: _cancel_asked,
    EventKind.FETCHED: _unmoved,
    EventKind.ABSENT: _absent,
}
_MOVING = frozenset(
    {
        EventKind.STAGED,
        EventKind.SUBMITTED,
        EventKind.REFUSED,
        EventKind.UNCERTAIN,
        EventKind.SIGHTED,
        EventKind.ABSENT,
    }
)
