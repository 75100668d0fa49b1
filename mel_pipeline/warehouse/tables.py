"""The tables this package keeps for itself beside raw and modelled ones. Columns only."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

load_ledger = sa.Table(
    "load_ledger",
    metadata,
    sa.Column("load_id", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("quarter", sa.Text),
    sa.Column("started_at", sa.DateTime, nullable=False),  # UTC
    sa.Column("finished_at", sa.DateTime, nullable=False),  # UTC
    sa.Column("status", sa.Text, nullable=False),  # loaded | failed
    sa.Column("fetched", sa.BigInteger, nullable=False),
    sa.Column("new", sa.BigInteger, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.Column("unchanged", sa.BigInteger, nullable=False),
    sa.Column("repeated", sa.BigInteger, nullable=False),  # same key twice in one load; the latest counts
    sa.Column("quarantined", sa.BigInteger, nullable=False),
    sa.Column("deleted", sa.BigInteger, nullable=False),
    sa.Column("expected", sa.BigInteger),  # the source's own count, where it states one
    sa.Column("message", sa.Text),
)

source_cursor = sa.Table(
    "source_cursor",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, primary_key=True),
    sa.Column("cursor", sa.Text, nullable=False),
    sa.Column("load_id", sa.Text, nullable=False),
)

# A load that was cut short: its rows wait in the staging table, and the next load goes on from here.
load_checkpoint = sa.Table(
    "load_checkpoint",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, primary_key=True),
    sa.Column("checkpoint", sa.Text, nullable=False),
    sa.Column("rules", sa.Text, nullable=False),  # fingerprint of the contract the rows were checked by
    sa.Column("begun_at", sa.DateTime, nullable=False),  # UTC
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("fingerprint", sa.Text, primary_key=True),
    sa.Column("load_id", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("source_ref", sa.Text, nullable=False),  # file or page, with the row where there is one
    sa.Column("row_key", sa.Text),
    sa.Column("column_name", sa.Text),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("payload", sa.Text),
    sa.Column("quarantined_at", sa.DateTime, nullable=False),
    sa.Column("resolved_at", sa.DateTime),
)

# The source's own fields as last seen, and what changed about them.
source_schema = sa.Table(
    "source_schema",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("data_type", sa.Text, nullable=False),
)

schema_drift = sa.Table(
    "schema_drift",
    metadata,
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("change", sa.Text, nullable=False),  # new | removed | retyped
    sa.Column("before", sa.Text),
    sa.Column("after", sa.Text),
    sa.Column("seen_at", sa.DateTime, nullable=False),  # UTC
)


def ensure_tables(connection: sa.Connection) -> None:
    for table in metadata.sorted_tables:
        connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
