"""Track: one status query a site, whatever the number of jobs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from hpcnet.broker.context import Broker
from hpcnet.broker.together import together
from hpcnet.errors import HpcnetError
from hpcnet.model.record import Event, EventKind, JobRecord
from hpcnet.model.state import JobState, Look, Sighting, Trouble
from hpcnet.model.submission import Attempt

UNSEEN_GRACE = timedelta(seconds=120)
_LEFT = "left the queue without writing its exit status"


def refresh(broker: Broker, found: Sequence[JobRecord]) -> dict[str, Trouble]:
    """Look at every site that has jobs of these which are not final, and note what changed.

    Returns the trouble by site; jobs of such a site keep their last state.
    """
    by_site: dict[str, list[JobRecord]] = {}
    for record in found:
        if record.site is not None and record.token is not None and not record.state.final:
            by_site.setdefault(record.site, []).append(record)
    troubles: dict[str, Trouble] = {}
    work = {site_id: partial(_look, broker, site_id, items) for site_id, items in by_site.items()}
    for site_id, look in together(work):
        if isinstance(look, Trouble):
            troubles[site_id] = look
        else:
            note_look(broker, by_site[site_id], look)
    return troubles


def attempts(found: Iterable[JobRecord]) -> list[Attempt]:
    """What finds these jobs again at their site."""
    return [Attempt(record.token or "", record.directory or "", record.native_id) for record in found]


def note_look(broker: Broker, found: Sequence[JobRecord], look: Look) -> None:
    """Append what a look changed, for all jobs of it in one transaction."""
    now = broker.clock.now()
    events: list[Event] = []
    for record in found:
        sighting = look.sightings.get(record.token or "")
        if sighting is not None:
            events += _seen(record, sighting, now)
        elif look.conclusive and record.native_id is not None:
            events += _unseen(record, now)
    if events:
        broker.ledger().append(events)


def _look(broker: Broker, site_id: str, found: Sequence[JobRecord]) -> Look | Trouble:
    site = broker.sites.get(site_id)
    if site is None:
        return Trouble(f"site {site_id} is no longer configured: its jobs cannot be looked at", exit_code=78)
    try:
        return broker.links.ask(site, broker.scheduler(site).look(site, attempts(found)))
    except HpcnetError as error:
        return Trouble(error.message, error.hint, error.exit_code)


def _seen(record: JobRecord, sighting: Sighting, now: datetime) -> list[Event]:
    events = []
    if record.native_id is None and sighting.native_id is not None:
        body = {
            "native_id": sighting.native_id,
            "directory": record.directory,
            "attempt": record.attempt,
        }
        events.append(Event(record.id, EventKind.SUBMITTED, now, body))
    if _changed(record, sighting):
        events.append(Event(record.id, EventKind.SIGHTED, now, _body(record, sighting)))
    return events


def _changed(record: JobRecord, sighting: Sighting) -> bool:
    before = (record.state, record.native_state, record.reason, record.exit_code, record.started_at)
    after = (
        sighting.state,
        sighting.native_state,
        sighting.reason,
        sighting.exit_code,
        sighting.started_at or record.started_at,
    )
    return before != after


def _body(record: JobRecord, sighting: Sighting) -> dict[str, Any]:
    def iso(when: datetime | None) -> str | None:
        return when.isoformat() if when else None

    return {
        "state": sighting.state.value,
        "native_state": sighting.native_state,
        "reason": sighting.reason,
        "exit_code": sighting.exit_code,
        "started_at": iso(sighting.started_at),
        "ended_at": iso(sighting.ended_at),
        "seen_in": sighting.seen_in,
        "attempt": record.attempt,
    }


def _unseen(record: JobRecord, now: datetime) -> list[Event]:
    """The site answered in full and the job is in none of its answers.

    One such answer is no proof (a restarted controller forgets for a while): UNKNOWN first.
    """
    if record.cancel_asked:
        return [_concluded(record, JobState.CANCELED, "canceled", now)]
    if record.state is not JobState.UNKNOWN or record.state_since is None:
        return [_concluded(record, JobState.UNKNOWN, _LEFT, now)]
    if now - record.state_since > UNSEEN_GRACE:
        return [_concluded(record, JobState.FAILED, f"{_LEFT}: killed, or its node was lost", now)]
    return []


def _concluded(record: JobRecord, state: JobState, reason: str, now: datetime) -> Event:
    body: dict[str, Any] = {
        "state": state.value,
        "native_state": None,
        "reason": reason,
        "seen_in": "absence",
        "attempt": record.attempt,
    }
    if state.final:
        body["ended_at"] = now.isoformat()
    return Event(record.id, EventKind.SIGHTED, now, body)
