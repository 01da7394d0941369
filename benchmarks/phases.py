"""Where the time of a submission goes: its steps, its imports, its processor time and its memory."""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import table
from benchmarks.federation import Federation, federation
from benchmarks.measure import run
from benchmarks.program import PYTHON, compile_sources
from benchmarks.submit import write_files

_REPEATS = 5
_HELP = ("hpcnet.cli.main", "hpcnet.cli.commands.submit")
_ADAPTERS = (
    "hpcnet.transports.ssh.dial",
    "hpcnet.transports.ssh.link",
    "hpcnet.schedulers.slurm",
    "hpcnet.ledger.sql",
)
_IMPORTS = {
    "submit --help": _HELP,
    "submit FILE": (*_HELP, "hpcnet.wiring", "hpcnet.broker.submit", *_ADAPTERS),
}
_LISTED_MS = 2.0
_STEP_MS = 1.0


@dataclass(frozen=True, slots=True)
class Phases:
    """Steps as (name, begin, end), in ms; imports as (command, package, modules, ms); costs by command."""

    steps: list[tuple[str, float, float]]
    imports: list[tuple[str, str, int, float]]
    costs: list[tuple[str, float, float, float]]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "steps_ms": [dict(zip(("step", "begin", "end"), one, strict=True)) for one in self.steps],
            "imports_ms": [
                dict(zip(("command", "package", "modules", "self"), one, strict=True)) for one in self.imports
            ],
            "costs": [
                dict(zip(("command", "wall_ms", "processor_ms", "peak_mib"), one, strict=True))
                for one in self.costs
            ],
        }

    def tables(self) -> str:
        """Three tables."""
        steps = [
            (name, f"{begin:.0f}", f"{end:.0f}", f"{end - begin:.0f}") for name, begin, end in self.steps
        ]
        imports = [(name, package, str(modules), f"{ms:.0f}") for name, package, modules, ms in self.imports]
        costs = [(name, *(f"{value:.0f}" for value in values)) for name, *values in self.costs]
        return "\n\n".join(
            (
                table.markdown(("step of hpcnet submit", "begins (ms)", "ends (ms)", "takes (ms)"), steps),
                table.markdown(("command", "imports", "modules", "ms"), imports),
                table.markdown(("command", "wall (ms)", "processor (ms)", "peak memory (MiB)"), costs),
            )
        )


def measure(lab: Federation) -> Phases:
    """All phases, of a submission with one small input."""
    job = write_files(lab.root / "jobs").with_input
    commands: dict[str, list[str | Path]] = {
        "--version": ["--version"],
        "submit --help": ["submit", "--help"],
        "submit FILE": ["submit", job],
    }
    imports = [(name, *line) for name, modules in _IMPORTS.items() for line in _imports(lab, modules)]
    return Phases(_steps(lab, job), imports, [_cost(lab, *command) for command in commands.items()])


def _steps(lab: Federation, job: Path) -> list[tuple[str, float, float]]:
    """Medians over several submissions, in the order in which the steps begin."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(_REPEATS):
        for name, begin, end in _told_apart(_timeline(lab, job)):
            found[name].append((begin, end))
    steps = [
        (name, 1000 * median(begin for begin, _ in spans), 1000 * median(end for _, end in spans))
        for name, spans in found.items()
    ]
    return sorted((step for step in steps if step[2] - step[1] >= _STEP_MS), key=lambda step: step[1:])


def _timeline(lab: Federation, job: Path) -> list[tuple[str, float, float]]:
    file = lab.root / "timeline.json"
    began = time.time()
    run([PYTHON, "-m", "benchmarks.timeline", file, repr(began), "submit", job], lab.environment)
    whole = ("the program up to the end of its process", 0.0, time.time() - began)
    return [*json.loads(file.read_text(encoding="utf-8")), whole]


def _told_apart(spans: Iterable[tuple[str, float, float]]) -> list[tuple[str, float, float]]:
    """The same step done again gets a number."""
    seen: dict[str, int] = defaultdict(int)
    told = []
    for name, begin, end in spans:
        seen[name] += 1
        told.append((f"{name} ({seen[name]})" if seen[name] > 1 else name, begin, end))
    return told


def _imports(lab: Federation, needed: tuple[str, ...]) -> list[tuple[str, int, float]]:
    """Packages by their own import time as `-X importtime` tells it; short ones are left out."""
    # One after another: its clock goes wrong where threads import at the same time, as a submission does.
    code = f"import {', '.join(needed)}"
    said = run([PYTHON, "-X", "importtime", "-c", code], lab.environment).complaints
    modules: dict[str, int] = defaultdict(int)
    spent: dict[str, float] = defaultdict(float)
    for line in said.splitlines():
        if line.startswith("import time:") and "self [us]" not in line:
            own, _, name = line.removeprefix("import time:").split("|")
            package = _package(name.strip())
            modules[package] += 1
            spent[package] += float(own) / 1000
    ordered = sorted(spent, key=lambda package: -spent[package])
    return [(name, modules[name], spent[name]) for name in ordered if spent[name] >= _LISTED_MS]


def _package(module: str) -> str:
    top = module.partition(".")[0]
    return "the standard library" if top in sys.stdlib_module_names else top


def _cost(lab: Federation, name: str, words: list[str | Path]) -> tuple[str, float, float, float]:
    runs = [lab.hpcnet(*words) for _ in range(_REPEATS)]
    wall = 1000 * median(one.seconds for one in runs)
    processor = 1000 * median(one.processor_s for one in runs)
    return name, wall, processor, max(one.peak_mib for one in runs)


if __name__ == "__main__":
    compile_sources()
    with federation() as lab_of_ours:
        print(measure(lab_of_ours).tables())
