"""The tables of the ledger as the program uses them; `migrations/` holds how they came to be."""

from __future__ import annotations

import sqlalchemy as sa

SCHEMA_VERSION = "0001"
"""The newest migration; versions are numbers with leading zeros, so they compare as text."""

VERSION_TABLE = "hpcnet_schema"

metadata = sa.MetaData()

# PostgreSQL would sort ids by its locale; SQLite sorts bytes. Ids are to sort the same everywhere.
_Bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

events = sa.Table(
    "hpcnet_events",
    metadata,
    sa.Column(
        "id",
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
        sa.Identity(always=True),
        primary_key=True,
    ),
    sa.Column("job", _Bytewise, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer),
    sa.Column("closes", sa.Boolean, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
# The indexes are named in the migration alone: naming them here would load PostgreSQL's dialect,
# 20 ms at every start, for a file of SQLite.

version = sa.Table(VERSION_TABLE, sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True))
