"""Recalculate a published quarter from the raw data as of then, and compare byte for byte.

Rows erased on request since cannot be recalculated from. Then the frozen figures are what is verified: they are as
published, and each difference is one that the erased rows can make.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.errors import PublicationError
from mel_pipeline.publication import store
from mel_pipeline.publication.calculations import calculate_again, raw_tables_by_indicator
from mel_pipeline.publication.restatement import KEY

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from mel_pipeline.warehouse import Warehouse

NUMBERS = ["value", "numerator", "denominator", "n"]


@dataclass(frozen=True)
class Rebuilt:
    """Result of the comparison. ``differing`` names the figures that differ.

    ``erased``: people erased since the publication. ``is_by_erasure``: the frozen figures are as published, and the
    erased rows explain every difference.
    """

    quarter: str
    version: int
    figures: int
    identical: bool
    differing: list[str] = field(default_factory=list)
    erased: int = 0
    is_by_erasure: bool = False

    @property
    def is_verified(self) -> bool:
        return self.identical or self.is_by_erasure

    @property
    def sentence(self) -> str:
        what = f"{self.quarter}, version {self.version}"
        if self.identical:
            return f"{what}: {self.figures:,} figures recalculated from the stored data are identical."
        people = f"{self.erased:,} {'person was' if self.erased == 1 else 'people were'} erased on request"
        if self.is_by_erasure:
            return (
                f"{what}: the {self.figures:,} frozen figures are as published. Recalculated from what is stored now,"
                f" {len(self.differing):,} differ, because {people} since."
            )
        why = " The stored data or the ledger were changed from outside: restore the warehouse from a backup."
        if self.erased:
            why = f" Since then {people}, which does not explain all of it.{why}"
        return f"{what}: {len(self.differing):,} of {self.figures:,} figures differ.{why}"


def rebuild(warehouse: Warehouse, quarter: str) -> Rebuilt:
    """Recalculate the last published version of a quarter.

    Raises:
        PublicationError: the quarter is not published.
    """
    publication = store.last_publication(warehouse, quarter)
    if publication is None:
        raise PublicationError(
            f"Rebuilding {quarter}: it is not published. Publish it first with `mel publish`."
        )
    made = publication.details["calculation"]
    calculation = next(item for item in store.calculations(warehouse, quarter) if item.calculation_id == made)
    frozen = warehouse.read(
        "select * from published_figures where quarter = :quarter and version = :version",
        {"quarter": quarter, "version": publication.version},
    )
    again = calculate_again(warehouse, calculation)
    kept = {tuple(cell) for cell in publication.details.get("kept", [])}
    shown = _as_published(again, frozen, kept)
    same_shown = store.digest_of(store.figures_text(shown)) == publication.figures
    same_behind = store.digest_of(store.figures_text(again)) == calculation.figures
    is_same = same_shown and same_behind
    cells = _differences(frozen, shown)
    differing = [cell.sentence for cell in cells]
    if not is_same and not differing:
        differing = ["figures that are withheld"]
    removed = _erased_since(warehouse, publication.happened_at)
    intact = store.digest_of(store.figures_text(frozen)) == publication.figures
    explained = False
    if not is_same and removed and intact and not store.broken_links(warehouse):
        inputs = raw_tables_by_indicator(warehouse, calculation)
        explained = all(cell.is_within(removed, inputs) for cell in cells)
    if explained and cells:
        differing = [cell.sentence_by_erasure for cell in cells]
    return Rebuilt(
        quarter,
        publication.version or 1,
        len(frozen),
        is_same and not differing,
        differing,
        len(removed),
        explained,
    )


@dataclass(frozen=True)
class _Difference:
    """A frozen figure and the recalculated one; None where there is no such cell."""

    cell: tuple[str, ...]
    frozen: Mapping[str, Any] | None
    again: Mapping[str, Any] | None

    @property
    def sentence(self) -> str:
        before, now = (_words(row) for row in (self.frozen, self.again))
        return f"{' '.join(self.cell)}: published {before}, now {now}"

    @property
    def sentence_by_erasure(self) -> str:
        """Without the recalculated value: beside the published one it would tell what the erased person answered."""
        fewer = _number(self.frozen, "n") - _number(self.again, "n")
        by = f", now from {fewer:g} fewer" if fewer > 0 else ", now different"
        return f"{' '.join(self.cell)}: published {_words(self.frozen)}{by}"

    def is_within(self, removed: Sequence[Mapping[str, int]], inputs: Mapping[str, set[str]]) -> bool:
        """Whether erased rows can make the difference: of tables the indicator reads, and no more than were erased."""
        reads = inputs.get(self.cell[0], set())
        most = sum(count for tables in removed for table, count in tables.items() if table in reads)
        moved = [abs(_number(self.frozen, name) - _number(self.again, name)) for name in ("n", "denominator")]
        return most > 0 and max(moved) <= most


def _differences(frozen: pd.DataFrame, shown: pd.DataFrame) -> list[_Difference]:
    """Every cell that differs."""
    sides = [
        {tuple(str(row[name]) for name in KEY): (row, texts) for row, texts in _rows_with_texts(frame)}
        for frame in (frozen, shown)
    ]
    nothing = (None, ())
    found = []
    for cell in sorted({*sides[0], *sides[1]}):
        (before, was), (now, is_now) = (side.get(cell, nothing) for side in sides)
        if was != is_now:
            found.append(_Difference(cell, before, now))
    return found


def _rows_with_texts(frame: pd.DataFrame) -> Iterator[tuple[Mapping[str, Any], tuple[str, ...]]]:
    for row, texts in zip(frame.to_dict("records"), store.canonical_rows(frame), strict=True):
        yield {str(name): value for name, value in row.items()}, texts


def _words(row: Mapping[str, Any] | None) -> str:
    import pandas as pd

    if row is None:
        return "no such figure"
    if row["status"] != "ok" or pd.isna(row["value"]):
        return str(row["status"]).replace("_", " ")
    of = "" if pd.isna(row["n"]) else f" (n = {row['n']:g})"
    return f"{row['value']:g}{of}"


def _number(row: Mapping[str, Any] | None, name: str) -> float:
    import pandas as pd

    return 0.0 if row is None or pd.isna(row[name]) else float(row[name])


def _erased_since(warehouse: Warehouse, moment: datetime) -> list[dict[str, int]]:
    """For each person erased since: raw table → rows removed. A version of a row counts as a row."""
    if not warehouse.has_table("erasure"):
        return []
    rows = warehouse.records("select removed from erasure where erased_at > :moment", {"moment": moment})
    return [_of_raw_tables(json.loads(row["removed"] or "{}")) for row in rows]


def _of_raw_tables(removed: Mapping[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for table, count in removed.items():
        name = table.removesuffix("_history").removesuffix("_staged")
        found[name] = max(found.get(name, 0), count)
    return found


def _as_published(again: pd.DataFrame, frozen: pd.DataFrame, kept: set[tuple[str, ...]]) -> pd.DataFrame:
    """The recalculated figures, with the same cells withheld, and cells carried over from an earlier version."""
    import pandas as pd

    names = [tuple(row) for row in again[KEY].itertuples(index=False)]
    hidden = {tuple(row) for row in frozen.loc[frozen["status"] == "suppressed", KEY].itertuples(index=False)}
    mine = pd.Series([name in hidden for name in names], index=again.index)
    shown = again.copy()
    shown.loc[mine, [*NUMBERS, "note"]] = None
    shown.loc[mine, "status"] = "suppressed"
    stays = pd.Series([name in kept for name in names], index=again.index)
    old = [tuple(row) in kept for row in frozen[KEY].itertuples(index=False)]
    return pd.concat([shown[~stays], frozen[old][shown.columns]], ignore_index=True) if kept else shown
