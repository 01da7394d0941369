from __future__ import annotations

from pathlib import Path

import pytest

from hpcnet.errors import LinkLost
from hpcnet.model.command import Completed
from hpcnet.posix.frame import frame, unframe
from site_shell import MARKER, run_framed, run_shell


def test_both_streams_and_the_exit_status_come_back(tmp_path: Path) -> None:
    answer = run_framed("echo out; echo err >&2; exit 7", tmp_path)

    assert answer == Completed(7, "out\n", "err\n")


def test_output_without_a_last_newline_comes_back_as_it_was(tmp_path: Path) -> None:
    assert run_framed("printf 'no newline'", tmp_path).stdout == "no newline"


def test_banners_before_and_after_are_cut_away(tmp_path: Path) -> None:
    noisy = "echo Submitted batch job 666\necho motd >&2\n" + frame("echo 12", MARKER)

    answer = unframe(run_shell(noisy, tmp_path), MARKER)

    assert answer == Completed(0, "12\n", "")


def test_a_command_that_reads_its_input_does_not_eat_the_script(tmp_path: Path) -> None:
    assert run_framed("cat\necho still here", tmp_path).stdout == "still here\n"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_an_answer_without_its_end_is_a_lost_link(tmp_path: Path, stream: str) -> None:
    raw = run_shell(frame("echo 12", MARKER), tmp_path)
    whole = {"stdout": raw.stdout, "stderr": raw.stderr}
    cut = Completed(raw.exit_status, **{**whole, stream: whole[stream][:-8]})

    with pytest.raises(LinkLost, match="broke off"):
        unframe(cut, MARKER)


def test_a_script_that_arrived_by_half_does_nothing(tmp_path: Path) -> None:
    whole = frame("echo one >first\necho two >second\n", MARKER)

    raw = run_shell(whole[: whole.index("second")], tmp_path)

    assert not (tmp_path / "first").exists()
    with pytest.raises(LinkLost):
        unframe(raw, MARKER)


def test_a_marker_that_a_shell_would_read_is_refused() -> None:
    with pytest.raises(ValueError, match="letters and digits"):
        frame("true", "$(id)")


def lost(raw: Completed) -> LinkLost:
    with pytest.raises(LinkLost) as caught:
        unframe(raw, MARKER)
    return caught.value


@pytest.mark.parametrize("kept", [1, 8, len(f"hpcnet-end {MARKER}") - 2, len(f"hpcnet-end {MARKER} 0\n")])
@pytest.mark.parametrize("complaint", ["", "squeue: error: slurm_load_jobs\n"])
def test_no_marker_of_ours_passes_for_the_last_words_of_a_site(
    tmp_path: Path, kept: int, complaint: str
) -> None:
    raw = run_shell(frame(f"printf '%s' '{complaint}' >&2", MARKER), tmp_path)
    end = f"hpcnet-end {MARKER} 0\n"
    assert raw.stderr.endswith(end)

    error = lost(Completed(0, raw.stdout.removesuffix(end), raw.stderr[: len(raw.stderr) - len(end) + kept]))

    said = f"; its last words: {complaint.strip()}" if complaint else ""
    assert error.message == f"the answer broke off in the middle{said}"


def test_a_shell_that_runs_no_script_is_told_in_its_own_words() -> None:
    error = lost(Completed(1, "This account is currently not available.\n", ""))

    assert "did not answer the script" in error.message
    assert error.message.endswith("its last words: This account is currently not available.")


def test_a_site_that_says_nothing_has_no_last_words() -> None:
    assert "last words" not in lost(Completed(0, "", "")).message


def test_the_hint_about_a_lost_answer_fits_a_mere_question() -> None:
    assert lost(Completed(0, "", "")).hint.startswith("try again")
