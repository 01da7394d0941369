from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hpcnet.model.history import NEVER_ARRIVED, fold, fold_all
from hpcnet.model.record import Event, EventKind, JobRecord
from hpcnet.model.state import JobState

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
JOB = "j-01ARZ3NDEKTSV4RRFFQ69G5FAV"

CREATED: tuple[EventKind, dict[str, Any]] = (EventKind.CREATED, {"spec": {"name": "andes"}})
INTENT: tuple[EventKind, dict[str, Any]] = (
    EventKind.INTENT,
    {"site": "cl-nlhpc", "partition": "main", "attempt": 1, "token": "t1", "directory": "hpcnet/t1"},
)
SUBMITTED: tuple[EventKind, dict[str, Any]] = (
    EventKind.SUBMITTED,
    {"native_id": "42", "directory": "/home/ana/hpcnet/t1"},
)
RETRY: tuple[EventKind, dict[str, Any]] = (EventKind.INTENT, {**INTENT[1], "attempt": 2, "token": "t2"})


def told(*steps: tuple[EventKind, dict[str, Any]]) -> JobRecord:
    """The record of a job to which these things happened, a minute apart."""
    return fold(
        Event(JOB, kind, START + timedelta(minutes=minute), body) for minute, (kind, body) in enumerate(steps)
    )


def sighted(state: JobState, **more: Any) -> tuple[EventKind, dict[str, Any]]:
    return EventKind.SIGHTED, {"state": state.value, "seen_in": "queue", **more}


def test_a_created_job_is_new_and_has_its_name() -> None:
    record = told(CREATED)
    assert (record.id, record.name, record.state) == (JOB, "andes", JobState.NEW)
    assert record.created_at == record.state_since == START


def test_a_decision_keeps_a_job_new() -> None:
    assert told(CREATED, (EventKind.DECIDED, {"decision": {}})).state is JobState.NEW


def test_an_intent_without_files_is_submitting_and_names_the_attempt() -> None:
    record = told(CREATED, INTENT)
    assert record.state is JobState.SUBMITTING
    assert (record.site, record.partition, record.attempt) == ("cl-nlhpc", "main", 1)
    assert (record.token, record.directory) == ("t1", "hpcnet/t1")


def test_an_intent_with_files_is_staging_until_they_are_staged() -> None:
    staging = (EventKind.INTENT, {**INTENT[1], "files": 3})
    assert told(CREATED, staging).state is JobState.STAGING
    assert told(CREATED, staging, (EventKind.STAGED, {"files": 3, "bytes": 9})).state is JobState.SUBMITTING


def test_a_submitted_job_is_queued_with_its_native_id_time_and_directory() -> None:
    record = told(CREATED, INTENT, SUBMITTED)
    assert (record.state, record.native_id) == (JobState.QUEUED, "42")
    assert record.submitted_at == START + timedelta(minutes=2)
    assert record.directory == "/home/ana/hpcnet/t1"


def test_a_refused_job_has_failed_with_the_schedulers_words() -> None:
    record = told(CREATED, INTENT, (EventKind.REFUSED, {"reason": "Invalid account"}))
    assert (record.state, record.reason) == (JobState.FAILED, "Invalid account")


def test_a_lost_answer_is_unknown_until_the_job_is_found() -> None:
    lost = (EventKind.UNCERTAIN, {"reason": "the link broke"})
    assert (told(CREATED, INTENT, lost).state, told(CREATED, INTENT, lost).reason) == (
        JobState.UNKNOWN,
        "the link broke",
    )
    found = told(CREATED, INTENT, lost, SUBMITTED)
    assert (found.state, found.reason) == (JobState.QUEUED, None)


def test_a_job_the_site_never_saw_has_failed_and_says_how_to_go_on() -> None:
    record = told(CREATED, INTENT, (EventKind.ABSENT, {}))
    assert (record.state, record.reason) == (JobState.FAILED, NEVER_ARRIVED)


