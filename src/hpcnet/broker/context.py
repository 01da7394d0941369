"""What every verb of the broker works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hpcnet.broker.links import Links
from hpcnet.errors import ConfigurationError, UsageError
from hpcnet.model.configuration import Access, Configuration
from hpcnet.model.progress import Tell, silent
from hpcnet.model.record import JobRecord
from hpcnet.model.site import Site
from hpcnet.ports import Clock, Ledger, Scheduler, Senders

EMBEDDED_SITE = "local"


@dataclass(frozen=True, slots=True)
class Broker:
    """The sites, the user, and the doors to the world. `ledger` opens it when first called."""

    sites: Mapping[str, Site]
    configuration: Configuration
    links: Links
    scheduler: Callable[[Site], Scheduler]
    ledger: Callable[[], Ledger]
    clock: Clock
    senders: Senders
    kernel: Callable[[str], Path]
    tell: Tell = field(default=silent)

    def site(self, site_id: str) -> Site:
        """The site of this id; a `UsageError` names what there is."""
        if site_id in self.sites:
            return self.sites[site_id]
        known = ", ".join(sorted(self.sites))
        raise UsageError(f"there is no site '{site_id}'", hint=f"sites: {known}")

    def site_of(self, record: JobRecord) -> Site:
        """Where a job was sent; a `ConfigurationError` if that site is no longer configured."""
        site = self.sites.get(record.site or "")
        if site is not None:
            return site
        raise ConfigurationError(
            f"site {record.site} is no longer configured: job {record.id} cannot be reached",
            hint="put its descriptor and your access back",
        )

    def access(self, wanted: tuple[str, ...] = ()) -> Mapping[str, Access]:
        """The user's entries by site.

        This machine itself needs no entry: it is used when there is no other, or when it is named.
        """
        entries = dict(self.configuration.access)
        if EMBEDDED_SITE in self.sites and (not entries or EMBEDDED_SITE in wanted):
            entries.setdefault(EMBEDDED_SITE, Access())
        return entries

    def __enter__(self) -> Broker:
        return self

    def __exit__(self, *_: object) -> None:
        self.links.close()
