from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hpcnet.broker import home
from hpcnet.errors import StorageError


def test_everything_in_the_way_is_seen_before_anything_is_copied(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError) as caught:
        home.make_ready(tmp_path, ["file/below", "folder", "fine"])
    assert caught.value.message == (
        f"{tmp_path}/file is not a directory, and results belong below it (and 1 more like it)"
    )
    assert caught.value.exit_code == 74
    with pytest.raises(StorageError, match="folder is a directory, and a file belongs there"):
        home.make_ready(tmp_path, ["folder"])


def test_files_that_are_here_already_and_new_directories_are_no_conflict(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/old").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "home")
    home.make_ready(tmp_path / "link", ["old", "new/deep/file"])
    home.make_ready(tmp_path / "not/yet/there", ["a"])
    assert (tmp_path / "not/yet/there").is_dir()


def test_a_private_directory_that_leads_elsewhere_is_a_conflict(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / home.PARTIALS).symlink_to(tmp_path)
    with pytest.raises(StorageError, match="leads out of"):
        home.make_ready(tmp_path / "home", ["a"])


def test_a_directory_that_cannot_be_written_is_told_with_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may write anywhere, whatever the permission bits say.
    monkeypatch.setattr("os.access", lambda path, _mode: Path(path) != tmp_path / "out")
    (tmp_path / "out").mkdir()
    with pytest.raises(StorageError, match=f"{tmp_path}/out cannot be written"):
        home.make_ready(tmp_path, ["out/a"])


def test_a_home_that_cannot_be_made_is_told_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=f"{tmp_path}/file/home on this machine: Not a directory"):
        home.make_ready(tmp_path / "file/home", [])


def test_too_little_space_is_told_before_the_download(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    home.refuse_if_full(tmp_path, 1)
    with pytest.raises(StorageError, match="bytes free, and the results need"):
        home.refuse_if_full(tmp_path, free * 2)


def test_a_move_onto_a_directory_is_no_internal_error(tmp_path: Path) -> None:
    (tmp_path / "partial").write_text("x")
    (tmp_path / "target").mkdir()
    with pytest.raises(StorageError, match="Is a directory"):
        home.move(tmp_path / "partial", tmp_path / "target")


def test_a_file_is_held_when_size_and_checksum_are_equal(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert home.holds(tmp_path / "a", 3, digest)
    assert home.holds(tmp_path / "a", 3, None)
    assert not home.holds(tmp_path / "a", 2, None)
    assert not home.holds(tmp_path / "a", 3, "0" * 64)
    assert not home.holds(tmp_path / "none", 0, None)


def test_the_private_directory_stays_while_something_is_left_in_it(tmp_path: Path) -> None:
    with home.partials(tmp_path) as folder:
        (folder / home.partial_name("site", "j-1.1", "a")).write_text("half")
    assert folder.is_dir()
    with home.partials(tmp_path) as folder:
        home.remove(folder / home.partial_name("site", "j-1.1", "a"))
    assert not folder.exists()


def test_files_of_different_jobs_never_share_a_half_copy() -> None:
    origins = [("s", "j-1.1", "a"), ("s", "j-1.2", "a"), ("t", "j-1.1", "a"), ("s", "j-1.1", "b")]
    assert len({home.partial_name(*origin) for origin in origins}) == 4
