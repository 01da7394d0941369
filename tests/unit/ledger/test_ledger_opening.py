from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from hpcnet.errors import StorageError
from hpcnet.ledger import upgrade
from hpcnet.ledger.address import read_address
from hpcnet.ledger.engine import open_engine, writing
from hpcnet.ledger.queries import job_ids
from hpcnet.ledger.schema import SCHEMA_VERSION, metadata
from hpcnet.ledger.sql import open_ledger
from hpcnet.model.record import Event, EventKind

NOW = datetime(2026, 11, 23, tzinfo=UTC)
WRITER = Path(__file__).parents[2] / "ledger_writer.py"
NEXT_MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.add_column("hpcnet_events", sa.Column("remark", sa.Text))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.db"


@pytest.fixture
def engine(path: Path) -> Iterator[sa.Engine]:
    open_ledger(path).close()
    opened = open_engine(read_address(path))
    yield opened
    opened.dispose()


def test_a_new_ledger_may_be_read_by_its_owner_only(path: Path) -> None:
    before = os.umask(0)
    try:
        ledger = open_ledger(path)
        ledger.append([Event("j-a", EventKind.CREATED, NOW)])
    finally:
        os.umask(before)
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert modes == {"ledger.db": 0o600, "ledger.db-wal": 0o600, "ledger.db-shm": 0o600}
    ledger.close()


def test_a_directory_that_was_there_keeps_its_permissions(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    open_ledger(tmp_path / "ledger.db").close()
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_sqlite_is_set_up_to_keep_what_it_was_given(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_opening_an_up_to_date_ledger_does_not_import_alembic(path: Path) -> None:
    look = "import sys; from hpcnet.ledger.sql import open_ledger; open_ledger(sys.argv[1]).close(); "
    look += "print('alembic' in sys.modules)"
    answers = [
        subprocess.run([sys.executable, "-c", look, path], check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    ]
    assert answers == ["True\n", "False\n"]


def test_the_program_expects_the_newest_migration() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(upgrade.MIGRATIONS)).get_current_head() == SCHEMA_VERSION


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_the_migrations_make_the_tables_that_the_program_uses(
    kind: str, path: Path, request: pytest.FixtureRequest
) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    url = str(path) if kind == "sqlite" else request.getfixturevalue("postgresql_url")
    open_ledger(url).close()
    engine = open_engine(read_address(url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "hpcnet_schema"})
        differences = compare_metadata(context, metadata)
    engine.dispose()
    # The indexes are named in the migration alone; that they are used is another test's matter.
    assert [item for item in differences if item[0] != "remove_index"] == []


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_an_upgrade_keeps_every_event_and_the_guard_over_them(
    kind: str, path: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = str(path) if kind == "sqlite" else request.getfixturevalue("postgresql_url")
    told = [Event(f"j-{number}", EventKind.CREATED, NOW, {"n": number}) for number in range(100)]
    old = open_ledger(url)
    old.append(told)
    old.close()
    newer = tmp_path / "migrations"
    shutil.copytree(upgrade.MIGRATIONS, newer, ignore=shutil.ignore_patterns("__pycache__"))
    (newer / "versions" / "v0002_remark.py").write_text(NEXT_MIGRATION)
    monkeypatch.setattr(upgrade, "MIGRATIONS", newer)
    monkeypatch.setattr(upgrade, "SCHEMA_VERSION", "0002")

    ledger = open_ledger(url)
    assert list(ledger.events()) == told
    ledger.close()
    engine = open_engine(read_address(url))
    with engine.connect() as connection:
        assert upgrade.read_version(connection) == "0002"
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), writing(engine).begin() as connection:
        connection.execute(sa.text("DELETE FROM hpcnet_events"))
    engine.dispose()


def test_an_upgrade_that_breaks_in_the_middle_leaves_the_old_ledger(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = open_ledger(path)
    old.append([Event("j-a", EventKind.CREATED, NOW)])
    old.close()
    newer = tmp_path / "migrations"
    shutil.copytree(upgrade.MIGRATIONS, newer, ignore=shutil.ignore_patterns("__pycache__"))
    broken = NEXT_MIGRATION + "    op.execute('this is not SQL')\n"
    (newer / "versions" / "v0002_remark.py").write_text(broken)
    with monkeypatch.context() as patch:
        patch.setattr(upgrade, "MIGRATIONS", newer)
        patch.setattr(upgrade, "SCHEMA_VERSION", "0002")
        with pytest.raises(StorageError, match="syntax error"):
            open_ledger(path)
    ledger = open_ledger(path)
    assert list(ledger.job_ids()) == ["j-a"]
    ledger.close()
    with sqlite3.connect(path) as raw:
        assert "remark" not in [column[1] for column in raw.execute("PRAGMA table_info(hpcnet_events)")]
    raw.close()


def test_many_processes_may_make_the_same_ledger_at_once(path: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, str(WRITER), str(path), f"j-{number}", "1"], stdout=subprocess.DEVNULL
        )
        for number in range(6)
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0] * 6
    ledger = open_ledger(path)
    assert len(ledger.job_ids()) == 6
    ledger.close()


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "places.db"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE bookmarks (url TEXT)")
    raw.close()
    with pytest.raises(StorageError, match="database of another program"):
        open_ledger(path)
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]
    raw.close()


def test_open_jobs_are_found_by_index_however_long_the_ledger(engine: sa.Engine) -> None:
    statement = job_ids("", None, open_only=True).compile(engine, compile_kwargs={"literal_binds": True})
    with engine.connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]
    searches = [step for step in plan if step.startswith(("SCAN", "SEARCH"))]
    assert searches[0] == "SCAN hpcnet_events USING COVERING INDEX hpcnet_events_by_job"
    assert all(" USING INDEX hpcnet_events_" in step for step in searches[1:])
    assert any("hpcnet_events_closing" in step for step in searches)
    assert any("hpcnet_events_intents" in step for step in searches)
