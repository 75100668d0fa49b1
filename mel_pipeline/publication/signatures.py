"""Signatures of lines of action: a day in the workbook, and the digest of the figures as they stood when it was accepted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ContractError, WarehouseError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.publication import store
from mel_pipeline.publication.calculations import FIGURES
from mel_pipeline.publication.duties import SIGN_OFF
from mel_pipeline.sources.workbook import versions
from mel_pipeline.sources.workbook.said import Said

if TYPE_CHECKING:
    from mel_pipeline.core.logins import Person
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.sources.workbook.model import Preview, Row, Signed, Version
    from mel_pipeline.warehouse import Warehouse

WHAT_COUNTS = ("kind", "line", "role", "done_on")  # a row that changes in one of these signs again


def accept(
    settings: Settings,
    preview: Preview,
    role: str,
    note: str = "",
    *,
    remove: bool = False,
    by: Person | None = None,
) -> Version:
    """Accept a preview; its new signatures are of the figures that are in the warehouse now.

    Raises:
        ContractError: as ``versions.accept``, or the figures cannot be read while a run writes.
    """
    try:
        signed = signatures_in(settings, preview)
    except WarehouseError:
        raise ContractError(Said("figures_busy")) from None
    return versions.accept(settings, preview, role, note, remove=remove, by=by, signed=signed)


def signatures_in(settings: Settings, preview: Preview) -> Signed:
    """By number of a row that signs: the quarters that ended until its day, and the digest of the line's figures."""
    rows = list(signing_rows(preview))
    if not rows:
        return {}
    before = {str(row["id"]): row for row in preview.current.rows.get("duties", ())}
    found: dict[str, Mapping[str, str]] = {}
    for row in rows:
        number = str(row["id"])
        is_same = number in before and all(row.get(key) == before[number].get(key) for key in WHAT_COUNTS)
        found[number] = preview.current.signed.get(number, {}) if is_same else figures_until(settings, row)
    return found


def signing_rows(preview: Preview) -> Iterator[Row]:
    """New and changed rows that sign a line, with their numbers."""
    changed = {change.id for change in preview.changed if change.sheet == "duties"}
    known = {row["id"] for row in preview.current.rows.get("duties", ())}
    for row in versions.after(preview).rows["duties"]:
        is_touched = row["id"] in changed or row["id"] not in known
        if is_touched and row.get("kind") == SIGN_OFF and row.get("done_on") and row.get("line"):
            yield row


def figures_until(settings: Settings, row: Row) -> dict[str, str]:
    """Calculated quarters that ended on the day of a row or before → digest of the figures of its line."""
    from mel_pipeline.warehouse import Warehouse

    warehouse = Warehouse(settings.database_url, settings.lock_wait_seconds)
    if not warehouse.has_table(FIGURES):
        return {}
    day = date.fromisoformat(str(row["done_on"])[:10])
    line = int(float(str(row["line"])))
    calculated = warehouse.records(f"select distinct quarter from {FIGURES} order by quarter")  # noqa: S608
    quarters = [Quarter.parse(one["quarter"]) for one in calculated]
    ended = [one for one in quarters if one.end - timedelta(days=1) <= day]
    return {str(one): digest_of_line(warehouse, indicators_of(settings, line), one) for one in ended}


def indicators_of(settings: Settings, line: int) -> list[str]:
    """Codes of the indicators under a line of action."""
    from mel_pipeline.transform.catalogue import catalogue_of

    lines = catalogue_of(settings).lines_of_action
    return sorted(code for one in lines if one.number == line for code in one.indicators)


def digest_of_line(warehouse: Warehouse, indicators: Sequence[str], quarter: Quarter) -> str:
    """Digest of the figures of some indicators in a quarter, before small groups are withheld."""
    figures = warehouse.read(
        f"select * from {FIGURES} where quarter = :quarter",  # noqa: S608
        {"quarter": str(quarter)},
    )
    return store.digest_of(store.figures_text(figures[figures["indicator_id"].isin(indicators)]))
