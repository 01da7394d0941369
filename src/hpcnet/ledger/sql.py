"""The ledger on SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import sqlalchemy as sa

from hpcnet.errors import StorageError
from hpcnet.ledger import queries
from hpcnet.ledger.address import Address, read_address
from hpcnet.ledger.engine import open_engine, take_turn, writing
from hpcnet.ledger.faults import told_as_ours
from hpcnet.ledger.rows import event_of, row_of
from hpcnet.ledger.schema import events as events_table
from hpcnet.ledger.upgrade import upgrade
from hpcnet.model.record import Event

# Below every database's limit of bound parameters.
_JOBS_A_QUERY = 500


def open_ledger(url_or_path: str | Path) -> SqlLedger:
    """The ledger in a file (made when missing) or at a `postgresql://` URL, its schema up to date.

    Raises `ConfigurationError` for an address that cannot be read and `StorageError` for a ledger
    that cannot be used.
    """
    address = read_address(url_or_path)
    with told_as_ours(address):
        engine = open_engine(address)
        try:
            upgrade(engine, address)
        except BaseException:
            engine.dispose()
            raise
    return SqlLedger(engine, address)


class SqlLedger:
    """`hpcnet.ports.Ledger` in a database; safe among threads and processes."""

    def __init__(self, engine: sa.Engine, address: Address) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._address = address

    def append(self, events: Iterable[Event]) -> None:
        """Durable when it returns: all events in one transaction. Raises `StorageError`."""
        rows = [row_of(event) for event in events]
        if not rows:
            return
        with told_as_ours(self._address), self._writer.begin() as connection:
            take_turn(connection)
            connection.execute(sa.insert(events_table), rows)

    def events(self, jobs: Sequence[str] | None = None) -> Sequence[Event]:
        """Events in the order they were appended, of these jobs or of all."""
        if jobs is not None and len(jobs) > _JOBS_A_QUERY:
            wanted = frozenset(jobs)
            return [event for event in self.events() if event.job in wanted]
        with told_as_ours(self._address), self._engine.connect() as connection:
            rows = connection.execute(queries.events_of(jobs)).all()
        return [self._read(row) for row in rows]

    def job_ids(self, prefix: str = "", newest: int | None = None, open_only: bool = False) -> Sequence[str]:
        """Ids of jobs, oldest first: those starting with `prefix`, the `newest` ones, or only
        those whose current attempt is not closed.
        """
        with told_as_ours(self._address), self._engine.connect() as connection:
            found = connection.scalars(queries.job_ids(prefix, newest, open_only)).all()
        return found[::-1]

    def close(self) -> None:
        """Let go of the file or server."""
        self._engine.dispose()

    def _read(self, row: sa.Row[str, str, str, str]) -> Event:
        try:
            return event_of(*row)
        except ValueError as error:
            raise StorageError(
                f"an event of job {row[0]} in the ledger {self._address.shown} cannot be read: {error}",
                hint="a newer hpcnet may have written it: use that one",
            ) from error
