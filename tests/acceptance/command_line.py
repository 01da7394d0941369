"""Types `hpcnet` commands as a user does, and keeps what came back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from real_lab import Lab


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        return self.out.strip().splitlines()[-1]

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class CommandLine:
    """One user with a directory of their own; the sites are those of the lab."""

    lab: Lab
    folder: Path

    def environment(self) -> dict[str, str]:
        own = {"HPCNET_STATE": str(self.folder / "state"), "HPCNET_CONFIG": str(self.config)}
        return {**self.lab.environment, **own}

    @property
    def config(self) -> Path:
        return self.folder / "config" / "config.toml"

    def __call__(self, *words: str, code: int | None = 0) -> Said:
        """Run one command; it must end with this code (None: with any)."""
        ended = subprocess.run(
            [sys.executable, "-m", "hpcnet", *words],
            env=self.environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )
        said = Said(ended.returncode, ended.stdout, ended.stderr)
        assert code is None or said.code == code, f"exit {said.code}\n{said.out}\n{said.err}"
        assert "Traceback" not in said.out + said.err
        return said

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text, encoding="utf-8")
        return name

    def descriptor(self, site: str) -> Path:
        """A copy of the site's descriptor which overrides the lab's own; a test may change it."""
        own = self.config.parent / "sites" / f"{site}.toml"
        own.parent.mkdir(exist_ok=True)
        shutil.copy(self.lab.settings.directory / "sites" / own.name, own)
        return own

    def queue(self) -> list[str]:
        """The names of all jobs that the clusters know."""
        return [
            line
            for cluster in self.lab.status.clusters
            for line in self.lab.slurm(
                cluster.site, "squeue", "-h", "-a", "-t", "all", "-o", "%j"
            ).splitlines()
        ]


def command_line(lab: Lab, folder: Path) -> CommandLine:
    """A user who has the lab's sites configured."""
    typed = CommandLine(lab, folder)
    shutil.copytree(lab.settings.configuration_directory, typed.config.parent / "config.d")
    return typed
