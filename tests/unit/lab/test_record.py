from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hpcnet.errors import ConfigurationError, StorageError, UsageError
from hpcnet.lab.free_ports import answers, free_blocks, is_free
from hpcnet.lab.record import place_of, planned_lab, recorded_lab
from hpcnet.lab.settings import LabSettings
from real_lab import TEMPLATES


@pytest.fixture
def settings(tmp_path: Path) -> LabSettings:
    # The directory itself is as long as the test runner makes it: a short one is linked to.
    return LabSettings(tmp_path / "lab", tmp_path / "config.d", TEMPLATES, Path("/usr/bin/python3"))


@pytest.fixture(autouse=True)
def _nothing_is_left(settings: LabSettings) -> Iterator[None]:
    yield
    shutil.rmtree(place_of(settings.directory), ignore_errors=True)


def test_a_lab_is_found_again_on_the_same_ports(settings: LabSettings) -> None:
    lab = planned_lab(settings)

    assert planned_lab(settings) == lab
    assert recorded_lab(settings) == lab


def test_nothing_is_recorded_before_the_first_up(settings: LabSettings) -> None:
    assert recorded_lab(settings) is None


def test_no_port_is_given_twice(settings: LabSettings) -> None:
    lab = planned_lab(replace(settings, accounting=True))
    assert lab.accounting is not None

    ports = [port for cluster in lab.clusters for port in cluster.ports]
    ports += [lab.accounting.port, lab.accounting.database_port]

    assert len(ports) == len(set(ports)) == (2 + 4) + (2 + 2) + 2


def test_a_lab_whose_shapes_have_changed_has_to_be_taken_down_first(
    settings: LabSettings, tmp_path: Path
) -> None:
    planned_lab(settings)
    text = (TEMPLATES / "clusters.toml").read_text().replace("nodes = 4", "nodes = 5")
    (tmp_path / "clusters.toml").write_text(text)

    with pytest.raises(UsageError, match="have changed") as caught:
        planned_lab(replace(settings, templates=tmp_path))

    assert "hpcnet lab down" in caught.value.hint


def test_accounting_cannot_be_added_later(settings: LabSettings) -> None:
    planned_lab(settings)

    with pytest.raises(UsageError, match="without accounting"):
        planned_lab(replace(settings, accounting=True))


def test_accounting_stays_when_up_is_called_without_it(settings: LabSettings) -> None:
    planned_lab(replace(settings, accounting=True))

    assert planned_lab(settings).accounting is not None


def test_a_record_that_cannot_be_read_is_named_with_a_hint(settings: LabSettings) -> None:
    place = planned_lab(settings).directory
    (place / "lab.json").write_text("{")

    with pytest.raises(StorageError, match=r"lab\.json cannot be read") as caught:
        recorded_lab(settings)

    assert "hpcnet lab down" in caught.value.hint


def test_a_path_that_slurm_cannot_read_becomes_a_link_to_one_it_can(settings: LabSettings) -> None:
    awkward = replace(settings, directory=settings.directory.with_name("with blanks, and 'quotes'"))

    lab = planned_lab(awkward)

    assert awkward.directory.is_symlink()
    assert awkward.directory.resolve() == lab.directory
    assert " " not in str(lab.directory)
    assert json.loads((awkward.directory / "lab.json").read_text())["ports"]
    shutil.rmtree(lab.directory)


def test_a_link_whose_target_a_reboot_has_swept_away_is_made_anew(settings: LabSettings) -> None:
    awkward = replace(settings, directory=settings.directory.with_name("with blanks"))
    first = planned_lab(awkward).directory
    shutil.rmtree(first)

    second = planned_lab(awkward).directory

    assert second.is_dir()
    assert awkward.directory.resolve() == second
    shutil.rmtree(second)


def test_a_directory_that_is_there_and_does_not_suit_is_refused(settings: LabSettings) -> None:
    awkward = replace(settings, directory=settings.directory.with_name("with blanks"))
    awkward.directory.mkdir()

    with pytest.raises(ConfigurationError, match="Slurm cannot work in"):
        planned_lab(awkward)


def test_a_port_that_someone_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        assert answers(port)
    assert is_free(port)
    assert not answers(port)


def test_blocks_of_ports_leave_out_those_that_are_taken() -> None:
    base = free_blocks([5])[0]
    with socket.create_server(("127.0.0.1", base + 1)):
        first, second = free_blocks([2, 1], base)

    assert first >= base + 2
    assert second >= first + 2


def test_no_room_for_ports_is_a_sentence() -> None:
    with pytest.raises(ConfigurationError, match="no 10 free ports"):
        free_blocks([10], 65_530)
