from __future__ import annotations

from pathlib import Path

import pytest

from hpcnet.errors import ConfigurationError
from hpcnet.lab import programs
from hpcnet.lab.daemons import last_lines
from hpcnet.lab.programs import check_programs, missing_programs, plain_environment


def test_missing_programs_are_named_with_the_packages_that_bring_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(programs, "search_path", lambda: str(tmp_path))

    with pytest.raises(ConfigurationError, match="slurmctld, slurmd") as caught:
        check_programs(accounting=True)

    assert caught.value.exit_code == 78
    assert "mariadb-server munge openssh-client openssh-server slurm-client" in caught.value.hint


def test_accounting_needs_more_than_a_plain_lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(programs, "search_path", lambda: str(tmp_path))

    assert set(missing_programs(accounting=True)) - set(missing_programs(accounting=False)) == {
        "slurmdbd",
        "sacctmgr",
        "mariadbd",
        "mariadb-install-db",
        "setsid",
    }


def test_nothing_of_the_callers_own_slurm_reaches_the_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_CONF", "/etc/slurm/slurm.conf")
    monkeypatch.setenv("SLURM_JOB_ID", "1")

    environment = plain_environment({"X": "1"})

    assert not [name for name in environment if name.startswith("SLURM")]
    assert environment["X"] == "1"


def test_the_end_of_a_log_is_quoted_with_its_name(tmp_path: Path) -> None:
    log = tmp_path / "slurmctld.log"
    log.write_text("".join(f"line {number}\n" for number in range(20)))

    said = last_lines(log, count=2)

    assert said == f"the last lines of {log}:\n  line 18\n  line 19"


def test_a_log_that_was_never_written_is_said_to_hold_nothing(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "none").endswith("(nothing)")
