"""The verbs of the lab: up, status, down."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path

from hpcnet.errors import StorageError
from hpcnet.lab.accounting import accounting_daemons, start_accounting
from hpcnet.lab.daemons import (
    Daemon,
    cluster_daemons,
    controller,
    door,
    log_that_may_tell,
    munge_daemon,
    node_daemons,
    start,
    wait_for,
)
from hpcnet.lab.files import describe, make_files, remove_files
from hpcnet.lab.free_ports import answers, is_free
from hpcnet.lab.layout import CONFIGURATION_FILE, Cluster, Lab
from hpcnet.lab.processes import Process, end_processes, processes_of
from hpcnet.lab.programs import check_programs, find, run
from hpcnet.lab.record import place_of, planned_lab, recorded_lab, renew_ports
from hpcnet.lab.render import Machine
from hpcnet.lab.settings import ClusterStatus, DaemonStatus, LabSettings, LabStatus
from hpcnet.lab.shapes import read_shapes

Tell = Callable[[str], None]
_NODES_READY_S = 30.0
# What sinfo says of a node that answers; of one that does not it says down, unknown, or adds a star.
_DRAINED = frozenset({"drained", "draining"})
_ANSWERS = _DRAINED | {"idle", "mixed", "allocated", "completing", "planned", "reserved", "maint"}


def up(settings: LabSettings, tell: Tell) -> LabStatus:
    """Brings the training federation up, or what of it is not up yet, and waits for its nodes.

    Raises `ConfigurationError` (programs missing, a daemon that will not start), `UsageError` (another
    lab is up), `TimedOut`, `StorageError`.
    """
    check_programs(settings.accounting)
    with _exclusive(settings.directory):
        lab = _lab_on_usable_ports(settings)
        before = processes_of(lab.directory)
        machine = make_files(lab, settings)
        _tell_of_missing_gpus(lab, machine, tell)
        _start_shared(lab, before, tell)
        for cluster in lab.clusters:
            start([controller(lab, cluster), door(lab, cluster)], before, tell, cluster.id)
        for cluster in lab.clusters:
            _start_nodes(lab, cluster, before, tell)
        describe(lab, settings, machine)
        for cluster in lab.clusters:
            _wait_for_nodes(lab, cluster, tell)
    return status(settings)


def status(settings: LabSettings) -> LabStatus:
    """The training federation as it is now; changes nothing. Raises `StorageError`."""
    lab = recorded_lab(settings)
    configuration = settings.configuration_directory / CONFIGURATION_FILE
    if lab is None:
        return LabStatus(settings.directory, configuration, settings.directory / "id_ed25519")
    processes = processes_of(lab.directory)
    return LabStatus(
        directory=lab.directory,
        configuration=configuration,
        identity_file=lab.identity_file,
        accounting=lab.accounting is not None,
        clusters=tuple(_cluster_status(lab, cluster, processes) for cluster in lab.clusters),
        shared=_daemon_status(_shared_daemons(lab), processes),
    )


def down(settings: LabSettings, tell: Tell) -> None:
    """Ends every process of the training federation and removes its files. Harmless when nothing is up.

    Raises `StorageError` if something stays.
    """
    with _exclusive(settings.directory):
        place = place_of(settings.directory)
        count = len(processes_of(place))
        there = count > 0 or place.exists()
        end_processes(place)
        remove_files(settings)
    tell(f"the lab is down: {count} processes ended, {place} removed" if there else "no lab is up")


@contextmanager
def _exclusive(directory: Path) -> Iterator[None]:
    """One `up` or `down` at a time: the lock is on the directory above, so that no file is left over."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(directory.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise StorageError(f"{directory.parent} cannot be used: {error}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _lab_on_usable_ports(settings: LabSettings) -> Lab:
    """The lab; if all of it is down and others took its ports meanwhile, on new ones."""
    if recorded_lab(settings) is None:
        # Someone removed the directory under running daemons: nobody can speak to them any more.
        end_processes(place_of(settings.directory))
    lab = planned_lab(settings)
    taken = any(not is_free(port) for cluster in lab.clusters for port in cluster.ports)
    if not taken or processes_of(lab.directory):
        return lab
    shapes = read_shapes(settings.templates / "clusters.toml")
    return renew_ports(settings, shapes, lab.accounting is not None)


