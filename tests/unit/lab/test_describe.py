from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hpcnet.lab.describe import site_descriptor, software_of, user_configuration
from hpcnet.lab.layout import Cluster, Lab
from hpcnet.lab.render import Machine
from hpcnet.lab.shapes import parse_shapes, read_shapes
from hpcnet.model.configuration import Configuration
from hpcnet.model.site import Site
from real_lab import TEMPLATES

ALICE = Machine(
    host="host", user="alice", account_locked=False, slurm_version=(22, 5), can_make_devices=False
)
ROOT = Machine(host="host", user="root", account_locked=False, slurm_version=(22, 5), can_make_devices=True)


@pytest.fixture
def atlantic(tmp_path: Path) -> Cluster:
    shape = parse_shapes(read_shapes(TEMPLATES / "clusters.toml"))[1]
    cluster = Cluster(shape, tmp_path, 7000)
    cluster.directory.mkdir()
    Path(f"{cluster.host_key}.pub").write_text("ssh-ed25519 AAAA+/= a comment\n")
    return cluster


def described(cluster: Cluster, machine: Machine, python: str = "/venv/bin/python") -> Site:
    text = site_descriptor(cluster, machine, {"numpy": "2.1"}, Path(python), accounting=False)
    return Site.model_validate(tomllib.loads(text))


def test_a_descriptor_pins_the_host_key_without_its_comment(atlantic: Cluster) -> None:
    login = described(atlantic, ROOT).login

    assert (login.host, login.port, login.host_keys) == ("127.0.0.1", 7001, ("ssh-ed25519 AAAA+/=",))


def test_walltimes_and_memory_survive_the_way_through_the_file(atlantic: Cluster) -> None:
    partition = described(atlantic, ROOT).partition("short")

    assert partition is not None
    assert (partition.max_walltime_s, partition.memory_per_node_mib, partition.gpus_per_node) == (
        1800,
        32000,
        4,
    )


def test_a_cluster_that_could_not_get_its_gpus_does_not_promise_them(atlantic: Cluster) -> None:
    partition = described(atlantic, ALICE).partition("gpu")

    assert partition is not None
    assert (partition.gpus_per_node, partition.gpu_model) == (0, None)


def test_power_and_carbon_are_said_to_be_invented(atlantic: Cluster) -> None:
    provenance = described(atlantic, ROOT).provenance

    assert {name: item.source for name, item in provenance.items()} == {
        "partitions": "training cluster, invented",
        "energy": "training cluster, invented",
    }


@pytest.mark.parametrize("directory", ["/venv/bin", "/my venv/bin", "/it's/$(HOME)/`bin`", '/a"b/bin'])
def test_the_setup_line_puts_the_environment_first_whatever_its_path(
    atlantic: Cluster, directory: str
) -> None:
    (line,) = described(atlantic, ROOT, f"{directory}/python").software["numpy"].setup

    shown = subprocess.run(
        ["sh", "-c", f'{line}\nprintf %s "$PATH"'], env={"PATH": "/usr/bin"}, capture_output=True, check=True
    ).stdout.decode()

    assert shown == f"{directory}:/usr/bin"


def test_the_configuration_names_user_key_and_directory(atlantic: Cluster, tmp_path: Path) -> None:
    text = user_configuration(Lab(tmp_path, (atlantic,), None), ALICE)

    access = Configuration.model_validate(tomllib.loads(text)).access["lab-atlantic"]

    assert (access.user, access.identity_file) == ("alice", str(tmp_path / "id_ed25519"))
    assert access.work_dir == str(atlantic.work)


def test_the_software_is_what_the_interpreter_finds() -> None:
    found = software_of(Path(sys.executable))

    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert "numpy" in found


def test_an_interpreter_that_does_not_run_has_no_software() -> None:
    assert software_of(Path("/bin/false")) == {}
