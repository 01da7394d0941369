"""Opens the way to the database, set up so that what is committed stays committed."""

from __future__ import annotations

import os
import sqlite3
import time

import sqlalchemy as sa

from hpcnet.errors import ConfigurationError
from hpcnet.ledger.address import Address

LOCK_WAIT_S = 30
_CONNECT_WAIT_S = 10
_SWITCH_PAUSE_S = 0.01
# Of every writer of a ledger on a server: "hpcnet" in ASCII. Serialises appends and migrations.
_ADVISORY_LOCK = 0x6870636E6574


def open_engine(address: Address) -> sa.Engine:
    """An engine for this address; a new file is made readable for its owner only.

    Raises `OSError` for a file that cannot be made and `ConfigurationError` without a driver.
    """
    if address.file is not None:
        _make_private_file(address)
        return _sqlite_engine(address)
    return _postgresql_engine(address)


def writing(engine: sa.Engine) -> sa.Engine:
    """The same engine, whose transactions are writers from their beginning."""
    return engine.execution_options(writes=True)


def take_turn(connection: sa.Connection) -> None:
    """Wait until no other writer is at work; until the end of this transaction none will be.

    SQLite's writers queue in BEGIN IMMEDIATE already. On a server this also makes the order of
    ids the order of commits.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S}s'"))
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))


def _make_private_file(address: Address) -> None:
    file = address.file
    if file is None or file.exists():
        return
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        # Another process was quicker. Not opened and closed here: that would drop SQLite's locks.
        return


def _sqlite_engine(address: Address) -> sa.Engine:
    engine = sa.create_engine(address.url, hide_parameters=True, connect_args={"timeout": LOCK_WAIT_S})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # else the driver, not we, would decide when to BEGIN
    _switch_to_wal(connection)
    for pragma in ("synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """A new file is switched by whoever comes first; SQLite tells the others at once, without its
    usual patience, that it is busy.
    """
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_SWITCH_PAUSE_S)
        else:
            return


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql_engine(address: Address) -> sa.Engine:
    url = address.url
    limits = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_WAIT_S}
    try:
        return sa.create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=limits)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the ledger {address.shown} needs the package {error.name}",
            hint="pip install 'hpcnet[postgresql]'",
        ) from error