def _tell_of_missing_gpus(lab: Lab, machine: Machine, tell: Tell) -> None:
    without = [cluster.id for cluster in lab.clusters if cluster.shape.gpus_per_node]
    if without and not machine.can_make_devices:
        tell(f"{', '.join(without)}: without GPUs, only root can make the devices that stand for them")


def _start_shared(lab: Lab, before: Sequence[Process], tell: Tell) -> None:
    munged = munge_daemon(lab)
    start([munged], before, tell, "lab")
    wait_for(lab.munge_socket.exists, "munged did not open its socket", lambda: munged.log)
    if lab.accounting:
        start_accounting(lab, lab.accounting, before, tell)


def _start_nodes(lab: Lab, cluster: Cluster, before: Sequence[Process], tell: Tell) -> None:
    # A slurmd that finds no controller waits for seconds before it asks again.
    log = controller(lab, cluster).log
    wait_for(lambda: answers(cluster.controller_port), f"{cluster.id}: slurmctld did not answer", lambda: log)
    start(node_daemons(lab, cluster), before, tell, cluster.id)


def _wait_for_nodes(lab: Lab, cluster: Cluster, tell: Tell) -> None:
    told = -1

    def all_up() -> bool:
        nonlocal told
        count, total = _count(_node_states(cluster), _ANSWERS), cluster.shape.nodes
        if count != told:
            tell(f"{cluster.id}: {count} of {total} nodes are ready")
        told = count
        return count == total

    wait_for(
        all_up,
        f"{cluster.id}: not every node was ready",
        lambda: log_that_may_tell(lab, cluster, processes_of(lab.directory)),
        _NODES_READY_S,
    )


def _node_states(cluster: Cluster) -> list[str]:
    """One word of sinfo for each node, however many partitions it is in."""
    answer = run([find("sinfo"), "-h", "-N", "-o", "%N %T"], {"SLURM_CONF": str(cluster.slurm_conf)})
    return list(dict(line.split() for line in answer.stdout.splitlines() if len(line.split()) == 2).values())


def _count(states: Sequence[str], wanted: Set[str]) -> int:
    return sum(state in wanted for state in states)


def _shared_daemons(lab: Lab) -> list[Daemon]:
    return [munge_daemon(lab), *(accounting_daemons(lab, lab.accounting) if lab.accounting else [])]


def _daemon_status(daemons: Sequence[Daemon], processes: Sequence[Process]) -> tuple[DaemonStatus, ...]:
    return tuple(DaemonStatus(daemon.name, daemon.pid(processes)) for daemon in daemons)


def _cluster_status(lab: Lab, cluster: Cluster, processes: Sequence[Process]) -> ClusterStatus:
    daemons = _daemon_status(cluster_daemons(lab, cluster), processes)
    controller_runs = daemons[0].pid is not None
    states = _node_states(cluster) if controller_runs else []
    nodes_up = _count(states, _ANSWERS)
    return ClusterStatus(
        site=cluster.id,
        name=cluster.shape.title,
        running=nodes_up == cluster.shape.nodes and all(daemon.pid for daemon in daemons),
        partitions=tuple(partition.name for partition in cluster.shape.partitions),
        nodes_total=cluster.shape.nodes,
        nodes_up=nodes_up,
        nodes_drained=_count(states, _DRAINED),
        gpus_per_node=cluster.shape.gpus_per_node if (cluster.directory / "gres.conf").exists() else 0,
        ssh_port=cluster.ssh_port,
        slurm_conf=cluster.slurm_conf,
        daemons=daemons,
    )
