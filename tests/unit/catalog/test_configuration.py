from __future__ import annotations

from pathlib import Path

import pytest

from hpcnet.catalog.configuration import read_configuration
from hpcnet.errors import ConfigurationError
from hpcnet.model.configuration import Configuration
from hpcnet.model.job import Goal


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def faults(folder: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read_configuration(folder / "config.toml")
    return [str(fault) for fault in caught.value.faults]


def test_no_file_at_all_is_the_default(tmp_path: Path) -> None:
    assert read_configuration(tmp_path / "config.toml") == Configuration()


def test_a_main_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "config.toml").symlink_to("config.toml")
    (fault,) = faults(tmp_path)
    assert fault.startswith("config.toml: cannot be read: Too many levels")


def test_access_and_lists_of_all_files_are_joined(tmp_path: Path) -> None:
    write(tmp_path, "config.toml", '[defaults]\ngoal = "energy"\n[access.lumi]\nuser = "ana"\n')
    write(
        tmp_path,
        "config.d/lab.toml",
        'site_directories = ["sites"]\nknown_hosts = ["/x/pins"]\n[access.alpha]\n',
    )
    write(tmp_path, "config.d/more.toml", 'known_hosts = ["~/pins"]\n[access.lumi]\naccount = "p1"\n')
    read = read_configuration(tmp_path / "config.toml")
    assert read.defaults.goal is Goal.ENERGY
    assert sorted(read.access) == ["alpha", "lumi"]
    assert (read.access["lumi"].user, read.access["lumi"].account) == ("ana", "p1")
    assert read.site_directories == (str(tmp_path / "config.d" / "sites"),)
    assert read.known_hosts == ("/x/pins", str(Path.home() / "pins"))


def test_files_beside_are_read_without_a_main_file(tmp_path: Path) -> None:
    write(tmp_path, "config.d/lab.toml", '[access.alpha]\nidentity_file = "key"\n')
    access = read_configuration(tmp_path / "config.toml").access["alpha"]
    assert access.identity_file == str(tmp_path / "config.d" / "key")


def test_a_conflict_names_both_files(tmp_path: Path) -> None:
    write(tmp_path, "config.toml", '[access.lumi]\nuser = "ana"\n')
    write(tmp_path, "config.d/x.toml", '[access.lumi]\nuser = "eva"\n')
    assert faults(tmp_path) == [
        "x.toml: access.lumi.user: is 'eva' here, but 'ana' in config.toml (keep one of the two)"
    ]


def test_the_same_said_twice_is_no_conflict(tmp_path: Path) -> None:
    for name in ("config.toml", "config.d/x.toml"):
        write(tmp_path, name, 'ledger = "postgresql://host/db"\n')
    assert read_configuration(tmp_path / "config.toml").ledger == "postgresql://host/db"


def test_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    write(tmp_path, "config.toml", "[access.lumi]\nusr = 'ana'\n[defaults]\ngoal = 3\n")
    write(tmp_path, "config.d/x.toml", "ledger = [\n")
    found = faults(tmp_path)
    assert [fault.split(": ")[:2] for fault in found] == [
        ["config.toml", "defaults.goal"],
        ["config.toml", "access.lumi.usr"],
        ["x.toml", found[2].split(": ")[1]],
    ]
    assert "did you mean 'user'?" in found[1]
