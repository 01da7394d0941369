"""How long a training federation takes to come up and to go down."""

from __future__ import annotations

from benchmarks import table
from benchmarks.federation import federation
from benchmarks.measure import Series
from benchmarks.program import compile_sources


def measure(rounds: int = 3) -> list[Series]:
    """`hpcnet lab up` from nothing until all nodes are idle, and `hpcnet lab down`."""
    ups, downs = [], []
    for _ in range(rounds):
        with federation() as lab:
            ups.append(lab.up_s)
            downs.append(lab.hpcnet("lab", "down").seconds)
    return [Series("hpcnet lab up", tuple(ups)), Series("hpcnet lab down", tuple(downs))]


if __name__ == "__main__":
    compile_sources()
    print(table.series(measure()))
