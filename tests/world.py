"""A whole small world on this machine: real shell, real files, real ledger; only the clock is held.

Its one site runs jobs by the `fork` scheduler over the `local` transport; `cuts` break its link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from builders import a_job
from fakes.clock import HeldClock
from fakes.links import BreakingLink, Cut
from hpcnet import registry, shipped
from hpcnet.broker import records, submit
from hpcnet.broker.context import Broker
from hpcnet.broker.follow import wait
from hpcnet.broker.identity import new_job_id
from hpcnet.broker.links import Links
from hpcnet.ledger.senders import LockedFiles
from hpcnet.ledger.sql import open_ledger
from hpcnet.model.configuration import Access, Configuration
from hpcnet.model.job import JobSpec
from hpcnet.model.progress import Progress
from hpcnet.model.record import JobRecord
from hpcnet.model.site import Site
from hpcnet.ports import Ledger, LinkSettings, Scheduler, Transport
from hpcnet.wiring import scheduler_of


@dataclass
class World:
    folder: Path
    ledger: Ledger
    clock: HeldClock = field(default_factory=HeldClock)
    cuts: list[Cut] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    told: list[Progress] = field(default_factory=list)
    open_link: Callable[[Site, Access], Transport] | None = None
    sites: tuple[str, ...] = ("here",)

    def broker(self) -> Broker:
        """A fresh broker, as a new program would have it."""
        return Broker(
            sites={site_id: self._site(site_id) for site_id in self.sites},
            configuration=Configuration(access={site_id: Access() for site_id in self.sites}),
            links=Links(self.open_link or self._open, lambda _: Access()),
            scheduler=self._scheduler,
            ledger=lambda: self.ledger,
            clock=self.clock,
            senders=LockedFiles(self.folder / "state" / "sending"),
            kernel=shipped.kernel,
            tell=self.told.append,
        )

    def submit(self, job: JobSpec | None = None, job_id: str | None = None, **keys: Any) -> JobRecord:
        job, job_id = job or a_job(**keys), job_id or new_job_id()
        with self.broker() as broker:
            decision = submit.decide(broker, job_id, job)
            return submit.send(broker, submit.prepare(broker, decision, job))

    def ended(self, record: JobRecord) -> JobRecord:
        clock = _RealSleep()
        with self.broker() as broker:
            return wait(_with_clock(broker, clock), [record.id], lambda *_: None)[0]

    def record(self, job_id: str) -> JobRecord:
        with self.broker() as broker:
            return records.load(broker, [job_id])[0]

    def directory(self, record: JobRecord) -> Path:
        return Path(record.directory or "")

    def _site(self, site_id: str) -> Site:
        return Site.model_validate(
            {
                "id": site_id,
                "name": "This machine",
                "login": {"transport": "local"},
                "scheduler": {"name": "fork", "launcher": []},
                "work_dir": str(self.folder / "jobs" / site_id),
                "partitions": [{"name": "local", "nodes": 1}],
            }
        )

    def _open(self, site: Site, access: Access) -> Transport:
        transport = registry.load("hpcnet.transports", "local", "TRANSPORT")
        real: Transport = transport(LinkSettings(ssh_config=self.folder / "none"))(site, access)
        return BreakingLink(real, self.cuts, self.scripts.append)

    def _scheduler(self, site: Site) -> Scheduler:
        return scheduler_of(site)


class _RealSleep(HeldClock):
    """Waiting for a real process needs real time."""

    def sleep(self, seconds: float) -> None:
        import time

        super().sleep(seconds)
        time.sleep(min(seconds, 0.05))


def _with_clock(broker: Broker, clock: HeldClock) -> Broker:
    from dataclasses import replace

    return replace(broker, clock=clock)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    ledger = open_ledger(tmp_path / "state" / "ledger.db")
    yield World(tmp_path, ledger)
    ledger.close()
