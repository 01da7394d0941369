"""Cancel: what is queued or running is taken back, what was never sent is closed."""

from __future__ import annotations

from collections.abc import Sequence

from hpcnet.broker import records
from hpcnet.broker.context import Broker
from hpcnet.broker.settle import close_if_never_sent
from hpcnet.broker.track import attempts, note_look
from hpcnet.model.record import EventKind, JobRecord


def cancel(broker: Broker, found: Sequence[JobRecord]) -> list[JobRecord]:
    """Cancel these jobs, one call a site; jobs that are over stay as they are.

    Raises `LinkError` and `AccessError` when a site cannot be asked: its jobs then have
    `cancel_asked` in the ledger and nothing else.
    """
    by_site: dict[str, list[JobRecord]] = {}
    for record in found:
        if not record.state.final and record.site is not None:
            records.note(broker, record.id, EventKind.CANCEL_ASKED)
            by_site.setdefault(record.site, []).append(record)
    for site_id, items in by_site.items():
        _cancel_at(broker, site_id, items)
    return records.load(broker, [record.id for record in found])


def _cancel_at(broker: Broker, site_id: str, found: Sequence[JobRecord]) -> None:
    site = broker.site(site_id)
    known = [close_if_never_sent(broker, record) for record in found]
    running = [record for record in known if record.native_id is not None and not record.state.final]
    if running:
        look = broker.links.ask(site, broker.scheduler(site).cancel(site, attempts(running)))
        note_look(broker, records.load(broker, [record.id for record in running]), look)
