"""How many commands a plan costs each site, counted by the sites' own sshd as its partitions grow."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from statistics import median

from benchmarks import table
from benchmarks.federation import Federation, federation
from benchmarks.measure import Count
from benchmarks.program import compile_sources
from benchmarks.submit import write_files

LIMIT = 1
_SESSION = "Starting session: command"
_PARTITIONS = ((2, 2), (8, 4), (32, 12))
"""At the first and at the second site."""
_PLANS = 3
_SETTLING_S = 0.5
_IN_SLURM = "PartitionName={name} Nodes=ALL MaxTime=60 State=UP\n"
_DESCRIBED = """
[[partitions]]
name = "{name}"
nodes = 2
cpus_per_node = 8
memory_per_node = "16000 MiB"
max_walltime = "01:00:00"
max_nodes = 2
"""


def measure(lab: Federation) -> list[Count]:
    """The execs of a plan at each site, for growing numbers of partitions, which the lab keeps."""
    job = write_files(lab.root / "jobs").plain
    for site in lab.sites:
        lab.change_door(site, "ListenAddress", "LogLevel VERBOSE\nListenAddress")
    found: list[Count] = []
    for numbers in _PARTITIONS:
        there = dict(zip(lab.sites, numbers, strict=True))
        for site, number in there.items():
            _grow(lab, site, number)
        found += _count(lab, job, there)
    return found


def _count(lab: Federation, job: Path, partitions: dict[str, int]) -> list[Count]:
    before = {site: _execs(lab, site) for site in partitions}
    seconds = median(_plan(lab, job) for _ in range(_PLANS))
    time.sleep(_SETTLING_S)
    return [
        Count("plan over 2 sites", site, number, (_execs(lab, site) - before[site]) / _PLANS, LIMIT, seconds)
        for site, number in partitions.items()
    ]


def _plan(lab: Federation, job: Path) -> float:
    """Seconds of one plan. Raises `RuntimeError` when it did not look at every partition of the lab."""
    done = lab.hpcnet("plan", "--json", job)
    plan = json.loads(done.output)
    ranked = {item["site"] for item in plan["ranked"]}
    refused = [item for item in plan["refused"] if item["site"] in lab.sites]
    if ranked != set(lab.sites) or refused:
        raise RuntimeError(f"the plan refused a partition of the lab: {refused}")
    return done.seconds


def _execs(lab: Federation, site: str) -> int:
    return lab.sshd_log(site).read_text(encoding="utf-8").count(_SESSION)


def _grow(lab: Federation, site: str, wanted: int) -> None:
    """Add partitions to a running cluster and to its descriptor until it has as many as wanted."""
    descriptor = lab.directory / "sites" / f"{site}.toml"
    there = descriptor.read_text(encoding="utf-8").count("[[partitions]]")
    names = [f"more{number}" for number in range(there, wanted)]
    _append(descriptor, "".join(_DESCRIBED.format(name=name) for name in names))
    _append(lab.directory / site / "slurm.conf", "".join(_IN_SLURM.format(name=name) for name in names))
    os.kill(lab.pid(site, "slurmctld"), signal.SIGHUP)
    time.sleep(_SETTLING_S)


def _append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8") as opened:
        opened.write(text)


if __name__ == "__main__":
    compile_sources()
    with federation() as lab_of_ours:
        print(table.counts(measure(lab_of_ours)))
