"""The shape of a job out of sbatch's many ways to say it: nodes, tasks, CPUs, memory and GPUs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from hpcnet.errors import Fault
from hpcnet.model.quantities import parse_memory
from hpcnet.schedulers.slurm.sbatch_options import Option

SHAPES = frozenset(
    {
        "nodes",
        "ntasks",
        "ntasks-per-node",
        "cpus-per-task",
        "mem",
        "mem-per-cpu",
        "gpus",
        "gpus-per-node",
        "gpus-per-task",
        "gres",
    }
)
_COUNT = re.compile(r"(\d+)([kKmM]?)")
_GPU = re.compile(r"gpu(?::(?P<model>[A-Za-z_][\w.-]*))?(?:[:=](?P<count>\d+))?")
_GPU_REQUEST = re.compile(r"(?:(?P<model>[A-Za-z_][\w.-]*):)?(?P<count>\d+)")
_THOUSANDS = {"": 1, "k": 1024, "m": 1024 * 1024}


@dataclass(slots=True)
class Shape:
    """Requirements of the shape, options that do not fit them, and what is to be said."""

    requirements: dict[str, int | str] = field(default_factory=dict)
    carried: list[Option] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def count(self, key: str) -> int:
        """A count of the requirements; what was not said is one."""
        return int(self.requirements.get(key, 1))


def shape_of(options: Mapping[str, Option]) -> Shape:
    """Nodes first, for the rest is counted on them."""
    shape = Shape()
    _read_nodes(shape, options.get("nodes"))
    _read_cpus(shape, options.get("cpus-per-task"))
    _read_tasks(shape, options.get("ntasks"), options.get("ntasks-per-node"))
    _read_memory(shape, options.get("mem"), options.get("mem-per-cpu"))
    for name in ("gpus", "gpus-per-node", "gpus-per-task", "gres"):
        if name in options:
            _read_gpus(shape, options[name])
    return shape


def _count_of(shape: Shape, option: Option, text: str | None = None) -> int | None:
    given = (option.value or "") if text is None else text
    match = _COUNT.fullmatch(given)
    count = int(match[1]) * _THOUSANDS[match[2].lower()] if match else 0
    if count < 1:
        what = f"--{option.name}: '{option.value}' is not a count of at least one"
        shape.faults.append(Fault(f"line {option.line}", what, f"for example --{option.name}=2"))
        return None
    return count


def _read_nodes(shape: Shape, option: Option | None) -> None:
    if option is None:
        return
    least = re.split(r"[-,:]", option.value or "")[0]
    count = _count_of(shape, option, least)
    if count is not None:
        shape.requirements["nodes"] = count
        if least != option.value:
            shape.notes.append(f"of --nodes={option.value} the smallest number is asked: {count}")


def _read_cpus(shape: Shape, option: Option | None) -> None:
    count = _count_of(shape, option) if option else None
    if count is not None:
        shape.requirements["cpus_per_task"] = count


def _read_tasks(shape: Shape, tasks: Option | None, per_node: Option | None) -> None:
    each = _count_of(shape, per_node) if per_node else None
    if each is not None:
        shape.requirements["tasks_per_node"] = each
    total = _count_of(shape, tasks) if tasks else None
    if tasks is None or total is None:
        return
    if "nodes" not in shape.requirements and each is not None:
        shape.requirements["nodes"] = -(-total // each)
    elif "nodes" not in shape.requirements:
        shape.requirements["nodes"] = 1
        if total > 1:
            shape.notes.append(f"{total} tasks and no --nodes: one node is asked; add --nodes to spread them")
    if each is None:
        shape.requirements["tasks_per_node"] = -(-total // shape.count("nodes"))
    if shape.count("nodes") * shape.count("tasks_per_node") != total:
        shape.carried.append(tasks)


def _read_memory(shape: Shape, per_node: Option | None, per_cpu: Option | None) -> None:
    for option, times in ((per_cpu, _cpus_per_node(shape)), (per_node, 1)):
        if option is None:
            continue
        if (option.value or "").strip("KMGTkmgt") == "0":
            shape.carried.append(option)  # all the memory of a node: a wish, not a number
            continue
        try:
            shape.requirements["memory_per_node"] = f"{parse_memory(option.value or '') * times}M"
        except ValueError as error:
            fault = Fault(f"line {option.line}", f"--{option.name}: {error}", "for example 4000M or 64G")
            shape.faults.append(fault)


def _cpus_per_node(shape: Shape) -> int:
    return shape.count("tasks_per_node") * shape.count("cpus_per_task")


def _read_gpus(shape: Shape, option: Option) -> None:
    match = _gpu_request(option)
    if match is None:
        shape.carried.append(option)
        return
    count = int(match["count"] or 1)
    if option.name == "gpus-per-task":
        count *= shape.count("tasks_per_node")
    elif option.name == "gpus":
        count, rest = divmod(count, shape.count("nodes"))
        if rest:
            shape.carried.append(option)
            count += 1
    if option.name == "gres" and "," in (option.value or ""):
        shape.carried.append(option)
    shape.requirements["gpus_per_node"] = count
    if match["model"]:
        shape.requirements["gpu_model"] = match["model"]


def _gpu_request(option: Option) -> re.Match[str] | None:
    """The one GPU part of an option; nothing where there is none or several models."""
    value = option.value or ""
    if option.name != "gres":
        return _GPU_REQUEST.fullmatch(value)
    matches = [match for part in value.split(",") if (match := _GPU.fullmatch(part))]
    return matches[0] if len(matches) == 1 else None
