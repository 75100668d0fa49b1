"""The package's own tables, apart from raw and modelled ones. Columns only.

A change here needs a migration (``migrations/versions``) and the new ``HEAD``; a test compares.
"""

from __future__ import annotations

import sqlalchemy as sa

VERSION_TABLE = "mel_migration"
HEAD = "0008"  # the newest migration

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
    sa.Column("stored", sa.BigInteger),  # rows of the entity in its table afterwards
    sa.Column("corrected", sa.BigInteger),  # by corrections
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

# An interrupted load: its rows wait in the staging table, and the next load resumes here.
load_checkpoint = sa.Table(
    "load_checkpoint",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, primary_key=True),
    sa.Column("checkpoint", sa.Text, nullable=False),
    sa.Column("rules", sa.Text, nullable=False),  # fingerprint of the contract the rows were checked against
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
    sa.Column("lost", sa.Text),  # row | cell: a row that lost a cell is stored without it
    sa.Column("seen_at", sa.DateTime),  # UTC; by the last load that brought it
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

# The last outcome of every rule; with the quarter where the rule is about one.
quality_result = sa.Table(
    "quality_result",
    metadata,
    sa.Column("asset", sa.Text, nullable=False),
    sa.Column("check_name", sa.Text, nullable=False),
    sa.Column("quarter", sa.Text),
    sa.Column("source", sa.Text),
    sa.Column(
        "dimension", sa.Text, nullable=False
    ),  # completeness | uniqueness | consistency | validity | timeliness | plausibility
    sa.Column("severity", sa.Text, nullable=False),  # error | warn
    sa.Column("passed", sa.Boolean, nullable=False),
    sa.Column("sentence", sa.Text, nullable=False),
    sa.Column("checked_at", sa.DateTime, nullable=False),  # UTC
)

# Which row a correction was used on.
correction_use = sa.Table(
    "correction_use",
    metadata,
    sa.Column("correction", sa.Text, nullable=False),  # digest of the line
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("row_key", sa.Text, nullable=False),
    sa.Column("used_at", sa.DateTime, nullable=False),  # UTC
)

# Ids of pseudonym keys; the keys themselves are secrets and stored elsewhere.
pseudonym_key = sa.Table(
    "pseudonym_key",
    metadata,
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("first_used_at", sa.DateTime, nullable=False),  # UTC
)

# People who requested erasure: their rows are refused for good, even from an old export or a backup.
erasure = sa.Table(
    "erasure",
    metadata,
    sa.Column("person", sa.Text, primary_key=True),  # pseudonym
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("erased_at", sa.DateTime, nullable=False),  # UTC
    sa.Column("rows_removed", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column(
        "removed", sa.Text
    ),  # JSON: raw table → rows removed; empty for erasures before this was recorded
    sa.Column("purged_at", sa.DateTime),  # UTC; empty while the rows stand in free space of the database
)

# Whose data these are: the sample's or an account's. Another origin is refused in the same warehouse.
data_origin = sa.Table(
    "data_origin",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("origin", sa.Text, nullable=False),  # sample, or a digest of the account's address and number
    sa.Column("noted_at", sa.DateTime, nullable=False),  # UTC
)

# Definitions and data of a calculation, so that it can be repeated.
calculation = sa.Table(
    "calculation",
    metadata,
    sa.Column("calculation_id", sa.Text, primary_key=True),
    sa.Column("quarter", sa.Text, nullable=False),
    sa.Column("calculated_at", sa.DateTime, nullable=False),  # UTC; rows loaded until then are in it
    sa.Column("definitions", sa.Text, nullable=False),  # digest of the kept list of SQL files
    sa.Column("variables", sa.Text, nullable=False),  # JSON
    sa.Column("code_version", sa.Text, nullable=False),
    sa.Column("figures", sa.Text, nullable=False),  # digest of every figure, before small groups are withheld
)

# What a load, a model or a check was last made of, and what came out: the same again is skipped.
fingerprint = sa.Table(
    "fingerprint",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),  # load <asset> | table <asset> | model <name> <part>
    sa.Column("made_of", sa.Text, nullable=False),  # digest of the rows and the rules
    sa.Column("found", sa.Text, nullable=False),  # JSON
    sa.Column("noted_at", sa.DateTime, nullable=False),  # UTC
)

kept_file = sa.Table(
    "kept_file",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),  # SHA-256
    sa.Column("content", sa.Text, nullable=False),
)