def test_a_sighting_tells_everything_it_saw() -> None:
    record = told(
        CREATED,
        INTENT,
        SUBMITTED,
        sighted(
            JobState.COMPLETED,
            native_state="COMPLETED",
            reason="done",
            exit_code=0,
            started_at="2026-11-23T12:10:00+00:00",
            ended_at="2026-11-23T12:20:00Z",
        ),
    )
    assert (record.state, record.native_state, record.reason) == (JobState.COMPLETED, "COMPLETED", "done")
    assert record.exit_code == 0
    assert record.started_at == START + timedelta(minutes=10)
    assert record.ended_at == START + timedelta(minutes=20)


def test_a_later_sighting_that_knows_less_forgets_no_time() -> None:
    early = sighted(JobState.ACTIVE, started_at="2026-11-23T12:10:00+00:00", reason="Resources")
    record = told(CREATED, INTENT, SUBMITTED, early, sighted(JobState.ACTIVE))
    assert record.started_at == START + timedelta(minutes=10)
    assert (record.native_id, record.reason) == ("42", None)


@pytest.mark.parametrize("late", [sighted(JobState.ACTIVE), SUBMITTED, (EventKind.UNCERTAIN, {}), INTENT])
def test_a_final_state_is_never_left_within_an_attempt(late: tuple[EventKind, dict[str, Any]]) -> None:
    assert told(CREATED, INTENT, SUBMITTED, sighted(JobState.FAILED), late).state is JobState.FAILED


def test_a_retry_starts_clean_with_a_higher_attempt() -> None:
    asked: tuple[EventKind, dict[str, Any]] = (EventKind.CANCEL_ASKED, {})
    record = told(CREATED, INTENT, SUBMITTED, asked, sighted(JobState.CANCELED, exit_code=1), RETRY)
    assert (record.state, record.attempt, record.token) == (JobState.SUBMITTING, 2, "t2")
    assert (record.native_id, record.exit_code, record.cancel_asked) == (None, None, False)
    assert record.name == "andes"


def test_late_news_of_an_earlier_attempt_changes_nothing() -> None:
    late = sighted(JobState.FAILED, attempt=1)
    assert told(CREATED, INTENT, RETRY, late) == told(CREATED, INTENT, RETRY)


def test_a_request_to_cancel_is_remembered_and_moves_nothing() -> None:
    record = told(CREATED, INTENT, SUBMITTED, (EventKind.CANCEL_ASKED, {}))
    assert (record.cancel_asked, record.state) == (True, JobState.QUEUED)


def test_fetching_keeps_the_state() -> None:
    done = (CREATED, INTENT, SUBMITTED, sighted(JobState.COMPLETED))
    assert told(*done, (EventKind.FETCHED, {"directory": "out", "files": 1})) == told(*done)


def test_a_record_knows_since_when_its_state_holds() -> None:
    record = told(CREATED, INTENT, SUBMITTED, sighted(JobState.QUEUED), sighted(JobState.QUEUED))
    assert record.state_since == START + timedelta(minutes=2)
    assert told(CREATED, INTENT, RETRY).state_since == START + timedelta(minutes=2)


def test_records_of_several_jobs_come_in_the_order_of_their_first_events() -> None:
    events = [Event(job, EventKind.CREATED, START, {}) for job in ("j-b", "j-a")]
    events.append(Event("j-b", EventKind.INTENT, START, INTENT[1]))
    records = fold_all(events)
    assert list(records) == ["j-b", "j-a"]
    assert [record.state for record in records.values()] == [JobState.SUBMITTING, JobState.NEW]


@pytest.mark.parametrize("jobs", [[], ["j-a", "j-b"]])
def test_a_record_is_of_exactly_one_job(jobs: list[str]) -> None:
    with pytest.raises(ValueError, match=f"these are of {len(jobs)}"):
        fold(Event(job, EventKind.CREATED, START) for job in jobs)
