"""How long `hpcnet` takes to say anything, against an interpreter that does nothing."""

from __future__ import annotations

from benchmarks import table
from benchmarks.measure import Race, interleave, run
from benchmarks.program import HPCNET, PYTHON, compile_sources, environment

VERSION_LIMIT = 10.0
HELP_LIMIT = 25.0


def measure(rounds: int = 15) -> list[Race]:
    """The two bars of start-up."""
    children = environment()
    nothing, version, usage = "python -c pass", "hpcnet --version", "hpcnet submit --help"
    found = interleave(
        {
            nothing: lambda: run([PYTHON, "-c", "pass"], children),
            version: lambda: run([HPCNET, "--version"], children),
            usage: lambda: run([HPCNET, "submit", "--help"], children),
        },
        rounds,
    )
    return [
        Race("start-up", found[version], found[nothing], VERSION_LIMIT),
        Race("start-up", found[usage], found[nothing], HELP_LIMIT),
    ]


if __name__ == "__main__":
    compile_sources()
    print(table.races(measure()))
