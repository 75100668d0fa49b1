"""One load: pull an entity, check its rows, and land rows, quarantine, cursor and ledger together.

What a source sends and what a rule means live in their own rooms; this is where they meet.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mel_pipeline.contracts import EntityContract, SourceContract
from mel_pipeline.errors import MelError, SourceError
from mel_pipeline.periods import Quarter

if TYPE_CHECKING:
    import pandas as pd

    from mel_pipeline.catalogue import Catalogue
    from mel_pipeline.sources.base import Batch, Pull, Source
    from mel_pipeline.warehouse import Warehouse
    from mel_pipeline.warehouse.landing import QuarantinedRow


@dataclass(frozen=True)
class LoadResult:
    """Counts of one load. ``fetched = new + changed + unchanged + repeated + quarantined``.

    ``waiting`` gives place and reason of every row of the entity that is still in quarantine.
    """

    load_id: str
    table: str
    fetched: int
    new: int
    changed: int
    unchanged: int
    repeated: int
    quarantined: int
    deleted: int
    expected: int | None
    notes: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The load in one line for the MEL lead."""
        parts = [f"{self.fetched:,} rows read", f"{self.new:,} new", f"{self.changed:,} changed"]
        if self.deleted:
            parts.append(f"{self.deleted:,} deleted at the source")
        if self.repeated:
            parts.append(f"{self.repeated:,} sent twice")
        parts.append(f"{self.quarantined:,} put aside")
        return ", ".join(parts) + "."


def land(
    source: Source,
    contract: SourceContract,
    entity: str,
    warehouse: Warehouse,
    *,
    quarter: Quarter | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC).replace(tzinfo=None),
) -> LoadResult:
    """Pull one entity and land it in a single transaction.

    Args:
        quarter: asked of sources that report by period; ignored by the others.
        clock: gives UTC without zone, as the ledger stores it.

    Raises:
        SourceError: the source did not answer. The failure is in the ledger, nothing else changed.
        ContractError: what arrived cannot be read at all.
    """
    started = clock()
    load_id = f"{contract.name}-{entity}-{started:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    cursor = _cursor(warehouse, contract.name, entity)
    try:
        pull = source.pull(entity, quarter=quarter, cursor=cursor)
        batches = list(pull.batches)
    except SourceError as error:
        _record_failure(warehouse, contract.name, entity, quarter, load_id, started, clock(), error)
        raise
    return _commit(warehouse, contract, entity, quarter, load_id, started, clock(), pull, batches)


def _commit(
    warehouse: Warehouse,
    contract: SourceContract,
    entity: str,
    quarter: Quarter | None,
    load_id: str,
    started: datetime,
    now: datetime,
    pull: Pull,
    batches: list[Batch],
) -> LoadResult:
    from mel_pipeline.warehouse import landing

    table, expectations = contract.table(entity), contract.entities[entity]
    good, bad = _checked(batches, expectations)
    gone = {key for batch in batches for key in batch.deleted_keys} - set(good["_row_key"])
    with warehouse.transaction() as connection:
        landing.ensure_landing_tables(connection)
        landing.ensure_raw_table(connection, table, list(expectations.columns))
        upserted = landing.upsert_rows(connection, table, good, load_id, now)
        deleted = landing.mark_deleted(connection, table, sorted(gone), load_id, now)
        landing.resolve(connection, contract.name, entity, good, now)
        landing.put_aside(connection, contract.name, entity, bad, load_id, now)
        if (new_cursor := pull.cursor()) is not None:
            landing.write_cursor(connection, contract.name, entity, new_cursor, load_id)
        result = LoadResult(
            load_id=load_id,
            table=table,
            fetched=len(good) + _rows(bad),
            new=upserted.new,
            changed=upserted.changed,
            unchanged=upserted.unchanged,
            repeated=upserted.repeated,
            quarantined=_rows(bad),
            deleted=deleted,
            expected=pull.expected_count(),
            waiting=landing.waiting(connection, contract.name, entity),
            notes=list(dict.fromkeys(note for batch in batches for note in batch.notes)),
        )
        connection.execute(
            landing.load_ledger.insert().values(
                **_ledger_row(result, contract.name, entity, quarter, started, now),
            )
        )
    return result


