from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from builders import NOON
from hpcnet.broker import records
from hpcnet.broker.track import note_look
from hpcnet.model.record import Event, EventKind, JobRecord
from hpcnet.model.state import JobState, Look, Sighting
from world import World


@pytest.fixture
def sent(world: World) -> JobRecord:
    intent = {"site": "here", "partition": "local", "attempt": 1, "token": "j-1.1", "directory": "d"}
    world.ledger.append(
        [
            Event("j-1", EventKind.CREATED, NOON, {"name": "job", "spec": {}}),
            Event("j-1", EventKind.INTENT, NOON, intent),
            Event("j-1", EventKind.SUBMITTED, NOON, {"native_id": "7", "directory": "/d", "attempt": 1}),
        ]
    )
    return world.record("j-1")


def seen(world: World, record: JobRecord, *, conclusive: bool = True, **sightings: Any) -> JobRecord:
    look = Look(
        world.clock.now(), {key.replace("_", "."): item for key, item in sightings.items()}, conclusive
    )
    with world.broker() as broker:
        note_look(broker, [record], look)
        return records.load(broker, [record.id])[0]


@pytest.mark.usefixtures("sent")
def test_a_sighting_that_changes_nothing_is_not_written_again(world: World) -> None:
    pending = Sighting(JobState.QUEUED, "queue", "7", "PENDING", "Priority")
    look = Look(NOON, {"j-1.1": pending}, conclusive=True)
    with world.broker() as broker:
        for _ in range(3):
            note_look(broker, records.load(broker, ["j-1"]), look)
    assert len(world.ledger.events(["j-1"])) == 4


def test_a_job_missing_from_an_answer_that_is_not_whole_keeps_its_state(
    world: World, sent: JobRecord
) -> None:
    assert seen(world, sent, conclusive=False) == sent


def test_a_job_missing_from_a_whole_answer_is_unknown_first_and_failed_only_later(
    world: World, sent: JobRecord
) -> None:
    first = seen(world, sent)
    assert first.state is JobState.UNKNOWN
    world.clock.time += timedelta(seconds=60)
    assert seen(world, first).state is JobState.UNKNOWN
    world.clock.time += timedelta(seconds=120)
    last = seen(world, first)
    assert last.state is JobState.FAILED
    assert "left the queue" in (last.reason or "")


def test_an_unseen_job_that_shows_up_again_is_what_it_is(world: World, sent: JobRecord) -> None:
    lost = seen(world, sent)
    running = Sighting(JobState.ACTIVE, "queue", "7", "RUNNING")
    look = Look(NOON, {"j-1.1": running}, conclusive=True)
    with world.broker() as broker:
        note_look(broker, [lost], look)
    assert world.record("j-1").state is JobState.ACTIVE


@pytest.mark.usefixtures("sent")
def test_a_job_that_was_to_be_canceled_and_is_gone_is_canceled(world: World) -> None:
    world.ledger.append([Event("j-1", EventKind.CANCEL_ASKED, NOON)])
    assert seen(world, world.record("j-1")).state is JobState.CANCELED
