"""What people state about figures, for an edition: where those counted by hand come from, and earlier publications."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mel_pipeline.publication.statements import earlier_rows, read_statements
from mel_pipeline.reporting.edition import EarlierFigure, Stated
from mel_pipeline.reporting.figures.measures import missing

if TYPE_CHECKING:
    import pandas as pd

    from mel_pipeline.core.settings import Settings
    from mel_pipeline.warehouse import Warehouse

TOTAL = "total"


@dataclass(frozen=True)
class StatedParts:
    """Of an edition; ``verbatim`` are words to be printed as they were written."""

    statements: list[Stated]
    earlier: list[EarlierFigure]
    verbatim: frozenset[str]

    def with_baselines(self, indicators: pd.DataFrame) -> pd.DataFrame:
        """The indicators; one for which no baseline is stated starts at its last earlier figure of a year, or quarter."""
        latest = {
            item.indicator_id: self._latest(item.indicator_id)
            for item in self.earlier
            if item.dimension == TOTAL
        }
        used = [
            latest.get(code) if missing(period) else None
            for code, period in zip(indicators["indicator_id"], indicators["baseline_period"], strict=True)
        ]
        import pandas as pd

        frame = indicators.copy()
        for column, given in _BASELINE.items():
            old = indicators[column].astype(object)
            values: list[Any] = [
                value if figure is None else given(figure) for value, figure in zip(old, used, strict=True)
            ]
            frame[column] = pd.Series(values, index=frame.index)
        return frame

    def _latest(self, indicator: str) -> EarlierFigure:
        mine = [item for item in self.earlier if item.indicator_id == indicator and item.dimension == TOTAL]
        return max(mine, key=lambda item: ("-" not in item.period, item.period))


def origin_of(figure: EarlierFigure) -> str:
    """``Annual report 2022, p. 14``: as it was written, in every language."""
    return f"{figure.document}, p. {figure.page}"


_BASELINE: dict[str, Callable[[EarlierFigure], Any]] = {
    "baseline_value": lambda figure: figure.value,
    "baseline_period": lambda figure: figure.period,
    "baseline_note": origin_of,
}


def read_stated(warehouse: Warehouse, settings: Settings, figures: pd.DataFrame) -> StatedParts:
    """Read it.

    Evidence is left out where its figure is withheld or not available: its words could say the number.

    Args:
        figures: those of the edition; columns of ``released_figures``.
    """
    shown = figures[figures["status"] == "ok"]
    released = set(
        zip(
            shown["indicator_id"],
            shown["period"],
            shown["dimension"],
            shown["category"].fillna("").astype(str),
            strict=True,
        )
    )
    statements = [
        item
        for item in read_statements(warehouse, settings)
        if (item.indicator_id, item.period, item.dimension, item.category) in released
    ]
    earlier = [
        EarlierFigure(
            row["indicator"],
            row["period"],
            row["dimension"] or TOTAL,
            (row["category"] or "") if row["dimension"] else "",
            float(row["value"]),
            row["document"],
            row["page"],
            row["note"] or "",
        )
        for row in earlier_rows(warehouse)
    ]
    own = warehouse.records(
        "select unit, numerator_text, denominator_text, owner_role from dim_indicator where is_stated"
    )
    words = {text for row in own for text in row.values() if text}
    words |= {item.note for item in statements if item.note} | set(map(origin_of, earlier))
    return StatedParts(
        [
            Stated(
                item.indicator_id,
                item.period,
                item.dimension,
                item.category,
                item.evidence,
                item.role,
                item.day,
                item.version,
            )
            for item in statements
        ],
        earlier,
        frozenset(words),
    )
