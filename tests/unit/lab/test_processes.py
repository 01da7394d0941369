from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hpcnet.lab.processes import MARK, end_processes, processes_of

SLEEP = "print(flush=True); import time; time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); {SLEEP}"


class Starter:
    """Starts Python programs and sees to their end."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def __call__(self, program: str, mark: Path | None = None, **environment: str) -> int:
        marked = {MARK: str(mark)} if mark else {}
        process = self._stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", program],
                env={**os.environ, **marked, **environment},
                stdout=subprocess.PIPE,
            )
        )
        self._stack.callback(process.kill)
        assert process.stdout is not None
        process.stdout.readline()
        return process.pid


@pytest.fixture
def start() -> Iterator[Starter]:
    with ExitStack() as stack:
        yield Starter(stack)


def pids(directory: Path) -> list[int]:
    return [process.pid for process in processes_of(directory)]


def test_a_marked_process_belongs_to_the_lab_of_its_mark(start: Starter, tmp_path: Path) -> None:
    mine = start(SLEEP, tmp_path / "lab")
    start(SLEEP, tmp_path / "lab2")
    start(SLEEP)

    assert pids(tmp_path / "lab") == [mine]


def test_children_belong_to_the_lab_of_their_parent(start: Starter, tmp_path: Path) -> None:
    start(PARENT, tmp_path)

    found = pids(tmp_path)
    end_processes(tmp_path)  # the child is nobody's but the lab's

    assert len(found) == 2


def test_a_shell_that_merely_speaks_to_a_cluster_is_no_part_of_it(start: Starter, tmp_path: Path) -> None:
    start(SLEEP, SLURM_CONF=f"{tmp_path}/lab-andes/slurm.conf")

    assert pids(tmp_path) == []


def test_the_caller_is_never_ended_even_if_it_was_started_inside_the_lab(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from hpcnet.lab.processes import end_processes
end_processes(Path({str(tmp_path)!r}))
print("still here")
"""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, MARK: str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.stdout == "still here\n"


def test_ending_ends_parents_children_and_the_stubborn_and_no_one_else(
    start: Starter, tmp_path: Path
) -> None:
    start(PARENT, tmp_path / "lab")
    start(STUBBORN, tmp_path / "lab")
    stranger = start(SLEEP)
    assert len(pids(tmp_path / "lab")) == 3

    end_processes(tmp_path / "lab")

    assert pids(tmp_path / "lab") == []
    assert Path(f"/proc/{stranger}").exists()


def test_ending_nothing_is_harmless(tmp_path: Path) -> None:
    end_processes(tmp_path)
    assert pids(tmp_path) == []
