"""From sbatch's options to the requirements of a job file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from hpcnet.errors import Fault
from hpcnet.model.quantities import format_walltime, parse_walltime
from hpcnet.schedulers.slurm.sbatch_options import Option
from hpcnet.schedulers.slurm.shape import SHAPES, shape_of

# Our own: what hpcnet decides itself, and the sentence that says so.
_OURS = {
    "output": "standard output goes to output.log in the job directory",
    "error": "standard error goes to output.log in the job directory",
    "chdir": "the job runs in its own job directory",
    "clusters": "hpcnet chooses the site",
    "wait": "use 'hpcnet submit --wait'",
    "quiet": "hpcnet prints the job id by itself",
    "parsable": "hpcnet prints the job id by itself",
    "verbose": "hpcnet keeps the words of sbatch by itself",
}
IMPOSSIBLE = {
    "array": "a job array is one id with many jobs; submit one job for each element",
    "test-only": "with --test-only nothing would run; use 'hpcnet plan'",
    "wrap": "a script wraps nothing; write the command itself",
    "help": "remove it",
    "usage": "remove it",
    "version": "remove it",
}
_WORDS = {"account": "account", "qos": "qos"}


@dataclass(slots=True)
class Said:
    """What a list of options comes to; see `directives.ScriptRead`."""

    requirements: dict[str, int | str] = field(default_factory=dict)
    name: str | None = None
    carried: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


def translate(options: Iterable[Option]) -> Said:
    """Sort each option to where it belongs; of an option given twice the last counts, as in sbatch."""
    said = Said()
    last = {option.name: option for option in options}
    shapes = {name: option for name, option in last.items() if name in SHAPES}
    for name, option in last.items():
        if name not in SHAPES:
            _READERS.get(name, _carry)(said, option)
    shape = shape_of(shapes)
    said.requirements = dict(shape.requirements) | said.requirements
    said.carried = (*(str(option) for option in shape.carried), *said.carried)
    said.notes = (*shape.notes, *said.notes)
    said.faults = tuple(sorted((*shape.faults, *said.faults), key=_line))
    return said


def _line(fault: Fault) -> int:
    return int(fault.where.rpartition(" ")[2])


def _carry(said: Said, option: Option) -> None:
    said.carried = (*said.carried, str(option))
    if option.name == "dependency":
        note = "--dependency names job ids of one cluster; choose that cluster with --site"
        said.notes = (*said.notes, note)


def _ours(said: Said, option: Option) -> None:
    said.notes = (*said.notes, f"{option} is left out: {_OURS[option.name]}")


def _impossible(said: Said, option: Option) -> None:
    where = f"line {option.line}"
    said.faults = (*said.faults, Fault(where, f"{option} cannot be used", IMPOSSIBLE[option.name]))


def _name(said: Said, option: Option) -> None:
    said.name = option.value or None


def _word(said: Said, option: Option) -> None:
    said.requirements[_WORDS[option.name]] = option.value or ""


def _partition(said: Said, option: Option) -> None:
    first, _, others = (option.value or "").partition(",")
    said.requirements["partition"] = first
    if others:
        said.notes = (*said.notes, f"of --partition={option.value} the first is asked: {first}")


def _time(said: Said, option: Option) -> None:
    try:
        said.requirements["walltime"] = format_walltime(parse_walltime(option.value or ""))
    except ValueError as error:
        said.faults = (*said.faults, Fault(f"line {option.line}", f"--time: {error}", "for example 02:00:00"))


_READERS: Mapping[str, Callable[[Said, Option], None]] = {
    **dict.fromkeys(_OURS, _ours),
    **dict.fromkeys(IMPOSSIBLE, _impossible),
    **dict.fromkeys(_WORDS, _word),
    "job-name": _name,
    "partition": _partition,
    "time": _time,
}
