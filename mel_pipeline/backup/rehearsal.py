"""What this version would change: an upgrade tried on a copy of the warehouse, which is thrown away.

The copy is migrated and every quarter is recalculated in it. What then differs from a published figure, and did not
before, comes from the version: its definitions, its models, its migrations.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mel_pipeline.backup.making import published_quarters
from mel_pipeline.publication.recalculation import recalculate
from mel_pipeline.publication.restatement import sentence_of
from mel_pipeline.warehouse import Warehouse
from mel_pipeline.warehouse.dump import copy
from mel_pipeline.warehouse.migrating import upgraded, version_of
from mel_pipeline.warehouse.tables import HEAD, VERSION_TABLE

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings

LEDGER = "restatement"
CELL = ("quarter", "indicator_id", "period", "disaggregation")


@dataclass(frozen=True)
class Rehearsal:
    """``layout``: of the tables as they are; ``published``: quarters whose figures were compared.

    ``differences``: a sentence for each published figure that the data or definitions would no longer support.
    """

    layout: str
    quarters: list[str] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    @property
    def migrates(self) -> bool:
        return self.layout != HEAD


def rehearse(warehouse: Warehouse, settings: Settings) -> Rehearsal:
    """Upgrade and recalculate a copy in ``MEL_HOME``, which needs as much room again as the data take.

    An empty warehouse has no layout yet, and nothing changes.

    Raises:
        WarehouseError: the warehouse is of a newer version, or a migration fails.
        ModelError: a model fails on the stored data.
    """
    if not warehouse.has_table(VERSION_TABLE):
        return Rehearsal(HEAD)
    with warehouse.connect() as connection:
        layout = version_of(connection) or HEAD
    settings.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.home, prefix="rehearsal-") as folder:
        other = Warehouse(f"duckdb:///{Path(folder) / 'warehouse.duckdb'}", settings.lock_wait_seconds)
        try:
            copy(warehouse, other, Path(folder))
            before = _ledger(upgraded(other))
            quarters = [str(quarter) for quarter in recalculate(other, settings)]
            after = _ledger(other)
            published = published_quarters(other)
        finally:
            other.engine.dispose()
    differences = [sentence for cell, sentence in after.items() if before.get(cell) != sentence]
    return Rehearsal(layout, quarters, published, differences)


def _ledger(warehouse: Warehouse) -> dict[tuple[str, ...], str]:
    """Differences from what was published, in words, by cell."""
    if not warehouse.has_table(LEDGER):
        return {}
    rows = warehouse.records(f"select * from {LEDGER} order by {', '.join(CELL)}, reason")  # noqa: S608
    found: dict[tuple[str, ...], str] = {}
    for row in rows:
        cell = tuple(str(row[name]) for name in CELL)
        found[cell] = " ".join(filter(None, (found.get(cell), sentence_of(row))))
    return found
