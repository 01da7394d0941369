from __future__ import annotations

from pathlib import Path

import pytest

from hpcnet.errors import TimedOut
from hpcnet.lab.daemons import controller, log_that_may_tell, node_daemons, wait_for
from hpcnet.lab.layout import Cluster, Lab
from hpcnet.lab.processes import Process
from hpcnet.lab.shapes import parse_shapes, read_shapes
from real_lab import TEMPLATES

ANDES = Cluster(parse_shapes(read_shapes(TEMPLATES / "clusters.toml"))[0], Path("/srv/lab"), 7000)
LAB = Lab(Path("/srv/lab"), (ANDES,), None)


def running(*nodes: str) -> list[Process]:
    conf = str(ANDES.slurm_conf)
    return [
        Process(100 + number, 1, 5, "slurmd", frozenset({"/usr/sbin/slurmd", "-N", node, "-f", conf}), False)
        for number, node in enumerate(nodes)
    ]


def test_a_daemon_is_known_by_its_program_and_the_words_of_its_command() -> None:
    pids = [daemon.pid(running("andes1", "andes3")) for daemon in node_daemons(LAB, ANDES)]

    assert pids == [100, None, 101, None]
    assert controller(LAB, ANDES).pid(running("andes1")) is None


def test_of_a_node_that_has_died_the_log_is_shown() -> None:
    assert log_that_may_tell(LAB, ANDES, running("andes1", "andes3", "andes4")).name == "andes2.log"


def test_while_all_nodes_live_the_controller_may_tell() -> None:
    processes = running(*ANDES.shape.node_names)

    assert log_that_may_tell(LAB, ANDES, processes).name == "slurmctld.log"


def test_waiting_in_vain_ends_with_the_log_and_what_to_do(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("out of luck\n")

    with pytest.raises(TimedOut, match=r"nothing came within 0 seconds\n.*\n  out of luck") as caught:
        wait_for(lambda: False, "nothing came", lambda: log, deadline_s=0.0)

    assert "hpcnet lab up" in caught.value.hint
