"""Where a ledger is: a file of this machine or a database of a PostgreSQL server."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from hpcnet.errors import ConfigurationError

_DRIVERS = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_SPELLINGS = "write a path, or postgresql://USER@HOST/DATABASE; in a password write @ as %40 and / as %2F"


@dataclass(frozen=True, slots=True)
class Address:
    """A ledger's place. `shown` is for people and holds no secret; `file` is None on a server."""

    url: sa.URL = field(repr=False)
    shown: str
    file: Path | None


def read_address(text: str | Path) -> Address:
    """The address a person wrote. Raises `ConfigurationError`, without repeating a password."""
    scheme, separator, _ = str(text).partition("://")
    if isinstance(text, Path) or not separator:
        return _file_address(Path(text))
    if scheme not in _DRIVERS:
        raise ConfigurationError(f"a ledger cannot be kept at a '{scheme}' address", hint=_SPELLINGS)
    url = _read_url(text, scheme)
    if scheme != "sqlite":
        return Address(url, _shown(url), None)
    if not url.database or url.database == ":memory:":
        raise ConfigurationError("the ledger's address names no file", hint="write sqlite:///PATH")
    return _file_address(Path(url.database))


def _file_address(path: Path) -> Address:
    file = path.expanduser().absolute()
    return Address(sa.URL.create("sqlite", database=str(file)), str(file), file)


def _read_url(text: str, scheme: str) -> sa.URL:
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        url = None
    # A password with a bare @ would make its rest look like the host, and be shown.
    if url is None or "@" in (url.host or ""):
        raise ConfigurationError("the ledger's address cannot be read", hint=_SPELLINGS) from None
    return url.set(drivername=_DRIVERS[scheme])


def _shown(url: sa.URL) -> str:
    host = url.host or url.query.get("host") or ""
    port = f":{url.port}" if url.port else ""
    user = f"{url.username}@" if url.username else ""
    return f"postgresql://{user}{host}{port}/{url.database or ''}"
