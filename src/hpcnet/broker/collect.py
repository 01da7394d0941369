"""Collect: bring the results home, whole and verified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from hpcnet.broker import home, records
from hpcnet.broker.context import Broker
from hpcnet.errors import StorageError, UsageError
from hpcnet.model.progress import Progress
from hpcnet.model.record import EventKind, JobRecord
from hpcnet.model.site import Site
from hpcnet.ports import OnBytes
from hpcnet.posix.directory import OUTPUT
from hpcnet.posix.files import RemoteFile, checksums, list_files

_FILES_PER_CALL = 500


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came home: files relative to `directory`, and whether their checksums were compared.

    `left` are files that stay at the site for their names, `unmatched` patterns that no file has.
    """

    directory: Path
    files: tuple[str, ...]
    size: int
    verified: bool
    left: tuple[str, ...]
    unmatched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A file on its way: where it comes from, where it half arrives, where it belongs."""

    file: RemoteFile
    digest: str | None
    source: str
    partial: Path
    target: Path

    def is_whole(self) -> bool:
        """Whether the bytes that have arrived are those of the site."""
        return home.holds(self.partial, self.file.size, self.digest)


def fetch(
    broker: Broker,
    record: JobRecord,
    patterns: Sequence[str],
    directory: Path,
    *,
    each_must_match: bool = False,
) -> Fetched:
    """Bring the files that match the patterns, and the output; all of them without patterns.

    Files already here and equal are kept, half-copied ones are continued. Names that would leave
    `directory` or hold control characters are left at the site. Raises `StorageError` for what is
    in the way here, and with `each_must_match` `UsageError` for a pattern that no file has.
    """
    if record.site is None or record.directory is None:
        raise UsageError(f"job {record.id} was never sent to a site: there is nothing to fetch")
    site = broker.site(record.site)
    listed = broker.links.ask(site, list_files(record.directory))
    unmatched = tuple(
        pattern for pattern in patterns if not any(matches(file.path, pattern) for file in listed)
    )
    if unmatched and each_must_match:
        raise _nothing_matches(record, unmatched)
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
        unmatched=unmatched,
    )
    body = {"directory": str(directory), "files": len(safe), "bytes": fetched.size}
    records.note(broker, record.id, EventKind.FETCHED, body)
    return fetched


def is_wanted(path: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns matches; `**` crosses directories, `*` does not."""
    return not patterns or path == OUTPUT or any(matches(path, pattern) for pattern in patterns)


def matches(path: str, pattern: str) -> bool:
    """Whether the pattern is one of this path."""
    return _matches(PurePosixPath(path).parts, PurePosixPath(pattern).parts)


def is_safe(path: str) -> bool:
    """Whether a name from a site may be used here: stays below, and is plain text."""
    pure = PurePosixPath(path)
    stays_below = not pure.is_absolute() and ".." not in pure.parts and pure.name != ""
    return path.isprintable() and stays_below and pure.parts[0] != home.PARTIALS


def _nothing_matches(record: JobRecord, patterns: Sequence[str]) -> UsageError:
    names = ", ".join(f"'{pattern}'" for pattern in patterns)
    hint = f"* stays within a directory and ** does not; hpcnet fetch {record.id} --all brings every file"
    return UsageError(f"no file of {record.id} matches {names}", hint=hint)


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
    directory: Path,
    files: Sequence[tuple[RemoteFile, str | None]],
) -> None:
    total = sum(file.size for file, _ in files)
    done = 0

    def travelled(count: int) -> None:
        nonlocal done
        done += count
        broker.tell(Progress("fetch", f"copying results from {site.id}", done, total))

    home.make_ready(directory, [file.path for file, _ in files])
    with home.partials(directory) as folder:
        arrivals = [
            _Arrival(
                file,
                digest,
                source=str(PurePosixPath(remote, file.path)),
                partial=folder / home.partial_name(site.id, remote, file.path),
                target=directory / file.path,
            )
            for file, digest in files
        ]
        missing = [arrival for arrival in arrivals if not _is_here(arrival)]
        here = sum(home.size_of(arrival.partial) for arrival in missing)
        home.refuse_if_full(directory, sum(arrival.file.size for arrival in missing) - here)
        travelled(total - sum(arrival.file.size for arrival in missing))
        for arrival in missing:
            _bring(broker, site, arrival, travelled)


def _is_here(arrival: _Arrival) -> bool:
    known = arrival.digest is not None
    return known and home.holds(arrival.target, arrival.file.size, arrival.digest)


def _bring(broker: Broker, site: Site, arrival: _Arrival, travelled: OnBytes) -> None:
    kept = home.size_of(arrival.partial)
    if kept > arrival.file.size or arrival.digest is None:
        # Without a checksum nothing would tell that the site's file is another one by now.
        home.remove(arrival.partial)
        kept = 0
    travelled(kept)
    _copy(broker, site, arrival, travelled)
    if kept and not arrival.is_whole():
        travelled(-home.size_of(arrival.partial))
        home.remove(arrival.partial)
        _copy(broker, site, arrival, travelled)
    if not arrival.is_whole():
        home.remove(arrival.partial)
        raise StorageError(
            f"{arrival.file.path} arrived changed: its checksum or size is not the site's",
            hint="the job may still be writing it; fetch again",
        )
    home.move(arrival.partial, arrival.target)


def _copy(broker: Broker, site: Site, arrival: _Arrival, travelled: OnBytes) -> None:
    with broker.links.using(site) as link:
        link.get(arrival.source, arrival.partial, travelled)
