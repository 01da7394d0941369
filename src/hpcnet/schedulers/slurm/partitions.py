"""Reads the rows of sinfo and squeue into the state of each partition."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hpcnet.model.state import ExpectedStart, PartitionState
from hpcnet.schedulers.slurm.times import duration_s

# One row for each partition and node state. `%R` is `%P` without the default's asterisk.
SINFO_FORMAT = "N|%R|%a|%l|%D|%T"
# One row for each job, equal rows counted at the site; the reason last, it may hold anything.
SQUEUE_FORMAT = "J|%P|%T|%D|%l|%r"

# Suffixes of a node state (sinfo(1)): `~` powered down, it starts when it is asked for. All others
# keep a job out: not responding, maintenance, reboot, powering, planned for another job.
_STARTS_ON_DEMAND = "~"
_STATE = re.compile(r"(?P<state>[a-z_]+)(?P<flags>[^a-z_]*)")
# Waiting for a person, a date or another job: no work that stands in front of a new job.
_NOT_IN_LINE = ("JobHeld", "Dependency", "BeginTime", "PartitionTimeLimit", "PartitionNodeLimit", "Deadline")
_COUNTED = re.compile(r"\s*(?P<times>\d+) J\|(?P<row>.*)")


@dataclass(frozen=True, slots=True)
class NodeRow:
    """Nodes of one partition in one state; `count` is None where sinfo said something else."""

    partition: str
    up: bool
    limit_s: int | None
    count: int | None
    idle: bool


@dataclass(frozen=True, slots=True)
class JobRow:
    """Equal jobs: of these partitions, each with so many nodes for so long."""

    partitions: tuple[str, ...]
    state: str
    times: int
    nodes: int | None
    limit_s: int | None
    reason: str


def read_nodes(lines: Iterable[str]) -> tuple[NodeRow, ...]:
    """The rows of sinfo in `SINFO_FORMAT`; other lines are its words to a person."""
    return tuple(_node_row(line.split("|")) for line in lines if re.fullmatch(r"N(\|[^|]*){5}", line))


def read_jobs(lines: Iterable[str]) -> tuple[JobRow, ...]:
    """The rows of squeue in `SQUEUE_FORMAT`, each counted as by `uniq -c`."""
    matches = (_COUNTED.fullmatch(line) for line in lines)
    rows = ((int(match["times"]), match["row"].split("|", 4)) for match in matches if match)
    return tuple(_job_row(times, fields) for times, fields in rows if len(fields) == 5)


def partition_states(
    nodes: Sequence[NodeRow], jobs: Sequence[JobRow] | None, starts: Mapping[str, ExpectedStart]
) -> tuple[PartitionState, ...]:
    """One state for each partition that sinfo showed, rows of one partition added up.

    `jobs` is None where squeue did not answer: its numbers are then unknown, not zero.
    """
    names = dict.fromkeys(row.partition for row in nodes)
    return tuple(
        _state(name, [row for row in nodes if row.partition == name], jobs, starts.get(name))
        for name in names
    )


def _state(
    name: str, nodes: Sequence[NodeRow], jobs: Sequence[JobRow] | None, start: ExpectedStart | None
) -> PartitionState:
    mine = None if jobs is None else [row for row in jobs if name in row.partitions]
    pending = None if mine is None else [row for row in mine if row.state == "PENDING"]
    limit_s = nodes[0].limit_s
    return PartitionState(
        name=name,
        up=any(row.up for row in nodes),
        nodes_total=_total(row.count for row in nodes),
        nodes_idle=_total(row.count for row in nodes if row.idle),
        pending_jobs=None if pending is None else sum(row.times for row in pending),
        pending_node_s=None if pending is None else _total(_work(row, limit_s) for row in pending),
        running_jobs=None if mine is None else sum(row.times for row in mine if row.state == "RUNNING"),
        test_start=start,
    )


def _work(row: JobRow, partition_limit_s: int | None) -> int | None:
    """Node seconds; a job without a limit of its own has its partition's."""
    if row.reason.startswith(_NOT_IN_LINE):
        return 0
    limit_s = row.limit_s if row.limit_s is not None else partition_limit_s
    return None if row.nodes is None or limit_s is None else row.times * row.nodes * limit_s


def _total(values: Iterable[int | None]) -> int | None:
    """The sum; one unknown makes it unknown."""
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _node_row(fields: Sequence[str]) -> NodeRow:
    _, partition, availability, limit, count, state = fields
    return NodeRow(partition, availability == "up", duration_s(limit), _count(count), _is_idle(state))


def _job_row(times: int, fields: Sequence[str]) -> JobRow:
    partition, state, nodes, limit, reason = fields
    return JobRow(tuple(partition.split(",")), state, times, _count(nodes), duration_s(limit), reason)


def _is_idle(state: str) -> bool:
    match = _STATE.fullmatch(state.lower())
    return match is not None and match["state"] == "idle" and match["flags"] in ("", _STARTS_ON_DEMAND)


def _count(text: str) -> int | None:
    """`12`, `2-4` (at least 2), `1.5K`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KM]?)(?:-.*)?", text.strip())
    if match is None:
        return None
    return round(float(match[1]) * {"": 1, "K": 1024, "M": 1024 * 1024}[match[2]])
