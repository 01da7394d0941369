"""Where everything of a lab lies: pure arithmetic on paths and ports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hpcnet.lab.shapes import ClusterShape

CONFIGURATION_FILE = "lab.toml"
RECORD_FILE = "lab.json"
MADE_FILE = "made_directories.json"


@dataclass(frozen=True, slots=True)
class Cluster:
    """One training cluster with its place on disk and its ports.

    `first_port` is the controller's, the next one is sshd's, then one for each node.
    """

    shape: ClusterShape
    lab: Path
    first_port: int

    @property
    def id(self) -> str:
        """The site id, which is the ClusterName too."""
        return self.shape.id

    @property
    def directory(self) -> Path:
        """Everything that only this cluster uses."""
        return self.lab / self.shape.id

    @property
    def slurm_conf(self) -> Path:
        """What SLURM_CONF has to name to speak to this cluster."""
        return self.directory / "slurm.conf"

    @property
    def sshd_config(self) -> Path:
        """The configuration of this cluster's sshd."""
        return self.directory / "sshd_config"

    @property
    def task_prolog(self) -> Path:
        """The script that runs before every task."""
        return self.directory / "task-prolog"

    @property
    def host_key(self) -> Path:
        """The private half of the host key; the public half has `.pub` at its end."""
        return self.directory / "host_key"

    @property
    def log(self) -> Path:
        """The directory of all logs."""
        return self.directory / "log"

    @property
    def run(self) -> Path:
        """The directory of all pid files."""
        return self.directory / "run"

    @property
    def work(self) -> Path:
        """The directory that users of this cluster work in."""
        return self.directory / "work"

    @property
    def home(self) -> Path:
        """What HOME names at this cluster: empty, as the home of a new account."""
        return self.directory / "home"

    @property
    def devices(self) -> Path:
        """The directory of the devices that stand for GPUs."""
        return self.directory / "devices"

    @property
    def controller_port(self) -> int:
        """The port of slurmctld."""
        return self.first_port

    @property
    def ssh_port(self) -> int:
        """The port of sshd."""
        return self.first_port + 1

    @property
    def ports(self) -> range:
        """Every port of this cluster."""
        return range(self.first_port, self.first_port + 2 + self.shape.nodes)

    @property
    def node_ports(self) -> range:
        """The ports of the slurmds, in the order of the nodes."""
        return self.ports[2:]


@dataclass(frozen=True, slots=True)
class Accounting:
    """The job accounting that all clusters share: slurmdbd and a data base of its own."""

    lab: Path
    first_port: int

    @property
    def directory(self) -> Path:
        """Everything that only the accounting uses."""
        return self.lab / "accounting"

    @property
    def port(self) -> int:
        """The port of slurmdbd."""
        return self.first_port

    @property
    def database_port(self) -> int:
        """The port of mariadbd."""
        return self.first_port + 1

    @property
    def slurm_conf(self) -> Path:
        """Names the directory in which slurmdbd finds its own configuration."""
        return self.directory / "slurm.conf"


@dataclass(frozen=True, slots=True)
class Lab:
    """The whole federation on disk."""

    directory: Path
    clusters: tuple[Cluster, ...]
    accounting: Accounting | None

    @property
    def munge(self) -> Path:
        """The directory of munged."""
        return self.directory / "munge"

    @property
    def munge_socket(self) -> Path:
        """The socket of the lab's own munged."""
        return self.munge / "socket"

    @property
    def spool(self) -> Path:
        """The spool directories of all nodes: high up, for the sake of the length of socket paths."""
        return self.directory / "spool"

    @property
    def identity_file(self) -> Path:
        """The private key that opens every sshd of the lab."""
        return self.directory / "id_ed25519"

    @property
    def sites(self) -> Path:
        """The directory of the site descriptors."""
        return self.directory / "sites"
