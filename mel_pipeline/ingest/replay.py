"""Apply corrections to rows already loaded: quarantined and stored rows are loaded again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.core.contracts import SourceContract, contract_of
from mel_pipeline.ingest.corrections import Correction, corrections_of, matching
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.ingest.row_processing import RowProcessing, row_processing_for
from mel_pipeline.sources.shared.base import Batch, Pull
from mel_pipeline.sources.workbook.versions import current

if TYPE_CHECKING:
    import pandas as pd

    from mel_pipeline.core.settings import Settings
    from mel_pipeline.warehouse import Warehouse


@dataclass(frozen=True)
class QuarantinedSource:
    """A source of quarantined rows, and of stored rows that a correction matches."""

    warehouse: Warehouse
    contract: SourceContract
    corrections: tuple[Correction, ...]

    def pull(self, entity: str, **_: object) -> Pull:
        """Same as for any source, but without cursor or checkpoint."""
        return Pull(self._batches(entity))

    def _batches(self, entity: str) -> Iterator[Batch]:
        import pandas as pd

        frame = pd.concat([self._quarantined(entity), self._stored(entity)], ignore_index=True)
        hit = pd.Series(False, index=frame.index)
        for line in self.corrections:
            if len(frame):
                hit |= matching(frame, line)
        mine = frame[hit].drop_duplicates().reset_index(drop=True)
        yield Batch(mine, fetched=len(mine))

    def _quarantined(self, entity: str) -> pd.DataFrame:
        rows = self.warehouse.records(
            "select source_ref, payload from quarantine where source = :source and entity = :entity"
            " and resolved_at is null and payload is not null and row_key is not null",
            {"source": self.contract.name, "entity": entity},
        )
        return self._frame(
            entity, [json.loads(row["payload"]) | {"_source_ref": row["source_ref"]} for row in rows]
        )

    def _stored(self, entity: str) -> pd.DataFrame:
        table, details = self.contract.table(entity), self.contract.entities[entity]
        if not self.warehouse.has_table(table):
            return self._frame(entity, [])
        mine = f" and {details.discriminator} = :source" if details.discriminator else ""
        rows = self.warehouse.records(
            f"select * from {table} where not _is_deleted{mine}",  # noqa: S608 - contracts name tables
            {"source": self.contract.name} if mine else {},
        )
        return self._frame(entity, rows)

    def _frame(self, entity: str, rows: list[dict[str, object]]) -> pd.DataFrame:
        import pandas as pd

        columns = [*self.contract.entities[entity].columns, "_source_ref"]
        listed = [{name: row.get(name) for name in columns} for row in rows]
        return pd.DataFrame(listed, columns=columns, dtype="str")


def replay(warehouse: Warehouse, settings: Settings) -> dict[str, LoadResult]:
    """Apply the corrections to quarantined and stored rows; people keep their pseudonyms.

    Returns:
        Load results by table; entities without a correction are not loaded.
    """
    done = {}
    written = corrections_of(current(settings))
    for source, entity in dict.fromkeys((line.source, line.entity) for line in written):
        contract = contract_of(source).model_copy(deep=True)
        for name in contract.people(entity):
            contract.entities[entity].columns[
                name
            ].pattern = None  # it describes the source's ids, not pseudonyms
        processing = row_processing_for(warehouse, settings, source, entity)
        lines = tuple(_with_pseudonyms(line, contract, processing) for line in processing.corrections)
        source_rows = QuarantinedSource(warehouse, contract, lines)
        unhashed = RowProcessing(lines, None, processing.erased)
        done[contract.asset(entity)] = load_entity(
            source_rows, contract, entity, warehouse, processing=unhashed
        )
    return done


def use_of_corrections(warehouse: Warehouse, settings: Settings) -> list[tuple[Correction, int]]:
    """Each correction with the number of rows it was used on."""
    lines = corrections_of(current(settings))
    used: dict[str, int] = {}
    if warehouse.has_table("correction_use"):
        rows = warehouse.records("select correction, count(*) as n from correction_use group by correction")
        used = {row["correction"]: int(row["n"]) for row in rows}
    return [(line, used.get(line.digest, 0)) for line in lines]


def unused_corrections(warehouse: Warehouse, corrections: Iterable[Correction]) -> list[str]:
    """Sentences of corrections never used on a row."""
    lines = list(corrections)
    if not lines:
        return []
    used = {row["correction"] for row in warehouse.records("select distinct correction from correction_use")}
    return [line.sentence for line in lines if line.digest not in used]


def _with_pseudonyms(line: Correction, contract: SourceContract, processing: RowProcessing) -> Correction:
    """The workbook identifies people by the source's id; stored rows by pseudonym."""
    people = set(contract.people(line.entity))
    if processing.pseudonyms is None or not people & {*line.match, *line.set}:
        return line
    hide = processing.pseudonyms.of
    match = {
        name: hide(line.source, value) if name in people else value for name, value in line.match.items()
    }
    new = {
        name: hide(line.source, value) if name in people and value else value
        for name, value in line.set.items()
    }
    return line.model_copy(update={"match": match, "set": new})
