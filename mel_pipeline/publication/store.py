"""Storage for publication: calculations, definitions, the ledger and the frozen figures. SQL and digests only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from mel_pipeline.warehouse import tables

if TYPE_CHECKING:
    import pandas as pd

    from mel_pipeline.core.logins import Person
    from mel_pipeline.warehouse import Warehouse

BEGINNING = "0" * 64
BY = "by"  # in the details of an entry: who was signed in. Not among the columns that readers of the database see


@dataclass(frozen=True)
class Calculation:
    """One calculation of a quarter: its rows, definitions and result.

    ``calculated_at`` is UTC without zone; rows loaded until then are in it. ``definitions`` is the digest of
    the stored list of files, ``figures`` the digest of every figure before small groups are withheld.
    """

    calculation_id: str
    quarter: str
    calculated_at: datetime
    definitions: str
    variables: dict[str, Any]
    code_version: str
    figures: str


@dataclass(frozen=True)
class Entry:
    """An entry of the publication ledger."""

    quarter: str
    event: str  # checked | approved | published | frozen | reason | recalled
    happened_at: datetime
    figures: str
    version: int | None = None
    role: str | None = None
    note: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


def signed(by: Person | None) -> dict[str, Any]:
    """For the details of an entry; nothing where nobody signs in."""
    return {BY: by.recorded()} if by else {}


def digest_of(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def figures_text(frame: pd.DataFrame) -> str:
    """Canonical text of figures: cells in order, twelve significant digits."""
    lines = [",".join(tables.CELL_COLUMNS)]
    lines += [json.dumps(row, ensure_ascii=False) for row in sorted(canonical_rows(frame))]
    return "\n".join(lines) + "\n"


def canonical_rows(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    """Figures as texts, in the frame's order: columns as in ``CELL_COLUMNS``, twelve significant digits."""
    listed = frame[list(tables.CELL_COLUMNS)]
    return [tuple(_plain(value) for value in row) for row in listed.itertuples(index=False)]


def _plain(value: Any) -> str:
    import pandas as pd

    if value is None or pd.isna(value):
        return ""
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def store_texts(connection: sa.Connection, contents: Iterable[str]) -> None:
    """Store texts by their digest; existing ones are not rewritten."""
    wanted = {digest_of(content): content for content in contents}
    known = set(
        connection.execute(
            sa.select(tables.kept_file.c.digest).where(tables.kept_file.c.digest.in_(wanted))
        ).scalars()
    )
    if fresh := [{"digest": key, "content": text} for key, text in wanted.items() if key not in known]:
        connection.execute(sa.insert(tables.kept_file), fresh)


def read_texts(connection: sa.Connection, digests: Iterable[str]) -> dict[str, str]:
    """Stored texts by digest."""
    rows = connection.execute(sa.select(tables.kept_file).where(tables.kept_file.c.digest.in_(set(digests))))
    return {row.digest: row.content for row in rows}


def note_calculation(connection: sa.Connection, calculation: Calculation) -> None:
    values = vars(calculation) | {"variables": json.dumps(calculation.variables, sort_keys=True)}
    connection.execute(sa.insert(tables.calculation).values(**values))


def calculations(warehouse: Warehouse, quarter: str) -> list[Calculation]:
    """Calculations of a quarter, oldest first."""
    if not warehouse.has_table(tables.calculation.name):
        return []
    table = tables.calculation
    query = sa.select(table).where(table.c.quarter == quarter).order_by(table.c.calculated_at)
    with warehouse.connect() as connection:
        rows = connection.execute(query).mappings().all()
    return [Calculation(**{**row, "variables": json.loads(row["variables"])}) for row in rows]


def append(connection: sa.Connection, entry: Entry) -> None:
    """Add to the ledger, chained to the last entry."""
    table = tables.publication_ledger
    last = connection.execute(sa.select(table).order_by(table.c.number.desc()).limit(1)).one_or_none()
    number, previous = (last.number + 1, last.digest) if last else (1, BEGINNING)
    values = asdict(entry) | {"details": json.dumps(entry.details, sort_keys=True), "number": number}
    digest = _chained(values, previous)
    connection.execute(sa.insert(table).values(**values, previous=previous, digest=digest))


def _chained(values: Mapping[str, Any], previous: str) -> str:
    parts = {name: values[name] for name in sorted(values)}
    return digest_of(json.dumps([previous, parts], sort_keys=True, default=str))


def ledger(warehouse: Warehouse, quarter: str | None = None) -> list[Entry]:
    """Entries in order; of one quarter if given."""
    return [entry for entry, _ in _entries(warehouse) if quarter in (None, entry.quarter)]


def broken_links(warehouse: Warehouse) -> list[int]:
    """Numbers of the entries that were changed after writing, or that follow a missing one."""
    previous, broken, expected = BEGINNING, [], 1
    for entry, row in _entries(warehouse):
        values = asdict(entry) | {"details": row["details"], "number": row["number"]}
        if (
            row["previous"] != previous
            or row["digest"] != _chained(values, previous)
            or row["number"] != expected
        ):
            broken.append(int(row["number"]))
        previous, expected = row["digest"], int(row["number"]) + 1
    return broken


def _entries(warehouse: Warehouse) -> list[tuple[Entry, dict[str, Any]]]:
    table = tables.publication_ledger
    if not warehouse.has_table(table.name):
        return []
    with warehouse.connect() as connection:
        rows = connection.execute(sa.select(table).order_by(table.c.number)).mappings().all()
    found = []
    for row in rows:
        own = {
            name: value
            for name, value in row.items()
            if name not in ("number", "previous", "digest", "details")
        }
        found.append((Entry(**own, details=json.loads(row["details"])), dict(row)))
    return found


def last_publication(warehouse: Warehouse, quarter: str) -> Entry | None:
    published = [entry for entry in ledger(warehouse, quarter) if entry.event == "published"]
    return published[-1] if published else None
