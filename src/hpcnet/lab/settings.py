"""What the lab is asked for, and what it says of itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class LabSettings:
    """Where the training federation lives and what it is made from.

    `directory` belongs to the lab alone and is removed by `down`; where its path is too long for Slurm
    or has blanks, it becomes a link to a directory with a short path. `configuration_directory` gets one
    file, `lab.toml`. `templates` holds `clusters.toml` and the templates. `python` is the interpreter
    of the virtual environment that jobs use. `base_port` is where the search for free ports starts.
    """

    directory: Path
    configuration_directory: Path
    templates: Path
    python: Path
    accounting: bool = False
    base_port: int | None = None


@dataclass(frozen=True, slots=True)
class DaemonStatus:
    """One daemon of the lab; `pid` is None while it does not run."""

    name: str
    pid: int | None


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """One training cluster as it is now.

    `nodes_up` counts nodes that answer; of these `nodes_drained` take no new jobs.
    """

    site: str
    name: str
    running: bool
    partitions: tuple[str, ...]
    nodes_total: int
    nodes_up: int
    nodes_drained: int
    gpus_per_node: int
    ssh_port: int
    slurm_conf: Path
    daemons: tuple[DaemonStatus, ...]


@dataclass(frozen=True, slots=True)
class LabStatus:
    """The whole federation as it is now; without a lab there are no clusters."""

    directory: Path
    configuration: Path
    identity_file: Path
    accounting: bool = False
    clusters: tuple[ClusterStatus, ...] = ()
    shared: tuple[DaemonStatus, ...] = ()

    @property
    def running(self) -> bool:
        """Whether every daemon runs and every node answers."""
        parts = [daemon.pid is not None for daemon in self.shared]
        return bool(self.clusters) and all(parts) and all(cluster.running for cluster in self.clusters)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON data, paths as text."""
        return {"running": self.running, **_plain(asdict(self))}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
