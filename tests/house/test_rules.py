"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import click
import pytest

from hpcnet import errors
from hpcnet.cli.main import cli

ROOT = Path(__file__).parents[2]
PURE = ("errors.py", "ports.py", "model", "posix", "matchmaking", "schedulers", "use_cases")
PURE_FILES = sorted(
    path
    for name in PURE
    for path in (
        [ROOT / "src/hpcnet" / name] if name.endswith(".py") else (ROOT / "src/hpcnet" / name).rglob("*.py")
    )
)
COMMANDS = sorted(path.stem for path in (ROOT / "src/hpcnet/cli/commands").glob("[a-z]*.py"))


@pytest.mark.parametrize("path", PURE_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pure_rooms_open_no_file(path: Path) -> None:
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not calls & {"open", "print", "input", "exec", "eval"}


def test_no_host_key_is_ever_accepted_unseen() -> None:
    for path in (ROOT / "src").rglob("*.py"):
        assert "AutoAddPolicy" not in path.read_text(encoding="utf-8"), path
        assert "StrictHostKeyChecking=no" not in path.read_text(encoding="utf-8"), path


def test_every_error_stands_in_the_drawn_tree_with_its_exit_code() -> None:
    drawn = errors.__doc__ or ""
    for name, error in vars(errors).items():
        if (
            isinstance(error, type)
            and issubclass(error, errors.HpcnetError)
            and error is not errors.HpcnetError
        ):
            if name == "FileError":
                continue  # what job and configuration errors share; never raised at a user
            assert re.search(rf"\b{name}\b", drawn), f"{name} is not drawn"
            own = vars(error).get("exit_code")
            if own is not None:
                assert re.search(rf"\b{name}\s+{own}\b", drawn), f"{name} is drawn without {own}"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    command = cli.get_command(click.Context(cli), name.replace("_", "-"))
    assert command is not None
    assert command.help
    assert command.epilog is not None
    assert "Examples" in command.epilog


def test_the_goals_on_the_command_line_are_the_goals_of_the_model() -> None:
    from hpcnet.cli.intake import GOALS
    from hpcnet.model.job import Goal

    # Written twice on purpose: the help of a command is to be had without loading pydantic.
    assert [goal.value for goal in Goal] == list(GOALS)


def test_every_dependency_has_its_line_in_the_readme() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [item for extra in project["optional-dependencies"].values() for item in extra]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for requirement in [*project["dependencies"], *extras]:
        name = re.split(r"[\[><=]", requirement)[0]
        assert f"| `{name}` |" in readme, f"{name} is not in the dependency table"


def test_the_changelog_knows_the_version() -> None:
    from hpcnet import __version__

    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
