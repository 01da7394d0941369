"""Fills in the templates of the lab's configuration files: text in, text out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Template

from hpcnet.errors import ConfigurationError
from hpcnet.lab.layout import Accounting, Cluster, Lab
from hpcnet.lab.shapes import PartitionShape
from hpcnet.model.quantities import format_walltime


@dataclass(frozen=True, slots=True)
class Machine:
    """What the templates need to know about this machine and its user."""

    host: str
    user: str
    account_locked: bool
    slurm_version: tuple[int, int]
    can_make_devices: bool


def fill(templates: Path, name: str, values: dict[str, object]) -> str:
    """The template of this name with every placeholder filled. Raises `ConfigurationError`."""
    path = templates / f"{name}.template"
    try:
        return Template(path.read_text(encoding="utf-8")).substitute(values)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the template {path} cannot be used: {error}") from error
    except KeyError as error:
        raise ConfigurationError(f"the template {path} asks for {error}, which nothing fills in") from error


def slurm_conf(templates: Path, lab: Lab, cluster: Cluster, machine: Machine) -> str:
    """The slurm.conf of one cluster."""
    gpus = has_gpus(cluster, machine)
    return fill(
        templates,
        "slurm.conf",
        {
            "cluster": cluster.id,
            "host": machine.host,
            "user": machine.user,
            "controller_port": cluster.controller_port,
            "munge_socket": lab.munge_socket,
            "state": cluster.directory / "state",
            "spool": lab.spool,
            "run": cluster.run,
            "log": cluster.log,
            "task_prolog": cluster.task_prolog,
            "accounting": _accounting_lines(lab, machine),
            "gres_types": "GresTypes=gpu" if gpus else "",
            "nodes": _node_line(cluster, machine),
            "partitions": "\n".join(
                _partition_line(cluster, partition) for partition in cluster.shape.partitions
            ),
        },
    )


def task_prolog(templates: Path, lab: Lab, cluster: Cluster) -> str:
    """The script that gives every task what it needs to speak to its cluster."""
    return fill(templates, "task-prolog", {"slurm_conf": cluster.slurm_conf, "lab": lab.directory})


def gres_conf(templates: Path, cluster: Cluster) -> str:
    """The gres.conf of a cluster with devices that stand for GPUs."""
    shape = cluster.shape
    values = {"node_names": shape.node_range, "gpu_model": shape.gpu_model}
    devices = f"{cluster.devices}/gpu[0-{shape.gpus_per_node - 1}]"
    return fill(templates, "gres.conf", {**values, "devices": devices})


def cgroup_conf(templates: Path, machine: Machine) -> str:
    """The cgroup.conf of one cluster: without it slurmd looks for systemd, which need not be there."""
    can_disable = machine.slurm_version >= (23, 2)
    # The plug-in of version 1 does nothing until a control group is asked for.
    return fill(templates, "cgroup.conf", {"plugin": "disabled" if can_disable else "cgroup/v1"})


def sshd_config(templates: Path, lab: Lab, cluster: Cluster, machine: Machine) -> str:
    """The configuration of the sshd in front of one cluster."""
    values: dict[str, object] = {
        "cluster": cluster.id,
        "port": cluster.ssh_port,
        "host_key": cluster.host_key,
        "authorized_keys": f"{lab.identity_file}.pub",
        "run": cluster.run,
        # Without PAM sshd turns away users whose password is locked, keys or not.
        "use_pam": "yes" if machine.account_locked else "no",
        "user": machine.user,
        "home": cluster.home,
        "slurm_conf": cluster.slurm_conf,
        "lab": lab.directory,
    }
    return fill(templates, "sshd_config", values)


def slurmdbd_conf(templates: Path, lab: Lab, accounting: Accounting, machine: Machine, password: str) -> str:
    """The slurmdbd.conf of the shared job accounting; it holds a password."""
    values: dict[str, object] = {
        "munge_socket": lab.munge_socket,
        "host": machine.host,
        "user": machine.user,
        "accounting_port": accounting.port,
        "database_port": accounting.database_port,
        "database_password": password,
        "run": accounting.directory,
        "log": accounting.directory,
    }
    return fill(templates, "slurmdbd.conf", values)


def has_gpus(cluster: Cluster, machine: Machine) -> bool:
    """Whether this cluster can have its GPUs: their devices are made by root only."""
    return cluster.shape.gpus_per_node > 0 and machine.can_make_devices


def _accounting_lines(lab: Lab, machine: Machine) -> str:
    if lab.accounting is None:
        return ""
    return (
        "AccountingStorageType=accounting_storage/slurmdbd\n"
        f"AccountingStorageHost={machine.host}\n"
        f"AccountingStoragePort={lab.accounting.port}\n"
        # Slurm's word for the munge between a cluster and its accounting.
        f"AccountingStoragePass={lab.munge_socket}"
    )


def _node_line(cluster: Cluster, machine: Machine) -> str:
    shape = cluster.shape
    ports = cluster.node_ports
    gpus = f" Gres=gpu:{shape.gpu_model}:{shape.gpus_per_node}" if has_gpus(cluster, machine) else ""
    return (
        f"NodeName={shape.node_range} NodeHostname={machine.host} NodeAddr=127.0.0.1"
        f" Port={ports[0]}-{ports[-1]}"
        f" CPUs={shape.cpus_per_node} RealMemory={shape.memory_per_node_mib}{gpus}"
    )


def _partition_line(cluster: Cluster, partition: PartitionShape) -> str:
    limit = f" MaxNodes={partition.max_nodes}" if partition.max_nodes else ""
    return (
        f"PartitionName={partition.name} Nodes={cluster.shape.node_range}"
        f" MaxTime={format_walltime(partition.max_walltime_s)}{limit}"
        f" Default={'YES' if partition.default else 'NO'} State=UP"
    )
