"""An event as a row and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hpcnet.model.history import attempt_of, closes
from hpcnet.model.record import Event, EventKind


def row_of(event: Event) -> dict[str, Any]:
    """The columns of an event. Text is kept as ASCII JSON: any character survives any database.

    Raises `ValueError` or `TypeError` when the body is not JSON data or the time has no zone.
    """
    if event.at.tzinfo is None:
        raise ValueError("the time of an event needs a time zone")
    return {
        "job": event.job,
        "kind": event.kind.value,
        "at": event.at.astimezone(UTC).isoformat(),
        "attempt": attempt_of(event),
        "closes": closes(event),
        "body": json.dumps(event.body, allow_nan=False, separators=(",", ":")),
    }


def event_of(job: str, kind: str, at: str, body: str) -> Event:
    """The event of a row; `ValueError` when this program does not know its kind."""
    return Event(job, EventKind(kind), datetime.fromisoformat(at), json.loads(body))
