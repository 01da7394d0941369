"""Brings the inputs of a job to its directory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hpcnet.broker.context import Broker
from hpcnet.errors import Fault, JobError
from hpcnet.model.job import JobSpec, StageIn
from hpcnet.model.progress import Progress
from hpcnet.model.site import Site
from hpcnet.posix.files import make_directories

KERNEL_PREFIX = "kernel:"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One regular file to bring: from here to a path relative to the job directory."""

    source: Path
    target: PurePosixPath
    size: int


def transfers(job: JobSpec, kernel: Callable[[str], Path]) -> tuple[Transfer, ...]:
    """Every file that `data.stage_in` names, directories walked. Raises `JobError`."""
    found: list[Transfer] = []
    faults: list[Fault] = []
    for number, item in enumerate(job.data.stage_in):
        try:
            found += _files_of(item, kernel)
        except (OSError, ValueError) as error:
            faults.append(Fault(f"data.stage_in.{number}", str(error), "check the path"))
    if faults:
        raise JobError("the inputs cannot be staged", faults)
    return tuple(found)


def bring(broker: Broker, site: Site, directory: str, files: tuple[Transfer, ...]) -> None:
    """Copy the files into the job directory, which is made. Progress is told in bytes."""
    parents = {str(PurePosixPath(directory, file.target).parent) for file in files}
    broker.links.ask(site, make_directories(sorted(parents)))
    total = sum(file.size for file in files)
    done = 0

    def travelled(count: int) -> None:
        nonlocal done
        done += count
        broker.tell(Progress("stage-in", f"copying inputs to {site.id}", done, total))

    with broker.links.using(site) as link:
        for file in files:
            link.put(file.source, str(PurePosixPath(directory, file.target)), travelled)


def _files_of(item: StageIn, kernel: Callable[[str], Path]) -> Iterator[Transfer]:
    if item.source.startswith(KERNEL_PREFIX):
        source = kernel(item.source.removeprefix(KERNEL_PREFIX))
    else:
        source = Path(item.source).expanduser()
    target = _target(item, source)
    if source.is_dir():
        yield from _walk(source, target)
    else:
        yield _transfer(source, target)


def _target(item: StageIn, source: Path) -> PurePosixPath:
    target = PurePosixPath(item.target or source.name)
    if item.target.endswith("/") and not source.is_dir():
        target = target / source.name
    if target.is_absolute() or ".." in target.parts or target.parts[:1] == (".hpcnet",):
        raise ValueError(f"the target '{item.target}' leaves the job directory")
    return target


def _walk(directory: Path, target: PurePosixPath) -> Iterator[Transfer]:
    for folder, _, names in os.walk(directory):
        below = Path(folder).relative_to(directory)
        for name in sorted(names):
            yield _transfer(Path(folder, name), target / below.as_posix() / name)


def _transfer(source: Path, target: PurePosixPath) -> Transfer:
    if not source.exists():
        raise ValueError(f"there is no file '{source}'")
    if not source.is_file():
        raise ValueError(f"'{source}' is not a regular file or directory")
    return Transfer(source, target, source.stat().st_size)
