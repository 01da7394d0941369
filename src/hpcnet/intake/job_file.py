"""Reads what a person hands in as a job: a job file, a batch script, or a use case by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hpcnet.documents import parse_toml, read_text
from hpcnet.errors import Fault, FileError, JobError
from hpcnet.intake.batch_script import ReadScript, is_batch_script, script_tables
from hpcnet.intake.data_paths import path_faults, resolved
from hpcnet.intake.tables import assigned
from hpcnet.model.faults import faults_of
from hpcnet.model.job import JobSpec

LIMIT_BYTES = 1024 * 1024
_NOT_HERE_YET = {
    "sweep": ("campaigns are not here yet", "submit one job for each combination, with --set KEY=VALUE")
}
_NOTHING_TO_RUN = Fault(
    "the whole file", "nothing to run: give command, script or use_case", 'command = ["python3", "model.py"]'
)


def read_job(
    path: Path | None,
    assignments: Sequence[str] = (),
    use_case: str | None = None,
    *,
    read_script: ReadScript,
) -> JobSpec:
    """The job in a TOML job file or in a batch script (first line `#!`), or of a use case alone.

    `assignments` are `key.path=value`, on top of the file. Local stage-in sources come back
    absolute, from the file's directory. Raises `JobError` with every fault of the file.
    """
    name = path.name if path else f"use case '{use_case}'"
    folder = path.absolute().parent if path else Path.cwd()
    try:
        tables, faults = _tables(path, read_script)
    except FileError as error:
        raise JobError(f"{name} cannot be used as a job", error.faults, error.hint) from error
    tables, assignment_faults = assigned(tables, assignments)
    if use_case is not None:
        tables["use_case"] = use_case
    tables.setdefault("name", path.stem if path else use_case)
    faults += [*assignment_faults, *_not_here_yet(tables), *path_faults(tables, folder)]
    spec = _validated(tables, faults)
    if spec is None or faults:
        raise JobError(_summary(name, faults), faults, hint="nothing was submitted; mend these and try again")
    return spec.model_copy(update={"data": resolved(spec.data, folder)})


def _tables(path: Path | None, read_script: ReadScript) -> tuple[dict[str, Any], list[Fault]]:
    if path is None:
        return {}, []
    text = read_text(path, LIMIT_BYTES)
    return script_tables(text, read_script) if is_batch_script(text) else (parse_toml(text), [])


def _not_here_yet(tables: dict[str, Any]) -> list[Fault]:
    """A fault for each known key that nothing reads yet: taken out, so that it is named once."""
    found = [key for key in _NOT_HERE_YET if tables.pop(key, None) is not None]
    return [Fault(key, *_NOT_HERE_YET[key]) for key in found]


def _validated(tables: Mapping[str, Any], faults: list[Fault]) -> JobSpec | None:
    """The spec, or None with what is wrong added to `faults`."""
    try:
        return JobSpec.model_validate(tables)
    except ValidationError as error:
        faults += faults_of(error, JobSpec)
    # The whole is looked at only when every part is sound: say this beside the faults of the parts.
    if not {"command", "script", "use_case"} & tables.keys() and not _blames_the_whole(faults):
        faults.append(_NOTHING_TO_RUN)
    return None


def _blames_the_whole(faults: Sequence[Fault]) -> bool:
    return any(fault.where == _NOTHING_TO_RUN.where for fault in faults)


def _summary(name: str, faults: Sequence[Fault]) -> str:
    return f"{name} has {len(faults)} mistakes" if len(faults) > 1 else f"{name} has a mistake"
