"""The directory of this machine where results land: checked before, filled file by file."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from hpcnet.errors import StorageError

PARTIALS = ".hpcnet-fetch"
"""Below the target: what has only half arrived. Nothing from a site may have this name."""


@contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename or "a local file"
        raise StorageError(
            f"{where} on this machine: {error.strerror or error}",
            hint="check its permissions and the free space, or fetch into another directory",
        ) from error


@_told_plainly()
def make_ready(home: Path, paths: Sequence[str]) -> None:
    """Make `home`, and see that all these files can land below it. Raises `StorageError`."""
    home.mkdir(parents=True, exist_ok=True)
    conflicts = [*_conflicts(home, [*paths, f"{PARTIALS}/any"])]
    if conflicts:
        more = f" (and {len(conflicts) - 1} more like it)" if len(conflicts) > 1 else ""
        raise StorageError(f"{conflicts[0]}{more}", hint="mend this there, or fetch into an empty directory")


@_told_plainly()
def refuse_if_full(home: Path, size: int) -> None:
    """Raise `StorageError` where fewer than `size` bytes are free."""
    free = shutil.disk_usage(home).free
    if size > free:
        raise StorageError(
            f"{home} has {free} bytes free, and the results need {size}",
            hint="free some space, fetch into another directory, or choose files with --pattern",
        )


@contextmanager
def partials(home: Path) -> Iterator[Path]:
    """The directory for what has half arrived; it goes away when nothing is left in it."""
    folder = home / PARTIALS
    with _told_plainly():
        folder.mkdir(exist_ok=True)
    try:
        yield folder
    finally:
        with suppress(OSError):
            folder.rmdir()


def partial_name(*origin: str) -> str:
    """One and the same name for one origin, so that a later fetch goes on with it."""
    return hashlib.sha256("\0".join(origin).encode("utf-8", "surrogateescape")).hexdigest()[:32]


@_told_plainly()
def holds(path: Path, size: int, digest: str | None) -> bool:
    """Whether the file has this size, and this SHA-256 where one is given."""
    if not path.is_file() or path.stat().st_size != size:
        return False
    return digest is None or _sha256(path) == digest


@_told_plainly()
def size_of(path: Path) -> int:
    """Bytes of the file, 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


@_told_plainly()
def remove(path: Path) -> None:
    """Remove the file if it is there."""
    path.unlink(missing_ok=True)


@_told_plainly()
def move(partial: Path, target: Path) -> None:
    """Put a whole file where it belongs, in one step."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial.replace(target)


def _conflicts(home: Path, paths: Sequence[str]) -> Iterator[str]:
    """A sentence for each thing in the way."""
    folders = {parent for path in paths for parent in (home / path).parents if parent.is_relative_to(home)}
    base = home.resolve()
    for folder in sorted(folders):
        if not os.path.lexists(folder):
            continue
        if not folder.is_dir():
            yield f"{folder} is not a directory, and results belong below it"
        elif not folder.resolve().is_relative_to(base):
            yield f"{folder} leads out of {home}"
        elif not os.access(folder, os.W_OK | os.X_OK):
            yield f"{folder} cannot be written"
    for path in paths:
        if (home / path).is_dir():
            yield f"{home / path} is a directory, and a file belongs there"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
