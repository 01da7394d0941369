"""Runs the programs that a lab is made of."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from hpcnet.errors import ConfigurationError, TimedOut

_PACKAGE_OF = {
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "scontrol": "slurm-client",
    "sinfo": "slurm-client",
    "munged": "munge",
    "sshd": "openssh-server",
    "ssh-keygen": "openssh-client",
    "setsid": "util-linux",
    "slurmdbd": "slurmdbd",
    "sacctmgr": "slurm-client",
    "mariadbd": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
}
PROGRAMS = ("slurmctld", "slurmd", "scontrol", "sinfo", "munged", "sshd", "ssh-keygen")
ACCOUNTING_PROGRAMS = ("slurmdbd", "sacctmgr", "mariadbd", "mariadb-install-db", "setsid")
_DEADLINE_S = 60.0


def search_path() -> str:
    """PATH with the directories of daemons, which ordinary users often lack."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def find(program: str) -> str:
    """The full path of a program; sshd insists on being called by it. Raises `ConfigurationError`."""
    found = shutil.which(program, path=search_path())
    if found is None:
        raise ConfigurationError(
            f"the program {program} is not installed", hint=f"apt-get install {_PACKAGE_OF[program]}"
        )
    return found


def missing_programs(accounting: bool) -> list[str]:
    """What a lab needs and this machine lacks."""
    wanted = PROGRAMS + ACCOUNTING_PROGRAMS * accounting
    return [program for program in wanted if shutil.which(program, path=search_path()) is None]


def check_programs(accounting: bool) -> None:
    """Raises one `ConfigurationError` that names every missing program and its package."""
    missing = missing_programs(accounting)
    if missing:
        packages = sorted({_PACKAGE_OF[program] for program in missing})
        raise ConfigurationError(
            f"the training federation needs programs that are not installed: {', '.join(missing)}",
            hint=f"apt-get install --no-install-recommends {' '.join(packages)}",
        )


def user_name() -> str:
    """The name of whoever runs the lab."""
    return pwd.getpwuid(os.getuid()).pw_name


def plain_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """A small environment for the lab's own programs: nothing of the caller's Slurm gets in."""
    user = pwd.getpwuid(os.getuid())
    base = {"HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name, "LANG": "C.UTF-8"}
    return {"PATH": search_path(), **base, **extra}


def run(argv: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs a short program to its end and keeps what it says. Raises `TimedOut` after a minute."""
    try:
        return subprocess.run(
            argv,
            env=plain_environment(environment),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_DEADLINE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TimedOut(f"{argv[0]} did not end within a minute") from error


def launch(argv: Sequence[str], environment: Mapping[str, str], output: Path) -> subprocess.Popen[bytes]:
    """Starts a program that goes into the background by itself; Ctrl-C here does not reach it."""
    with output.open("ab") as stream:
        return subprocess.Popen(
            argv,
            env=plain_environment(environment),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
