"""A real training federation for tests: brought up once a session, taken down whatever happens."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hpcnet.lab import ClusterStatus, LabSettings, LabStatus, down, missing_programs, up

TEMPLATES = Path(__file__).resolve().parents[1] / "slurm"


@dataclass(frozen=True)
class Lab:
    """A federation that is up, and all that a test needs to speak to it."""

    settings: LabSettings
    status: LabStatus

    @property
    def state(self) -> Path:
        """What HPCNET_STATE names."""
        return self.settings.directory.parent

    @property
    def config(self) -> Path:
        """What HPCNET_CONFIG names: a `config.toml` that need not exist, beside `config.d/`."""
        return self.settings.configuration_directory.parent / "config.toml"

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which `hpcnet` sees the clusters of this lab as its sites."""
        own = {"HPCNET_STATE": str(self.state), "HPCNET_CONFIG": str(self.config)}
        return {**os.environ, **own}

    @property
    def key(self) -> Path:
        """The private key that every cluster lets in."""
        return self.status.identity_file

    def site(self, name: str) -> ClusterStatus:
        """The cluster of this site id."""
        return next(cluster for cluster in self.status.clusters if cluster.site == name)

    def slurm(self, name: str, *argv: str) -> str:
        """What a Slurm command answers about one cluster, asked without ssh."""
        environment = {**os.environ, "SLURM_CONF": str(self.site(name).slurm_conf)}
        return subprocess.run(argv, env=environment, capture_output=True, text=True, check=True).stdout

    def ssh(self, name: str, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Types a command at a cluster through the user's own ssh, the host key pinned as described."""
        site = self.site(name)
        public = (site.slurm_conf.parent / "host_key.pub").read_text().split()
        pins = self.status.directory / f"known_hosts.{name}"
        pins.write_text(f"[127.0.0.1]:{site.ssh_port} {public[0]} {public[1]}\n")
        options = [
            *("-F", "none", "-i", str(self.key), "-p", str(site.ssh_port)),
            *("-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={pins}"),
        ]
        return subprocess.run(
            ["ssh", *options, "127.0.0.1", command], input=stdin, capture_output=True, text=True, check=False
        )


def lab_settings(root: Path, accounting: bool = False) -> LabSettings:
    """Settings of a lab below `root` that uses this virtual environment."""
    return LabSettings(
        directory=root / "state" / "lab",
        configuration_directory=root / "config" / "config.d",
        templates=TEMPLATES,
        python=Path(sys.executable),
        accounting=accounting,
    )


def require_programs(accounting: bool = False) -> None:
    """Skips where this machine lacks what a lab is made of, or its sshd would let this user in nowhere."""
    from real_sshd import skip_where_nobody_can_log_in  # a plug-in of pytest's: not before pytest has it

    skip_where_nobody_can_log_in()
    missing = missing_programs(accounting)
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (`make test` installs them where it may)")


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether something comes true within ten seconds."""
    for _ in range(200):
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The two clusters of the default federation, shared by every test that only uses them."""
    require_programs()
    root = Path(tempfile.mkdtemp(prefix="hpcnet-test-"))
    settings = lab_settings(root)
    try:
        yield Lab(settings, up(settings, lambda _: None))
    finally:
        down(settings, lambda _: None)
        shutil.rmtree(root)


@pytest.fixture
def lab_root() -> Iterator[Path]:
    """A directory for a lab that a test brings up by itself; whatever is up there is taken down."""
    require_programs()
    root = Path(tempfile.mkdtemp(prefix="hpcnet-test-"))
    try:
        yield root
    finally:
        down(lab_settings(root), lambda _: None)
        shutil.rmtree(root)
