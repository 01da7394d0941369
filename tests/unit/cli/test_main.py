from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("pydantic", "sqlalchemy", "paramiko", "numpy", "rich", "alembic", "matplotlib", "hpcnet.wiring")


def typed(folder: Path, *words: str, code: str = "") -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "HPCNET_STATE": str(folder / "state"),
        "HPCNET_CONFIG": str(folder / "config.toml"),
    }
    program = code or "from hpcnet.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("words", [("--version",), ("submit", "--help"), ("--help",), ("frobnicate",)])
def test_what_needs_no_library_loads_none(tmp_path: Path, words: tuple[str, ...]) -> None:
    code = (
        "import sys, atexit\n"
        f"atexit.register(lambda: print('LOADED', [name for name in {HEAVY!r} if name in sys.modules]))\n"
        "from hpcnet.cli.main import main; main()"
    )
    assert typed(tmp_path, *words, code=code).stdout.strip().endswith("LOADED []")


def test_an_error_is_two_lines_for_a_person_and_an_object_for_a_program(tmp_path: Path) -> None:
    said = typed(tmp_path, "status", "j-nothing", "--json")
    assert said.returncode == 2
    assert said.stderr == "hpcnet: there is no job 'j-nothing'\n  hint: see hpcnet jobs --all\n"
    assert json.loads(said.stdout) == {
        "error": "there is no job 'j-nothing'",
        "hint": "see hpcnet jobs --all",
        "exit_code": 2,
    }


def test_a_plan_in_which_nothing_fits_is_one_json_object_with_its_refusals(tmp_path: Path) -> None:
    (tmp_path / "job.toml").write_text('command = ["true"]\n[requirements]\nnodes = 99\n')
    said = typed(tmp_path, "plan", "job.toml", "--json")
    assert said.returncode == 69
    plan = json.loads(said.stdout)
    assert plan["chosen"] is None
    assert plan["refused"]
    assert plan["error"] == "no site can run this job now"


def test_a_traceback_is_for_those_who_ask(tmp_path: Path) -> None:
    assert "Traceback" not in typed(tmp_path, "status", "j-nothing").stderr
    assert "Traceback" in typed(tmp_path, "--debug", "status", "j-nothing").stderr


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    environment = {"HPCNET_STATE": str(tmp_path), "HPCNET_CONFIG": str(tmp_path / "c.toml"), **os.environ}
    ended = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m hpcnet schema job | true', sys.executable],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_completion(tmp_path: Path, shell: str) -> None:
    assert "_HPCNET_COMPLETE" in typed(tmp_path, "completion", shell).stdout


def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    words = {"COMP_WORDS": "hpcnet why", "COMP_CWORD": "1", "_HPCNET_COMPLETE": "bash_complete"}
    said = subprocess.run(
        [str(Path(sys.executable).with_name("hpcnet"))],
        env={**os.environ, **words, "HPCNET_STATE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert said.stdout.split() == ["plain,why", "plain,why-not"]


@pytest.mark.parametrize("kind", ["job", "site", "config"])
def test_schemas_are_json_schema(tmp_path: Path, kind: str) -> None:
    schema = json.loads(typed(tmp_path, "schema", kind).stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["additionalProperties"] is False
