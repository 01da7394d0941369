"""Getting to know a host: the keys it shows, their fingerprints, and the file that pins them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from paramiko.ssh_exception import IncompatiblePeer

from hpcnet.errors import Unreachable
from hpcnet.model.configuration import Access
from hpcnet.model.site import Site
from hpcnet.ports import LinkSettings
from hpcnet.transports.ssh.dial import dial
from hpcnet.transports.ssh.explain import LINK_FAULTS, TRY_AGAIN, explain
from hpcnet.transports.ssh.handshake import KEY_TYPES, shake_hands, shown_key
from hpcnet.transports.ssh.known_hosts import Known, fingerprint, pin
from hpcnet.transports.ssh.route import Hop, Identities, find_route
from hpcnet.transports.ssh.tunnel import Tunnel

__all__ = ["Shown", "fingerprint", "pin", "scan", "scan_site"]

SCANNED = (("ssh-ed25519",), KEY_TYPES[1:4], KEY_TYPES[4:])
"""Ed25519, ECDSA, RSA: a host shows one key for each family."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The keys a server showed on the way to a site, and the name to pin them under.

    `pinned` when one of them is known already.
    """

    host: str
    port: int
    keys: tuple[str, ...]
    pinned: bool


def scan(host: str, port: int = 22, timeout_s: float = 15.0) -> tuple[str, ...]:
    """The server's public host keys, "type base64"; nobody logs in. Raises `Unreachable`."""
    hop = Hop(host, port, "", host, port, Known(), Identities(), None, timeout_s)
    return _keys(lambda: _direct(hop), hop, host)


def scan_site(site: Site, access: Access, settings: LinkSettings) -> Shown:
    """The first server on the way to a site whose key is not pinned, or else the login host itself.

    What lies behind a jump host can be asked only once the jump host is known and lets us in:
    pin what this shows, and ask again until it shows the login host. Raises as connecting does.
    """
    hops = find_route(site, access, settings)
    place = next((i for i, hop in enumerate(hops) if not hop.known.accepted), len(hops) - 1)
    hop = hops[place]
    if place == 0:
        keys = _keys(lambda: _direct(hop), hop, site.id)
    else:
        with contextlib.closing(Tunnel.through(hops[:place], site.id)) as tunnel:
            keys = _keys(lambda: _behind(tunnel, hop), hop, site.id)
    return Shown(hop.key_host, hop.key_port, keys, any(key in hop.known.accepted for key in keys))


Open = Callable[[], tuple[Any, Callable[[], None]]]
"""Gives a raw stream and what lets go of it."""


def _direct(hop: Hop) -> tuple[Any, Callable[[], None]]:
    stream = dial(hop)
    return stream.socket, stream.close


def _behind(tunnel: Tunnel, hop: Hop) -> tuple[Any, Callable[[], None]]:
    stream = tunnel.towards(hop)
    return stream, stream.close


def _keys(open_stream: Open, hop: Hop, who: str) -> tuple[str, ...]:
    found: list[str] = []
    for key_types in SCANNED:
        try:
            found.append(_key(open_stream, key_types, hop.timeout_s))
        except IncompatiblePeer:
            continue
        except LINK_FAULTS as error:
            raise explain(error, who, opening=True) from error
    if not found:
        raise Unreachable(f"{who} shows no host key of a type that can be pinned", hint=TRY_AGAIN)
    return tuple(found)


def _key(open_stream: Open, key_types: Sequence[str], timeout_s: float) -> str:
    stream, close = open_stream()
    try:
        transport = shake_hands(stream, key_types, timeout_s)
        key = shown_key(transport)
    finally:
        # With its stream gone the transport ends at once, without its nap of a tenth of a second.
        close()
    transport.close()
    return key
