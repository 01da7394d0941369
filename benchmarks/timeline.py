"""Runs one hpcnet command in this process and writes down when each of its steps began and ended.

    python -m benchmarks.timeline FILE BEGAN WORD...

FILE gets a JSON list of `[step, begin_s, end_s]`; BEGAN is the time.time() at which the caller began.
"""

from __future__ import annotations

import functools
import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Span = tuple[str, float, float]

_STEPS: dict[str, Callable[..., str]] = {
    "hpcnet.wiring:registry.load": lambda package, name, _: f"import {package.rpartition('.')[2]}/{name}",
    "hpcnet.wiring:read_job": lambda *_: "read the job file",
    "hpcnet.wiring:House.connect": lambda _, site, __: f"connect to {site.id}",
    "hpcnet.wiring:House._open_ledger": lambda _: "import SQL and open the ledger",
    "hpcnet.broker.links:ask": lambda *_: "one script there and back",
    "hpcnet.broker.submit:decide": lambda *_: "survey and decide",
    "hpcnet.broker.submit:prepare": lambda *_: "prepare",
    "hpcnet.broker.submit:send": lambda *_: "send",
    "hpcnet.broker.submit:_write_intent": lambda *_: "write the intent",
    "hpcnet.broker.submit:_bring_inputs": lambda *_: "bring the inputs",
    "hpcnet.broker.submit:_file_receipt": lambda *_: "write the receipt",
    "hpcnet.broker.links:Links.close": lambda *_: "close the links",
}
"""What is timed: module and attribute, and the step's name made of its arguments."""


def main(file: Path, began: float, words: list[str]) -> None:
    """Run the command; its exit code is kept, the steps are written whatever happens."""
    spans: list[Span] = [("start python", 0.0, time.time() - began)]
    imported = time.time()
    from hpcnet.cli.main import main as run

    for place, name_of in _STEPS.items():
        _wrap(place, name_of, spans, began)
    spans.append(("import hpcnet", imported - began, time.time() - began))
    try:
        sys.argv = ["hpcnet", *words]
        run()
    finally:
        spans.append(("the program up to its last line", 0.0, time.time() - began))
        file.write_text(json.dumps(sorted(spans, key=lambda span: span[1])), encoding="utf-8")


def _wrap(place: str, name_of: Callable[..., str], spans: list[Span], began: float) -> None:
    module, _, path = place.partition(":")
    *owners, attribute = path.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    inner = getattr(owner, attribute)

    @functools.wraps(inner)
    def timed(*arguments: Any, **named: Any) -> Any:
        start = time.time() - began
        try:
            return inner(*arguments, **named)
        finally:
            spans.append((name_of(*arguments), start, time.time() - began))

    setattr(owner, attribute, timed)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