# Append-only: each entry holds the digest of the previous one, so tampering in the middle shows.
publication_ledger = sa.Table(
    "publication_ledger",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("quarter", sa.Text, nullable=False),
    sa.Column(
        "event", sa.Text, nullable=False
    ),  # checked | approved | published | frozen | reason | recalled
    sa.Column("version", sa.BigInteger),  # of the publication
    sa.Column("happened_at", sa.DateTime, nullable=False),  # UTC
    sa.Column("role", sa.Text),  # who, as a role: never a person's name
    sa.Column("note", sa.Text),
    sa.Column("figures", sa.Text, nullable=False),  # digest of the figures as shown
    sa.Column("details", sa.Text, nullable=False),  # JSON
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
)

_CELL = (
    ("indicator_id", sa.Text),
    ("period", sa.Text),
    ("grain", sa.Text),
    ("quarter", sa.Text),
    ("disaggregation", sa.Text),
    ("dimension", sa.Text),
    ("category", sa.Text),
    ("value", sa.Double),
    ("numerator", sa.Double),
    ("denominator", sa.Double),
    ("n", sa.BigInteger),
    ("status", sa.Text),  # ok | not_available | suppressed
    ("note", sa.Text),
)
CELL_COLUMNS = tuple(name for name, _ in _CELL)
# Ends of the 95 % interval of a share or mean. Not in the digest of figures: they follow from them.
_BOUNDS = (("low", sa.Double), ("high", sa.Double))
BOUNDS = tuple(name for name, _ in _BOUNDS)
# Days, issues or agreements that a figure should rest on, and those it does.
_COVERAGE = (("expected", sa.BigInteger), ("covered", sa.BigInteger))
QUALIFIERS = (*BOUNDS, *(name for name, _ in _COVERAGE))

published_figures = sa.Table(
    "published_figures",
    metadata,
    sa.Column("version", sa.BigInteger, nullable=False),
    *(sa.Column(name, kind) for name, kind in (*_CELL, *_BOUNDS, *_COVERAGE)),
)

# What stands behind published figures about people, withheld ones too: later publications must not reveal it.
# Internal: readers never see it.
protected_numbers = sa.Table(
    "protected_numbers",
    metadata,
    sa.Column("quarter", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("indicator_id", sa.Text, nullable=False),
    sa.Column("period", sa.Text, nullable=False),
    sa.Column("disaggregation", sa.Text, nullable=False),
    sa.Column("numerator", sa.Double),
    sa.Column("denominator", sa.Double),
    sa.Column("people", sa.Double),  # distinct persons, where cases are not persons
    sa.Column("members", sa.Double),  # those of them in the category
)

# Public figures: published ones as published, the others with small groups withheld.
released_figures = sa.Table(
    "released_figures",
    metadata,
    *(sa.Column(name, kind) for name, kind in _CELL),
    sa.Column("version", sa.BigInteger),  # of the publication; empty for a draft
    *(sa.Column(name, kind) for name, kind in (*_BOUNDS, *_COVERAGE)),
)

# A published figure and its current value: one row per cell and reason; the differences add up.
restatement = sa.Table(
    "restatement",
    metadata,
    sa.Column("quarter", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),  # of the publication that is restated
    sa.Column("indicator_id", sa.Text, nullable=False),
    sa.Column("period", sa.Text, nullable=False),
    sa.Column("disaggregation", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # open | held | restated
    sa.Column("reason", sa.Text),  # late_data | correction | definition_change | membership_change
    sa.Column("stated_by", sa.Text, nullable=False),  # 'data', or the role that stated it
    sa.Column("published", sa.Double),
    sa.Column("current", sa.Double),
    sa.Column("difference", sa.Double),  # the part of this reason
    sa.Column("note", sa.Text),
    sa.Column("first_seen_at", sa.DateTime, nullable=False),  # UTC
)

# Who received which edition by e-mail. Recipients are keyed pseudonyms; no address is stored.
delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("period", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),  # of the publication; 0 for a draft
    sa.Column("content", sa.Text, nullable=False),  # digest of the e-mail: a changed draft is sent again
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("sent_at", sa.DateTime, nullable=False),  # UTC
)

# Which Parquet folders are current, for an engine on other machines (see ``parquet_mirror``).
lake_part = sa.Table(
    "lake_part",
    metadata,
    sa.Column("folder", sa.Text, primary_key=True),  # root of the mirror
    sa.Column("table_name", sa.Text, primary_key=True),
    sa.Column("part", sa.Text, primary_key=True),  # value of the key the table grows by; else empty
    sa.Column("version", sa.Text, nullable=False),  # subfolder of the table's folder; empty for a view
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("row_count", sa.BigInteger, nullable=False),
    sa.Column("columns", sa.Text, nullable=False),  # JSON: name and type, in order
    sa.Column("failures", sa.Text, nullable=False),  # JSON: rows that break a test, by the number of the test
)
