from __future__ import annotations

from pathlib import Path

import pytest

from hpcnet.errors import ConfigurationError
from hpcnet.lab.shapes import parse_shapes, read_shapes
from real_lab import TEMPLATES

ONE = """
[lab-pampa]
title = "Pampa"
country = "AR"
jurisdiction = "AR"
carbon_g_per_kwh = 300
node_prefix = "pampa"
nodes = 3
cpus_per_node = 4
memory_per_node = "8 GiB"
node_idle_w = 50
node_max_w = 100
partitions = [{ name = "all", max_walltime = "1-00:00:00", default = true }]
"""


def test_the_shipped_clusters_differ_in_shape() -> None:
    andes, atlantic = parse_shapes(read_shapes(TEMPLATES / "clusters.toml"))

    assert (andes.nodes, andes.cpus_per_node, andes.memory_per_node_mib, andes.gpus_per_node) == (
        4,
        8,
        16000,
        0,
    )
    assert (atlantic.nodes, atlantic.cpus_per_node, atlantic.gpus_per_node) == (2, 16, 4)
    assert [partition.max_walltime_s for partition in andes.partitions] == [86400, 600]


def test_one_more_table_is_one_more_cluster() -> None:
    shapes = parse_shapes(read_shapes(TEMPLATES / "clusters.toml") + ONE)

    assert [shape.id for shape in shapes] == ["lab-andes", "lab-atlantic", "lab-pampa"]
    assert shapes[2].node_names == ("pampa1", "pampa2", "pampa3")
    assert shapes[2].node_range == "pampa[1-3]"


def test_all_faults_of_the_file_are_told_at_once() -> None:
    text = ONE.replace("nodes = 3", "nodes = 0").replace('"8 GiB"', '"much"').replace('title = "Pampa"', "")

    with pytest.raises(ConfigurationError) as caught:
        parse_shapes(text)

    assert {fault.where for fault in caught.value.faults} == {
        "lab-pampa.nodes",
        "lab-pampa.memory_per_node",
        "lab-pampa.title",
    }


@pytest.mark.parametrize("text", ["", "lab-pampa = 3", "[lab-pampa"])
def test_a_file_that_describes_no_cluster_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"clusters\.toml"):
        parse_shapes(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml cannot be read"):
        read_shapes(tmp_path / "nowhere.toml")
