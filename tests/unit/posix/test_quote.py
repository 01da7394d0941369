from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hpcnet.posix.quote import here_document, quote, quote_all
from site_shell import run_framed

ANY_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
HOSTILE = st.sampled_from(
    ["$(id)", "`id`", "'", '"', "\\", "\n", "-n", "*", "~", "HPCNET_END_0", "\r", "é\x81"]
)
REAL_SHELL = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@REAL_SHELL
@given(words=st.lists(ANY_TEXT | st.lists(HOSTILE).map("".join), min_size=1, max_size=4))
def test_any_words_reach_a_program_unharmed(tmp_path: Path, words: list[str]) -> None:
    answer = run_framed(f"printf '%s\\0' {quote_all(tuple(words))}", tmp_path)

    assert answer.stdout.split("\0")[:-1] == words


@REAL_SHELL
@given(text=ANY_TEXT | st.lists(HOSTILE).map("\n".join))
def test_any_text_reaches_a_file_unharmed(tmp_path: Path, text: str) -> None:
    run_framed(f"cat >copy {here_document(text)}", tmp_path)

    whole = text if text.endswith("\n") else text + "\n"
    assert (tmp_path / "copy").read_bytes() == whole.encode()


def test_text_that_holds_the_delimiter_gets_another_one(tmp_path: Path) -> None:
    document = here_document("HPCNET_END_0\ntouch broken\n")

    run_framed(f"cat {document}", tmp_path)

    assert not (tmp_path / "broken").exists()


@pytest.mark.parametrize("make", [quote, here_document])
def test_a_null_byte_is_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match="null byte"):
        make("a\0b")
