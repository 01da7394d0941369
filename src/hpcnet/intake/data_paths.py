"""Looks at the paths of `[data]`: what is staged in must exist, nothing may leave the job directory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from hpcnet.errors import Fault
from hpcnet.model.job import KERNEL_PREFIX, Data, StageIn
from hpcnet.posix.directory import is_reserved

_SITE_PREFIX = re.compile(r"[a-z0-9][a-z0-9-]*:")


def resolved(data: Data, folder: Path) -> Data:
    """`data` with local sources made absolute; `kernel:name` stays as it is."""
    sources = tuple(
        item
        if item.source.startswith(KERNEL_PREFIX)
        else StageIn(source=_absolute(item.source, folder), target=item.target)
        for item in data.stage_in
    )
    return data.model_copy(update={"stage_in": sources}) if sources else data


def path_faults(tables: Mapping[str, Any], folder: Path) -> list[Fault]:
    """What is wrong with the paths in the tables of a job file, which need not be valid otherwise."""
    data = tables.get("data")
    if not isinstance(data, Mapping):
        return []
    faults: list[Fault] = []
    for number, item in enumerate(_listed(data.get("stage_in")), start=1):
        place = f"data.stage_in[{number}]"
        source, target = (item, "") if isinstance(item, str) else _source_and_target(item)
        faults += _source_faults(f"{place}.source", source, folder)
        faults += _target_faults(f"{place}.target", target)
    for number, item in enumerate(_listed(data.get("stage_out")), start=1):
        faults += _inside_faults(f"data.stage_out[{number}]", item)
    return faults


def _source_and_target(item: object) -> tuple[object, object]:
    return (item.get("source"), item.get("target", "")) if isinstance(item, Mapping) else (None, None)


def _source_faults(where: str, source: object, folder: Path) -> list[Fault]:
    if not isinstance(source, str) or not source or source.startswith(KERNEL_PREFIX):
        return []
    if _SITE_PREFIX.match(source):
        what = f"'{source}' is at a site: copies from another site are not here yet"
        return [Fault(where, what, f"bring it here first; write './{source}' for a file of that name here")]
    try:
        Path(_absolute(source, folder)).stat()
    except FileNotFoundError:
        looked = f"looked for {_absolute(source, folder)}"
        return [Fault(where, f"there is no file or directory '{source}'", looked)]
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return [
            Fault(where, f"'{source[:60]}' cannot be staged in: {reason}", "give a path that you can read")
        ]
    return []


def _target_faults(where: str, target: object) -> list[Fault]:
    if isinstance(target, str) and is_reserved(PurePosixPath(target)):
        what = f"'{target}' is what hpcnet and the job write themselves"
        return [Fault(where, what, "choose another target")]
    return _inside_faults(where, target)


def _inside_faults(where: str, path: object) -> list[Fault]:
    if not isinstance(path, str):
        return []
    if path.startswith(("/", "~")) or ".." in PurePosixPath(path).parts or "\0" in path:
        hint = "write a path relative to it, without '..'"
        return [Fault(where, f"'{path}' is outside the job directory", hint)]
    return []


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _absolute(source: str, folder: Path) -> str:
    path = Path(source).expanduser() if source.startswith("~/") else Path(source)
    # A trailing slash means the contents of a directory: it is kept.
    return str(folder.absolute() / path) + ("/" if source.endswith("/") else "")
