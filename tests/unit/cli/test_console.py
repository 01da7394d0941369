from __future__ import annotations

import pytest

from hpcnet.cli.console import printable, say_table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ñandú 中文 🌋", "plain ñandú 中文 🌋"),
        ("red \x1b[31m", "red \\x1b[31m"),
        ("bell\a back\b", "bell\\x07 back\\x08"),
        ("over\rwritten", "over\\rwritten"),
        ("two\nlines", "two\nlines"),
        ("right\u202eleft", "right\\u202eleft"),
        ("null\0", "null\\x00"),
    ],
)
def test_no_text_can_play_with_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_table_in_a_pipe_is_plain_columns(capsys: pytest.CaptureFixture[str]) -> None:
    say_table(("SITE", "NODES"), [("andes", 4), ("a-longer-name", None)])
    assert capsys.readouterr().out == "SITE           NODES\nandes          4\na-longer-name\n"


def test_a_cell_with_a_newline_does_not_break_its_row(capsys: pytest.CaptureFixture[str]) -> None:
    say_table(("NAME",), [("new\nline",)])
    assert capsys.readouterr().out.count("\n") == 2
