from __future__ import annotations

from pathlib import Path

import pytest

from hpcnet.catalog.sites import LIMIT_BYTES, read_sites
from hpcnet.errors import ConfigurationError


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder


def faults(*folders: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read_sites(folders)
    assert caught.value.exit_code == 78
    return [str(fault) for fault in caught.value.faults]


def test_the_stem_is_the_id_and_sites_are_in_order(tmp_path: Path) -> None:
    write(tmp_path, "b.toml", 'name = "B"')
    write(tmp_path, "a.toml", 'id = "a"\nname = "A"')
    assert [(key, site.id, site.name) for key, site in read_sites([tmp_path]).items()] == [
        ("a", "a", "A"),
        ("b", "b", "B"),
    ]


def test_a_later_directory_overrides_an_earlier_one(tmp_path: Path) -> None:
    shipped = write(tmp_path / "shipped", "a.toml", 'name = "shipped"')
    own = write(tmp_path / "own", "a.toml", 'name = "own"')
    assert read_sites([shipped, own])["a"].name == "own"


def test_faults_of_all_files_come_at_once_with_their_place(tmp_path: Path) -> None:
    write(tmp_path, "a.toml", 'name = "A"\ncolour = "red"\n[[partitions]]\nname = "x"\nnodes = "few"\n')
    write(tmp_path, "b.toml", "name = \n")
    *others, broken = faults(tmp_path)
    assert others == [
        "a.toml: partitions[1].nodes: must be a whole number, not 'few' (write for example 4)",
        "a.toml: colour: is not a known key (did you mean 'country'?)",
    ]
    assert broken.startswith("b.toml: line 1, column 8: is not TOML: Invalid value (")


def test_an_id_that_is_not_the_stem_is_refused(tmp_path: Path) -> None:
    (fault,) = faults(write(tmp_path, "a.toml", 'id = "b"\nname = "A"'))
    assert fault.startswith("a.toml: id: is 'b'")


def test_a_stem_that_is_no_site_id_is_refused(tmp_path: Path) -> None:
    (fault,) = faults(write(tmp_path, "My Site.toml", 'name = "A"'))
    assert fault.startswith("My Site.toml: id: has characters that are not allowed")


def test_the_id_kernel_is_reserved(tmp_path: Path) -> None:
    (fault,) = faults(write(tmp_path, "kernel.toml", 'name = "A"'))
    assert "reserved" in fault


def test_a_partition_described_twice_is_refused(tmp_path: Path) -> None:
    text = 'name = "A"\n[[partitions]]\nname = "x"\n[[partitions]]\nname = "x"\n'
    (fault,) = faults(write(tmp_path, "a.toml", text))
    assert "described twice" in fault


def test_too_large_foreign_and_missing_things_are_told(tmp_path: Path) -> None:
    write(tmp_path, "big.toml", "#" * (LIMIT_BYTES + 1))
    (tmp_path / "latin.toml").write_bytes(b'name = "Bogot\xe1"\n')
    (tmp_path / "folder.toml").mkdir()
    found = faults(tmp_path, tmp_path / "nowhere")
    assert [fault.split(" (")[0] for fault in found] == [
        "big.toml: is larger than 64 KiB",
        "folder.toml: this is a directory, not a file",
        "latin.toml: line 1: is not UTF-8 text",
        f"{tmp_path}/nowhere: this directory of site descriptors cannot be read: No such file or directory",
    ]
