"""The daemons of a lab: how each is started, and how it is known among the lab's processes."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hpcnet.errors import ConfigurationError, HpcnetError, StorageError, TimedOut
from hpcnet.lab.layout import Cluster, Lab
from hpcnet.lab.processes import MARK, Process
from hpcnet.lab.programs import find, launch

_START_S = 30.0


@dataclass(frozen=True, slots=True)
class Daemon:
    """One daemon. Among the lab's processes it is the one of this program with `words` in its command."""

    name: str
    program: str
    argv: tuple[str, ...]
    words: frozenset[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    goes_into_background: bool = True

    def command(self) -> tuple[str, ...]:
        """What starts this daemon and ends as soon as it is in the background."""
        by_itself = (find(self.program), *self.argv)
        return by_itself if self.goes_into_background else (find("setsid"), "--fork", *by_itself)

    def pid(self, processes: Iterable[Process]) -> int | None:
        """The pid of this daemon among the processes of its lab, if it runs."""
        for process in processes:
            if process.program == self.program and self.words <= process.words:
                return process.pid
        return None


def munge_daemon(lab: Lab) -> Daemon:
    """The lab's own munged: the machine's, if there is one, is never spoken to."""
    files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    options = tuple(f"--{option}={lab.munge / name}" for option, name in files.items())
    # --force: directories above ours may be writable to others, as /tmp is.
    return Daemon("munged", "munged", ("--force", *options), frozenset(), lab.munge / "log", _mark(lab))


def controller(lab: Lab, cluster: Cluster) -> Daemon:
    """The slurmctld of a cluster."""
    conf = str(cluster.slurm_conf)
    log = cluster.log / "slurmctld.log"
    return Daemon("slurmctld", "slurmctld", ("-f", conf), frozenset({conf}), log, _environment(lab, cluster))


def node_daemons(lab: Lab, cluster: Cluster) -> list[Daemon]:
    """One slurmd for each node of a cluster."""
    conf = str(cluster.slurm_conf)
    return [
        Daemon(
            f"slurmd {node}",
            "slurmd",
            ("-N", node, "-f", conf),
            frozenset({"-N", node, conf}),
            cluster.log / f"{node}.log",
            _environment(lab, cluster),
        )
        for node in cluster.shape.node_names
    ]


def door(lab: Lab, cluster: Cluster) -> Daemon:
    """The sshd of a cluster."""
    config, log = str(cluster.sshd_config), cluster.log / "sshd.log"
    return Daemon("sshd", "sshd", ("-f", config, "-E", str(log)), frozenset({config}), log, _mark(lab))


def cluster_daemons(lab: Lab, cluster: Cluster) -> list[Daemon]:
    """Every daemon of one cluster."""
    return [controller(lab, cluster), *node_daemons(lab, cluster), door(lab, cluster)]


def start(
    daemons: Sequence[Daemon], processes: Sequence[Process], tell: Callable[[str], None], whose: str
) -> None:
    """Starts those that do not run, all at once, and waits until each has gone into the background.

    Raises `ConfigurationError` with the end of its log for one that would not start.
    """
    absent = [daemon for daemon in daemons if daemon.pid(processes) is None]
    launched = [(daemon, launch(daemon.command(), daemon.environment, _output(daemon))) for daemon in absent]
    # All are waited for before the first failure is told: none is left without a parent's care.
    failures = [_failure(daemon, process) for daemon, process in launched]
    for failure in failures:
        if failure is not None:
            raise failure
    if absent:
        tell(f"{whose}: started {', '.join(daemon.name for daemon in absent)}")


def wait_for(
    ready: Callable[[], bool], what: str, log: Callable[[], Path], deadline_s: float = _START_S
) -> None:
    """Asks ten times a second. Raises `TimedOut` with the end of the `log` that it names then."""
    until = time.monotonic() + deadline_s
    while not ready():
        if time.monotonic() > until:
            raise TimedOut(
                f"{what} within {deadline_s:.0f} seconds\n{last_lines(log())}",
                hint="run `hpcnet lab up` again, or `hpcnet lab down` to clean up",
            )
        time.sleep(0.1)


def log_that_may_tell(lab: Lab, cluster: Cluster, processes: Sequence[Process]) -> Path:
    """The log of a slurmd that ended after it had started; else the controller's."""
    ended = [daemon.log for daemon in node_daemons(lab, cluster) if daemon.pid(processes) is None]
    return next(iter(ended), controller(lab, cluster).log)


def last_lines(log: Path, count: int = 8) -> str:
    """The end of a log with its name, for a person."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
    except OSError:
        lines = []
    said = "\n".join(f"  {line}" for line in lines) or "  (nothing)"
    return f"the last lines of {log}:\n{said}"


def _failure(daemon: Daemon, process: subprocess.Popen[bytes]) -> HpcnetError | None:
    """Waits until a daemon is in the background; what to raise if it does not get there."""
    hint = "run `hpcnet lab down` to clean up"
    try:
        status = process.wait(_START_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return TimedOut(f"{daemon.name} did not start in time\n{last_lines(daemon.log)}", hint=hint)
    if status == 0:
        return None
    said = last_lines(daemon.log if _has_text(daemon.log) else _output(daemon))
    return ConfigurationError(f"{daemon.name} did not start\n{said}", hint=hint)


def _has_text(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _output(daemon: Daemon) -> Path:
    """What a daemon says before it has opened its own log."""
    path = daemon.log.with_name(f"{daemon.log.stem}.start.log")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{path.parent} cannot be written: {error}") from error
    return path


def _mark(lab: Lab) -> dict[str, str]:
    return {MARK: str(lab.directory)}


def _environment(lab: Lab, cluster: Cluster) -> dict[str, str]:
    return {**_mark(lab), "SLURM_CONF": str(cluster.slurm_conf)}
