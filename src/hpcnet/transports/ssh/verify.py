"""A host proves who it is with a key we know, or we do not speak to it."""

from __future__ import annotations

from hpcnet.errors import HostKeyChanged, HostKeyUnknown
from hpcnet.transports.ssh.explain import changed_hint
from hpcnet.transports.ssh.known_hosts import Known, fingerprint


def verify(shown: str, known: Known, name: str, site: str) -> None:
    """Raises `HostKeyUnknown` or `HostKeyChanged` unless the shown key is a pinned one."""
    shown_print = fingerprint(shown)
    if shown in known.revoked:
        message = f"{site} ({name}) shows the host key {shown_print}, which is marked as revoked"
        raise HostKeyChanged(message, hint="do not connect; ask the centre which key is right")
    if shown in known.accepted:
        return
    if not known.accepted:
        kind, _, _ = shown.partition(" ")
        message = f"the host key of {site} ({name}) is not known; it shows {kind} {shown_print}"
        hint = f"compare it with what the centre publishes, then `hpcnet site pin {site}`"
        raise HostKeyUnknown(message, hint=hint)
    pinned = ", ".join(fingerprint(key) for key in known.accepted)
    message = f"the host key of {site} ({name}) has changed: pinned {pinned}, shown {shown_print}"
    raise HostKeyChanged(message, hint=changed_hint(site))
