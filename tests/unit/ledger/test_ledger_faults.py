from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hpcnet.errors import StorageError
from hpcnet.ledger import engine
from hpcnet.ledger.sql import open_ledger
from hpcnet.model.record import Event, EventKind
from real_postgresql import RealPostgresql

EVENT = Event("j-a", EventKind.CREATED, datetime(2026, 11, 23, tzinfo=UTC), {"secret": "hunter2"})


def assert_told_well(error: StorageError, place: object, what: str) -> None:
    assert error.message.startswith(f"the ledger {place} cannot be used: ")
    assert what in error.message
    assert error.hint
    assert "hunter2" not in error.message
    assert "INSERT" not in error.message


def mount(*words: str) -> None:
    made = subprocess.run(["mount", *words], check=False, capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {made.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mount("-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place))
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_told_and_what_was_kept_stays_kept(small_disk: Path) -> None:
    path = small_disk / "ledger.db"
    ledger = open_ledger(path)
    ledger.append([EVENT])
    big = Event("j-b", EventKind.CREATED, EVENT.at, {"spec": "x" * 700_000})
    with pytest.raises(StorageError) as caught:
        ledger.append([EVENT, big])
    assert_told_well(caught.value, path, "the disk is full")
    assert list(ledger.events()) == [EVENT]
    ledger.close()


def test_a_file_that_is_no_database_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"my thesis " * 500)
    with pytest.raises(StorageError) as caught:
        open_ledger(path)
    assert_told_well(caught.value, path, "it is not a database")
    assert path.read_bytes() == b"my thesis " * 500


def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = open_ledger(path)
    ledger.append([EVENT] * 500)
    ledger.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(StorageError) as caught:
        open_ledger(path).events()
    assert_told_well(caught.value, path, "it is damaged")


def test_a_file_in_the_way_of_the_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    path = tmp_path / "state" / "ledger.db"
    with pytest.raises(StorageError) as caught:
        open_ledger(path)
    assert_told_well(caught.value, path, f"{tmp_path / 'state'}: File exists")


def test_a_directory_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        open_ledger(tmp_path)
    assert_told_well(caught.value, tmp_path, "cannot be opened for writing")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_permission_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError) as caught:
        open_ledger(tmp_path / "ledger.db")
    assert_told_well(caught.value, tmp_path / "ledger.db", "Permission denied")


def test_a_read_only_disk_is_told(small_disk: Path) -> None:
    path = small_disk / "ledger.db"
    open_ledger(path).close()
    mount("-o", "remount,ro", str(small_disk))
    with pytest.raises(StorageError) as caught:
        open_ledger(path)
    assert_told_well(caught.value, path, "cannot be opened for writing")


def test_a_read_only_file_can_be_read_but_not_written(small_disk: Path) -> None:
    path = small_disk / "ledger.db"
    first = open_ledger(path)
    first.append([EVENT])
    first.close()
    mount("--bind", str(path), str(path))
    try:
        mount("-o", "remount,bind,ro", str(path))
        ledger = open_ledger(path)
        assert list(ledger.events()) == [EVENT]
        with pytest.raises(StorageError) as caught:
            ledger.append([EVENT])
        ledger.close()
    finally:
        subprocess.run(["umount", str(path)], check=True)
    assert_told_well(caught.value, path, "it may only be read")


def test_a_ledger_that_another_program_keeps_locked_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.db"
    open_ledger(path).close()
    monkeypatch.setattr(engine, "LOCK_WAIT_S", 0.1)
    ledger = open_ledger(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError) as caught:
        ledger.append([EVENT])
    assert_told_well(caught.value, path, "locked for too long")
    other.execute("ROLLBACK")
    other.close()
    ledger.append([EVENT])
    assert list(ledger.events()) == [EVENT]
    ledger.close()


def test_text_that_no_database_can_look_for_is_told(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "ledger.db")
    with pytest.raises(StorageError, match="it cannot hold this text"):
        ledger.job_ids("j-\udc80")
    ledger.close()


@pytest.mark.postgresql
def test_a_stopped_server_is_told_and_used_again_once_it_is_back(
    postgresql: RealPostgresql, postgresql_url: str
) -> None:
    shown = f"postgresql://ledger@127.0.0.1:{postgresql.port}/"
    ledger = open_ledger(postgresql_url)
    ledger.append([EVENT])
    postgresql.stop()
    try:
        for use in (lambda: ledger.append([EVENT]), lambda: open_ledger(postgresql_url)):
            with pytest.raises(StorageError, match="server") as caught:
                use()
            assert caught.value.message.startswith(f"the ledger {shown}")
            assert "see that the server runs" in caught.value.hint
    finally:
        postgresql.start()
    assert list(ledger.events()) == [EVENT]
    ledger.close()


@pytest.mark.postgresql
def test_a_wrong_password_is_told_without_repeating_it(postgresql: RealPostgresql) -> None:
    with pytest.raises(StorageError, match="password authentication failed") as caught:
        open_ledger(postgresql.url("postgres", password="hunter2"))
    assert "hunter2" not in caught.value.message + caught.value.hint


@pytest.mark.postgresql
def test_a_database_that_is_not_there_is_told(postgresql: RealPostgresql) -> None:
    with pytest.raises(StorageError, match='database "nowhere" does not exist'):
        open_ledger(postgresql.url("nowhere"))


@pytest.mark.postgresql
def test_a_server_that_keeps_the_ledger_locked_is_told(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    monkeypatch.setattr(engine, "LOCK_WAIT_S", 1)
    ledger = open_ledger(postgresql_url)
    with psycopg.connect(postgresql_url) as other:
        other.execute("LOCK TABLE hpcnet_events")
        with pytest.raises(StorageError, match="locked for too long"):
            ledger.append([EVENT])
    ledger.close()
