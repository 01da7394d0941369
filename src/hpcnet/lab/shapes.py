"""The shapes of the training clusters: data in `clusters.toml`, one table a cluster."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from hpcnet.errors import ConfigurationError, Fault
from hpcnet.model.described import Count, CountOrZero, Described, Memory, SiteId, Walltime, Word


class PartitionShape(Described):
    """One partition over all nodes of its cluster."""

    name: Word
    max_walltime_s: Walltime = Field(alias="max_walltime")
    max_nodes: Count | None = None
    default: bool = False


class ClusterShape(Described):
    """One training cluster; memory in MiB once read, power in watts a node."""

    id: SiteId
    title: str
    country: str
    jurisdiction: str
    carbon_g_per_kwh: float
    node_prefix: Word
    nodes: Annotated[int, Field(ge=1, le=64)]
    cpus_per_node: Count
    memory_per_node_mib: Memory = Field(alias="memory_per_node")
    gpus_per_node: CountOrZero = 0
    gpu_model: Word = "gpu"
    node_idle_w: float
    node_max_w: float
    partitions: Annotated[tuple[PartitionShape, ...], Field(min_length=1)]

    @property
    def node_names(self) -> tuple[str, ...]:
        """`andes1`, `andes2`, ..."""
        return tuple(f"{self.node_prefix}{number}" for number in range(1, self.nodes + 1))

    @property
    def node_range(self) -> str:
        """All nodes in Slurm's spelling: `andes[1-4]`."""
        return f"{self.node_prefix}[1-{self.nodes}]"


def read_shapes(path: Path) -> str:
    """The text of a `clusters.toml`. Raises `ConfigurationError`."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error


def parse_shapes(text: str) -> tuple[ClusterShape, ...]:
    """The clusters that a text describes. Raises `ConfigurationError` with every fault of it."""
    shapes: list[ClusterShape] = []
    faults: list[Fault] = []
    for name, table in _tables(text).items():
        try:
            shapes.append(ClusterShape.model_validate({"id": name, **table}))
        except (ValidationError, TypeError) as error:
            faults.extend(_faults(name, error))
    if faults or not shapes:
        raise ConfigurationError("clusters.toml does not describe training clusters", faults)
    return tuple(shapes)


def _tables(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"clusters.toml is not TOML: {error}") from error


def _faults(name: str, error: ValidationError | TypeError) -> list[Fault]:
    if isinstance(error, TypeError):
        return [Fault(name, "a cluster is a table", f"write [{name}]")]
    return [
        Fault(".".join((name, *(str(part) for part in item["loc"]))), item["msg"]) for item in error.errors()
    ]
