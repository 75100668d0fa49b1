"""The tables the package owned when migrations began. An older warehouse gets the missing ones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _tables() -> sa.MetaData:
    metadata = sa.MetaData()
    sa.Table(
        "calculation",
        metadata,
        sa.Column("calculation_id", sa.Text, primary_key=True),
        sa.Column("quarter", sa.Text, nullable=False),
        sa.Column("calculated_at", sa.DateTime, nullable=False),
        sa.Column("definitions", sa.Text, nullable=False),
        sa.Column("variables", sa.Text, nullable=False),
        sa.Column("code_version", sa.Text, nullable=False),
        sa.Column("figures", sa.Text, nullable=False),
    )
    sa.Table(
        "correction_use",
        metadata,
        sa.Column("correction", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("row_key", sa.Text, nullable=False),
        sa.Column("used_at", sa.DateTime, nullable=False),
    )
    sa.Table(
        "delivery",
        metadata,
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("sent_at", sa.DateTime, nullable=False),
    )
    sa.Table(
        "erasure",
        metadata,
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("erased_at", sa.DateTime, nullable=False),
        sa.Column("rows_removed", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    sa.Table(
        "kept_file",
        metadata,
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
    )
    sa.Table(
        "load_checkpoint",
        metadata,
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("entity", sa.Text, primary_key=True),
        sa.Column("checkpoint", sa.Text, nullable=False),
        sa.Column("rules", sa.Text, nullable=False),
        sa.Column("begun_at", sa.DateTime, nullable=False),
    )
    sa.Table(
        "load_ledger",
        metadata,
        sa.Column("load_id", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("quarter", sa.Text),
        sa.Column("started_at", sa.DateTime, nullable=False),
        sa.Column("finished_at", sa.DateTime, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("fetched", sa.BigInteger, nullable=False),
        sa.Column("new", sa.BigInteger, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
        sa.Column("unchanged", sa.BigInteger, nullable=False),
        sa.Column("repeated", sa.BigInteger, nullable=False),
        sa.Column("quarantined", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.BigInteger, nullable=False),
        sa.Column("expected", sa.BigInteger),
        sa.Column("stored", sa.BigInteger),
        sa.Column("corrected", sa.BigInteger),
        sa.Column("message", sa.Text),
    )
    sa.Table(
        "pseudonym_key",
        metadata,
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("first_used_at", sa.DateTime, nullable=False),
    )
    sa.Table(
        "publication_ledger",
        metadata,
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("quarter", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger),
        sa.Column("happened_at", sa.DateTime, nullable=False),
        sa.Column("role", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("figures", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
    )
    sa.Table(
        "published_figures",
        metadata,
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("indicator_id", sa.Text),
        sa.Column("period", sa.Text),
        sa.Column("grain", sa.Text),
        sa.Column("quarter", sa.Text),
        sa.Column("disaggregation", sa.Text),
        sa.Column("dimension", sa.Text),
        sa.Column("category", sa.Text),
        sa.Column("value", sa.Double),
        sa.Column("numerator", sa.Double),
        sa.Column("denominator", sa.Double),
        sa.Column("n", sa.BigInteger),
        sa.Column("status", sa.Text),
        sa.Column("note", sa.Text),
    )
    sa.Table(
        "quality_result",
        metadata,
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("check_name", sa.Text, nullable=False),
        sa.Column("quarter", sa.Text),
        sa.Column("source", sa.Text),
        sa.Column("dimension", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("checked_at", sa.DateTime, nullable=False),
    )
    sa.Table(
        "quarantine",
        metadata,
        sa.Column("fingerprint", sa.Text, primary_key=True),
        sa.Column("load_id", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("source_ref", sa.Text, nullable=False),
        sa.Column("row_key", sa.Text),
        sa.Column("column_name", sa.Text),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("payload", sa.Text),
        sa.Column("quarantined_at", sa.DateTime, nullable=False),
        sa.Column("resolved_at", sa.DateTime),
    )
    sa.Table(
        "released_figures",
        metadata,
        sa.Column("indicator_id", sa.Text),
        sa.Column("period", sa.Text),
        sa.Column("grain", sa.Text),
        sa.Column("quarter", sa.Text),
        sa.Column("disaggregation", sa.Text),
        sa.Column("dimension", sa.Text),
        sa.Column("category", sa.Text),
        sa.Column("value", sa.Double),
        sa.Column("numerator", sa.Double),
        sa.Column("denominator", sa.Double),
        sa.Column("n", sa.BigInteger),
        sa.Column("status", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("version", sa.BigInteger),
        sa.Column("low", sa.Double),
        sa.Column("high", sa.Double),
    )
    sa.Table(
        "restatement",
        metadata,
        sa.Column("quarter", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("indicator_id", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("disaggregation", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("stated_by", sa.Text, nullable=False),
        sa.Column("published", sa.Double),
        sa.Column("current", sa.Double),
        sa.Column("difference", sa.Double),
        sa.Column("note", sa.Text),
        sa.Column("first_seen_at", sa.DateTime, nullable=False),
    )
    sa.Table(
        "schema_drift",
        metadata,
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("change", sa.Text, nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
        sa.Column("seen_at", sa.DateTime, nullable=False),
    )
    sa.Table(
        "source_cursor",
        metadata,
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("entity", sa.Text, primary_key=True),
        sa.Column("cursor", sa.Text, nullable=False),
        sa.Column("load_id", sa.Text, nullable=False),
    )
    sa.Table(
        "source_schema",
        metadata,
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("entity", sa.Text, primary_key=True),
        sa.Column("field", sa.Text, primary_key=True),
        sa.Column("data_type", sa.Text, nullable=False),
    )
    sa.Table(
        "lake_part",
        metadata,
        sa.Column("folder", sa.Text, primary_key=True),
        sa.Column("table_name", sa.Text, primary_key=True),
        sa.Column("part", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("row_count", sa.BigInteger, nullable=False),
        sa.Column("columns", sa.Text, nullable=False),
        sa.Column("failures", sa.Text, nullable=False),
    )
    return metadata


def upgrade() -> None:
    connection = op.get_bind()
    present: dict[str, set[str]] = {}
    for table, column in connection.execute(
        sa.text(
            "select table_name, column_name from information_schema.columns where table_schema = current_schema()"
        )
    ):
        present.setdefault(table, set()).add(column)
    for table in _tables().sorted_tables:
        if table.name not in present:
            connection.execute(sa.schema.CreateTable(table))
            continue
        for column in table.columns:
            if column.name not in present[table.name]:
                # Rows of before have no value for it.
                op.add_column(table.name, sa.Column(column.name, column.type))
