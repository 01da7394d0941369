"""slurm/prepare.sh on machines that are not what it hopes for."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from real_lab import TEMPLATES

ALWAYS_THERE = ("sh", "dirname", "awk", "grep", "sed", "cut", "id", "sort", "cat")


class Machine:
    """A machine that has only the programs a test gives it, and a copy of the script."""

    def __init__(self, root: Path, packages: str) -> None:
        self.programs = root / "bin"
        self.slurm = root / "project" / "slurm"
        self.programs.mkdir()
        shutil.copytree(TEMPLATES, self.slurm)
        (self.slurm / "debian-packages.tsv").write_text(packages)
        for name in ALWAYS_THERE:
            found = shutil.which(name)
            assert found is not None
            (self.programs / name).symlink_to(found)

    def has(self, name: str, script: str) -> None:
        """Adds a program."""
        (self.programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.programs / name).chmod(0o755)

    def prepare(self, *argv: str) -> subprocess.CompletedProcess[str]:
        # The system's own directories of daemons are cut out of a copy: the machine has none.
        script = self.slurm / "prepare.sh"
        script.write_text(script.read_text().replace("PATH=$PATH:/usr/sbin:/sbin\n", ""))
        command: Sequence[str] = ["sh", str(script), *argv]
        return subprocess.run(
            command,
            env={"PATH": str(self.programs)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


TABLE = "# comment\nslurmd\tboth\tthe nodes\npostgresql\ttest\tthe ledger\npython3-venv\tenvironment\tvenv\n"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path, TABLE)


def test_a_system_that_is_not_debian_gets_one_line_and_goes_on(machine: Machine) -> None:
    ended = machine.prepare("packages", "demo")

    assert ended.returncode == 0
    assert ended.stdout == (
        "hpcnet: Slurm cannot be installed here (this is not a Debian or Ubuntu system): "
        "the demo uses the local default, without Slurm.\n"
    )


def test_a_slurm_that_came_another_way_is_used(machine: Machine) -> None:
    for program in ("slurmctld", "slurmd", "munged"):
        machine.has(program, "exit 0")

    ended = machine.prepare("packages", "demo")

    assert (ended.returncode, ended.stdout.count("\n")) == (0, 1)
    assert "Slurm is here" in ended.stdout


def test_an_ordinary_user_without_sudo_gets_one_line_and_goes_on(machine: Machine) -> None:
    machine.has("dpkg-query", "exit 1")
    machine.has("apt-get", "echo must not be called; exit 1")
    (machine.programs / "id").unlink()
    machine.has("id", "echo 1000")

    ended = machine.prepare("packages", "test")

    assert ended.returncode == 0
    assert ended.stdout == (
        "hpcnet: Slurm and the data bases cannot be installed here (this needs root or sudo): "
        "tests that need them are skipped.\n"
    )


def test_missing_packages_are_listed_with_their_reason_before_sudo_is_asked(machine: Machine) -> None:
    machine.has("dpkg-query", 'for last; do :; done; [ "$last" = slurmd ] && echo installed')
    machine.has("apt-get", "exit 1")
    (machine.programs / "id").unlink()
    machine.has("id", "echo 1000")
    machine.has("sudo", '[ "$1" = -n ] || echo "sudo: $*"')

    ended = machine.prepare("packages", "test")

    lines = ended.stdout.splitlines()
    assert ended.returncode == 0
    assert lines[1].split(maxsplit=1) == ["postgresql", "the ledger"]
    assert lines[2] == f"sudo: sh {machine.slurm}/prepare.sh install-as-root postgresql"
    assert len(lines) == 3


def test_nothing_is_said_where_nothing_is_missing(machine: Machine) -> None:
    machine.has("dpkg-query", "echo installed")

    ended = machine.prepare("packages", "test")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_failed_installation_leaves_the_demo_its_local_default(machine: Machine) -> None:
    machine.has("dpkg-query", "exit 1")
    machine.has("apt-get", "exit 1")
    (machine.programs / "id").unlink()
    machine.has("id", "echo 1000")
    machine.has("sudo", '[ "$1" = -n ]')

    ended = machine.prepare("packages", "demo")

    assert ended.returncode == 0
    assert "the installation failed" in ended.stdout


def test_a_python_that_is_too_old_is_refused_in_one_line(machine: Machine) -> None:
    machine.has("python3", 'case $1 in -V) echo "Python 3.9.2" ;; *) exit 1 ;; esac')

    ended = machine.prepare("virtual-environment", "python3", "venv")

    assert ended.returncode == 1
    assert ended.stderr == (
        "hpcnet: python3 is Python 3.9.2, hpcnet needs 3.11 or newer; name one: make PYTHON=python3.12\n"
    )


def test_a_python_that_is_not_there_is_refused_in_one_line(machine: Machine) -> None:
    ended = machine.prepare("virtual-environment", "python4", "venv")

    assert ended.returncode == 1
    assert "there is no python4" in ended.stderr


def test_an_unknown_word_is_a_usage_error(machine: Machine) -> None:
    assert machine.prepare("packages", "everything").returncode == 2
    assert machine.prepare().returncode == 2


def test_every_package_has_a_purpose_and_a_reason() -> None:
    rows = [
        line.split("\t")
        for line in (TEMPLATES / "debian-packages.tsv").read_text().splitlines()
        if not line.startswith("#")
    ]

    assert {len(row) for row in rows} == {3}
    assert {row[1] for row in rows} <= {"demo", "test", "both", "environment"}
    assert all(row[2] for row in rows)
