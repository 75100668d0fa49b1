"""What people state about figures, for an edition: where those counted by hand come from, and earlier publications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.languages import BASE
from mel_pipeline.core.target_path import last_day
from mel_pipeline.publication.statements import baseline_rows, earlier_rows, read_statements
from mel_pipeline.reporting.edition import EarlierFigure, Stated
from mel_pipeline.reporting.figures.measures import missing

if TYPE_CHECKING:
    import pandas as pd

    from mel_pipeline.core.settings import Settings
    from mel_pipeline.warehouse import Warehouse

TOTAL = "total"


@dataclass(frozen=True)
class Baseline:
    """Where an indicator started, as stated; ``value`` is None where it was not published."""

    value: float | None
    period: str
    note: str | None


@dataclass(frozen=True)
class StatedParts:
    """Of an edition; ``verbatim`` are words to be printed as they were written."""

    statements: list[Stated]
    earlier: list[EarlierFigure]
    verbatim: tuple[str, ...]
    baselines: Mapping[str, Sequence[Baseline]] = field(default_factory=dict)  # by indicator
    sentences: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # language → English → text

    def with_baselines(self, indicators: pd.DataFrame, period: str) -> pd.DataFrame:
        """The indicators with the baselines of an edition.

        The latest one stated for a time before the edition's year; else the one of the catalogue; where none is stated,
        the last figure published earlier, a year's before a quarter's.
        """
        import pandas as pd

        begins = date(int(period[:4]), 1, 1)
        used: list[Baseline | None] = []
        for code, stated in zip(indicators["indicator_id"], indicators["baseline_period"], strict=True):
            before = [one for one in self.baselines.get(code, ()) if last_day(one.period) < begins]
            published = [
                item for item in self.earlier if (item.indicator_id, item.dimension) == (code, TOTAL)
            ]
            if before:
                used.append(max(before, key=lambda one: last_day(one.period)))
            elif missing(stated) and published:
                latest = max(published, key=lambda item: ("-" not in item.period, item.period))
                used.append(Baseline(latest.value, latest.period, origin_of(latest)))
            else:
                used.append(None)
        frame = indicators.copy()
        for column in ("value", "period", "note"):
            old = indicators[f"baseline_{column}"].astype(object)
            values: list[Any] = [
                value if one is None else getattr(one, column) for value, one in zip(old, used, strict=True)
            ]
            frame[f"baseline_{column}"] = pd.Series(values, index=frame.index)
        return frame


def origin_of(figure: EarlierFigure) -> str:
    """``Annual report 2022, p. 14``: as it was written, in every language."""
    return f"{figure.document}, p. {figure.page}"


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
        tuple(sorted(words)),
        *_baselines(warehouse),
    )


def _baselines(
    warehouse: Warehouse,
) -> tuple[dict[str, list[Baseline]], dict[str, dict[str, str]]]:
    """Every stated baseline of a total, and its reasons in the other languages."""
    found: dict[str, list[Baseline]] = {}
    sentences: dict[str, dict[str, str]] = {}
    for row in baseline_rows(warehouse):
        value = float(row["value"]) if row["value"] else None
        found.setdefault(row["indicator"], []).append(Baseline(value, row["period"], row["reason_en"]))
        for name, text in row.items():
            language = str(name).removeprefix("reason_")
            if language not in (name, BASE) and text and row["reason_en"]:
                sentences.setdefault(language, {})[row["reason_en"]] = text
    return found, sentences
