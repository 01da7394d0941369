from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hpcnet.posix.quote import quote, quote_all, write_file
from site_shell import run_framed

ANY_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
HOSTILE = st.sampled_from(["$(id)", "`id`", "'", '"', "\\", "\n", "-n", "*", "~", "\r", "é\x81"])
REAL_SHELL = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@REAL_SHELL
@given(words=st.lists(ANY_TEXT | st.lists(HOSTILE).map("".join), min_size=1, max_size=4))
def test_any_words_reach_a_program_unharmed(tmp_path: Path, words: list[str]) -> None:
    answer = run_framed(f"printf '%s\\0' {quote_all(tuple(words))}", tmp_path)

    assert answer.stdout.split("\0")[:-1] == words


@REAL_SHELL
@given(text=ANY_TEXT | st.lists(HOSTILE).map("\n".join))
def test_any_text_reaches_a_file_unharmed(tmp_path: Path, text: str) -> None:
    run_framed(write_file("copy", text), tmp_path)

    assert (tmp_path / "copy").read_bytes() == text.encode()


def test_a_megabyte_reaches_a_file_unharmed(tmp_path: Path) -> None:
    text = "it's a 'long' text, ñandú\n" * 40_000

    run_framed(write_file("copy", text), tmp_path)

    assert (tmp_path / "copy").read_text() == text


def test_a_file_that_cannot_be_written_is_seen(tmp_path: Path) -> None:
    assert run_framed(write_file("/nowhere/copy", "text"), tmp_path).exit_status != 0


def test_a_null_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="null byte"):
        quote("a\0b")
