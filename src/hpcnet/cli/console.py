"""How the commands speak: results on stdout, progress and remarks on stderr, nothing unsafe on either."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

Function = Callable[..., Any]


def printable(text: str) -> str:
    """The text with control characters escaped: no name or reason can play with the terminal."""
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)


def one_line(text: str) -> str:
    """The text with its newlines escaped, too: a cell of a table, a name in a sentence."""
    return printable(text).replace("\n", "\\n")


def say(text: str = "") -> None:
    """A line of the result, on stdout."""
    write(printable(text) + "\n")


def remark(text: str) -> None:
    """A line beside the result, on stderr."""
    flush()  # where both end in one file, they keep their order
    with suppress(OSError):
        sys.stderr.write(printable(text) + "\n")
        sys.stderr.flush()


def say_json(value: Any) -> None:
    """The result as JSON, on stdout."""
    write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write(text: str) -> None:
    """Text for stdout. A reader that went away (`| head`) stops the printing, never the work."""
    try:
        sys.stdout.write(text)
    except OSError:
        _print_nowhere()


def flush() -> None:
    """What was printed so far is handed on."""
    try:
        sys.stdout.flush()
    except OSError:
        _print_nowhere()


def _print_nowhere() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def say_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on stdout: with lines for a person, plain columns when it is not a terminal."""
    cells = [["" if cell is None else one_line(str(cell)) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _rich_table(columns, cells)
        return
    widths = [max(len(row[index]) for row in [list(columns), *cells]) for index in range(len(columns))]
    for row in [list(columns), *cells]:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        write(line.rstrip() + "\n")


def _rich_table(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for number, column in enumerate(columns):
        # Only the last column, where sentences are, is broken when the terminal is narrow.
        table.add_column(column, overflow="fold", no_wrap=number < len(columns) - 1)
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    terminal().print(table)


def terminal(*, stderr: bool = False) -> Console:
    """A rich console; it honours `NO_COLOR` and draws nothing fancy when not a terminal."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def json_option(function: Function) -> Function:
    """`--json`, the same for every command."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(function)


def examples(*lines: str) -> str:
    """The epilog of a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