def _checked(batches: list[Batch], contract: EntityContract) -> tuple[pd.DataFrame, list[QuarantinedRow]]:
    """Good rows with their key, and bad rows with the reason; every row is in exactly one of them."""
    import pandas as pd

    from mel_pipeline import quality
    from mel_pipeline.warehouse.landing import QuarantinedRow

    columns = [*contract.columns, "_source_ref"]
    frames = [batch.frame for batch in batches if len(batch.frame)]
    frame = (
        pd.concat(frames, ignore_index=True)[columns]
        if frames
        else pd.DataFrame(columns=columns, dtype="str")
    )
    rejected = [
        QuarantinedRow(row.source_ref, row.row_key, row.column, "readable", row.reason, row.payload)
        for batch in batches
        for row in batch.rejected
    ]
    verdict = quality.check_rows(frame, contract)
    judged = [
        QuarantinedRow(row.source_ref, row.row_key, row.column, row.rule, row.reason, row.payload)
        for row in verdict.bad
    ]
    good = verdict.good
    return good.assign(_row_key=row_keys(good, contract)), rejected + judged


def row_keys(frame: pd.DataFrame, contract: EntityContract) -> pd.Series[str]:
    """The columns that identify a row, joined by ``|``."""
    first, *rest = contract.row_key
    keys = frame[first].astype("str")
    for column in rest:
        keys = keys + "|" + frame[column].astype("str")
    return keys


def _rows(bad: Iterable[QuarantinedRow]) -> int:
    """A row can break two rules; it is still one row."""
    return len({(row.source_ref, row.row_key) for row in bad})


def _cursor(warehouse: Warehouse, source: str, entity: str) -> str | None:
    from mel_pipeline.warehouse import landing

    with warehouse.connect() as connection:
        return landing.read_cursor(connection, source, entity)


def _record_failure(
    warehouse: Warehouse,
    source: str,
    entity: str,
    quarter: Quarter | None,
    load_id: str,
    started: datetime,
    now: datetime,
    error: MelError,
) -> None:
    from mel_pipeline.warehouse import landing

    counts = dict.fromkeys(
        ("fetched", "new", "changed", "unchanged", "repeated", "quarantined", "deleted"), 0
    )
    with warehouse.transaction() as connection:
        landing.ensure_landing_tables(connection)
        connection.execute(
            landing.load_ledger.insert().values(
                load_id=load_id,
                source=source,
                entity=entity,
                quarter=str(quarter) if quarter else None,
                started_at=started,
                finished_at=now,
                status="failed",
                message=str(error),
                **counts,
            )
        )


def _ledger_row(
    result: LoadResult, source: str, entity: str, quarter: Quarter | None, started: datetime, now: datetime
) -> dict[str, object]:
    return {
        "load_id": result.load_id,
        "source": source,
        "entity": entity,
        "quarter": str(quarter) if quarter else None,
        "started_at": started,
        "finished_at": now,
        "status": "loaded",
        "fetched": result.fetched,
        "new": result.new,
        "changed": result.changed,
        "unchanged": result.unchanged,
        "repeated": result.repeated,
        "quarantined": result.quarantined,
        "deleted": result.deleted,
        "expected": result.expected,
        "message": result.sentence,
    }


def land_catalogue(catalogue: Catalogue, warehouse: Warehouse) -> dict[str, int]:
    """The catalogue's tables in one transaction; those that hold the same rows already are left alone.

    Returns:
        Rows by table.
    """
    from mel_pipeline.catalogue import catalogue_frames
    from mel_pipeline.warehouse import landing

    now = datetime.now(UTC).replace(tzinfo=None)
    load_id = f"catalogue-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    frames = {f"raw_catalogue__{name}": frame for name, frame in catalogue_frames(catalogue).items()}
    with warehouse.transaction() as connection:
        for table, frame in frames.items():
            landing.replace_rows(connection, table, frame, load_id, now)
    return {table: len(frame) for table, frame in frames.items()}
