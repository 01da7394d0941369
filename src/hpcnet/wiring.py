"""The only module that names concretes: puts real parts behind the ports."""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import platformdirs

from hpcnet import registry, shipped
from hpcnet.errors import ConfigurationError, StorageError
from hpcnet.model.configuration import Access, Configuration
from hpcnet.model.job import JobSpec
from hpcnet.model.progress import Tell, silent
from hpcnet.model.site import Site
from hpcnet.ports import Clock, Ledger, LinkSettings, Scheduler, Transport
from hpcnet.posix.quote import quote

if TYPE_CHECKING:
    from hpcnet.broker.context import Broker
    from hpcnet.lab.settings import LabSettings


class SystemClock(Clock):
    """The machine's own clock."""

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class HostKeys:
    """The keys a host shows, each with its fingerprint; `pinned` when one of them is known already."""

    host: str
    port: int
    fingerprints: Mapping[str, str]
    pinned: bool


@dataclass(frozen=True)
class House:
    """Where this user's files are, and what is made of them. Everything is opened when first used."""

    config_file: Path
    state: Path

    @classmethod
    def from_environment(cls) -> House:
        """`$HPCNET_CONFIG` and `$HPCNET_STATE`, else the XDG directories."""
        config = os.environ.get("HPCNET_CONFIG")
        state = os.environ.get("HPCNET_STATE")
        return cls(
            Path(config) if config else platformdirs.user_config_path("hpcnet") / "config.toml",
            Path(state) if state else platformdirs.user_state_path("hpcnet"),
        )

    @cached_property
    def configuration(self) -> Configuration:
        """The user's configuration."""
        from hpcnet.catalog.configuration import read_configuration

        return read_configuration(self.config_file)

    @property
    def site_directories(self) -> list[Path]:
        """Where descriptors are read from; later ones override earlier ones."""
        own = [Path(item).expanduser() for item in self.configuration.site_directories]
        return [shipped.directory("site_configs"), *own, self.config_file.parent / "sites"]

    @cached_property
    def sites(self) -> dict[str, Site]:
        """All descriptors by site id."""
        from hpcnet.catalog.sites import read_sites

        sites = read_sites([folder for folder in self.site_directories if folder.is_dir()])
        if "local" in sites:
            sites["local"] = _with_own_interpreter(sites["local"])
        return sites

    @property
    def known_hosts(self) -> Path:
        """Where `hpcnet site pin` writes."""
        return self.config_file.parent / "known_hosts"

    @property
    def ledger(self) -> Ledger:
        """The ledger, opened or made."""
        return self._ledger_opening.result()

    def open_ledger_when_connected(self) -> None:
        """Begin to open the ledger when the first site is being waited for: loading SQL takes a while."""
        self._waiting_is_used.set()

    @cached_property
    def _waiting_is_used(self) -> Event:
        return Event()

    @cached_property
    def _ledger_opening(self) -> Future[Ledger]:
        from hpcnet.broker.together import in_background

        return in_background(self._open_ledger)

    def _open_ledger(self) -> Ledger:
        from hpcnet.ledger.sql import open_ledger

        return open_ledger(self.configuration.ledger or self.state / "ledger.db")

    def broker(self, tell: Tell = silent) -> Broker:
        """A broker over this user's sites."""
        from hpcnet.broker.context import Broker
        from hpcnet.broker.links import Links
        from hpcnet.ledger.senders import LockedFiles

        refuse_unknown_access(self.configuration, self.sites)
        return Broker(
            sites=self.sites,
            configuration=self.configuration,
            links=Links(self.connect, lambda site: self.configuration.access.get(site.id, Access())),
            scheduler=scheduler_of,
            ledger=lambda: self.ledger,
            clock=SystemClock(),
            senders=LockedFiles(self.state / "sending"),
            kernel=shipped.kernel,
            tell=tell,
        )

    def connect(self, site: Site, access: Access) -> Transport:
        """Open the way to a site by the transport that its descriptor names."""
        transport = registry.load("hpcnet.transports", site.login.transport, "TRANSPORT")
        link: Transport = transport(self.link_settings)(site, access)
        if self._waiting_is_used.is_set():
            _ = self._ledger_opening
        return link

    @property
    def link_settings(self) -> LinkSettings:
        """What every transport may use of this user's."""
        extra = [Path(item).expanduser() for item in self.configuration.known_hosts]
        return LinkSettings(
            ssh_config=Path(self.configuration.ssh_config).expanduser(),
            known_hosts=(self.known_hosts, *extra, Path("~/.ssh/known_hosts").expanduser()),
        )

    def lab_settings(self, *, accounting: bool = False) -> LabSettings:
        """Where the training federation lives."""
        from hpcnet.lab.settings import LabSettings

        return LabSettings(
            directory=self.state / "lab",
            configuration_directory=self.config_file.parent / "config.d",
            templates=shipped.directory("slurm"),
            python=Path(sys.executable),
            accounting=accounting,
        )


