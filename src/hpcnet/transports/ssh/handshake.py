"""The SSH handshake: quick modern algorithms, and the key types that are pinned first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from typing import Any

import paramiko

from hpcnet.transports.ssh.known_hosts import Known

KEEPALIVE_S = 15
CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
MACS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
)
KEY_EXCHANGES_BARRED = ("sha1",)
KEY_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
SIGNATURES = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}

# Without a handler, logging's last resort would print tracebacks of paramiko's threads at the user.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


def shake_hands(stream: Any, key_types: Sequence[str], timeout_s: float) -> paramiko.Transport:
    """Agree on keys over a socket or channel; nobody is authenticated yet, and no host key is judged.

    Raises what paramiko raises, and `TimeoutError`; the stream is closed then.
    """
    transport = paramiko.Transport(stream)
    try:
        _choose_algorithms(transport.get_security_options(), key_types)
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = timeout_s
        transport.channel_timeout = timeout_s
        _agree(transport, timeout_s)
    except BaseException:
        transport.close()
        raise
    transport.set_keepalive(KEEPALIVE_S)
    return transport


def shown_key(transport: paramiko.Transport) -> str:
    """The host key of the other side as "type base64"."""
    key = transport.get_remote_server_key()
    return f"{key.get_name()} {key.get_base64()}"


def key_types_for(known: Known) -> tuple[str, ...]:
    """The types of the pinned keys first, so that a server with several keys shows one that we know."""
    pinned = [name for key in known.accepted for name in SIGNATURES.get(key.split()[0], (key.split()[0],))]
    return tuple(dict.fromkeys([*_offered(pinned, KEY_TYPES), *KEY_TYPES]))


def _agree(transport: paramiko.Transport, timeout_s: float) -> None:
    agreed = threading.Event()
    transport.start_client(event=agreed)
    if not agreed.wait(timeout_s):
        raise TimeoutError("no SSH handshake")
    if not transport.is_active():
        raise transport.get_exception() or EOFError("closed during the SSH handshake")


def _choose_algorithms(options: Any, key_types: Sequence[str]) -> None:
    options.ciphers = _offered(CIPHERS, options.ciphers)
    options.digests = _offered(MACS, options.digests)
    options.key_types = _offered(key_types, options.key_types)
    options.kex = tuple(name for name in options.kex if not name.endswith(KEY_EXCHANGES_BARRED))


def _offered(wanted: Iterable[str], there_are: Iterable[str]) -> tuple[str, ...]:
    """What we want, in our order, as far as this paramiko knows it."""
    known = set(there_are)
    return tuple(name for name in wanted if name in known)
