"""A text file that cannot be read is told once, with what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hpcnet.documents import parse_toml, read_text
from hpcnet.errors import FileError


def nothing(path: Path) -> None:
    assert not path.exists()


def a_directory(path: Path) -> None:
    path.mkdir()


def not_utf8(path: Path) -> None:
    path.write_bytes(b"first = 1\nname = '\xff'\n")


def too_long(path: Path) -> None:
    path.write_bytes(b"#" * 1025)


@pytest.mark.parametrize(
    ("made", "what", "hint"),
    [
        (nothing, "there is no such file", "looked for"),
        (a_directory, "this is a directory", "name a file in it"),
        (not_utf8, "is not UTF-8 text", "save the file as UTF-8"),
        (too_long, "is larger than 1 KiB", "right file"),
    ],
)
def test_the_hint_of_an_unreadable_file_stands_at_its_fault_and_only_there(
    tmp_path: Path, made: Callable[[Path], None], what: str, hint: str
) -> None:
    path = tmp_path / "job.toml"
    made(path)

    with pytest.raises(FileError) as caught:
        read_text(path, 1024)

    (fault,) = caught.value.faults
    assert what in fault.what
    assert hint in fault.hint
    assert caught.value.hint == ""


def test_a_text_that_is_not_toml_is_told_with_its_place_and_one_hint() -> None:
    with pytest.raises(FileError) as caught:
        parse_toml("a = 1\nb = \n", "job.toml")

    assert [fault.where for fault in caught.value.faults] == ["job.toml: line 2, column 5"]
    assert caught.value.hint == ""
