"""The last outcome of every rule, kept in the warehouse: reports, publication and `mel quality` read it there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mel_pipeline.landing import utc_now
from mel_pipeline.quality.results import RuleResult
from mel_pipeline.quality.tables import LoadFacts
from mel_pipeline.warehouse.migrating import ensure_tables
from mel_pipeline.warehouse.tables import quality_result

if TYPE_CHECKING:
    from mel_pipeline.warehouse import Warehouse


def note_results(
    warehouse: Warehouse,
    results: Iterable[tuple[str, RuleResult]],
    *,
    quarter: str | None = None,
    source: str | None = None,
) -> None:
    """Replace the outcomes of the assets named, for a quarter or for all.

    Args:
        results: asset and rule.
    """
    rows = [
        {
            "asset": asset,
            "check_name": rule.name,
            "quarter": quarter,
            "source": source,
            "dimension": rule.dimension,
            "severity": rule.severity,
            "passed": rule.passed,
            "sentence": rule.sentence,
            "checked_at": utc_now(),
        }
        for asset, rule in results
    ]
    assets = sorted({str(row["asset"]) for row in rows})
    if not rows:
        return
    same = quality_result.c.quarter.is_(None) if quarter is None else quality_result.c.quarter == quarter
    with warehouse.transaction() as connection:
        ensure_tables(connection)
        connection.execute(sa.delete(quality_result).where(quality_result.c.asset.in_(assets), same))
        connection.execute(sa.insert(quality_result), rows)


def load_facts(warehouse: Warehouse, source: str, entity: str) -> LoadFacts:
    """What the ledger and the quarantine know of an entity."""
    if not {"load_ledger", "quarantine"} <= warehouse.tables():
        return LoadFacts()
    of_entity = {"source": source, "entity": entity}
    loads = warehouse.records(
        "select stored, expected, finished_at from load_ledger where source = :source and entity = :entity"
        " and status = 'loaded' order by finished_at desc limit 2",
        of_entity,
    )
    if not loads:
        return LoadFacts()
    waiting = warehouse.records(
        "select count(distinct coalesce(row_key, source_ref)) as n from quarantine"
        " where source = :source and entity = :entity and resolved_at is null",
        of_entity,
    )[0]["n"]
    last = loads[0]
    age = datetime.now(UTC).replace(tzinfo=None) - last["finished_at"]
    earlier = loads[1]["stored"] if len(loads) > 1 else None
    return LoadFacts(last["stored"], earlier, last["expected"], int(waiting), age.days)
