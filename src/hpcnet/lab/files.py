"""Makes the directories, keys, devices and configuration files of a lab."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import stat
from pathlib import Path

from hpcnet.errors import ConfigurationError, StorageError
from hpcnet.lab.configuration_place import make_directory, read_made, remove_made
from hpcnet.lab.describe import site_descriptor, software_of, user_configuration
from hpcnet.lab.layout import CONFIGURATION_FILE, MADE_FILE, RECORD_FILE, Accounting, Cluster, Lab
from hpcnet.lab.programs import find, run, user_name
from hpcnet.lab.record import place_of
from hpcnet.lab.render import (
    Machine,
    cgroup_conf,
    gres_conf,
    has_gpus,
    slurm_conf,
    slurmdbd_conf,
    sshd_config,
    task_prolog,
)
from hpcnet.lab.settings import LabSettings

_NULL_DEVICE = os.makedev(1, 3)


def make_files(lab: Lab, settings: LabSettings) -> Machine:
    """Everything the daemons read; what is there already stays or is written anew with the same text.

    Raises `StorageError` where the disk does not serve, `ConfigurationError` for a wrong template.
    """
    try:
        _make_directories(lab)
        machine = _look_at_machine(lab)
        _make_keys(lab)
        for cluster in lab.clusters:
            _configure(settings.templates, lab, cluster, machine)
        if lab.accounting:
            _configure_accounting(settings.templates, lab, lab.accounting, machine)
    except OSError as error:
        raise StorageError(f"the training federation cannot be written: {error}") from error
    return machine


def describe(lab: Lab, settings: LabSettings, machine: Machine) -> None:
    """Site descriptors and `lab.toml`: from here on hpcnet knows the clusters. Raises `StorageError`."""
    software = software_of(settings.python)
    try:
        for cluster in lab.clusters:
            text = site_descriptor(cluster, machine, software, settings.python, lab.accounting is not None)
            _write(lab.sites / f"{cluster.id}.toml", text)
        make_directory(settings.configuration_directory, lab.directory / MADE_FILE)
        _write(settings.configuration_directory / CONFIGURATION_FILE, user_configuration(lab, machine))
    except OSError as error:
        raise StorageError(f"the training clusters cannot be described to hpcnet: {error}") from error


def remove_files(settings: LabSettings) -> None:
    """Removes the lab's directory, its configuration and the directories that `up` made for that.

    Nothing else, and nothing that is not a lab's. Raises `StorageError`.
    """
    place = place_of(settings.directory)
    made = read_made(place / MADE_FILE)
    try:
        (settings.configuration_directory / CONFIGURATION_FILE).unlink(missing_ok=True)
        if (place / RECORD_FILE).is_file():
            shutil.rmtree(place)
        if settings.directory.is_symlink():
            settings.directory.unlink()
        remove_made(settings.configuration_directory, made)
    except OSError as error:
        raise StorageError(f"{place} cannot be removed: {error}") from error


def _make_directories(lab: Lab) -> None:
    for directory in (lab.munge, lab.spool, lab.sites):
        directory.mkdir(exist_ok=True, mode=0o755)
    for cluster in lab.clusters:
        for directory in (cluster.log, cluster.run, cluster.work, cluster.home, cluster.devices):
            directory.mkdir(parents=True, exist_ok=True)
        for node in cluster.shape.node_names:
            (lab.spool / node).mkdir(exist_ok=True)
    if lab.accounting:
        lab.accounting.directory.mkdir(exist_ok=True)
    if os.getuid() == 0:
        # sshd will not start as root without it; it is empty and gone with the next boot.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)


def _look_at_machine(lab: Lab) -> Machine:
    return Machine(
        host=socket.gethostname().partition(".")[0],
        user=user_name(),
        account_locked=_account_is_locked(user_name()),
        slurm_version=_slurm_version(),
        can_make_devices=all(_make_devices(cluster) for cluster in lab.clusters),
    )


def _slurm_version() -> tuple[int, int]:
    """`slurm-wlm 22.05.8` is (22, 5)."""
    said = run([find("slurmd"), "-V"], {}).stdout
    found = re.search(r"(\d+)\.(\d+)", said)
    if found is None:
        raise ConfigurationError(f"slurmd does not say its version but {said.strip()!r}")
    return int(found[1]), int(found[2])


def _account_is_locked(user: str) -> bool:
    """Whether the password field starts with `!`; only root can read it, and only root's sshd minds."""
    try:
        lines = Path("/etc/shadow").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    return any(line.startswith(f"{user}:!") for line in lines)


def _make_devices(cluster: Cluster) -> bool:
    for number in range(cluster.shape.gpus_per_node):
        device = cluster.devices / f"gpu{number}"
        try:
            os.mknod(device, stat.S_IFCHR | 0o666, _NULL_DEVICE)
        except FileExistsError:
            continue
        except PermissionError:
            return False
    return True


def _make_keys(lab: Lab) -> None:
    key = lab.munge / "key"
    if not key.exists():
        _write(key, secrets.token_hex(64), mode=0o600)
    _make_ssh_key(lab.identity_file, "hpcnet training federation")
    for cluster in lab.clusters:
        _make_ssh_key(cluster.host_key, cluster.id)


def _make_ssh_key(path: Path, comment: str) -> None:
    if path.with_name(f"{path.name}.pub").exists():
        return
    path.unlink(missing_ok=True)
    made = run([find("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)], {})
    if made.returncode != 0:
        raise ConfigurationError(f"ssh-keygen made no key: {made.stderr.strip()}")


def _configure(templates: Path, lab: Lab, cluster: Cluster, machine: Machine) -> None:
    _write(cluster.slurm_conf, slurm_conf(templates, lab, cluster, machine))
    _write(cluster.directory / "cgroup.conf", cgroup_conf(templates, machine))
    _write(cluster.task_prolog, task_prolog(templates, lab, cluster), mode=0o755)
    _write(cluster.sshd_config, sshd_config(templates, lab, cluster, machine))
    if has_gpus(cluster, machine):
        _write(cluster.directory / "gres.conf", gres_conf(templates, cluster))


def _configure_accounting(templates: Path, lab: Lab, accounting: Accounting, machine: Machine) -> None:
    password_file = accounting.directory / "password"
    if not password_file.exists():
        _write(password_file, secrets.token_hex(16), mode=0o600)
    password = password_file.read_text(encoding="utf-8")
    text = slurmdbd_conf(templates, lab, accounting, machine, password)
    _write(accounting.directory / "slurmdbd.conf", text, mode=0o600)
    # slurmdbd looks for its configuration beside a slurm.conf, and takes its munge from there.
    lines = ("ClusterName=accounting", f"SlurmctldHost={machine.host}", f"AuthInfo=socket={lab.munge_socket}")
    _write(accounting.slurm_conf, "\n".join(lines) + "\n")


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    """The whole file or none of it: a daemon may be reading."""
    new = path.with_name(f".{path.name}.new")
    new.touch(mode=mode)
    new.write_text(text, encoding="utf-8")
    new.replace(path)
