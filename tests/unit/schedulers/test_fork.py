"""The embedded scheduler on real processes of this machine."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builders import a_job, a_site
from hpcnet.model.configuration import Access
from hpcnet.model.state import JobState, Sighting
from hpcnet.model.submission import Attempt, Submission
from hpcnet.registry import load
from hpcnet.schedulers.fork import Fork
from site_shell import ask

FORK: Fork = load("hpcnet.schedulers", "fork", "SCHEDULER")
SHELLS = [shell for shell in ("/bin/sh", "/bin/bash") if Path(shell).exists()]
SITE = a_site(scheduler={"name": "fork", "launcher": ["no-such-launcher", "{tasks}"]})


def started(home: Path, *command: str, shell: str = "/bin/sh", **job: Any) -> Attempt:
    text: dict[str, Any] = {"command": list(command)} if command else {"command": None}
    submission = Submission("j-1.1", "a job's", a_job(**text, **job), SITE, "local")
    receipt = ask(FORK.submit(submission), home, shell=shell)
    assert receipt.refusal is None
    return Attempt("j-1.1", "a job's", receipt.native_id)


def seen(home: Path, attempt: Attempt) -> Sighting | None:
    return ask(FORK.look(SITE, [attempt]), home).sightings.get(attempt.token)


def ended(home: Path, attempt: Attempt) -> Sighting:
    for _ in range(200):
        sighting = seen(home, attempt)
        if sighting is not None and sighting.state.final:
            return sighting
        time.sleep(0.03)
    raise AssertionError("the job did not end")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_job_starts_at_once_and_its_end_is_seen(tmp_path: Path, shell: str) -> None:
    attempt = started(tmp_path, "sh", "-c", "echo hello; exit 3", shell=shell)

    sighting = ended(tmp_path, attempt)

    assert (sighting.state, sighting.exit_code) == (JobState.FAILED, 3)
    assert (tmp_path / "a job's" / "output.log").read_text() == "hello\n"


def test_a_lost_answer_is_found_in_the_directory(tmp_path: Path) -> None:
    attempt = started(tmp_path, "sleep", "60")

    sighting = seen(tmp_path, replace(attempt, native_id=None))

    assert sighting is not None
    assert (sighting.state, sighting.native_id) == (JobState.ACTIVE, attempt.native_id)
    ask(FORK.cancel(SITE, [attempt]), tmp_path)


def test_a_second_submission_starts_nothing(tmp_path: Path) -> None:
    first = started(tmp_path, "sh", "-c", "echo once >>runs")
    second = started(tmp_path, "sh", "-c", "echo once >>runs")
    ended(tmp_path, first)

    assert first == second
    assert (tmp_path / "a job's" / "runs").read_text() == "once\n"


def test_a_cancelled_job_is_gone_with_all_its_children(tmp_path: Path) -> None:
    attempt = started(tmp_path, script="#!/bin/sh\nsleep 61 &\nsleep 62\n")
    group = int((attempt.native_id or "").partition(":")[0])

    look = ask(FORK.cancel(SITE, [attempt]), tmp_path)

    assert look.sightings["j-1.1"].state is JobState.CANCELED
    assert _eventually(lambda: not _group_lives(group))


def test_a_job_that_was_killed_is_a_failure_and_not_a_riddle(tmp_path: Path) -> None:
    attempt = started(tmp_path, "sleep", "63")
    os.killpg(int((attempt.native_id or "").partition(":")[0]), signal.SIGKILL)

    sighting = ended(tmp_path, attempt)

    assert (sighting.state, sighting.exit_code) == (JobState.FAILED, None)


def test_another_process_with_the_same_id_is_not_our_job(tmp_path: Path) -> None:
    attempt = started(tmp_path, "true")
    ended(tmp_path, attempt)
    (tmp_path / "a job's" / ".hpcnet" / "exit").unlink()
    ours = replace(attempt, native_id=f"{os.getpid()}:1")

    sighting = seen(tmp_path, ours)
    ask(FORK.cancel(SITE, [ours]), tmp_path)

    assert sighting is not None
    assert sighting.state is JobState.FAILED


def test_a_walltime_is_enforced(tmp_path: Path) -> None:
    attempt = started(tmp_path, "sleep", "64", requirements={"walltime": "0:01"})

    sighting = ended(tmp_path, attempt)

    assert (sighting.state, sighting.reason) == (JobState.FAILED, "it ran into its walltime")


def test_several_tasks_are_given_to_the_launcher(tmp_path: Path) -> None:
    attempt = started(tmp_path, "true", requirements={"tasks_per_node": 2})

    assert ended(tmp_path, attempt).exit_code == 127


def test_a_survey_shows_one_free_node(tmp_path: Path) -> None:
    state = ask(FORK.survey(a_job(), SITE, [], Access()), tmp_path)

    (partition,) = state.partitions
    assert (partition.name, partition.up, partition.nodes_idle, partition.pending_jobs) == (
        "local",
        True,
        1,
        0,
    )
    assert state.clock_ahead_s is not None
    assert abs(state.clock_ahead_s) < 5


def test_what_was_never_submitted_is_seen_nowhere(tmp_path: Path) -> None:
    look = ask(FORK.look(SITE, [Attempt("j-9.1", "nowhere")]), tmp_path)

    assert (look.sightings, look.conclusive) == ({}, True)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _eventually(condition: Callable[[], bool]) -> bool:
    for _ in range(100):
        if condition():
            return True
        time.sleep(0.03)
    return False
