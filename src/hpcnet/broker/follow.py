"""Follow: wait for jobs to end, and read their output as it grows."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from hpcnet.broker import records
from hpcnet.broker.cancel import repeat_cancels
from hpcnet.broker.context import Broker
from hpcnet.broker.settle import close_forgotten
from hpcnet.broker.track import refresh
from hpcnet.errors import AccessError, ConfigurationError, HpcnetError, StorageError, UsageError
from hpcnet.model.record import JobRecord
from hpcnet.model.state import Trouble
from hpcnet.posix.directory import OUTPUT

_FIRST_INTERVAL_S = 0.5
_LONGEST_INTERVAL_S = 30.0
_LASTING = (StorageError.exit_code, AccessError.exit_code, ConfigurationError.exit_code)


def look(broker: Broker, job_ids: Sequence[str]) -> tuple[list[JobRecord], dict[str, Trouble]]:
    """The records of these jobs after one look at their sites, and which sites had trouble."""
    troubles = refresh(broker, records.load(broker, job_ids))
    reached = [record for record in records.load(broker, job_ids) if record.site not in troubles]
    troubles |= close_forgotten(broker, reached)
    return repeat_cancels(broker, records.load(broker, job_ids)), troubles


def wait(
    broker: Broker, job_ids: Sequence[str], each: Callable[[list[JobRecord], dict[str, Trouble]], None]
) -> list[JobRecord]:
    """Look until all jobs are final; the interval grows while nothing changes.

    `each` is called after every look. A site with trouble is asked again, ever more rarely;
    trouble that does not pass by itself (74, 77, 78) is raised.
    """
    interval, before = _FIRST_INTERVAL_S, None
    while True:
        found, troubles = look(broker, job_ids)
        each(found, troubles)
        if all(record.state.final for record in found):
            return found
        _refuse_to_wait_in_vain(found, troubles)
        states = [(record.state, record.reason) for record in found]
        interval = _FIRST_INTERVAL_S if states != before else min(_LONGEST_INTERVAL_S, interval * 1.3)
        before = states
        broker.clock.sleep(interval)


def _refuse_to_wait_in_vain(found: Sequence[JobRecord], troubles: dict[str, Trouble]) -> None:
    """Raise when every job that is not over is at a site whose trouble does not pass by itself."""
    open_sites = {record.site for record in found if not record.state.final}
    lasting = {site: item for site, item in troubles.items() if item.exit_code in _LASTING}
    if open_sites and open_sites <= set(lasting):
        trouble = next(iter(lasting.values()))
        error = HpcnetError(trouble.message, trouble.hint)
        error.exit_code = trouble.exit_code
        raise error


def output(broker: Broker, record: JobRecord, *, follow: bool) -> Iterator[bytes]:
    """The output of a job in pieces; with `follow`, until the job has ended."""
    if record.site is None or record.directory is None:
        raise UsageError(f"job {record.id} was never sent to a site: it has no output")
    with tempfile.TemporaryDirectory(prefix="hpcnet-") as folder:
        copy = Path(folder, OUTPUT)
        while True:
            ended = record.state.final
            yield from _grown(broker, record, copy)
            if ended or not follow:
                return
            broker.clock.sleep(1.0)
            record = look(broker, [record.id])[0][0]


def _grown(broker: Broker, record: JobRecord, copy: Path) -> Iterator[bytes]:
    before = copy.stat().st_size if copy.exists() else 0
    site = broker.site_of(record)
    source = str(PurePosixPath(record.directory or "", OUTPUT))
    try:
        with broker.links.using(site) as link:
            link.get(source, copy, lambda _: None)
    except StorageError:
        if record.state.final:
            raise
        return  # a job that waits has no output yet
    with copy.open("rb") as stream:
        stream.seek(before)
        while piece := stream.read(1 << 16):
            yield piece
