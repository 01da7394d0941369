"""One authenticated connection, through as many jump hosts as it takes; every hop proves its key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import paramiko

from hpcnet.transports.ssh.authenticate import authenticate
from hpcnet.transports.ssh.dial import Stream, dial
from hpcnet.transports.ssh.explain import LINK_FAULTS, explain
from hpcnet.transports.ssh.handshake import key_types_for, shake_hands, shown_key
from hpcnet.transports.ssh.known_hosts import name_of
from hpcnet.transports.ssh.route import Hop
from hpcnet.transports.ssh.verify import verify


class Tunnel:
    """The connections to all hops, each inside the one before."""

    def __init__(self) -> None:
        self._stream: Stream | None = None
        self._transports: list[paramiko.Transport] = []

    @classmethod
    def through(cls, hops: Sequence[Hop], site: str) -> Tunnel:
        """Raises `Unreachable`, `AuthenticationRefused`, `HostKeyUnknown` or `HostKeyChanged`."""
        tunnel = cls()
        try:
            for hop in hops:
                tunnel._enter(hop, site)
        except LINK_FAULTS as error:
            tunnel.close()
            raise explain(error, site, opening=True) from error
        except BaseException:
            tunnel.close()
            raise
        return tunnel

    @property
    def last(self) -> paramiko.Transport:
        """The connection to the site itself."""
        return self._transports[-1]

    def towards(self, hop: Hop) -> Any:
        """A raw stream to the next server. Raises what sockets and paramiko raise."""
        if self._transports:
            target = (hop.host, hop.port)
            return self.last.open_channel("direct-tcpip", target, ("127.0.0.1", 0), timeout=hop.timeout_s)
        self._stream = dial(hop)
        return self._stream.socket

    def close(self) -> None:
        """Never raises, and does not wait for paramiko to look up from its nap of a tenth of a second."""
        for transport in reversed(self._transports[1:]):
            transport.close()
        if self._stream is not None:
            self._stream.close()
        for transport in self._transports[:1]:
            transport.close()

    def _enter(self, hop: Hop, site: str) -> None:
        transport = shake_hands(self.towards(hop), key_types_for(hop.known), hop.timeout_s)
        self._transports.append(transport)
        verify(shown_key(transport), hop.known, name_of(hop.key_host, hop.key_port), site)
        authenticate(transport, hop, site)
