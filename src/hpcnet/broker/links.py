"""One link a site, opened when first needed and shared by all that speak to the site."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from hpcnet.broker.asking import ask
from hpcnet.errors import LinkError
from hpcnet.model.command import Question
from hpcnet.model.configuration import Access
from hpcnet.model.site import Site
from hpcnet.ports import Transport

Answer = TypeVar("Answer")
Open = Callable[[Site, Access], Transport]


class Links:
    """Keeps the open links; a link that failed is dropped, so that the next use opens a new one."""

    def __init__(self, open_link: Open, access: Callable[[Site], Access]) -> None:
        self._open = open_link
        self._access = access
        self._links: dict[str, Transport] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def to(self, site: Site) -> Transport:
        """The link to this site. Raises what opening it raises."""
        with self._guard:
            lock = self._locks.setdefault(site.id, threading.Lock())
        with lock:
            if site.id not in self._links:
                self._links[site.id] = self._open(site, self._access(site))
            return self._links[site.id]

    def ask(self, site: Site, question: Question[Answer]) -> Answer:
        """Ask one question over the link to this site."""
        with self.using(site) as link:
            return ask(link, question)

    @contextmanager
    def using(self, site: Site) -> Iterator[Transport]:
        """The link to this site, dropped if it fails meanwhile."""
        try:
            yield self.to(site)
        except LinkError:
            self.drop(site)
            raise

    def drop(self, site: Site) -> None:
        """Forget the link to this site."""
        link = self._links.pop(site.id, None)
        if link is not None:
            link.close()

    def close(self) -> None:
        """Let go of all links."""
        for site_id in tuple(self._links):
            link = self._links.pop(site_id, None)
            if link is not None:
                link.close()
