"""Collect: bring the results home, whole and verified."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from hpcnet.broker import records
from hpcnet.broker.context import Broker
from hpcnet.errors import StorageError, UsageError
from hpcnet.model.progress import Progress
from hpcnet.model.record import EventKind, JobRecord
from hpcnet.model.site import Site
from hpcnet.posix.files import RemoteFile, checksums, list_files

OUTPUT = "output.log"
_FILES_PER_CALL = 500


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came home: files relative to `directory`, and whether their checksums were compared."""

    directory: Path
    files: tuple[str, ...]
    size: int
    verified: bool
    left: tuple[str, ...]


def fetch(broker: Broker, record: JobRecord, patterns: Sequence[str], directory: Path) -> Fetched:
    """Bring the files that match the patterns, and the output; all of them without patterns.

    Files already here and equal are kept, half-copied ones are continued. Names that would leave
    `directory` or hold control characters are left at the site and named in `left`.
    """
    if record.site is None or record.directory is None:
        raise UsageError(f"job {record.id} was never sent to a site: there is nothing to fetch")
    site = broker.site(record.site)
    listed = broker.links.ask(site, list_files(record.directory))
    wanted = [file for file in listed if is_wanted(file.path, patterns)]
    safe = [file for file in wanted if is_safe(file.path)]
    hashes = _hashes(broker, site, record.directory, safe)
    _bring_all(broker, site, record.directory, directory, list(zip(safe, hashes, strict=True)))
    fetched = Fetched(
        directory=directory,
        files=tuple(file.path for file in safe),
        size=sum(file.size for file in safe),
        verified=None not in hashes,
        left=tuple(file.path for file in wanted if not is_safe(file.path)),
    )
    body = {"directory": str(directory), "files": len(safe), "bytes": fetched.size}
    records.note(broker, record.id, EventKind.FETCHED, body)
    return fetched


def is_wanted(path: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns matches; `**` crosses directories, `*` does not."""
    if not patterns or path == OUTPUT:
        return True
    parts = PurePosixPath(path).parts
    return any(_matches(parts, PurePosixPath(pattern).parts) for pattern in patterns)


def is_safe(path: str) -> bool:
    """Whether a name from a site may be used here: stays below, and is plain text."""
    pure = PurePosixPath(path)
    return path.isprintable() and not pure.is_absolute() and ".." not in pure.parts and pure.name != ""


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[skip:], pattern[1:]) for skip in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _hashes(broker: Broker, site: Site, directory: str, files: Sequence[RemoteFile]) -> list[str | None]:
    found: list[str | None] = []
    for start in range(0, len(files), _FILES_PER_CALL):
        names = [file.path for file in files[start : start + _FILES_PER_CALL]]
        found += broker.links.ask(site, checksums(directory, names))
    return found


def _bring_all(
    broker: Broker,
    site: Site,
    remote: str,
    home: Path,
    files: Sequence[tuple[RemoteFile, str | None]],
) -> None:
    total = sum(file.size for file, _ in files)
    done = 0

    def travelled(count: int) -> None:
        nonlocal done
        done += count
        broker.tell(Progress("fetch", f"copying results from {site.id}", done, total))

    for file, digest in files:
        target = _place(home, file.path)
        if digest is not None and target.is_file() and _sha256(target) == digest:
            travelled(file.size)
            continue
        partial = target.with_name(f".{target.name}.part")
        with broker.links.using(site) as link:
            link.get(str(PurePosixPath(remote, file.path)), partial, travelled)
        _verify(partial, file, digest)
        partial.replace(target)


def _place(home: Path, path: str) -> Path:
    """Where a file goes at home; a link in the way that leads out of `home` is refused."""
    target = home / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.parent.resolve().is_relative_to(home.resolve()):
        raise StorageError(f"{target.parent} leads out of {home}", hint="fetch into an empty directory")
    return target


def _verify(partial: Path, file: RemoteFile, digest: str | None) -> None:
    size = partial.stat().st_size
    if size == file.size and (digest is None or _sha256(partial) == digest):
        return
    partial.unlink()
    raise StorageError(
        f"{file.path} arrived changed: its checksum or size is not the site's",
        hint="the job may still be writing it; fetch again",
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
