"""Finds and ends the processes of one lab, and of no one else.

A process belongs to a lab if its environment carries the lab's mark, if it is one of the daemons
with a path of the lab on its command line, or if such a process is its ancestor. Pid files are
never trusted: they outlive their process, and pids are given out again.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hpcnet.errors import StorageError

MARK = "HPCNET_LAB"
_DAEMONS = ("slurmctld", "slurmd", "slurmstepd", "slurmdbd", "sshd", "munged", "mariadbd")
_PATIENCE_S = {signal.SIGTERM: 1.0, signal.SIGKILL: 10.0}


@dataclass(frozen=True, slots=True)
class Process:
    """A process as seen in /proc; `started` (clock ticks since boot) tells it from a later one."""

    pid: int
    parent: int
    started: int
    program: str
    words: frozenset[str]
    marked: bool


def processes_of(directory: Path) -> list[Process]:
    """Every process of the lab in `directory`, oldest first; never this one or its ancestors."""
    everything = {process.pid: process for process in _scan(directory)}
    ours = {pid for pid, process in everything.items() if _is_daemon_of(process, directory) or process.marked}
    ours |= _descendants(everything, ours)
    ours -= _self_and_ancestors(everything)
    return sorted((everything[pid] for pid in ours), key=lambda process: process.started)


def end_processes(directory: Path) -> None:
    """Ends every process of the lab and returns when all are gone.

    Raises `StorageError` if one stays, which only the kernel can bring about.
    """
    seen: set[Process] = set()
    for word, patience_s in _PATIENCE_S.items():
        asked: set[Process] = set()
        patience = time.monotonic() + patience_s
        while time.monotonic() < patience:
            # A child whose parent is gone is known from the look before.
            seen = {process for process in seen if _is_alive(process)} | set(processes_of(directory))
            if not seen:
                return
            _send(word, seen - asked)
            asked |= seen
            time.sleep(0.02)
    names = ", ".join(f"{process.program} ({process.pid})" for process in seen)
    raise StorageError(f"these processes of the lab do not end: {names}", hint="try again in a minute")


def _send(word: signal.Signals, processes: Iterable[Process]) -> None:
    for process in processes:
        try:
            handle = os.pidfd_open(process.pid)
        except ProcessLookupError:
            continue
        try:
            if _is_alive(process):  # asked after opening: from here on the handle means this process
                signal.pidfd_send_signal(handle, word)
        except ProcessLookupError:
            pass
        finally:
            os.close(handle)


def _is_alive(process: Process) -> bool:
    stat = _stat(process.pid)
    return stat is not None and stat.started == process.started


@dataclass(frozen=True, slots=True)
class _Stat:
    program: str
    parent: int
    started: int


def _stat(pid: int) -> _Stat | None:
    """What /proc says of a process; None for one that is gone or has ended (a zombie)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name may hold blanks and brackets: the fields start behind the last bracket.
    name, _, rest = text.partition("(")[2].rpartition(")")
    fields = rest.split()
    return None if fields[0] in "ZX" else _Stat(name, int(fields[1]), int(fields[19]))


def _scan(directory: Path) -> Iterable[Process]:
    mark, conf = f"{MARK}={directory}".encode(), f"SLURM_CONF={directory}/".encode()
    for entry in os.scandir("/proc"):
        stat = _stat(int(entry.name)) if entry.name.isdigit() else None
        if stat is None:
            continue
        words = _bytes(entry, "cmdline").replace(b"\0", b" ").decode(errors="replace").split()
        environment = _bytes(entry, "environ").split(b"\0")
        # slurmd hands its steps SLURM_CONF and nothing else of its environment.
        is_step = stat.program == "slurmstepd" and any(item.startswith(conf) for item in environment)
        marked = mark in environment or is_step
        yield Process(int(entry.name), stat.parent, stat.started, stat.program, frozenset(words), marked)


def _bytes(entry: os.DirEntry[str], name: str) -> bytes:
    try:
        return Path(entry.path, name).read_bytes()
    except OSError:
        return b""


def _is_daemon_of(process: Process, directory: Path) -> bool:
    prefix = f"{directory}/"
    return process.program in _DAEMONS and any(
        word.startswith(prefix) or f"={prefix}" in word for word in process.words
    )


def _descendants(everything: dict[int, Process], roots: set[int]) -> set[int]:
    found: set[int] = set()
    fresh = set(roots)
    while fresh:
        fresh = {pid for pid, process in everything.items() if process.parent in fresh} - found
        found |= fresh
    return found


def _self_and_ancestors(everything: dict[int, Process]) -> set[int]:
    line: set[int] = set()
    pid = os.getpid()
    while pid in everything and pid not in line:
        line.add(pid)
        pid = everything[pid].parent
    return line
