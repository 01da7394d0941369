"""`make bench`: every bar of the project, printed as ratios and kept in benchmarks/results/latest.json.

A missed bar is told, not punished: the exit status is 0.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from benchmarks import calls, life, machine, phases, startup, submit, table
from benchmarks.federation import federation
from benchmarks.program import ROOT, compile_sources

_RESULTS = ROOT / "benchmarks" / "results" / "latest.json"


def main() -> None:
    """Measure, print as it goes, and write."""
    compile_sources()
    facts = machine.describe()
    print(table.markdown(("measured on", ""), facts.items()), flush=True)
    starts = startup.measure()
    print(f"\n{table.races(starts)}", flush=True)
    found: dict[str, Any] = {"machine": facts, "start_up": [race.as_json() for race in starts]}
    try:
        found |= _with_a_lab()
    except RuntimeError as error:
        found["not_measured"] = str(error)
        print(f"\nnot measured, the training federation cannot be used here: {error}", file=sys.stderr)
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(f"\nwritten: {_RESULTS.relative_to(ROOT)}")


def _with_a_lab() -> dict[str, Any]:
    with federation() as lab:
        races = submit.measure(lab)
        print(f"\n{table.races(races)}", flush=True)
        where = phases.measure(lab)
        counts = calls.measure(lab)  # last: it leaves the clusters with many partitions
    print(f"\n{table.counts(counts)}", flush=True)
    lives = life.measure()
    print(f"\n{table.series(lives)}\n\n{where.tables()}", flush=True)
    return {
        "submit": [race.as_json() for race in races],
        "calls": [count.as_json() for count in counts],
        "lab": [one.as_json() for one in lives],
        "phases": where.as_json(),
    }


if __name__ == "__main__":
    main()
