"""Recalculate a published quarter from the raw data as of then, and compare byte for byte."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import PublicationError
from mel_pipeline.publication import store
from mel_pipeline.publication.calculations import calculate_again
from mel_pipeline.publication.restatement import KEY

if TYPE_CHECKING:
    import pandas as pd

    from mel_pipeline.warehouse import Warehouse

NUMBERS = ["value", "numerator", "denominator", "n"]


@dataclass(frozen=True)
class Rebuilt:
    """Result of the comparison. ``differing`` names the figures that differ."""

    quarter: str
    version: int
    figures: int
    identical: bool
    differing: list[str] = field(default_factory=list)
    erased: int = 0

    @property
    def sentence(self) -> str:
        what = f"{self.quarter}, version {self.version}"
        if self.identical:
            return f"{what}: {self.figures:,} figures recalculated from the stored data are identical."
        why = (
            f" Since then {self.erased:,} people were erased on request; their rows are gone for good."
            if self.erased
            else " The stored data or the ledger were changed from outside: restore the warehouse from a backup."
        )
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
    differing = sorted(_lines(frozen) ^ _lines(shown))
    if not same_behind and not differing:
        differing = ["figures that are withheld"]
    erased = 0
    if warehouse.has_table("erasure"):
        since = "select count(*) as n from erasure where erased_at > :moment"
        erased = int(warehouse.records(since, {"moment": publication.happened_at})[0]["n"])
    return Rebuilt(
        quarter,
        publication.version or 1,
        len(frozen),
        same_shown and same_behind and not differing,
        differing,
        erased,
    )


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


def _lines(frame: pd.DataFrame) -> set[str]:
    return set(store.figures_text(frame).splitlines())
