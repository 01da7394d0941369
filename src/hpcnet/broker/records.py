"""Jobs as the ledger tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hpcnet.broker.context import Broker
from hpcnet.errors import UsageError
from hpcnet.model.decision import Decision
from hpcnet.model.history import fold_all
from hpcnet.model.job import JobSpec
from hpcnet.model.plain import from_plain
from hpcnet.model.record import Event, EventKind, JobRecord


def resolve(broker: Broker, typed: Sequence[str]) -> list[str]:
    """Job ids from what a person typed: whole ids or unique beginnings. Raises `UsageError`."""
    return [_resolve_one(broker, item) for item in typed]


def load(broker: Broker, job_ids: Sequence[str]) -> list[JobRecord]:
    """The records of these jobs, in this order."""
    records = fold_all(broker.ledger().events(job_ids))
    return [records[job_id] for job_id in job_ids if job_id in records]


def note(broker: Broker, job_id: str, kind: EventKind, body: Mapping[str, Any] | None = None) -> None:
    """Append one event to the ledger; it is durable when this returns."""
    broker.ledger().append([Event(job_id, kind, broker.clock.now(), body or {})])


def spec_of(broker: Broker, job_id: str) -> JobSpec:
    """The job spec as it was submitted."""
    return JobSpec.model_validate(_newest(broker, job_id, EventKind.CREATED)["spec"])


def decision_of(broker: Broker, job_id: str) -> Decision:
    """The newest stored decision of a job."""
    return from_plain(Decision, _newest(broker, job_id, EventKind.DECIDED)["decision"])


def _newest(broker: Broker, job_id: str, kind: EventKind) -> Mapping[str, Any]:
    bodies = [event.body for event in broker.ledger().events([job_id]) if event.kind == kind]
    if not bodies:
        raise UsageError(f"the ledger has no such entry for job {job_id}", hint="see hpcnet jobs")
    return bodies[-1]


def _resolve_one(broker: Broker, typed: str) -> str:
    text = typed.strip()
    found = broker.ledger().job_ids(prefix=text) if text else ()
    if text in found:
        return text
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"'{typed}' begins the ids of {len(found)} jobs", hint="type more of the id; see hpcnet jobs"
        )
    raise UsageError(f"there is no job '{typed}'", hint="see hpcnet jobs --all")
