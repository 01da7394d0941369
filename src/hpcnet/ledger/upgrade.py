"""Brings a ledger to the schema of this program. Alembic is imported only when there is work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hpcnet.errors import StorageError
from hpcnet.ledger.address import Address
from hpcnet.ledger.engine import take_turn, writing
from hpcnet.ledger.schema import SCHEMA_VERSION, VERSION_TABLE, version

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(engine: sa.Engine, address: Address) -> None:
    """Make or migrate the tables when they are not of this program's version.

    Raises `StorageError` for a ledger that a newer program wrote, or another program's database.
    """
    if _peek(engine) == SCHEMA_VERSION:
        return
    with writing(engine).begin() as connection:
        take_turn(connection)
        # Another process may have done the work while we waited for our turn.
        found = read_version(connection)
        if found is None:
            _refuse_a_strange_file(connection, address)
        if found is not None and found > SCHEMA_VERSION:
            raise StorageError(
                f"the ledger {address.shown} was written by a newer hpcnet (schema {found}, "
                f"this one knows {SCHEMA_VERSION})",
                hint="install the newer hpcnet again, or set another ledger in config.toml",
            )
        if found != SCHEMA_VERSION:
            migrate(connection, MIGRATIONS)


def read_version(connection: sa.Connection) -> str | None:
    """The schema version, or None when there is no ledger yet."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.scalar(sa.select(version.c.version_num))
    return found


def _peek(engine: sa.Engine) -> str | None:
    """The version at the price of one SELECT; None when in doubt, to be looked at with care."""
    with engine.connect() as connection:
        try:
            found: str | None = connection.scalar(sa.select(version.c.version_num))
        except (sa.exc.OperationalError, sa.exc.ProgrammingError):
            return None
    return found


def migrate(connection: sa.Connection, scripts: Path) -> None:
    """Run the migrations in `scripts` up to the newest, in the transaction of `connection`."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    directory = ScriptDirectory(str(scripts))

    def newer(revision: str, _context: object) -> Any:
        return directory._upgrade_revs("head", revision)

    with EnvironmentContext(Config(), directory, fn=newer, destination_rev="head") as environment:
        environment.configure(connection=connection, version_table=VERSION_TABLE)
        environment.run_migrations()


def _refuse_a_strange_file(connection: sa.Connection, address: Address) -> None:
    # On a server the database may well be shared, and our tables carry our name.
    if address.file is not None and sa.inspect(connection).get_table_names():
        raise StorageError(
            f"{address.shown} is the database of another program, not a ledger",
            hint="set another ledger in config.toml",
        )
