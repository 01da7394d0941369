"""Letting ourselves in with keys only: named files first, then the agent, then the usual files."""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from paramiko.pkey import UnknownKeyType
from paramiko.ssh_exception import (
    AuthenticationException,
    BadAuthenticationType,
    PasswordRequiredException,
    SSHException,
)

from hpcnet.errors import AuthenticationRefused
from hpcnet.transports.ssh.explain import CHECK_KEY
from hpcnet.transports.ssh.route import Hop, Identities

USUAL_FILES = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")


@dataclass(slots=True)
class Candidates:
    """The keys to offer, each loaded only when it is its turn, and notes on those that cannot be."""

    identities: Identities
    notes: list[str] = field(default_factory=list)
    _agent: paramiko.Agent | None = None

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Pairs of a name for a person and a key."""
        offered: set[bytes] = set()
        for name, key in self._all():
            if key.asbytes() not in offered:
                offered.add(key.asbytes())
                yield name, key

    def close(self) -> None:
        """Let go of the agent; its keys can sign no more."""
        if self._agent is not None:
            self._agent.close()

    def _all(self) -> Iterator[tuple[str, Any]]:
        for file in self.identities.files:
            yield from self._from_file(file)
        if self.identities.only:
            return
        for key in self._agent_keys():
            yield f"the agent's {key.get_name()} key", key
        for file in map(Path, () if self.identities.files else USUAL_FILES):
            if file.expanduser().exists():
                yield from self._from_file(file.expanduser())

    def _from_file(self, file: Path) -> Iterator[tuple[str, Any]]:
        """The key of a file; if it is locked or only public, the agent's copy of it."""
        why_not = ""
        if file.suffix != ".pub":
            try:
                key = _load(file)
            except _NotUsable as error:
                why_not = str(error)
            else:
                yield str(file), key
                return
        public = _public_part(file if file.suffix == ".pub" else file.with_name(f"{file.name}.pub"))
        held = [key for key in self._agent_keys() if key.asbytes() == public]
        if not held:
            self.notes.append(why_not or f"the agent does not hold the key of {file}")
        for key in held:
            yield f"{file} in the agent", key

    def _agent_keys(self) -> tuple[Any, ...]:
        if not self.identities.agent:
            return ()
        try:
            self._agent = self._agent or paramiko.Agent()
        except (SSHException, OSError) as error:
            self.notes.append(f"the agent does not answer: {error}")
            return ()
        return tuple(self._agent.get_keys())


class _NotUsable(Exception):
    """Why a private key file cannot be used, as a clause for a person."""


def authenticate(transport: paramiko.Transport, hop: Hop, site: str) -> None:
    """Offer one key after the other. Raises `AuthenticationRefused`, and what paramiko raises."""
    refused: list[str] = []
    with contextlib.closing(Candidates(hop.identities)) as candidates:
        for name, key in candidates:
            try:
                missing = transport.auth_publickey(hop.user, key)
            except BadAuthenticationType as error:
                raise _needs_more(hop, site, error.allowed_types) from error
            except AuthenticationException:
                refused.append(name)
                if transport.is_active():
                    continue
                candidates.notes.append("the server closed the door after that many keys")
                break
            if missing:
                raise _needs_more(hop, site, missing)
            return
    raise _no_key_fits(hop, site, refused, candidates.notes)


def _load(file: Path) -> Any:
    """Raises `_NotUsable`."""
    try:
        status = file.stat()
        if status.st_mode & 0o077 and status.st_uid == os.getuid():
            raise _NotUsable(f"{file} can be read by others (`chmod 600 {file}`)")
        return paramiko.PKey.from_path(file)
    except OSError as error:
        raise _NotUsable(f"{file}: {error.strerror}") from error
    except (TypeError, PasswordRequiredException) as error:
        raise _NotUsable(
            f"{file} is locked by a passphrase and no agent holds it (`ssh-add {file}`)"
        ) from error
    except (ValueError, SSHException, UnknownKeyType, UnsupportedAlgorithm) as error:
        raise _NotUsable(f"{file} is no private key that can be used") from error


def _public_part(file: Path) -> bytes:
    try:
        return base64.b64decode(file.read_text().split()[1])
    except (OSError, UnicodeDecodeError, IndexError, binascii.Error):
        return b""


def _needs_more(hop: Hop, site: str, methods: list[str]) -> AuthenticationRefused:
    asked = " or ".join(methods) or "another way of logging in"
    message = f"{site} ({hop.user}@{hop.host}) does not let us in with a key alone: it asks for {asked}"
    return AuthenticationRefused(
        message, hint="ask the centre for access by key; hpcnet never types passwords"
    )


def _no_key_fits(hop: Hop, site: str, refused: list[str], notes: list[str]) -> AuthenticationRefused:
    clauses = [f"it refused {', '.join(refused)}"] if refused else ["there is no key to offer"]
    message = f"{site} does not let us in as {hop.user}@{hop.host}: {'; '.join([*clauses, *notes])}"
    return AuthenticationRefused(message, hint=CHECK_KEY)
