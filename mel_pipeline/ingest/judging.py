"""Judge the staged rows of a load and quarantine what breaks a rule: the cell, or the row that is nothing without it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import sqlalchemy as sa

    from mel_pipeline.core.contracts import EntityContract, SourceContract
    from mel_pipeline.quality import Rule
    from mel_pipeline.warehouse.quarantine import Quarantined


def judge_staged(
    connection: sa.Connection, contract: SourceContract, entity: str, load_id: str, now: datetime
) -> int:
    """Judge everything staged for an entity, in the transaction that publishes it.

    Returns:
        How many cells were lost in rows that are kept; rows count in the staging table.
    """
    from mel_pipeline import quality
    from mel_pipeline.warehouse import quarantine, raw

    details, load = contract.entities[entity], contract.asset(entity)
    broken = quality.judge_rows(connection, raw.staging_of(load), details)
    if not broken:
        return 0
    rows = f"({quality.rows_staged(raw.staging_of(load))}) as staged"
    quarantine.note_faults(connection, [rule.broken.format(batch=rows) for rule in broken])
    lost_cells = 0
    for chunk in quarantine.faulty_rows(connection, load):
        bad = list(_quarantined(chunk, broken, details))
        lost_cells += len({(row.row_key, row.source_ref, row.column) for row in bad if row.lost == "cell"})
        quarantine.put(connection, contract.name, entity, bad, load_id, now)
    cells = {number: rule.column for number, rule in enumerate(broken) if rule.loses == "cell"}
    quarantine.take_out(connection, load, cells, [n for n in range(len(broken)) if n not in cells])
    return lost_cells


def _quarantined(
    faulty: Sequence[Mapping[str, Any]], broken: Sequence[Rule], contract: EntityContract
) -> Iterator[Quarantined]:
    from mel_pipeline.warehouse.quarantine import Quarantined

    rows_lost = {row["_seq"] for row in faulty if broken[row["rule"]].loses == "row"}
    for row in faulty:
        rule = broken[row["rule"]]
        lost: Literal["row", "cell"] = "row" if row["_seq"] in rows_lost else "cell"
        values = {name: row[name] for name in contract.columns}
        yield Quarantined(
            row["_source_ref"],
            row["_row_key"],
            rule.column,
            rule.name,
            rule.reason(row[rule.column]),
            json.dumps(values, ensure_ascii=False, sort_keys=True),
            lost,
        )
