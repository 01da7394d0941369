from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from builders import a_job, a_site
from hpcnet.errors import UnreadableAnswer
from hpcnet.model.command import Completed
from hpcnet.model.submission import Submission
from hpcnet.posix.claim import Closed, close_attempt
from hpcnet.posix.submit_once import Left, read_left, submit_once
from site_shell import ask, run_framed

NAMES = ["jobs/plain", "it's $(touch owned)", "two\nlines", "ñandú", "-dash", "a;b&c|d"]


def submit(home: Path, directory: str, command: str = "echo 12 && echo once >>calls") -> Left:
    submission = Submission("j-1.1", directory, a_job(), a_site(), "cpu")
    return read_left(run_framed(submit_once(submission, "#!/bin/sh\ntrue\n", command), home), submission)


@pytest.mark.parametrize("name", NAMES)
def test_any_directory_name_is_a_name_and_nothing_else(tmp_path: Path, name: str) -> None:
    left = submit(tmp_path, name)

    assert (left.exit_status, left.out) == (0, "12")
    assert (tmp_path / name / ".hpcnet" / "job.sh").read_text() == "#!/bin/sh\ntrue\n"
    assert not list(tmp_path.rglob("owned"))


def test_a_second_submission_reads_what_the_first_one_left(tmp_path: Path) -> None:
    first, second = submit(tmp_path, "job"), submit(tmp_path, "job", command="echo 13")

    assert first == second == Left(str(tmp_path / "job"), 0, "12", "")


def test_many_at_once_come_to_one_submission(tmp_path: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = [
            pool.submit(submit, tmp_path, "job", "sleep 0.2; echo 12; echo once >>calls") for _ in range(6)
        ]
        found = {answer.result().out for answer in answers}

    assert found == {"12"}
    assert (tmp_path / "job" / "calls").read_text() == "once\n"


def test_an_attempt_that_was_closed_is_never_submitted(tmp_path: Path) -> None:
    assert ask(close_attempt("job"), tmp_path) is Closed.NEVER_SUBMITTED

    left = submit(tmp_path, "job")

    assert (left.exit_status, left.out) == (None, "")
    assert not (tmp_path / "job" / "calls").exists()


def test_a_submission_that_was_first_cannot_be_closed(tmp_path: Path) -> None:
    submit(tmp_path, "job")

    assert ask(close_attempt("job"), tmp_path) is Closed.ALREADY_CLAIMED


def test_the_words_of_a_refusal_are_kept(tmp_path: Path) -> None:
    left = submit(tmp_path, "job", command="echo 'sbatch: error: no' >&2; exit 1")

    assert (left.exit_status, left.words) == (1, "sbatch: error: no")


def test_a_directory_that_cannot_be_made_is_a_refusal_and_no_riddle(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    left = submit(tmp_path, "file/job")

    assert left.exit_status == 73
    assert "cannot be made" in left.words


def test_an_answer_that_is_none_of_ours_cannot_be_read() -> None:
    submission = Submission("j-1.1", "job", a_job(), a_site(), "cpu")

    with pytest.raises(UnreadableAnswer):
        read_left(Completed(0, "hello\n", ""), submission)
