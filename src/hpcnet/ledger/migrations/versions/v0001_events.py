"""The append-only table of events, kept append-only by the database itself."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SQLITE_REFUSALS = {
    "no_update": "BEFORE UPDATE ON hpcnet_events",
    "no_delete": "BEFORE DELETE ON hpcnet_events",
    # INSERT OR REPLACE deletes without asking the trigger above.
    "no_replace": (
        "BEFORE INSERT ON hpcnet_events WHEN EXISTS (SELECT 1 FROM hpcnet_events WHERE id = NEW.id)"
    ),
}


def upgrade() -> None:
    """Make the table, its indexes and the triggers that refuse any change of the past."""
    bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "hpcnet_events",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=True),
            primary_key=True,
        ),
        sa.Column("job", bytewise, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer),
        sa.Column("closes", sa.Boolean, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("hpcnet_events_by_job", "hpcnet_events", ["job", "id"])
    _create_partial_index("hpcnet_events_closing", ["job", "id"], "closes = 1", "closes")
    # Unique: of two programs that would send the same attempt, the database lets one.
    _create_partial_index(
        "hpcnet_events_intents", ["job", "attempt"], "kind = 'intent'", "kind = 'intent'", unique=True
    )
    if op.get_bind().dialect.name == "sqlite":
        _refuse_changes_on_sqlite()
    else:
        _refuse_changes_on_postgresql()


def _create_partial_index(
    name: str, columns: list[str], on_sqlite: str, on_postgresql: str, *, unique: bool = False
) -> None:
    where: dict[str, Any] = {"sqlite_where": sa.text(on_sqlite), "postgresql_where": sa.text(on_postgresql)}
    op.create_index(name, "hpcnet_events", columns, unique=unique, **where)


def _refuse_changes_on_sqlite() -> None:
    for name, occasion in _SQLITE_REFUSALS.items():
        op.execute(
            f"CREATE TRIGGER hpcnet_events_{name} {occasion} "
            "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
        )


def _refuse_changes_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION hpcnet_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER hpcnet_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON hpcnet_events "
        "FOR EACH STATEMENT EXECUTE FUNCTION hpcnet_append_only()"
    )
