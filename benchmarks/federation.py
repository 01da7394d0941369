"""A training federation to measure against, in directories of its own, taken down whatever happens."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Finished, run
from benchmarks.program import HPCNET, environment

_HOST = """\
Host {site}
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {key}
  IdentitiesOnly yes
  UserKnownHostsFile {pins}
  GlobalKnownHostsFile none
  StrictHostKeyChecking yes
  BatchMode yes
"""


@dataclass(frozen=True, slots=True)
class Federation:
    """A lab that is up, below `root`, and the ways to it: by hpcnet and by hand."""

    root: Path
    environment: dict[str, str]
    status: dict[str, Any]
    up_s: float

    @property
    def directory(self) -> Path:
        """Where the lab's own files are."""
        return Path(self.status["directory"])

    @property
    def sites(self) -> tuple[str, ...]:
        """The ids of the clusters."""
        return tuple(cluster["site"] for cluster in self.status["clusters"])

    @property
    def ssh_config(self) -> Path:
        """For the system's ssh and scp: the sites by their ids, host keys pinned."""
        return self.root / "ssh_config"

    def work(self, site: str) -> Path:
        """Where users of this cluster work."""
        return self.directory / site / "work"

    def sshd_log(self, site: str) -> Path:
        """What the sshd of this cluster writes."""
        return self.directory / site / "log" / "sshd.log"

    def hpcnet(self, *words: str | Path) -> Finished:
        """Run an `hpcnet` command that sees the clusters as its sites."""
        return run([HPCNET, *words], self.environment)

    def by_hand(self, program: str, *words: str | Path, stdin: Path = Path(os.devnull)) -> Finished:
        """Run the system's `ssh` or `scp`."""
        return run([program, "-F", self.ssh_config, *words], self.environment, stdin)

    def pid(self, site: str, daemon: str) -> int:
        """The pid of one daemon of a cluster."""
        clusters = [cluster for cluster in self.status["clusters"] if cluster["site"] == site]
        return next(int(one["pid"]) for one in clusters[0]["daemons"] if one["name"] == daemon)

    def change_door(self, site: str, old: str, new: str) -> None:
        """Replace text in the cluster's sshd_config and let its sshd read it again."""
        file = self.directory / site / "sshd_config"
        text = file.read_text(encoding="utf-8")
        if old not in text:
            raise RuntimeError(f"{file} has no {old!r}")
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        os.kill(self.pid(site, "sshd"), signal.SIGHUP)
        _ready(self, site)


@contextmanager
def federation() -> Iterator[Federation]:
    """The default lab. Raises `RuntimeError` with the lab's own words where it cannot be had."""
    root = Path(tempfile.mkdtemp(prefix="hpcnet-bench-"))
    own = environment(HPCNET_STATE=str(root / "state"), HPCNET_CONFIG=str(root / "config" / "config.toml"))
    try:
        up = run([HPCNET, "lab", "up", "--json"], own)
        lab = Federation(root, own, json.loads(up.output), up.seconds)
        _write_ssh_config(lab)
        yield lab
    finally:
        run([HPCNET, "lab", "down"], own)
        shutil.rmtree(root)


def _write_ssh_config(lab: Federation) -> None:
    hosts, pins = [], lab.root / "known_hosts"
    with pins.open("w", encoding="utf-8") as file:
        for cluster in lab.status["clusters"]:
            site, port = cluster["site"], cluster["ssh_port"]
            key = (lab.directory / site / "host_key.pub").read_text(encoding="utf-8")
            file.write(f"[127.0.0.1]:{port} {key}")
            identity = lab.status["identity_file"]
            hosts.append(_HOST.format(site=site, port=port, user=getpass.getuser(), key=identity, pins=pins))
    lab.ssh_config.write_text("\n".join(hosts), encoding="utf-8")


def _ready(lab: Federation, site: str) -> None:
    """Wait for a restarted sshd: ssh itself tries again."""
    lab.by_hand("ssh", "-o", "ConnectionAttempts=10", site, "true")
