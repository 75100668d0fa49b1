"""What a chart is given: the plotted numbers, their labels and its words. Draws nothing.

Picture, alternative text and data table come from the same rows, so that they cannot drift apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from mel_pipeline.reporting.figures import NOT_AVAILABLE, SUPPRESSED, Figures, Reading, quarters_shown
from mel_pipeline.reporting.findings import UNSTATED, breakdown_finding, finding

if TYPE_CHECKING:
    from collections.abc import Hashable

    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.reporting.measures import Measure
    from mel_pipeline.reporting.texts import Texts

QUARTERS_WIDE, QUARTERS_NARROW = 8, 5
MOST_BARS = 12
GENDERS = ("Woman", "Man", "Non-binary", "Undisclosed")
COLUMNS = ["label", "value", "shown", "n", "status", "emphasis", "target", "note", "code", "full", "base"]


@dataclass(frozen=True)
class ChartFrame:
    """``data``: one row a mark, in drawing order, columns ``COLUMNS``; ``shown`` is the label in words."""

    measure: Measure
    period: str
    kind: str
    data: pd.DataFrame
    title: str
    subtitle: str
    footnote: str
    alt: str
    narrow: bool
    column: str  # heading of the first column of the data table
    target_label: str = ""

    @property
    def marks(self) -> list[dict[Hashable, Any]]:
        return self.data.to_dict("records")

    @property
    def has_base(self) -> bool:
        return bool((self.data["base"] != "").any())

    @property
    def has_notes(self) -> bool:
        return bool((self.data["note"] != "").any())

    @property
    def is_empty(self) -> bool:
        """Nothing to draw: every mark is missing."""
        return bool(self.data["value"].isna().all())


def chart_frame(
    edition: Edition, measure: Measure, figures: Figures, texts: Texts, *, narrow: bool
) -> ChartFrame:
    """The frame for the kind of chart the indicator asks for; a breakdown without cells falls back to the trend.

    A kind of its own (a new file in ``charts/``) gets the quarters, like a trend.
    """
    kind = measure.chart
    dimension = measure.chart_dimension or ("region" if kind == "regions" else "category")
    if kind == "gender":
        return _gender(edition, measure, figures, texts, narrow)
    if kind not in ("regions", "categories"):
        return _trend(edition, measure, figures, texts, narrow, kind)
    if not figures.cells(measure.id, edition.period, dimension):
        return _trend(edition, measure, figures, texts, narrow, "trend")
    return _breakdown(edition, measure, figures, texts, narrow, dimension)


def _trend(
    edition: Edition, measure: Measure, figures: Figures, texts: Texts, narrow: bool, kind: str
) -> ChartFrame:
    periods = quarters_shown(edition.period, QUARTERS_NARROW if narrow else QUARTERS_WIDE)
    rows, label = [], ""
    for period in periods:
        reading = figures.total(measure.id, period) or Reading(NOT_AVAILABLE)
        target = figures.target(measure, period)
        near = target if target is not None and period.startswith(target.period[:4]) else None
        if near is not None:
            label = texts("chart.target", period=near.period, value=texts.value(measure, near.value))
        emphasis = period == edition.period if "-" in edition.period else period.startswith(edition.period)
        row = _row(measure, period, reading, texts, emphasis=emphasis, narrow=narrow)
        rows.append(row | {"target": None if near is None else near.value})
    stated = texts.choice(
        "statistic", "ratio" if measure.unit in ("percent", "score") else measure.aggregation
    )
    subtitle = texts(
        "chart.trend_subtitle",
        unit=texts.choice("unit", measure.unit),
        statistic=stated,
        first=periods[0],
        last=periods[-1],
    )
    title = finding(measure, figures, edition.period, texts)
    return _frame(edition, measure, kind, rows, title, subtitle, texts, narrow, texts("table.quarter"), label)


def _breakdown(
    edition: Edition, measure: Measure, figures: Figures, texts: Texts, narrow: bool, dimension: str
) -> ChartFrame:
    cells = figures.cells(measure.id, edition.period, dimension)
    total = figures.total(measure.id, edition.period)
    # Largest first; the unstated always last; names decide ties so that the order never wavers.
    order = sorted(
        cells,
        key=lambda name: (name in UNSTATED, cells[name].value is None, -(cells[name].value or 0), name),
    )
    rows = [
        _row(
            measure,
            texts.named("category", name),
            cells[name],
            texts,
            emphasis=name not in UNSTATED,
            narrow=narrow,
        )
        for name in order[:MOST_BARS]
    ]
    subtitle = texts(
        "chart.breakdown_subtitle",
        name=measure.name,
        dimension=texts.named("dimension", dimension),
        when=_when(measure, edition.period, texts),
    )
    unit = texts.choice("unit", measure.unit)
    if unit.lower() != measure.name.lower():
        subtitle = texts("chart.with_unit", subtitle=subtitle, unit=unit)
    title = breakdown_finding(measure, total, cells, texts)
    kind = "regions" if measure.chart == "regions" else "categories"
    heading = texts.named("dimension", dimension).capitalize()
    left_out = texts.plural("chart.left_out", len(cells) - MOST_BARS) if len(cells) > MOST_BARS else ""
    return _frame(edition, measure, kind, rows, title, subtitle, texts, narrow, heading, "", left_out)


def _gender(edition: Edition, measure: Measure, figures: Figures, texts: Texts, narrow: bool) -> ChartFrame:
    """Shares of those who stated their gender, then the undisclosed share of all persons.

    Where a gender is withheld, or only the total is known, the rest is one segment: "other answers".
    """
    cells = figures.cells(measure.id, edition.period, "gender")
    total = figures.total(measure.id, edition.period) or Reading(NOT_AVAILABLE)
    stated = {name: cells[name] for name in GENDERS[:3] if name in cells}
    if total.value is not None and (not stated or any(cell.value is None for cell in stated.values())):
        stated = {"Woman": total, "Other": Reading("ok", value=100 - total.value, n=total.n)}
    if "Undisclosed" in cells and total.value is not None:
        stated["Undisclosed"] = cells["Undisclosed"]
    rows = [
        _row(measure, texts.choice("gender", name), cell, texts, emphasis=name == "Woman", narrow=narrow)
        | {"code": name}
        for name, cell in stated.items()
    ]
    subtitle = texts("chart.gender_subtitle", when=_when(measure, edition.period, texts))
    title = finding(measure, figures, edition.period, texts)
    return _frame(edition, measure, "gender", rows, title, subtitle, texts, narrow, texts("table.gender"))


def _row(
    measure: Measure, label: str, reading: Reading, texts: Texts, *, emphasis: bool, narrow: bool
) -> dict[str, object]:
    base = reading.n if measure.unit in ("percent", "score") else None
    if reading.value is None:
        code = "suppressed" if reading.status == SUPPRESSED else "not_available"
        shown = full = texts.choice("status", code)
    else:
        code = "ok"
        full = texts.value(measure, reading.value)
        shown = texts.short_value(measure, reading.value) if narrow else full
    return {
        "label": label,
        "value": reading.value,
        "shown": shown,
        "n": base,
        "status": code,
        "emphasis": emphasis,
        "target": None,
        "note": reading.note,
        "code": "",
        "full": full,
        "base": "" if base is None else texts.number(base),
    }


def _when(measure: Measure, period: str, texts: Texts) -> str:
    return texts("period.at_end" if measure.aggregation == "stock" else "period.during", period=period)


def _frame(
    edition: Edition,
    measure: Measure,
    kind: str,
    rows: list[dict[str, object]],
    title: str,
    subtitle: str,
    texts: Texts,
    narrow: bool,
    column: str,
    target_label: str = "",
    left_out: str = "",
) -> ChartFrame:
    data = pd.DataFrame(rows, columns=COLUMNS)
    data["value"] = data["value"].astype("float64")
    data["target"] = data["target"].astype("float64")
    data["n"] = data["n"].astype("Int64")
    footnote = texts("chart.source", source=measure.source)
    if edition.is_sample:
        footnote = texts("chart.sample", rest=footnote)
    footnote = f"{left_out} {footnote}" if left_out else footnote
    listed = "; ".join(
        texts("alt.mark", label=row["label"], value=row["shown"]) for row in data.to_dict("records")
    )
    alt = texts(
        "alt.chart",
        kind=texts.named("kind", kind),
        title=title,
        subtitle=subtitle,
        data=listed or texts("alt.empty"),
    )
    if target_label:
        alt = f"{alt} {target_label}."
    return ChartFrame(
        measure, edition.period, kind, data, title, subtitle, footnote, alt, narrow, column, target_label
    )
