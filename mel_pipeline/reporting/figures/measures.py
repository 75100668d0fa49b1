"""An indicator as reporting sees it: the row of ``dim_indicator`` in one language, typed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.money import is_currency

if TYPE_CHECKING:
    from mel_pipeline.reporting.edition import Edition

RATES = ("percent", "score", "points")  # units of shares and means


@dataclass(frozen=True)
class Measure:
    """What is counted, how it is shown and which direction is good."""

    id: str
    headline: bool
    pictured: bool
    name: str
    definition: str
    limitations: str
    unit: str
    aggregation: str  # stock | flow | distinct | ratio
    direction: str  # increase | decrease | in_band | context
    band: tuple[float, float] | None
    decimals: int
    chart: str
    chart_dimension: str | None
    lines: tuple[str, ...]
    numerator_text: str
    denominator_text: str
    source: str
    frequency: str
    owner_role: str
    level: str  # input | output | outcome | impact
    collection: str
    rationale: str
    assessed_on: date | None  # last data-quality assessment
    baseline_value: float | None
    baseline_period: str
    baseline_note: str
    is_stated: bool = False  # counted by hand
    parts: str | None = None  # the breakdown by what may join or leave: accounts, sites, tools
    by_volunteers: bool = False  # those who answered chose themselves: its interval covers chance alone

    @property
    def is_distribution(self) -> bool:
        """All answers by kind: the total is always 100%, so only the cells carry information."""
        return self.chart_dimension in ("answer", "recommendation")

    @property
    def is_level(self) -> bool:
        """Where something stands, so that one period leads to the next; an amount begins again in each period."""
        return self.aggregation in ("stock", "ratio")

    @property
    def is_money(self) -> bool:
        """The unit of an amount is its currency (ISO 4217)."""
        return is_currency(self.unit)

    @property
    def is_estimate(self) -> bool:
        """A share or a mean: it rests on n cases and varies by chance."""
        return self.unit in RATES

    @property
    def is_line(self) -> bool:
        """Levels are drawn as a line, amounts of a quarter as bars."""
        return self.aggregation == "stock" or self.is_estimate


def missing(value: object) -> bool:
    """None, NaN, NaT and pandas' NA alike."""
    return value is None or bool(pd.isna(value))  # type: ignore[call-overload]  # any scalar will do


def number(value: Any) -> float | None:
    return None if missing(value) else float(value)


def words(value: Any) -> str:
    return "" if missing(value) else str(value).strip()


def measures(edition: Edition, language: str) -> list[Measure]:
    """All indicators in report order.

    Raises:
        ReportError: there are none, or an indicator has no name.
    """
    rows = edition.indicators.sort_values(["position", "indicator_id"]).to_dict("records")
    if not rows:
        raise ReportError(f"Reporting {edition.period}: no indicators are defined. Rebuild the SQL models.")
    return [_measure({str(key): value for key, value in row.items()}, language) for row in rows]


def _measure(row: dict[str, Any], language: str) -> Measure:
    def local(column: str) -> str:
        return words(row.get(f"{column}_{language}")) or words(row.get(f"{column}_en"))

    name = local("name")
    if not name:
        raise ReportError(f"Reporting {row['indicator_id']}: it has no name. Add one to its YAML file.")
    low, high = number(row["band_low"]), number(row["band_high"])
    return Measure(
        id=words(row["indicator_id"]),
        headline=(headline := words(row["headline"]).lower() in ("true", "1")),
        pictured=headline or words(row["pictured"]).lower() in ("true", "1"),
        name=name,
        definition=local("definition"),
        limitations=local("limitations"),
        unit=words(row["unit"]),
        aggregation=words(row["aggregation"]),
        direction=words(row["direction"]),
        band=None if low is None or high is None else (low, high),
        decimals=int(number(row["decimals"]) or 0),
        chart=words(row["chart"]) or "trend",
        chart_dimension=words(row["chart_dimension"]) or None,
        lines=tuple(part.strip() for part in words(row["lines_of_action"]).split(";") if part.strip()),
        numerator_text=words(row["numerator_text"]),
        denominator_text=words(row["denominator_text"]),
        source=words(row["source"]),
        frequency=words(row["frequency"]),
        owner_role=words(row["owner_role"]),
        level=words(row["level"]),
        collection=words(row["collection"]),
        rationale=local("rationale"),
        assessed_on=None if missing(row["assessed_on"]) else pd.Timestamp(row["assessed_on"]).date(),
        baseline_value=number(row["baseline_value"]),
        baseline_period=words(row["baseline_period"]),
        baseline_note=words(row["baseline_note"]),
        is_stated=words(row.get("is_stated")).lower() in ("true", "1"),
        parts=words(row.get("parts")) or None,
        by_volunteers=words(row.get("interval_covers")) == "volunteers",
    )
