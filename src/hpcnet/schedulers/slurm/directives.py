"""Reads the `#SBATCH` directives of an ordinary batch script, in every spelling sbatch accepts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hpcnet.errors import Fault
from hpcnet.schedulers.slurm.sbatch_options import Option, read_options, words_of
from hpcnet.schedulers.slurm.translation import translate

_MAGIC = "#SBATCH"


@dataclass(frozen=True, slots=True)
class ScriptRead:
    """What a batch script asks for.

    `requirements` has the keys and spellings of `[requirements]` in a job file. `carried` holds the
    options our requirements cannot hold, one each, ready to stand after `#SBATCH`. `notes` are
    sentences about what will be otherwise than under plain sbatch. `faults` say `line N`.
    """

    requirements: Mapping[str, int | str]
    name: str | None = None
    carried: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


def read_script(text: str) -> ScriptRead:
    """The requirements of an sbatch script. Never raises: what is wrong is in `faults`."""
    faults: list[Fault] = []
    options: list[Option] = []
    for number, directive in _directives(text):
        try:
            options.extend(read_options(words_of(directive), number))
        except ValueError as error:
            hint = "write it as sbatch(1) does, for example '#SBATCH --nodes=2'"
            faults.append(Fault(f"line {number}", f"'#SBATCH {directive}': {error}", hint))
    said = translate(options)
    return ScriptRead(said.requirements, said.name, said.carried, said.notes, (*faults, *said.faults))


def _directives(text: str) -> Iterator[tuple[int, str]]:
    """Line number and text of each directive, up to the first command, as sbatch reads them."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith(_MAGIC) and not line[len(_MAGIC) :][:1].strip():
            yield number, line[len(_MAGIC) :].strip()
        elif line.strip() and not line.lstrip().startswith("#"):
            return
