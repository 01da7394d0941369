"""What every ledger promises, on SQLite and on a real PostgreSQL server."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hpcnet.errors import AttemptTaken, StorageError
from hpcnet.ledger.address import read_address
from hpcnet.ledger.engine import open_engine
from hpcnet.ledger.schema import events as events_table
from hpcnet.ledger.sql import SqlLedger, open_ledger
from hpcnet.model.history import attempt_of, fold_all
from hpcnet.model.record import Event, EventKind
from hpcnet.ports import Ledger

NOW = datetime(2026, 11, 23, 21, 32, 12, 123456, tzinfo=UTC)
WRITER = Path(__file__).parents[1] / "ledger_writer.py"
STRANGE = "'); DROP TABLE x; -- \x00 $(id) \udc80 \u2028 çñ 😀 \\ %s :name ?"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "state" / "ledger.db")
    postgresql_url: str = request.getfixturevalue("postgresql_url")
    return postgresql_url


@pytest.fixture
def ledger(url: str) -> Iterator[SqlLedger]:
    opened = open_ledger(url)
    yield opened
    opened.close()


def event(job: str, kind: EventKind = EventKind.CREATED, **body: Any) -> Event:
    return Event(job, kind, NOW, body)


def write_in_another_process(url: str, job: str, batches: int, size: int = 1) -> subprocess.Popen[str]:
    words = [sys.executable, str(WRITER), url, job, str(batches), str(size)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_it_is_a_ledger_and_a_new_one_is_empty(ledger: SqlLedger) -> None:
    seam: Ledger = ledger
    assert list(seam.events()) == []
    assert list(seam.job_ids()) == []


def test_events_come_back_as_they_were_in_the_order_of_appending(ledger: SqlLedger) -> None:
    told = [
        event("j-b", spec={"name": STRANGE, "n": [1, 2.5, None, True]}),
        event("j-a"),
        event("j-b", EventKind.DECIDED),
    ]
    ledger.append(told[:2])
    ledger.append(told[2:])
    assert list(ledger.events()) == told
    assert list(ledger.events(["j-b"])) == [told[0], told[2]]
    assert list(ledger.events([])) == []


def test_times_are_kept_to_the_microsecond_in_utc(ledger: SqlLedger) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-3)))
    ledger.append([Event("j-a", EventKind.CREATED, elsewhere)])
    (found,) = ledger.events()
    assert (found.at, found.at.utcoffset()) == (NOW, timedelta(0))


def test_what_was_appended_is_there_when_the_ledger_is_opened_again(url: str) -> None:
    first = open_ledger(url)
    first.append([event("j-a")])
    first.close()
    second = open_ledger(url)
    assert list(second.job_ids()) == ["j-a"]
    second.close()


def test_appending_nothing_is_nothing(ledger: SqlLedger) -> None:
    ledger.append([])
    assert list(ledger.events()) == []


@pytest.mark.parametrize(
    "wrong", [Event("j-c", EventKind.CREATED, NOW.replace(tzinfo=None)), event("j-c", x=float("nan"))]
)
def test_a_batch_with_a_wrong_event_leaves_nothing_behind(ledger: SqlLedger, wrong: Event) -> None:
    with pytest.raises(ValueError, match=r"time zone|JSON"):
        ledger.append([event("j-a"), wrong])
    assert list(ledger.events()) == []


def test_events_of_very_many_jobs_are_found_at_once(ledger: SqlLedger) -> None:
    names = [f"j-{number:05}" for number in range(40_000)]
    ledger.append([event("j-00007"), event("j-other")])
    assert [found.job for found in ledger.events(names)] == ["j-00007"]


def test_job_ids_come_oldest_first_whatever_their_names(ledger: SqlLedger) -> None:
    ledger.append([event("j-c"), event("j-a"), event("j-b"), event("j-c", EventKind.DECIDED)])
    assert list(ledger.job_ids()) == ["j-c", "j-a", "j-b"]
    assert list(ledger.job_ids(newest=2)) == ["j-a", "j-b"]
    assert list(ledger.job_ids(newest=0)) == []


def test_job_ids_are_found_by_how_they_begin_and_by_nothing_else(ledger: SqlLedger) -> None:
    ledger.append([event(job) for job in ("j-AB1", "j-AB2", "j-ab3", "j-A", "j-B")])
    assert list(ledger.job_ids("j-AB")) == ["j-AB1", "j-AB2"]
    assert list(ledger.job_ids("j-AB1")) == ["j-AB1"]
    assert list(ledger.job_ids("j-A_")) == list(ledger.job_ids("%")) == list(ledger.job_ids("é")) == []


def test_a_job_is_open_until_its_final_sighting_and_again_after_a_retry(ledger: SqlLedger) -> None:
    ledger.append([event("j-a"), event("j-b"), event("j-b", EventKind.INTENT, attempt=1)])
    ledger.append([event("j-b", EventKind.SIGHTED, state="FAILED")])
    assert list(ledger.job_ids(open_only=True)) == ["j-a"]
    ledger.append([event("j-b", EventKind.INTENT, attempt=2)])
    assert list(ledger.job_ids(open_only=True)) == ["j-a", "j-b"]


steps = st.tuples(
    st.sampled_from(["j-x", "j-y"]),
    st.sampled_from([*EventKind, EventKind.INTENT, EventKind.SIGHTED, EventKind.SIGHTED]),
    st.sampled_from([None, 0, 1, 2, 3]),
    st.sampled_from(["ACTIVE", "COMPLETED", "FAILED", "UNKNOWN"]),
)


def without_second_intents(events: list[Event]) -> list[Event]:
    """The events that a ledger takes: it has one intent for each attempt of a job."""
    kept, intents = [], set()
    for item in events:
        key = (item.job, attempt_of(item))
        if item.kind is EventKind.INTENT and key in intents:
            continue
        intents |= {key} if item.kind is EventKind.INTENT else set()
        kept.append(item)
    return kept


def test_a_second_intent_for_the_same_attempt_is_refused_and_leaves_nothing(ledger: SqlLedger) -> None:
    ledger.append([event("j-a"), event("j-a", EventKind.INTENT, attempt=1)])
    with pytest.raises(AttemptTaken):
        ledger.append([event("j-a", EventKind.DECIDED), event("j-a", EventKind.INTENT, attempt=1)])
    ledger.append([event("j-a", EventKind.INTENT, attempt=2), event("j-b", EventKind.INTENT, attempt=1)])
    assert len(ledger.events()) == 4


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, max_size=10))
def test_the_database_and_the_fold_agree_on_which_jobs_are_open(
    ledger: SqlLedger, story: list[tuple[str, EventKind, int | None, str]]
) -> None:
    prefix = f"{len(ledger.events())}-"
    events = [
        event(prefix + job, kind, state=state, **({} if attempt is None else {"attempt": attempt}))
        for job, kind, attempt, state in story
    ]
    events = without_second_intents(events)
    ledger.append(events)
    still_open = [id_ for id_, record in fold_all(events).items() if not record.state.final]
    assert list(ledger.job_ids(prefix, open_only=True)) == still_open


@pytest.mark.parametrize(
    "change",
    [
        sa.update(events_table).values(job="j-z"),
        sa.delete(events_table),
        sa.text("TRUNCATE hpcnet_events"),
        sa.text(
            "INSERT OR REPLACE INTO hpcnet_events (id, job, kind, at, closes, body) "
            "VALUES (1, 'j-z', 'created', '', false, '')"
        ),
    ],
    ids=["update", "delete", "truncate", "replace"],
)
def test_the_database_itself_refuses_to_change_the_past(
    ledger: SqlLedger, url: str, change: sa.Executable
) -> None:
    ledger.append([event("j-a")])
    engine = open_engine(read_address(url))
    with pytest.raises(sa.exc.DBAPIError), engine.begin() as connection:
        connection.execute(change)
    engine.dispose()
    assert list(ledger.events()) == [event("j-a")]


def test_two_processes_that_make_and_fill_the_same_ledger_lose_nothing(url: str) -> None:
    writers = [write_in_another_process(url, job, batches=200) for job in ("j-a", "j-b")]
    for writer in writers:
        writer.communicate(timeout=120)
    ledger = open_ledger(url)
    events = ledger.events()
    ledger.close()
    assert [writer.returncode for writer in writers] == [0, 0]
    assert Counter(found.job for found in events) == {"j-a": 200, "j-b": 200}
    for job in ("j-a", "j-b"):
        assert [found.body["batch"] for found in events if found.job == job] == list(range(200))


def test_a_writer_killed_in_the_middle_leaves_whole_batches_and_all_it_was_promised(url: str) -> None:
    writer = write_in_another_process(url, "j-a", batches=100_000, size=50)
    assert writer.stdout is not None
    promised = [int(writer.stdout.readline()) for _ in range(20)]
    writer.kill()
    promised += [int(line) for line in writer.communicate(timeout=30)[0].splitlines()]
    ledger = open_ledger(url)
    sizes = Counter(found.body["batch"] for found in ledger.events())
    ledger.append([event("j-b")])
    ledger.close()
    assert set(sizes.values()) == {50}
    assert set(promised) <= set(sizes)


def test_a_ledger_of_a_newer_program_is_refused_with_a_hint(url: str) -> None:
    open_ledger(url).close()
    engine = open_engine(read_address(url))
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE hpcnet_schema SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StorageError, match=r"written by a newer hpcnet \(schema 9999") as caught:
        open_ledger(url)
    assert "install the newer hpcnet" in caught.value.hint


def test_an_event_of_a_kind_we_do_not_know_is_told_not_guessed(ledger: SqlLedger, url: str) -> None:
    engine = open_engine(read_address(url))
    row = {"job": "j-a", "kind": "teleported", "at": NOW.isoformat(), "closes": False, "body": "{}"}
    with engine.begin() as connection:
        connection.execute(sa.insert(events_table), row)
    engine.dispose()
    with pytest.raises(StorageError, match="'teleported' is not a valid EventKind") as caught:
        ledger.events()
    assert "newer hpcnet" in caught.value.hint
