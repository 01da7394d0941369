"""The files of pinned host keys, read line by line as ssh reads them.

Keys are text, "type base64", as in a public key file. A line that cannot be read, or that names a
certificate authority, says nothing about a host: it is passed over and never disturbs the others.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from hpcnet.errors import StorageError


@dataclass(frozen=True, slots=True)
class Line:
    """One line that says something about a host."""

    marker: str
    names: tuple[str, ...]
    key: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about one host: the keys it may show and those it must never show again."""

    accepted: tuple[str, ...] = ()
    revoked: tuple[str, ...] = ()


def fingerprint(key: str) -> str:
    """`SHA256:...` of a public key "type base64", as ssh-keygen prints it."""
    digest = hashlib.sha256(base64.b64decode(key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def name_of(host: str, port: int) -> str:
    """How known_hosts calls a host: `host`, or `[host]:port` away from port 22."""
    return host.lower() if port == 22 else f"[{host.lower()}]:{port}"


def look_up(files: Iterable[Path], name: str, described: Sequence[str] = ()) -> Known:
    """All that the files say about `name`, after the keys that the site's descriptor holds.

    A file that does not exist holds nothing. Raises `StorageError` for one that cannot be read.
    """
    accepted, revoked = list(described), list[str]()
    for line in (line for file in files for line in _lines(file)):
        if line.marker in {"", "@revoked"} and matches(line.names, name):
            (revoked if line.marker else accepted).append(line.key)
    return Known(tuple(dict.fromkeys(accepted)), tuple(dict.fromkeys(revoked)))


def parse(text: str) -> Line | None:
    """One line of a file; `None` for a comment and for what cannot be read."""
    fields = text.split()
    marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
    if len(fields) < 3 or fields[0].startswith("#"):
        return None
    names, kind, blob = fields[:3]
    with suppress(binascii.Error, ValueError):
        base64.b64decode(blob, validate=True)
        return Line(marker, tuple(names.split(",")), f"{kind} {blob}")
    return None


def matches(patterns: Sequence[str], name: str) -> bool:
    """Whether a list of names, hashed names and patterns means `name`; `!pattern` takes it out."""
    bare = [pattern for pattern in patterns if not pattern.startswith("!")]
    barred = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    return any(_means(pattern, name) for pattern in bare) and not any(_means(p, name) for p in barred)


def pin(file: Path, host: str, port: int, keys: Sequence[str]) -> None:
    """Make `keys` the only ones of this host in `file`, which is replaced whole, mode 0600.

    Raises `StorageError`.
    """
    name = name_of(host, port)
    try:
        whole = file.expanduser().resolve()
        whole.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        old = whole.read_text("utf-8", "surrogateescape").splitlines() if whole.exists() else []
        lines = [kept for line in old if (kept := _without(line, name)) is not None]
        lines += [f"{name} {key}" for key in keys]
        _replace(whole, "".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise StorageError(
            f"{file}: {error.strerror}", hint="check its permissions and free space"
        ) from error


def _lines(file: Path) -> list[Line]:
    try:
        text = file.expanduser().read_text("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StorageError(f"{file}: {error.strerror}", hint="host keys are read from it") from error
    return [line for line in map(parse, text.splitlines()) if line is not None]


def _means(pattern: str, name: str) -> bool:
    if pattern.startswith("|1|"):
        return _hash_means(pattern, name)
    # Square brackets belong to the name here: only * and ? are patterns.
    return fnmatchcase(name, pattern.lower().replace("[", "[[]"))


def _hash_means(hashed: str, name: str) -> bool:
    with suppress(binascii.Error, ValueError):
        _, _, salt, digest = hashed.split("|")
        # SHA-1 is what the file format says; it hides names here and protects nothing.
        shown = hmac.new(base64.b64decode(salt), name.encode(), hashlib.sha1).digest()
        return hmac.compare_digest(shown, base64.b64decode(digest))
    return False


def _without(text: str, name: str) -> str | None:
    """The line without this name; `None` when nobody is left. Marked lines and comments stay."""
    line = parse(text)
    if line is None or line.marker:
        return text
    left = [item for item in line.names if item.lower() != name and not _is_hash_of(item, name)]
    if len(left) == len(line.names):
        return text
    return " ".join([",".join(left), *text.split()[1:]]) if left else None


def _is_hash_of(item: str, name: str) -> bool:
    return item.startswith("|1|") and _hash_means(item, name)


def _replace(file: Path, text: str) -> None:
    partial = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
            copy.write(text.encode("utf-8", "surrogateescape"))
            copy.flush()
            os.fsync(copy.fileno())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
