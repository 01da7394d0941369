"""What our texts tell a person to type exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from hpcnet.cli.main import cli

ROOT = Path(__file__).parents[2]
_COMMAND = re.compile(r"`hpcnet ([a-z-]+)(?: ([a-z-]+))?")
_TEXTS = ("src/**/*.py", "site_configs/*.toml", "slurm/*", "docs/*.md")


def named_commands() -> Iterator[tuple[str, str, str]]:
    for pattern in _TEXTS:
        for path in sorted(ROOT.glob(pattern)):
            for words in _COMMAND.findall(path.read_text(encoding="utf-8")):
                yield (str(path.relative_to(ROOT)), *words)


def exists(name: str, word: str) -> bool:
    context = click.Context(cli)
    command = cli.get_command(context, name) if isinstance(cli, click.Group) else None
    if isinstance(command, click.Group) and word:
        return command.get_command(context, word) is not None
    return command is not None


@pytest.mark.parametrize(("path", "name", "word"), sorted(set(named_commands())))
def test_a_command_that_a_text_of_ours_names_exists(path: str, name: str, word: str) -> None:
    assert exists(name, word), f"{path} names `hpcnet {name} {word}`"


def test_a_command_that_is_still_to_come_would_be_found_out() -> None:
    assert not exists("site", "check")
    assert not exists("serve", "")
