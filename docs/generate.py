"""Writes the parts of the reference that the code knows best: commands, schemas, exit codes.

`python docs/generate.py` writes them; with `--check` it writes nothing and fails where one is stale.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from hpcnet import errors
from hpcnet.cli.main import cli
from hpcnet.model.schemas import MODELS, schema

HERE = Path(__file__).parent


def main(arguments: list[str]) -> int:
    """Write the generated files, or tell which of them are not current."""
    pages = {"commands.md": commands(), "exit-codes.md": exit_codes()}
    pages |= {f"{name}.schema.json": json.dumps(schema(name), indent=2) + "\n" for name in MODELS}
    stale = [name for name, text in pages.items() if not is_current(HERE / name, text)]
    if "--check" in arguments:
        for name in stale:
            print(f"docs/{name} is not current: make docs writes it")
        return 1 if stale else 0
    for name in stale:
        (HERE / name).write_text(pages[name], encoding="utf-8")
        print(f"wrote docs/{name}")
    return 0


def is_current(file: Path, text: str) -> bool:
    """Whether the file holds this text."""
    return file.is_file() and file.read_text(encoding="utf-8") == text


def commands() -> str:
    """Every command's own help."""
    parts = ["# Commands\n\nGenerated from `hpcnet COMMAND --help` by `make docs`.\n"]
    context = click.Context(cli, info_name="hpcnet", max_content_width=100, terminal_width=100)
    for path, command, below in walk(cli, context):
        help_text = command.get_help(below)
        parts.append(f"## {path}\n\n```text\n{help_text}\n```\n")
    return "\n".join(parts)


def walk(
    command: click.Command, context: click.Context
) -> Iterator[tuple[str, click.Command, click.Context]]:
    """A command and all below it, with their contexts."""
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from walk(below, click.Context(below, info_name=name, parent=context))


def exit_codes() -> str:
    """The table of exit codes, from the tree of errors."""
    tree = (errors.__doc__ or "").strip()
    return f"# Exit codes\n\nGenerated from the tree of errors by `make docs`.\n\n```text\n{tree}\n```\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
