"""What the ledger remembers: events, appended and never changed, and the job they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from hpcnet.model.state import JobState


class EventKind(StrEnum):
    """What can happen to a job in the ledger."""

    CREATED = "created"  # spec: the job spec as JSON
    DECIDED = "decided"  # decision: the whole decision
    INTENT = "intent"  # site, partition, attempt, token, directory: before anything is sent
    STAGED = "staged"  # files, bytes
    SUBMITTED = "submitted"  # native_id, directory
    REFUSED = "refused"  # reason: the scheduler's own words
    UNCERTAIN = "uncertain"  # reason: the answer to a submission was lost
    SIGHTED = "sighted"  # state, native_state, reason, exit_code, started_at, ended_at, seen_in
    CANCEL_ASKED = "cancel_asked"
    FETCHED = "fetched"  # directory, files, bytes
    ABSENT = "absent"  # the site answered in full and knows nothing of this attempt


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the ledger. `body` is plain JSON data."""

    job: str
    kind: EventKind
    at: datetime
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as its events tell it (see `hpcnet.model.history.fold`)."""

    id: str
    name: str
    state: JobState
    created_at: datetime
    site: str | None = None
    partition: str | None = None
    attempt: int = 0
    token: str | None = None
    directory: str | None = None
    native_id: str | None = None
    native_state: str | None = None
    reason: str | None = None
    exit_code: int | None = None
    submitted_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cancel_asked: bool = False
    state_since: datetime | None = None
