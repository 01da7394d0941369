"""Cancel: what is queued or running is taken back, what was never sent is closed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from hpcnet.broker import records
from hpcnet.broker.context import Broker
from hpcnet.broker.settle import close_if_never_sent
from hpcnet.broker.together import together
from hpcnet.broker.track import attempts, note_look
from hpcnet.errors import HpcnetError
from hpcnet.model.record import EventKind, JobRecord
from hpcnet.model.state import Trouble


def cancel(broker: Broker, found: Sequence[JobRecord]) -> tuple[list[JobRecord], dict[str, Trouble]]:
    """Cancel these jobs, all sites at once; jobs that are over stay as they are.

    Returns the records afterwards and the trouble by site: the jobs of such a site have
    `cancel_asked` in the ledger and nothing else.
    """
    by_site: dict[str, list[JobRecord]] = {}
    for record in found:
        if not record.state.final and record.site is not None:
            records.note(broker, record.id, EventKind.CANCEL_ASKED)
            by_site.setdefault(record.site, []).append(record)
    work = {site_id: partial(_cancel_at, broker, items) for site_id, items in by_site.items()}
    troubles = {site_id: trouble for site_id, trouble in together(work) if trouble is not None}
    return records.load(broker, [record.id for record in found]), troubles


def _cancel_at(broker: Broker, found: Sequence[JobRecord]) -> Trouble | None:
    try:
        site = broker.site_of(found[0])
        known = [close_if_never_sent(broker, record) for record in found]
        running = [record for record in known if record.native_id is not None and not record.state.final]
        if running:
            look = broker.links.ask(site, broker.scheduler(site).cancel(site, attempts(running)))
            note_look(broker, records.load(broker, [record.id for record in running]), look)
    except HpcnetError as error:
        return Trouble(error.message, error.hint, error.exit_code)
    under_way = [record.id for record in known if record.native_id is None and not record.state.final]
    if under_way:
        message = (
            f"the submission of {', '.join(under_way)} is under way; it is canceled as soon as it is through"
        )
        return Trouble(message, hint="hpcnet status sees to it")
    return None


def repeat_cancels(broker: Broker, found: Sequence[JobRecord]) -> list[JobRecord]:
    """Cancel what was to be canceled and is alive: its site was down then, or it was being sent."""
    alive = [record for record in found if record.cancel_asked and record.state.alive]
    if not alive:
        return list(found)
    for record in alive:
        _cancel_at(broker, [record])
    return records.load(broker, [record.id for record in found])
