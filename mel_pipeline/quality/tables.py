"""Rules about a whole raw table, run where the data is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mel_pipeline.contracts import EntityContract

if TYPE_CHECKING:
    from mel_pipeline.warehouse import Warehouse


@dataclass(frozen=True)
class TableVerdict:
    """What stands against the table. ``blocking``: no figure may be made from it."""

    passed: bool
    blocking: bool
    sentences: list[str]
    counts: dict[str, int] = field(default_factory=dict)


def check_table(
    warehouse: Warehouse, table: str, contract: EntityContract, tables: Mapping[str, str], source: str = ""
) -> TableVerdict:
    """Judge the rows of a raw table that are not deleted.

    An empty table fails, whatever the other rules say: on no rows they would all hold.

    Args:
        tables: raw table of each entity of the same source, for references.
        source: whose rows to judge, where the table is shared.
    """
    with warehouse.connect():  # opened once for everything below
        return _judged(warehouse, table, contract, tables, source)


def _judged(
    warehouse: Warehouse, table: str, contract: EntityContract, tables: Mapping[str, str], source: str
) -> TableVerdict:
    present = warehouse.columns(table)
    if not present:
        return TableVerdict(
            False, contract.blocking, [f"{contract.title}: nothing has been loaded yet."], {"rows": 0}
        )
    missing = [name for name in contract.columns if name not in present]
    if missing:
        sentence = f"{contract.title}: the columns {', '.join(missing)} are missing from the table."
        return TableVerdict(False, contract.blocking, [sentence])
    from mel_pipeline.quality.expectations import validated_query

    there = warehouse.tables()
    known = {entity: name for entity, name in tables.items() if name in there}
    query = f'select * from "{table}" where not _is_deleted'  # noqa: S608
    if contract.told_apart_by is not None:
        query += f" and {contract.told_apart_by} = '{source}'"
    broken: list[tuple[bool, str]] = []
    rows = 0
    with validated_query(warehouse, query, list(_expectations(contract, known))) as result:
        for verdict in result.results:
            config = verdict.expectation_config
            meta = (config.meta if config else None) or {}
            if meta["rule"] == "rows":
                rows = int(verdict.result.get("observed_value", 0))
            if not verdict.success:
                broken.append((bool(meta["blocks"]), _sentence(contract, meta, verdict.result, rows)))
    blocking = contract.blocking and any(blocks for blocks, _ in broken)
    sentences = [sentence for _, sentence in broken] or [_all_well(contract, rows)]
    return TableVerdict(not broken, blocking, sentences, {"rows": rows, "rules broken": len(broken)})


def _expectations(contract: EntityContract, tables: Mapping[str, str]) -> Iterator[Any]:
    from mel_pipeline.quality.expectations import expectation_types

    gxe = expectation_types()

    def meta(rule: str, column: str = "", blocks: bool = True) -> dict[str, Any]:
        return {"rule": rule, "column": column, "blocks": blocks}

    yield gxe.ExpectTableRowCountToBeBetween(min_value=contract.min_rows, meta=meta("rows"))
    yield gxe.ExpectColumnValuesToBeUnique(column="_row_key", meta=meta("unique"))
    for name, column in contract.columns.items():
        if column.required:
            yield gxe.ExpectColumnValuesToNotBeNull(column=name, meta=meta("required", name))
        if column.references is not None and column.references in tables:
            # A row may point at one that arrives with the next load, so this warns and does not stop.
            other = tables[column.references]
            query = (
                f'select "{name}" from {{batch}} where "{name}" is not null'  # noqa: S608
                f' and "{name}" not in (select _row_key from "{other}" where not _is_deleted)'
            )
            yield gxe.UnexpectedRowsExpectation(
                unexpected_rows_query=query, meta=meta("reference", name, blocks=False)
            )


def _sentence(contract: EntityContract, meta: dict[str, Any], result: Mapping[str, Any], rows: int) -> str:
    count = int(result.get("unexpected_count") or result.get("observed_value") or 0)
    if meta["rule"] == "rows":
        return (
            f"{contract.title}: {rows:,} rows where at least {contract.min_rows:,} are expected. An empty or cut-off"
            " export is not a zero: nothing is calculated from it. Export again and repeat the load."
        )
    if meta["rule"] == "unique":
        return f"{contract.title}: {count:,} rows share a key with another row."
    if meta["rule"] == "required":
        return f"{contract.title}: {meta['column']} is missing in {count:,} rows."
    return f"{contract.title}: {count:,} rows name a record in {meta['column']} that is not there."


def _all_well(contract: EntityContract, rows: int) -> str:
    required = [name for name, column in contract.columns.items() if column.required]
    return f"{contract.title}: {rows:,} rows, every key once, nothing missing in {', '.join(required)}."
