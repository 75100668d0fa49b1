"""Apply corrections to rows already loaded: quarantined and stored rows are loaded again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.core.contracts import SourceContract, contract_of
from mel_pipeline.ingest.corrections import Correction, corrections_of, matching
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.ingest.privacy import Pseudonyms, load_pseudonyms
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
        if not self.corrections or not self.warehouse.has_table(table):
            return self._frame(entity, [])
        found, values = _where(self.corrections)
        mine = f" and {details.discriminator} = :source" if details.discriminator else ""
        rows = self.warehouse.records(
            f"select * from {table} where not _is_deleted{mine} and ({found})",  # noqa: S608 - contracts name both
            values | ({"source": self.contract.name} if mine else {}),
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
        processing = row_processing_for(warehouse, settings, source, entity)
        done[contract_of(source).asset(entity)] = _replay(warehouse, source, entity, processing)
    return done


def replay_new(
    warehouse: Warehouse, source: str, entity: str, processing: RowProcessing
) -> LoadResult | None:
    """The same for one entity, if its corrections are not those applied last; None: there was nothing to do.

    A load applies corrections to what it brings; a source that sends only what is new would leave older rows as they
    are.
    """
    from mel_pipeline.warehouse import state

    known = contract_of(source)
    with warehouse.connect() as connection:
        before = state.read_cursor(connection, source, _applied(entity))
    now = hashlib.sha256(" ".join(line.digest for line in processing.corrections).encode()).hexdigest()
    if (
        now == before
        or not (before or processing.corrections)
        or not warehouse.has_table(known.table(entity))
    ):
        return None
    result = _replay(warehouse, source, entity, processing) if processing.corrections else None
    with warehouse.transaction() as connection:
        state.write_cursor(connection, source, _applied(entity), now, result.load_id if result else "")
    return result


def _applied(entity: str) -> str:
    """Under which the corrections applied last are kept, beside the entity's cursor."""
    return f"{entity}: corrections"


def _replay(warehouse: Warehouse, source: str, entity: str, processing: RowProcessing) -> LoadResult:
    contract = contract_of(source).model_copy(deep=True)
    for name in contract.people(entity):
        # It describes the source's ids, not pseudonyms.
        contract.entities[entity].columns[name].pattern = None
    lines = tuple(_with_pseudonyms(line, contract, processing.pseudonyms) for line in processing.corrections)
    rows = QuarantinedSource(warehouse, contract, lines)
    unhashed = RowProcessing(lines, None, processing.erased, are_pseudonyms=True)
    return load_entity(rows, contract, entity, warehouse, processing=unhashed)


def finds_nothing(warehouse: Warehouse, settings: Settings, line: Correction) -> bool:
    """Whether a correction was never used, and no row that is stored or in quarantine would be corrected by it.

    False for a table that has not been loaded: nothing can be said.
    """
    contract = contract_of(line.source)
    if not warehouse.has_table(contract.table(line.entity)) or _used(warehouse, [line]):
        return False
    hidden = _with_pseudonyms(line, contract, load_pseudonyms(settings))
    rows = QuarantinedSource(warehouse, contract, (hidden,))
    return not any(len(batch.frame) for batch in rows.pull(line.entity).batches)


def without_match(warehouse: Warehouse, settings: Settings) -> list[Correction]:
    """The corrections of the workbook that find no row of a table that has been loaded."""
    return [line for line in corrections_of(current(settings)) if finds_nothing(warehouse, settings, line)]


def use_of_corrections(warehouse: Warehouse, settings: Settings) -> list[tuple[Correction, int]]:
    """Each correction with the number of rows it was used on."""
    lines = corrections_of(current(settings))
    used: dict[str, int] = {}
    if warehouse.has_table("correction_use"):
        rows = warehouse.records("select correction, count(*) as n from correction_use group by correction")
        used = {row["correction"]: int(row["n"]) for row in rows}
    return [(line, used.get(line.digest, 0)) for line in lines]


def unused_corrections(warehouse: Warehouse, corrections: Iterable[Correction]) -> list[str]:
    """Where the corrections stand that were never used on a row."""
    lines = list(corrections)
    used = _used(warehouse, lines)
    return [line.place for line in lines if line.digest not in used]


def _used(warehouse: Warehouse, lines: Sequence[Correction]) -> set[str]:
    """Digests of those that were used."""
    if not lines or not warehouse.has_table("correction_use"):
        return set()
    rows = warehouse.records("select distinct correction from correction_use")
    return {str(row["correction"]) for row in rows} & {line.digest for line in lines}


def _where(lines: Sequence[Correction]) -> tuple[str, dict[str, str]]:
    """What finds the rows of any of these, and its values. Columns of raw tables are text."""
    found, values = [], {}
    for number, line in enumerate(lines):
        parts = []
        for place, (column, value) in enumerate(line.match.items()):
            parts.append(f"{column} = :v{number}_{place}")
            values[f"v{number}_{place}"] = value
        found.append(f"({' and '.join(parts)})")
    return " or ".join(found), values


def _with_pseudonyms(line: Correction, contract: SourceContract, pseudonyms: Pseudonyms | None) -> Correction:
    """The workbook identifies people by the source's id; stored rows by pseudonym."""
    people = set(contract.people(line.entity))
    if pseudonyms is None or not people & {*line.match, *line.set}:
        return line
    hide = pseudonyms.of
    match = {
        name: hide(line.source, value) if name in people else value for name, value in line.match.items()
    }
    new = {
        name: hide(line.source, value) if name in people and value else value
        for name, value in line.set.items()
    }
    return line.model_copy(update={"match": match, "set": new})
