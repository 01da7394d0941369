"""Who to knock at, as whom and with which keys: the access entry, the ssh configuration, the descriptor."""

from __future__ import annotations

import getpass
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hpcnet.errors import ConfigurationError
from hpcnet.model.configuration import Access
from hpcnet.model.site import Site
from hpcnet.ports import LinkSettings
from hpcnet.transports.ssh import ssh_config
from hpcnet.transports.ssh.known_hosts import Known, look_up, name_of
from hpcnet.transports.ssh.ssh_config import UserConfig

MOST_HOPS = 8
HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:%-]*")
USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*")
JUMP = re.compile(
    r"(?:ssh://)?(?:(?P<user>[^@\s]+)@)?(?P<host>\[[^]\s]+\]|[^:\s/]+)(?::(?P<port>[0-9]{1,5}))?/?"
)


@dataclass(frozen=True, slots=True)
class Identities:
    """Which keys to offer: these files first; the agent's and the usual files only if not `only`."""

    files: tuple[Path, ...] = ()
    only: bool = False
    agent: bool = True


@dataclass(frozen=True, slots=True)
class Hop:
    """One SSH server on the way; the last one is the site's login host.

    Its key is pinned under `key_host` and `key_port`: its own, unless HostKeyAlias says otherwise.
    """

    host: str
    port: int
    user: str
    key_host: str
    key_port: int
    known: Known
    identities: Identities
    proxy_command: str | None
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Wish:
    """A server as somebody named it, before the ssh configuration is asked."""

    alias: str
    host: str | None = None
    port: int | None = None
    user: str | None = None
    jump: str | None = None
    described_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose route it is: what holds for all of its hops."""

    site: str
    access: Access
    settings: LinkSettings
    config: UserConfig


def find_route(site: Site, access: Access, settings: LinkSettings) -> tuple[Hop, ...]:
    """The hops to a site, the nearest first. Raises `ConfigurationError` and `StorageError`."""
    config = ssh_config.read(settings.ssh_config)
    login = site.login
    alias = site.id if config.names(site.id) else login.host
    if alias is None:
        hint = f"write `host` under [login] in its descriptor, or `Host {site.id}` in the ssh configuration"
        raise ConfigurationError(f"{site.id} has no login host", hint=hint)
    asker = Asker(site.id, access, settings, config)
    wish = Wish(alias, login.host, login.port, access.user, login.proxy_jump, login.host_keys)
    return _hops(asker, wish, MOST_HOPS)


def _hops(asker: Asker, wish: Wish, left: int) -> tuple[Hop, ...]:
    if left == 0:
        raise ConfigurationError(
            f"the way to {asker.site} has too many hops", hint="does ProxyJump go in a circle?"
        )
    above = {"User": wish.user}
    below = {"HostName": wish.host, "Port": wish.port, "User": asker.access.user or _local_user()}
    options = asker.config.look_up(wish.alias, above, below)
    jumps, command = _proxies(options, wish)
    nearer: tuple[Hop, ...] = ()
    for place, jump in enumerate(jumps):
        # As in ssh, only the nearest jump host may have a way of its own; the others are reached through it.
        hops = _hops(asker, _jump_wish(jump, asker.site), left - 1)
        nearer += hops if place == 0 else hops[-1:]
    return (*nearer, _hop(asker, wish, options, command))


def _proxies(options: Mapping[str, Any], wish: Wish) -> tuple[list[str], str | None]:
    """The jump hosts, or else the command, that lead to a server."""
    jump = options.get("proxyjump")
    if jump is None and "proxycommand" not in options:
        jump = wish.jump
    if jump is not None and jump.lower() != "none":
        return jump.split(","), None
    return [], options.get("proxycommand")


def _jump_wish(jump: str, site: str) -> Wish:
    found = JUMP.fullmatch(jump.strip())
    if found is None:
        raise ConfigurationError(f"{site}: ProxyJump `{jump}` cannot be read", hint="write user@host:port")
    host = found["host"].strip("[]")
    return Wish(host, host, int(found["port"]) if found["port"] else None, found["user"])


def _hop(asker: Asker, wish: Wish, options: Mapping[str, Any], command: str | None) -> Hop:
    host, user = str(options["hostname"]), str(options["user"])
    # Both may become words of a ProxyCommand: they must be names, never options.
    if not HOST.fullmatch(host) or not USER.fullmatch(user):
        raise ConfigurationError(f"{asker.site}: `{user}@{host}` is no login", hint="check User and HostName")
    port = _number(options.get("port"), 22, asker.site)
    alias = options.get("hostkeyalias")
    key_host, key_port = (str(alias), 22) if alias else (host, port)
    name = name_of(key_host, key_port)
    return Hop(
        host=host,
        port=port,
        user=user,
        key_host=key_host,
        key_port=key_port,
        known=look_up(asker.settings.known_hosts, name, wish.described_keys),
        identities=_identities(asker.access, options),
        proxy_command=command,
        timeout_s=_number(options.get("connecttimeout"), asker.settings.connect_timeout_s, asker.site),
    )


def _identities(access: Access, options: Mapping[str, Any]) -> Identities:
    agent = str(options.get("identityagent", "")).lower() != "none"
    if access.identity_file is not None:
        return Identities((Path(access.identity_file).expanduser(),), only=True, agent=agent)
    files = tuple(
        Path(name).expanduser() for name in options.get("identityfile", ()) if name.lower() != "none"
    )
    return Identities(files, only=str(options.get("identitiesonly", "")).lower() == "yes", agent=agent)


Number = TypeVar("Number", int, float)


def _number(text: object, otherwise: Number, site: str) -> Number:
    """A positive number of the ssh configuration, or what holds where it has none."""
    if text is None or str(text).lower() == "none":
        return otherwise
    if not str(text).isdecimal() or not 0 < int(str(text)) < 65536:
        hint = "Port and ConnectTimeout are positive numbers"
        raise ConfigurationError(f"the ssh configuration for {site} holds the number `{text}`", hint=hint)
    return type(otherwise)(str(text))


def _local_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise ConfigurationError("this user has no name", hint="write `user` in the access entry") from error
