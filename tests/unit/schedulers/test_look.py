"""What a look concludes, from queue rows, sentinels and accounting as they arrive together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from builders import NOON, a_site
from hpcnet.errors import SchedulerError, TimedOut, Unreachable
from hpcnet.model.command import Completed
from hpcnet.model.state import JobState, Look, Sighting
from hpcnet.model.submission import Attempt
from hpcnet.schedulers.slurm.cancel import cancel
from hpcnet.schedulers.slurm.look import look, read_look
from hpcnet.schedulers.slurm.rows import exit_status, read_accounting, read_queue
from hpcnet.schedulers.slurm.states import job_state
from site_shell import ask

NOW = int(NOON.timestamp())
UP = "Slurmctld(primary) at head is UP"
KNOWN, LOST = Attempt("j-1.1", "dir", "7"), Attempt("j-1.1", "dir")


def row(
    state: str, name: str = "j-1.1", native_id: int = 7, reason: str = "None", end: int = NOW - 10
) -> str:
    return f"J|{native_id}|{state}|{NOW - 99}|{NOW - 50}|{end}|{reason}|{name}"


def told(name: str, text: str, status: int | None = 0) -> str:
    lines = [*text.split("\n"), *([] if status is None else [str(status)])]
    return "\n".join([f"@{name}", *(f"|{line}" for line in lines)]) + "\n"


def mark(status: int | None, reason: str = "", native_id: int = 7) -> str:
    text = f"native_id {native_id}\nhost n1\nstarted {NOW - 50}"
    return text if status is None else f"{text}\nended {NOW - 5}\nreason {reason}\nstatus {status}"


def looked(
    *more: str, queue: str | None = "", queue_status: int = 0, attempt: Attempt = KNOWN, ping: str = UP
) -> Look:
    stream = told("date", str(NOW)) + told("ping", ping)
    stream += told("squeue", queue, queue_status) if queue is not None else ""
    return read_look(Completed(0, stream + "".join(more), ""), [attempt], NOON)


def seen(*more: str, queue: str = "", attempt: Attempt = KNOWN) -> Sighting:
    return looked(*more, queue=queue, attempt=attempt).sightings["j-1.1"]


@pytest.mark.parametrize(
    ("native", "state"),
    [("PENDING", JobState.QUEUED), ("REQUEUED", JobState.QUEUED), ("SPECIAL_EXIT", JobState.QUEUED),
     ("RUNNING", JobState.ACTIVE), ("CONFIGURING", JobState.ACTIVE), ("COMPLETING", JobState.ACTIVE),
     ("SUSPENDED", JobState.ACTIVE), ("STOPPED", JobState.ACTIVE), ("COMPLETED", JobState.COMPLETED),
     ("FAILED", JobState.FAILED), ("TIMEOUT", JobState.FAILED), ("NODE_FAIL", JobState.FAILED),
     ("OUT_OF_MEMORY", JobState.FAILED), ("OUT_OF_ME+", JobState.UNKNOWN), ("BOOT_FAIL", JobState.FAILED),
     ("DEADLINE", JobState.FAILED), ("PREEMPTED", JobState.FAILED), ("CANCELLED", JobState.CANCELED),
     ("CANCELLED by 1000", JobState.CANCELED), ("CANCELLED+", JobState.CANCELED), ("", JobState.UNKNOWN),
     ("A_STATE_TO_COME", JobState.UNKNOWN)],
)  # fmt: skip
def test_every_state_of_slurm_has_its_place(native: str, state: JobState) -> None:
    assert job_state(native) is state


def test_a_waiting_job_says_why_and_not_when_it_may_start() -> None:
    sighting = seen(queue=row("PENDING", reason="(Resources | see, #4)"))

    assert (sighting.state, sighting.reason, sighting.started_at) == (
        JobState.QUEUED,
        "Resources | see, #4",
        None,
    )


def test_a_job_with_our_id_and_another_name_is_not_ours() -> None:
    look = looked(queue=row("RUNNING", name="someone-else"))

    assert look.sightings == {}
    assert look.conclusive


def test_a_job_with_our_name_and_another_id_is_ours() -> None:
    assert seen(queue=row("RUNNING", native_id=8), attempt=LOST).native_id == "8"


@pytest.mark.parametrize(("status", "state"), [(0, JobState.COMPLETED), (3, JobState.FAILED)])
def test_a_job_that_left_the_queue_ended_as_its_sentinel_says(status: int, state: JobState) -> None:
    sighting = seen(told("0 exit", mark(status), None))

    assert (sighting.state, sighting.exit_code, sighting.seen_in) == (state, status, "sentinel")
    assert sighting.ended_at == datetime.fromtimestamp(NOW - 5, UTC)


def test_completed_without_a_sentinel_is_finishing_and_then_a_failure() -> None:
    fresh, old = seen(queue=row("COMPLETED")), seen(queue=row("COMPLETED", end=NOW - 500))

    assert (fresh.state, fresh.reason) == (JobState.ACTIVE, "finishing")
    assert (old.state, old.reason) == (
        JobState.FAILED,
        "COMPLETED without its exit sentinel: are the files safe?",
    )


@pytest.mark.parametrize("state", ["PENDING", "COMPLETING", "RUNNING"])
def test_a_job_that_was_put_back_into_the_queue_is_not_over(state: str) -> None:
    assert not seen(told("0 exit", mark(143), None), queue=row(state)).state.final


def test_a_completing_job_that_ended_well_is_completed() -> None:
    assert seen(told("0 exit", mark(0), None), queue=row("COMPLETING")).state is JobState.COMPLETED


@pytest.mark.parametrize(
    ("native", "state", "word"),
    [("TIMEOUT", JobState.FAILED, "walltime"), ("OUT_OF_MEMORY", JobState.FAILED, "memory"),
     ("NODE_FAIL", JobState.FAILED, "node"), ("CANCELLED", JobState.CANCELED, "canceled")],
)  # fmt: skip
def test_what_the_scheduler_did_to_a_job_weighs_more_than_its_exit_status(
    native: str, state: JobState, word: str
) -> None:
    sighting = seen(told("0 exit", mark(143), None), queue=row(native))

    assert (sighting.state, sighting.exit_code) == (state, 143)
    assert word in (sighting.reason or "")


def test_a_job_we_cancelled_and_nobody_remembers_is_canceled() -> None:
    assert seen(told("0 exit", mark(143), None), told("0 cancel", "", None)).state is JobState.CANCELED


def test_of_two_jobs_with_one_token_the_one_that_holds_the_claim_counts() -> None:
    queue = row("COMPLETED", native_id=7) + "\n" + row("RUNNING", native_id=6)

    sighting = seen(told("0 started", mark(None, native_id=6), None), queue=queue, attempt=LOST)

    assert (sighting.native_id, sighting.state) == ("6", JobState.ACTIVE)


def test_the_record_of_a_refused_submission_is_no_run() -> None:
    refused = row("FAILED", reason="BadConstraints")
    alone, beside = seen(queue=refused, attempt=LOST), seen(queue=f"{refused}\n{row('RUNNING', native_id=8)}")

    assert (alone.state, alone.native_id) == (JobState.FAILED, None)
    assert beside.state is JobState.ACTIVE


@pytest.mark.parametrize(
    ("out", "err", "status", "state", "native_id"),
    [("12", "", 0, JobState.UNKNOWN, "12"),
     ("", "sbatch: error: Invalid qos specification", 1, JobState.FAILED, None),
     ("", "sbatch: error: Socket timed out on send/recv operation", 1, None, None)],
)  # fmt: skip
def test_a_lost_answer_is_read_from_the_directory(
    out: str, err: str, status: int, state: JobState | None, native_id: str | None
) -> None:
    left = told("0 rc", str(status), None) + told("0 out", out, None) + told("0 err", err, None)

    sighting = looked(left, attempt=LOST).sightings.get("j-1.1")

    assert (sighting.state if sighting else None) is state
    assert (sighting.native_id if sighting else None) == native_id


def test_the_id_in_the_directory_is_taken_with_the_row_of_the_queue() -> None:
    left = told("0 rc", "0", None) + told("0 out", "7", None)

    assert seen(left, queue=row("PENDING"), attempt=LOST).native_id == "7"


@pytest.mark.parametrize(("age", "state"), [(5, JobState.SUBMITTING), (500, None)])
def test_a_submission_under_way_is_neither_absent_nor_there(age: int, state: JobState | None) -> None:
    sighting = looked(told("0 who", f"login1 99 {NOW - age}", None), attempt=LOST).sightings.get("j-1.1")

    assert (sighting.state if sighting else None) is state


def test_accounting_tells_what_the_queue_has_forgotten() -> None:
    accounting = f"7|TIMEOUT|{NOW - 999}|{NOW - 900}|{NOW - 300}|0:0|j-1.1"

    sighting = seen(told("sacct", accounting))

    assert (sighting.state, sighting.seen_in) == (JobState.FAILED, "accounting")


@pytest.mark.parametrize(
    ("words", "status", "conclusive"),
    [("", 0, True), ("Slurm accounting storage is disabled", 1, True), ("Connection refused", 1, False)],
)
def test_only_an_accounting_that_answered_proves_absence(words: str, status: int, conclusive: bool) -> None:
    assert looked(told("sacct", words, status)).conclusive is conclusive


def test_a_queue_that_failed_proves_nothing() -> None:
    sentinel = told("0 exit", mark(0), None)

    assert not looked(sentinel, queue="slurm_load_jobs error", queue_status=1).conclusive
    assert looked(sentinel, queue=None).sightings["j-1.1"].state is JobState.COMPLETED


def test_a_look_that_learnt_nothing_says_why() -> None:
    with pytest.raises(TimedOut, match="Unable to contact"):
        looked(queue="slurm_load_jobs error: Unable to contact slurm controller", queue_status=1)
    with pytest.raises(Unreachable, match="controller is down"):
        looked(queue=None, ping="Slurmctld(primary) at head is DOWN")


def test_a_clock_that_is_wrong_there_does_not_shorten_the_grace() -> None:
    stream = told("date", str(NOW)) + told("ping", UP) + told("squeue", row("COMPLETED"))
    ours = NOON + timedelta(days=1)

    look = read_look(Completed(0, stream, ""), [KNOWN], ours)

    assert (look.sightings["j-1.1"].reason, look.observed_at) == ("finishing", ours)


@pytest.mark.parametrize(
    ("code", "status"), [("3:0", 3), ("0:9", 137), ("0:0", 0), ("", None), ("x:y", None)]
)
def test_exit_codes_of_accounting_are_read_as_a_shell_would_say_them(code: str, status: int | None) -> None:
    assert exit_status(code) == status


@pytest.mark.parametrize(
    "line", ["", "J|", "J|x|RUNNING|1|2|3|None|j-1.1", "J|7|RUNNING|1|2|3|j-1.1", "|||||||"]
)
def test_lines_that_are_no_rows_are_passed_over(line: str) -> None:
    assert read_queue([line]) == ()
    assert read_accounting([line]) == ()


def test_without_slurm_a_look_and_a_cancel_say_so(tmp_path: Path) -> None:
    path = {"PATH": str(tmp_path / "bin")}
    (tmp_path / "bin").mkdir()
    for name in ("env", "sed", "date", "id", "cat"):
        (tmp_path / "bin" / name).symlink_to(f"/usr/bin/{name}")

    with pytest.raises(Unreachable, match="not found"):
        ask(look(a_site(), [KNOWN], lambda: NOON), tmp_path, path)
    with pytest.raises((Unreachable, SchedulerError), match="not found"):
        ask(cancel(a_site(), [KNOWN], lambda: NOON), tmp_path, path)
