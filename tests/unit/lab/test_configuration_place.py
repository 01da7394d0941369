"""The directory of the user: what `up` made of it goes, what was there stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpcnet.lab.configuration_place import make_directory, read_made, remove_made


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "made.json"


def test_what_was_missing_goes_again_and_what_was_there_stays(tmp_path: Path, memory: Path) -> None:
    (tmp_path / "there").mkdir()
    directory = tmp_path / "there" / "hpcnet" / "config.d"

    make_directory(directory, memory)
    assert directory.is_dir()
    remove_made(directory, read_made(memory))

    assert list((tmp_path / "there").iterdir()) == []


def test_a_directory_that_was_there_stays_though_it_is_empty(tmp_path: Path, memory: Path) -> None:
    directory = tmp_path / "config.d"
    directory.mkdir()

    make_directory(directory, memory)
    remove_made(directory, read_made(memory))

    assert directory.is_dir()


@pytest.mark.parametrize("kept", ["hpcnet/config.d/mine.toml", "hpcnet/config.toml"])
def test_a_directory_that_holds_something_else_by_now_stays(tmp_path: Path, memory: Path, kept: str) -> None:
    directory = tmp_path / "hpcnet" / "config.d"
    make_directory(directory, memory)
    (tmp_path / kept).write_text("")

    remove_made(directory, read_made(memory))

    assert (tmp_path / kept).is_file()
    assert directory.exists() == (directory in (tmp_path / kept).parents)


def test_a_second_up_does_not_forget_what_the_first_has_made(tmp_path: Path, memory: Path) -> None:
    directory = tmp_path / "hpcnet" / "config.d"
    make_directory(directory, memory)
    make_directory(directory, memory)
    directory.rmdir()
    make_directory(directory, memory)

    remove_made(directory, read_made(memory))

    assert not (tmp_path / "hpcnet").exists()


def test_an_up_that_was_interrupted_before_it_made_anything_is_tidied(tmp_path: Path, memory: Path) -> None:
    directory = tmp_path / "hpcnet" / "config.d"
    make_directory(directory, memory)
    directory.rmdir()

    remove_made(directory, read_made(memory))

    assert not (tmp_path / "hpcnet").exists()


def test_only_directories_above_the_configuration_are_ever_removed(tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    stranger.mkdir()

    remove_made(tmp_path / "hpcnet" / "config.d", (str(stranger),))

    assert stranger.is_dir()


@pytest.mark.parametrize("text", ["", "null", "3", '{"a": 1}', "[1, null]", "\x00"])
def test_a_memory_that_is_no_list_of_paths_removes_nothing(memory: Path, text: str) -> None:
    assert read_made(memory) == ()
    memory.write_text(text)

    assert read_made(memory) == ()
