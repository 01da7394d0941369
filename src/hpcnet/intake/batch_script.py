"""Takes a batch script as a job: its directives, and `#HPCNET key = value` lines for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from hpcnet.documents import parse_toml
from hpcnet.errors import Fault, FileError
from hpcnet.intake.tables import merged

_MAGIC = "#HPCNET"


class ScriptRead(Protocol):
    """What a scheduler's dialect read in a batch script."""

    @property
    def requirements(self) -> Mapping[str, int | str]:
        """Keys and spellings of `[requirements]` in a job file."""

    @property
    def name(self) -> str | None:
        """The job name, if the script gives one."""

    @property
    def carried(self) -> tuple[str, ...]:
        """Options that are carried through verbatim."""

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong, by line."""


ReadScript = Callable[[str], ScriptRead]


def is_batch_script(text: str) -> bool:
    """Whether the text is a script: its first line names its interpreter."""
    return text.startswith("#!")


def script_tables(text: str, read_script: ReadScript) -> tuple[dict[str, Any], list[Fault]]:
    """The script as the tables of a job file, and what is wrong in its directives."""
    read = read_script(text)
    faults = list(read.faults)
    tables: dict[str, Any] = {
        "script": text,
        "requirements": dict(read.requirements),
        "directives": list(read.carried),
    }
    if read.name:
        tables["name"] = read.name
    for number, line in _own_lines(text):
        try:
            tables = merged(tables, parse_toml(line))
        except FileError as error:
            faults += [Fault(f"line {number}", fault.what, fault.hint) for fault in error.faults]
    return tables, faults


def _own_lines(text: str) -> Iterator[tuple[int, str]]:
    """Number and TOML of each `#HPCNET` line, up to the first command, where directives end too."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith(_MAGIC) and not line[len(_MAGIC) :][:1].strip():
            yield number, line[len(_MAGIC) :].strip()
        elif line.strip() and not line.lstrip().startswith("#"):
            return
