"""Brings the inputs of a job to its directory."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hpcnet.broker.context import Broker
from hpcnet.errors import Fault, JobError
from hpcnet.model.job import KERNEL_PREFIX, JobSpec, StageIn
from hpcnet.model.progress import Progress
from hpcnet.model.site import Site
from hpcnet.posix.directory import is_reserved
from hpcnet.posix.files import make_directories


@dataclass(frozen=True, slots=True)
class Transfer:
    """One regular file or empty directory to bring: to a path relative to the job directory."""

    source: Path
    target: PurePosixPath
    size: int
    empty_directory: bool = False


def transfers(job: JobSpec, kernel: Callable[[str], Path]) -> tuple[Transfer, ...]:
    """All that `data.stage_in` names, directories walked. Raises `JobError` with every fault."""
    placed: list[tuple[str, Transfer]] = []
    faults: list[Fault] = []
    for number, item in enumerate(job.data.stage_in, start=1):
        where = f"data.stage_in[{number}]"
        for entry in _entries(where, item, kernel):
            if isinstance(entry, Fault):
                faults.append(entry)
            else:
                placed.append((where, entry))
    faults += _clashes(placed)
    if faults:
        raise JobError("the inputs cannot be staged", faults, hint="mend these and try again")
    return tuple(dict.fromkeys(entry for _, entry in placed))


def bring(broker: Broker, site: Site, directory: str, files: tuple[Transfer, ...]) -> None:
    """Copy the files into the job directory, which is made. Progress is told in bytes."""
    folders = {file.target if file.empty_directory else file.target.parent for file in files}
    broker.links.ask(site, make_directories(sorted(str(PurePosixPath(directory, one)) for one in folders)))
    total = sum(file.size for file in files)
    done = 0

    def travelled(count: int) -> None:
        nonlocal done
        done += count
        broker.tell(Progress("stage-in", f"copying inputs to {site.id}", done, total))

    with broker.links.using(site) as link:
        for file in files:
            if not file.empty_directory:
                link.put(file.source, str(PurePosixPath(directory, file.target)), travelled)


def _entries(where: str, item: StageIn, kernel: Callable[[str], Path]) -> Iterator[Transfer | Fault]:
    """What one item of `stage_in` brings, and what is wrong with it."""
    source = _source(item, kernel)
    target = _target(item, source)
    if target.is_absolute() or ".." in target.parts:
        what = f"the target '{target}' leaves the job directory"
        yield Fault(f"{where}.target", what, "write a path relative to it, without '..'")
    elif os.path.isdir(source):  # noqa: PTH112 - never raises, whatever the path
        yield from _walk(where, source, target)
    else:
        yield _file(where, source, target)


def _source(item: StageIn, kernel: Callable[[str], Path]) -> Path:
    if item.source.startswith(KERNEL_PREFIX):
        return kernel(item.source.removeprefix(KERNEL_PREFIX))
    return Path(item.source)


def _target(item: StageIn, source: Path) -> PurePosixPath:
    target = PurePosixPath(item.target or source.name)
    names_a_directory = item.target.endswith("/") or not target.parts
    if names_a_directory and not os.path.isdir(source):  # noqa: PTH112 - never raises, whatever the path
        return target / source.name
    return target


def _walk(where: str, directory: Path, target: PurePosixPath) -> Iterator[Transfer | Fault]:
    """The whole tree; what could not come along is a fault, nothing is left out silently."""
    unread: list[OSError] = []
    for walked, below, names in os.walk(directory, onerror=unread.append):
        folder = Path(walked)
        place = target / folder.relative_to(directory).as_posix()
        below.sort()
        for link in (folder / name for name in below if (folder / name).is_symlink()):
            what = f"'{link}' is a link to a directory, which is not followed"
            yield Fault(where, what, "put the directory itself there, or stage it as an item of its own")
        for name in sorted(names):
            yield _file(where, folder / name, place / name)
        if not below and not names:
            yield _refused(where, folder, place) or Transfer(folder, place, 0, empty_directory=True)
    for error in unread:
        yield _unreadable(where, error.filename, error)


def _file(where: str, source: Path, target: PurePosixPath) -> Transfer | Fault:
    try:
        found = source.stat()
    except FileNotFoundError:
        return Fault(where, f"there is no file '{source}'", "check the path")
    except (OSError, ValueError) as error:
        return _unreadable(where, source, error)
    if not stat.S_ISREG(found.st_mode):
        return Fault(where, f"'{source}' is not a regular file or directory", "leave it out")
    if not os.access(source, os.R_OK):
        return _unreadable(where, source, PermissionError(0, "permission denied"))
    return _refused(where, source, target) or Transfer(source, target, found.st_size)


def _unreadable(where: str, path: object, error: OSError | ValueError) -> Fault:
    reason = error.strerror if isinstance(error, OSError) else error
    return Fault(where, f"'{path}' cannot be read: {reason}", "make it readable, or leave it out")


def _refused(where: str, source: Path, target: PurePosixPath) -> Fault | None:
    """A fault for a target that would stand in for what hpcnet or the job itself writes."""
    if not is_reserved(target):
        return None
    what = f"'{source}' would become '{target}', which hpcnet and the job write themselves"
    return Fault(f"{where}.target", what, "choose another target, or leave it out")


def _clashes(placed: Sequence[tuple[str, Transfer]]) -> Iterator[Fault]:
    """A fault for each target that another input already takes, or would need as a directory."""
    taken: dict[PurePosixPath, Transfer] = {}
    for where, entry in placed:
        other = taken.setdefault(entry.target, entry)
        if entry.source != other.source and not (entry.empty_directory and other.empty_directory):
            yield _clash(where, entry, other)
    files = {target: entry for target, entry in taken.items() if not entry.empty_directory}
    for where, entry in placed:
        for above in entry.target.parents:
            if above in files:
                yield _clash(where, entry, files[above])


def _clash(where: str, entry: Transfer, other: Transfer) -> Fault:
    what = f"'{entry.source}' cannot become '{entry.target}': '{other.source}' becomes '{other.target}'"
    return Fault(f"{where}.target", what, "give one of them another target")
