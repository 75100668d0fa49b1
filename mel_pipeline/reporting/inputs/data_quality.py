"""What an edition says of its own data: rows by source, rules that hold, outages. Reads the warehouse; judges nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.ingest.privacy.keys import entities_about_people
from mel_pipeline.quality.scorecard import card, rules

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pandas as pd

    from mel_pipeline.warehouse import Warehouse


def read_quality(warehouse: Warehouse, min_cell: int) -> pd.DataFrame:
    """One row per raw table: rows read, stored and quarantined, the last load in words, and the last change.

    Rows about fewer than ``min_cell`` people are not counted (missing): they are the denominator that a figure withholds.
    Not the last request to the source: it moves every night, and would change every page and PDF.
    """
    import pandas as pd

    loads = {
        (row["source"], row["entity"]): row
        for row in warehouse.records(
            "select source, entity, max(case when status = 'loaded' then finished_at end) as last_loaded,"
            " max(case when new + changed + deleted > 0 then finished_at end) as last_changed,"
            " max(finished_at) as last_tried from load_ledger group by source, entity",
        )
    }
    tried = {source for source, _ in loads}
    quarantine = {
        (row["source"], row["entity"]): (int(row["rows_lost"]), int(row["cells_lost"]))
        for row in warehouse.records(
            "select source, entity, count(distinct case when lost = 'row' then coalesce(row_key, source_ref) end)"
            " as rows_lost, count(distinct case when lost = 'cell' then row_key || column_name end) as cells_lost"
            " from quarantine where resolved_at is null group by source, entity",
        )
    }
    tables, about_people = warehouse.tables(), set(entities_about_people())
    rows = []
    for source in source_names():
        contract = contract_of(source)
        if contract.kind == "stated" or (contract.kind is not None and source not in tried):
            continue  # what people state is no data of a source; a platform the organisation does not use
        for entity, details in contract.entities.items():
            load = loads.get(
                (source, entity), {"last_loaded": None, "last_changed": None, "last_tried": None}
            )
            last = load["last_loaded"]
            quarantined, cells = quarantine.get((source, entity), (0, 0))
            table = contract.table(entity)
            stored = _stored(warehouse, table, source, entity) if table in tables else 0
            is_small = (source, entity) in about_people and 0 < stored < min_cell
            rows.append(
                {
                    "source_title": contract.title,
                    "entity_title": details.title,
                    "source": source,
                    "rows_read": None if is_small else stored + quarantined,
                    "rows_stored": None if is_small else stored,
                    "rows_quarantined": quarantined,
                    "status_sentence": _status(last, load["last_tried"], quarantined, cells),
                    "last_changed_on": load["last_changed"].date() if load["last_changed"] else None,
                }
            )
    return pd.DataFrame(rows).astype({"rows_read": "Int64", "rows_stored": "Int64"})


def source_card(warehouse: Warehouse, quality: pd.DataFrame) -> list[dict[str, Any]]:
    """The card of the sources; without the sum of rows where one of its parts is not shown."""
    small = set(quality.loc[quality["rows_stored"].isna(), "source"])
    return [
        {**vars(line), "aside": line.quarantined, "rows": None if line.source in small else line.rows}
        for line in card(warehouse)
        if contract_of(line.source).kind != "stated"
    ]


def _stored(warehouse: Warehouse, table: str, source: str, entity: str) -> int:
    """Rows of an entity. In a table shared by sources, count the rows last written by this source's loads."""
    query = f"select count(*) as n from {table} where not _is_deleted"  # noqa: S608
    if contract_of(source).entities[entity].shape is None:
        return int(warehouse.read(query)["n"].iloc[0])
    mine = f"{query} and starts_with(_load_id, :load)"
    return int(warehouse.read(mine, {"load": f"{source}-{entity}-"})["n"].iloc[0])


def _status(loaded: datetime | None, tried: datetime | None, quarantined: int, cells: int) -> str:
    # Each sentence is a phrase in the locale files, where it is translated.
    if loaded is None:
        return "Not loaded yet."
    if tried is not None and tried > loaded:
        return "The last load failed; what was loaded before stands. See the notes."
    reasons = "The quarantine table gives the reasons."
    if cells and quarantined:
        return f"Quarantined rows: {quarantined:,}; cells left empty: {cells:,}. {reasons}"
    if cells:
        return f"Cells left empty: {cells:,}. {reasons}"
    if quarantined:
        return f"Quarantined rows: {quarantined:,}. {reasons}"
    return "Complete."


def rules_held(warehouse: Warehouse, quarters: Sequence[str]) -> list[dict[str, Any]]:
    """How many rules pass, by dimension of data quality."""
    return [
        {"dimension": name, "rules": len(found), "hold": sum(bool(rule["passed"]) for rule in found)}
        for name, found in rules(warehouse, quarters).items()
    ]


def read_outages(warehouse: Warehouse) -> list[str]:
    """Current outages, one per source and reason: the last load of an entity failed."""
    failed = warehouse.records(
        "select source, entity, finished_at, message, loaded_at from ("
        " select *, row_number() over (partition by source, entity order by finished_at desc) as recent,"
        " max(case when status = 'loaded' then finished_at end) over (partition by source, entity) as loaded_at"
        " from load_ledger) l where recent = 1 and status = 'failed' order by source, entity",
    )
    outages: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in failed:
        # Messages begin with the request ("Instagram account 17 reach: ..."); the reason follows.
        outages.setdefault((row["source"], row["message"].split(": ", 1)[-1]), []).append(row)
    return [_outage(rows, reason) for (_, reason), rows in outages.items()]


def read_unknown_ends(warehouse: Warehouse) -> list[str]:
    """Where rows count as still active because the day they ended cannot be read; without a number, they may be people.

    Neither leaving the row out nor guessing its day would be nearer to the truth: it did count before.
    """
    lost = {
        (row["source"], row["entity"], row["column_name"])
        for row in warehouse.records(
            "select distinct source, entity, column_name from quarantine where resolved_at is null and lost = 'cell'"
        )
    }
    return [
        f"{contract.title} ({details.title}): dates of leaving that cannot be read. Members and people with one count as"
        " still active until it is corrected at the source."
        for contract in map(contract_of, source_names())
        for entity, details in contract.entities.items()
        if any(
            column.ends and (contract.name, entity, name) in lost for name, column in details.columns.items()
        )
    ]


def _outage(rows: list[dict[str, Any]], reason: str) -> str:
    contract = contract_of(rows[0]["source"])
    titles = ", ".join(contract.entities[row["entity"]].title for row in rows)
    what = contract.title if len(rows) == len(contract.entities) else f"{contract.title} ({titles})"
    loaded = [row["loaded_at"] for row in rows if row["loaded_at"] is not None]
    since = f"not updated since {min(loaded):%Y-%m-%d}" if loaded else "never loaded"
    tried = max(row["finished_at"] for row in rows)
    return f"{what}: {since}; tried on {tried:%Y-%m-%d}. {reason[:1].upper()}{reason[1:]}"
