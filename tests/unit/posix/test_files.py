from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from hpcnet.errors import StorageError, UnreadableAnswer
from hpcnet.model.command import Completed, Question
from hpcnet.posix.claim import Closed, close_attempt, seal_attempt
from hpcnet.posix.files import RemoteFile, checksums, list_files, make_directories

NAMES = ["plain", "two words", "$(touch pwned)", "'q'\"q\"", "-rf", "new\nline", "ñandú", "*", "back\\slash"]


def answer(question: Question[object], path: str | None = None) -> object:
    environment = {**os.environ, **({"PATH": path} if path else {})}
    ended = subprocess.run(
        ["/bin/sh", "-s"], input=question.script, capture_output=True, text=True, check=False, env=environment
    )
    return question.read(Completed(ended.returncode, ended.stdout, ended.stderr))


def test_any_name_is_listed_with_its_size_and_links_are_not_followed(tmp_path: Path) -> None:
    for number, name in enumerate(NAMES):
        (tmp_path / name).write_bytes(b"x" * number)
    (tmp_path / ".hpcnet").mkdir()
    (tmp_path / ".hpcnet/job.sh").write_text("own")
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "fifo")
    expected = tuple(
        RemoteFile(name, size) for name, size in sorted((name, size) for size, name in enumerate(NAMES))
    )
    assert answer(list_files(str(tmp_path))) == expected


def test_checksums_come_in_the_order_asked_and_a_missing_file_has_none(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).write_text(name)
    expected = [hashlib.sha256(name.encode()).hexdigest() for name in NAMES]
    assert answer(checksums(str(tmp_path), [*NAMES, "gone"])) == [*expected, None]


def test_a_site_without_a_checksum_tool_says_none_for_all(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    assert answer(checksums(str(tmp_path), ["a"]), path="/nowhere") == [None]


def test_a_directory_that_is_gone_is_an_error_with_words(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no longer at the site"):
        answer(list_files(str(tmp_path / "gone")))


def test_a_list_that_cannot_be_read_is_kept() -> None:
    with pytest.raises(UnreadableAnswer) as caught:
        list_files("d").read(Completed(0, "what\0", ""))
    assert caught.value.raw == "what\0"


def test_directories_are_made_with_their_parents_and_a_refusal_is_told(tmp_path: Path) -> None:
    odd = str(tmp_path / "a b" / "$(c)")
    answer(make_directories([odd, str(tmp_path / "-d")]))
    assert Path(odd).is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot make the job directory"):
        answer(make_directories([str(tmp_path / "file" / "below")]))


def test_more_directories_than_one_command_can_name_are_made(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d" * 250] * 12)
    answer(make_directories([str(deep / str(number)) for number in range(1001)]))
    assert len(list(deep.iterdir())) == 1001


def test_only_the_topmost_directory_of_hpcnet_is_left_out_of_the_list(tmp_path: Path) -> None:
    for folder in (".hpcnet", "sub/.hpcnet"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "x").write_text("1")
    assert answer(list_files(str(tmp_path))) == (RemoteFile("sub/.hpcnet/x", 1),)


def test_an_attempt_can_be_closed_once_and_by_one_only(tmp_path: Path) -> None:
    directory = str(tmp_path / "j-1.1")
    assert answer(close_attempt(directory)) is Closed.NEVER_SUBMITTED
    assert answer(close_attempt(directory)) is Closed.ALREADY_CLAIMED


def test_a_site_that_cannot_make_the_claim_closes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        answer(close_attempt(str(tmp_path / "file")))


def test_an_attempt_can_be_sealed_unless_its_job_began(tmp_path: Path) -> None:
    (tmp_path / ".hpcnet").mkdir()
    assert answer(seal_attempt(str(tmp_path))) is True
    assert answer(seal_attempt(str(tmp_path))) is True
    (tmp_path / ".hpcnet/claim/holder").write_text("4711\n")
    assert answer(seal_attempt(str(tmp_path))) is False
