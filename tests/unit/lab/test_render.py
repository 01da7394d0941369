from __future__ import annotations

import re
from pathlib import Path

import pytest

from hpcnet.errors import ConfigurationError
from hpcnet.lab.layout import Accounting, Cluster, Lab
from hpcnet.lab.render import Machine, cgroup_conf, fill, gres_conf, slurm_conf, slurmdbd_conf, sshd_config
from hpcnet.lab.shapes import parse_shapes, read_shapes
from real_lab import TEMPLATES

HERE = Path("/srv/lab")
ROOT = Machine(host="host", user="root", account_locked=False, slurm_version=(22, 5), can_make_devices=True)
ALICE = Machine(
    host="host", user="alice", account_locked=True, slurm_version=(24, 11), can_make_devices=False
)


def federation(accounting: bool = False) -> Lab:
    shapes = parse_shapes(read_shapes(TEMPLATES / "clusters.toml"))
    clusters = tuple(Cluster(shape, HERE, 7000 + 100 * number) for number, shape in enumerate(shapes))
    return Lab(HERE, clusters, Accounting(HERE, 9000) if accounting else None)


def lines(text: str, word: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(f"{word}=")]


def test_each_node_has_a_port_of_its_own_behind_those_of_the_controller_and_sshd() -> None:
    andes = federation().clusters[0]

    assert (andes.controller_port, andes.ssh_port, list(andes.node_ports)) == (
        7000,
        7001,
        [7002, 7003, 7004, 7005],
    )
    assert lines(slurm_conf(TEMPLATES, federation(), andes, ROOT), "NodeName") == [
        "NodeName=andes[1-4] NodeHostname=host NodeAddr=127.0.0.1 Port=7002-7005 CPUs=8 RealMemory=16000"
    ]


def test_partitions_carry_their_limits() -> None:
    text = slurm_conf(TEMPLATES, federation(), federation().clusters[0], ROOT)

    assert lines(text, "PartitionName") == [
        "PartitionName=cpu Nodes=andes[1-4] MaxTime=1-00:00:00 Default=YES State=UP",
        "PartitionName=debug Nodes=andes[1-4] MaxTime=00:10:00 MaxNodes=2 Default=NO State=UP",
    ]


def test_gpus_are_configured_where_their_devices_can_be_made() -> None:
    atlantic = federation().clusters[1]

    text = slurm_conf(TEMPLATES, federation(), atlantic, ROOT)

    assert lines(text, "GresTypes") == ["GresTypes=gpu"]
    assert lines(text, "NodeName")[0].endswith("Gres=gpu:a100:4")
    assert "Type=a100 File=/srv/lab/lab-atlantic/devices/gpu[0-3]" in gres_conf(TEMPLATES, atlantic)


def test_an_ordinary_user_gets_the_cluster_without_its_gpus() -> None:
    text = slurm_conf(TEMPLATES, federation(), federation().clusters[1], ALICE)

    assert "gpu:" not in text
    assert not lines(text, "GresTypes")
    assert lines(text, "SlurmUser") == ["SlurmUser=alice"]


def test_accounting_is_spoken_of_only_when_there_is_one() -> None:
    without = slurm_conf(TEMPLATES, federation(), federation().clusters[0], ROOT)
    along = slurm_conf(TEMPLATES, federation(accounting=True), federation().clusters[0], ROOT)

    assert not lines(without, "AccountingStorageType")
    assert lines(along, "AccountingStoragePort") == ["AccountingStoragePort=9000"]


def test_the_accounting_speaks_to_its_own_data_base() -> None:
    lab = federation(accounting=True)
    assert lab.accounting is not None

    text = slurmdbd_conf(TEMPLATES, lab, lab.accounting, ROOT, "secret")

    assert lines(text, "StoragePort") == ["StoragePort=9001"]
    assert lines(text, "StoragePass") == ["StoragePass=secret"]


def test_sshd_uses_pam_only_for_an_account_whose_password_is_locked() -> None:
    lab = federation()

    assert re.search("^UsePAM no$", sshd_config(TEMPLATES, lab, lab.clusters[0], ROOT), re.MULTILINE)
    assert re.search("^UsePAM yes$", sshd_config(TEMPLATES, lab, lab.clusters[0], ALICE), re.MULTILINE)


def test_sshd_listens_on_the_loopback_interface_only() -> None:
    lab = federation()
    text = sshd_config(TEMPLATES, lab, lab.clusters[0], ROOT)

    assert [line for line in text.splitlines() if line.startswith("ListenAddress")] == [
        "ListenAddress 127.0.0.1"
    ]


def test_a_template_that_asks_for_too_much_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.template").write_text("$known $unknown")

    with pytest.raises(ConfigurationError, match="'unknown', which nothing fills in"):
        fill(tmp_path, "x", {"known": 1})


def test_a_missing_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"y\.template cannot be used"):
        fill(tmp_path, "y", {})


def test_control_groups_are_switched_off_in_the_words_of_each_release() -> None:
    assert "CgroupPlugin=cgroup/v1" in cgroup_conf(TEMPLATES, ROOT)
    assert "CgroupPlugin=disabled" in cgroup_conf(TEMPLATES, ALICE)
