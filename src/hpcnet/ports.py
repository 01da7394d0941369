"""Every seam of the house on one page.

The broker's verbs speak to the world only through these; `hpcnet.wiring` puts real parts behind
them and tests put fakes behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from hpcnet.model.command import Completed, Question
from hpcnet.model.configuration import Access
from hpcnet.model.job import JobSpec
from hpcnet.model.record import Event
from hpcnet.model.site import Partition, Site
from hpcnet.model.state import Look, Receipt, SiteState
from hpcnet.model.submission import Attempt, Submission

OnBytes = Callable[[int], None]
"""Called with the number of bytes that have travelled since the last call."""


class Transport(Protocol):
    """A way to one site. All paths there are relative to the login directory, or absolute."""

    def run(self, script: str, deadline_s: float) -> Completed:
        """Feed `script` to `exec /bin/sh -s` over there, both streams drained.

        Raises `TimedOut` past the deadline and `LinkLost` when the link breaks in the middle.
        The output may still hold banners of the login shell: `hpcnet.posix.frame` cuts them off.
        """

    def put(self, source: Path, target: str, on_bytes: OnBytes) -> None:
        """Copy one local regular file, with its permission bits; the directory exists already."""

    def get(self, source: str, target: Path, on_bytes: OnBytes) -> None:
        """Copy one regular remote file, going on where a shorter `target` ended. No links followed."""

    def close(self) -> None:
        """Let go of the link. Never raises."""


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """What the ways to all sites share: files of this user, which need not exist, and patience.

    A transport plug-in's `TRANSPORT` takes these settings and returns a `Connect`.
    """

    ssh_config: Path
    known_hosts: tuple[Path, ...] = ()
    connect_timeout_s: float = 15.0


class Connect(Protocol):
    """Opens the way to a site."""

    def __call__(self, site: Site, access: Access) -> Transport:
        """Raises `Unreachable`, `AuthenticationRefused`, `HostKeyUnknown` or `HostKeyChanged`."""


class Scheduler(Protocol):
    """A dialect: pure text in, pure text out. Never touches the world."""

    def survey(
        self, job: JobSpec, site: Site, partitions: Sequence[Partition], access: Access
    ) -> Question[SiteState]:
        """One remote call for all partitions, with a start estimate for `job` in each given one."""

    def render(self, submission: Submission) -> str:
        """The batch script: directives, fence, set-up, payload, exit sentinel."""

    def submit(self, submission: Submission) -> Question[Receipt]:
        """At most one submission per directory, however often it is asked: the first one claims
        the directory, later ones read what the first one left.
        """

    def look(self, site: Site, attempts: Sequence[Attempt]) -> Question[Look]:
        """One status query for any number of attempts."""

    def cancel(self, site: Site, attempts: Sequence[Attempt]) -> Question[Look]:
        """Cancel these attempts, each checked by its token, and look."""


class Ledger(Protocol):
    """The append-only record."""

    def append(self, events: Iterable[Event]) -> None:
        """Durable when it returns: all events in one transaction. Raises `StorageError`."""

    def events(self, jobs: Sequence[str] | None = None) -> Sequence[Event]:
        """Events in the order they were appended, of these jobs or of all."""

    def job_ids(self, prefix: str = "", newest: int | None = None, open_only: bool = False) -> Sequence[str]:
        """Ids of jobs, oldest first: those starting with `prefix`, the `newest` ones, or only
        those whose last sighting is not final.
        """

    def close(self) -> None:
        """Let go of the file or server."""


class Senders(Protocol):
    """Who is sending an attempt right now: tells a slow submission from one whose program died."""

    def sending(self, token: str) -> AbstractContextManager[None]:
        """Hold the mark of this attempt; it falls when the block, or the whole program, ends."""

    def is_sent_by_someone(self, token: str) -> bool | None:
        """Whether a living program holds the mark; None if no mark is here."""

    def forget(self, token: str) -> None:
        """Take away the mark that a dead program left."""


class Clock(Protocol):
    """The time, so that tests can hold it."""

    def now(self) -> datetime:
        """The time in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait."""
