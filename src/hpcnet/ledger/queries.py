"""The questions the ledger answers in the database, without folding anybody's history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from hpcnet.ledger.schema import events
from hpcnet.model.record import EventKind

_AFTER_ANY_ID = "\U0010ffff"
# Written out, not bound: only then may the database use the index of intents.
_INTENT: sa.ColumnElement[str] = sa.literal_column(f"'{EventKind.INTENT}'")


def events_of(jobs: Sequence[str] | None) -> sa.Select[str, str, str, str]:
    """Job, kind, time and body in the order of appending, of these jobs or of all."""
    statement = sa.select(events.c.job, events.c.kind, events.c.at, events.c.body).order_by(events.c.id)
    return statement if jobs is None else statement.where(events.c.job.in_(jobs))


def job_ids(prefix: str, newest: int | None, open_only: bool) -> sa.Select[str]:
    """Ids of jobs, newest first, in the order of their first events."""
    first = sa.func.min(events.c.id)
    statement = sa.select(events.c.job).group_by(events.c.job).order_by(first.desc())
    if prefix:
        statement = statement.where(events.c.job >= prefix, events.c.job < prefix + _AFTER_ANY_ID)
    if open_only:
        statement = statement.having(~_closed(events.c.job))
    return statement if newest is None else statement.limit(newest)


def _closed(job: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether the current attempt of `job` (its highest; 0 before the first) has a closing event.

    The same rule as `hpcnet.model.history.fold`; a property test holds the two together.
    """
    intent, closing = events.alias("intent"), events.alias("closing")
    intents = sa.select(intent).where(intent.c.job == job, intent.c.kind == _INTENT)
    current = intents.with_only_columns(sa.func.coalesce(sa.func.max(intent.c.attempt), 0))
    attempt = current.correlate(events).scalar_subquery()
    began = (
        intents.with_only_columns(sa.func.coalesce(sa.func.min(intent.c.id), 0))
        .where(intent.c.attempt == attempt)
        .correlate(events)
        .scalar_subquery()
    )
    return (
        sa.select(closing.c.id)
        .where(
            closing.c.job == job,
            closing.c.closes,
            closing.c.id > began,
            sa.func.coalesce(closing.c.attempt, attempt) == attempt,
        )
        .correlate(events)
        .exists()
    )