@cache
def house() -> House:
    """The house of the user who runs this program."""
    return House.from_environment()


def scheduler_of(site: Site) -> Scheduler:
    """The dialect of the site's scheduler."""
    found: Scheduler = registry.load("hpcnet.schedulers", site.scheduler.name, "SCHEDULER")
    return found


def read_job(path: Path | None, assignments: Sequence[str] = (), use_case: str | None = None) -> JobSpec:
    """A job file or sbatch script with `--set` assignments on top, its use case filled in."""
    from hpcnet.intake.job_file import read_job as read
    from hpcnet.schedulers.slurm.directives import read_script

    job = read(path, assignments, use_case, read_script=read_script)
    if job.use_case is None:
        return job
    from hpcnet.model.use_case import resolve

    return resolve(job, registry.load("hpcnet.use_cases", job.use_case, "USE_CASE"))


def refuse_unknown_access(configuration: Configuration, sites: Mapping[str, Site]) -> None:
    """Raise `ConfigurationError` for access to sites that nobody described: a typing error, mostly."""
    from hpcnet.errors import Fault
    from hpcnet.model.faults import did_you_mean

    faults = [
        Fault(f"access.{site}", f"there is no site '{site}'", did_you_mean(site, list(sites)))
        for site in configuration.access
        if site not in sites
    ]
    if faults:
        raise ConfigurationError("the configuration gives access to unknown sites", faults)


def _with_own_interpreter(site: Site) -> Site:
    """The embedded site: jobs find the python, and the MPI beside it, that hpcnet runs with."""
    line = f"PATH={quote(str(Path(sys.executable).parent))}:$PATH; export PATH"
    software = {
        name: item if item.setup else item.model_copy(update={"setup": (line,)})
        for name, item in site.software.items()
    }
    return site.model_copy(update={"software": software})


def validate_descriptors(files: Sequence[Path]) -> list[Site]:
    """Read descriptors. Raises `ConfigurationError` with the faults of all of them."""
    from hpcnet.catalog.sites import read_site
    from hpcnet.errors import Fault

    sites: list[Site] = []
    faults: list[Fault] = []
    for file in files:
        try:
            sites.append(read_site(file))
        except ConfigurationError as error:
            faults += error.faults
    if faults:
        raise ConfigurationError("a site descriptor is wrong", faults)
    return sites


def shown_host_keys(site: Site) -> HostKeys:
    """The host keys that the way to a site shows now. Raises as connecting does."""
    from hpcnet.transports.ssh.host_keys import scan_site
    from hpcnet.transports.ssh.known_hosts import fingerprint

    access = house().configuration.access.get(site.id, Access())
    shown = scan_site(site, access, house().link_settings)
    return HostKeys(shown.host, shown.port, {key: fingerprint(key) for key in shown.keys}, shown.pinned)


def pin_host_keys(shown: HostKeys, keys: Sequence[str]) -> Path:
    """Pin these keys for the host that showed them; returns the file they are in now."""
    from hpcnet.transports.ssh.known_hosts import pin

    pin(house().known_hosts, shown.host, shown.port, keys)
    return house().known_hosts


def verify_result(kernel: str, result: Path) -> dict[str, Any]:
    """A kernel's own check of a result file: its record with `verified` and `check` made anew."""
    path = shipped.kernel(kernel)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"the kernel '{kernel}' cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    try:
        record: dict[str, Any] = module.check_file(result)
    except (module.WrongUse, OSError) as error:
        raise StorageError(f"{result} cannot be verified: {error}", hint="fetch it again") from error
    return record


def missing_lab_programs() -> list[str]:
    """The programs of Slurm and OpenSSH that a training federation lacks here."""
    from hpcnet.lab import missing_programs

    return missing_programs(False)


def use_cases() -> registry.Found:
    """All use cases by name."""
    return registry.discover("hpcnet.use_cases", "USE_CASE")


def lab() -> Any:
    """The training federation's verbs: up, down, status."""
    from hpcnet import lab as verbs

    return verbs


def draw_field(result: Path, picture: Path, title: str) -> None:
    """Draw the field in a result file as PNG."""
    from hpcnet.pictures.field import draw_field as draw

    draw(result, picture, title)
