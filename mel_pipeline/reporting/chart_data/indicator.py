"""Data for an indicator's chart: the plotted numbers, their labels and its words. Draws nothing.

Picture, alternative text and data table come from the same rows, so that they cannot drift apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from mel_pipeline.reporting.figures.coverage import compared
from mel_pipeline.reporting.figures.findings import UNSTATED, breakdown_finding, finding
from mel_pipeline.reporting.figures.lookup import (
    NOT_AVAILABLE,
    SUPPRESSED,
    Figures,
    Reading,
    quarters_shown,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from mel_pipeline.reporting.edition import EarlierFigure, Edition
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.text.texts import Texts

QUARTERS_WIDE, QUARTERS_NARROW = 8, 5
LONG = 1_000_000  # from here on a number is wider than its quarter's slot
MOST_BARS = 12
SCORED = "answer"  # a breakdown whose categories have an order of their own
GENDERS = ("Woman", "Man", "Non-binary", "Undisclosed")
EARLIER = "earlier"  # status of a mark that was published before the pipeline
COLUMNS = [
    "label",
    "value",
    "low",
    "high",
    "shown",
    "full",
    "n",
    "base",
    "status",
    "emphasis",
    "target",
    "note",
    "code",
    "breaks",
]
TYPES = {"value": "float64", "low": "float64", "high": "float64", "target": "float64", "n": "Int64"}


@dataclass(frozen=True)
class ChartFrame:
    """``data``: one row per mark, in drawing order, columns ``COLUMNS``.

    ``value`` is what is plotted (missing when there is none), ``low`` and ``high`` its 95 % interval,
    ``shown`` its label, ``full`` the unshortened one,
    ``base`` the n in words, ``emphasis`` whether the mark belongs to the period of the edition, ``breaks`` whether
    something else is counted than in the mark before.
    """

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


@dataclass(frozen=True)
class _Scene:
    """What a frame is built from."""

    edition: Edition
    measure: Measure
    figures: Figures
    texts: Texts
    narrow: bool

    @property
    def total(self) -> Reading:
        return self.figures.total(self.measure.id, self.edition.period) or Reading(NOT_AVAILABLE)

    @property
    def finding(self) -> str:
        return finding(self.measure, self.figures, self.edition.period, self.texts)

    @property
    def when(self) -> str:
        at_end = self.measure.aggregation == "stock"
        return self.texts("period.at_end" if at_end else "period.during", period=self.edition.period)


def chart_frame(
    edition: Edition, measure: Measure, figures: Figures, texts: Texts, *, narrow: bool
) -> ChartFrame:
    """The frame for the indicator's kind of chart; a breakdown without cells becomes a trend.

    A kind of its own (a new file in ``charts/``) gets the quarters, like a trend.
    """
    scene = _Scene(edition, measure, figures, texts, narrow)
    kind = measure.chart
    dimension = measure.chart_dimension or ("region" if kind == "regions" else "category")
    if kind == "gender":
        return _gender(scene)
    if kind not in ("regions", "categories"):
        return _trend(scene, kind)
    if not figures.cells(measure.id, edition.period, dimension):
        return _trend(scene, "trend")
    return _breakdown(scene, kind, dimension)


def _trend(scene: _Scene, kind: str) -> ChartFrame:
    edition, measure, figures, texts = scene.edition, scene.measure, scene.figures, scene.texts
    periods = quarters_shown(edition.period, QUARTERS_NARROW if scene.narrow else QUARTERS_WIDE)
    # Quarters before the first calculation are not a gap in the data: the chart begins with the first figure.
    begun = [
        slot
        for slot, period in enumerate(periods)
        if figures.total(measure.id, period) is not None or figures.earlier(measure.id, period) is not None
    ]
    periods = periods[begun[0] :] if begun else periods
    rows, label = [], ""
    broken = breaks_of(figures, measure, periods)
    for period in periods:
        reading = figures.total(measure.id, period) or Reading(NOT_AVAILABLE)
        near = figures.target_line(measure, period)
        if near is not None:
            label = texts("chart.target", period=near.period, value=texts.value(measure, near.value))
        row = _row(scene, period, reading, emphasis=period.startswith(edition.period))
        before = figures.earlier(measure.id, period)
        if before is not None:
            row |= earlier_mark(before, measure, texts)
        if reading.value is not None and abs(reading.value) >= LONG:
            row["shown"] = texts.short_value(measure, reading.value)
        rows.append(row | {"target": None if near is None else near.value, "breaks": period in broken})
    stated = "ratio" if measure.is_estimate else measure.aggregation
    subtitle = texts(
        "chart.trend_subtitle",
        unit=texts.unit(measure),
        statistic=texts.choice("statistic", stated),
        first=periods[0],
        last=periods[-1],
    )
    column = texts("table.quarter")
    hollow = texts("chart.earlier") if any(row["status"] == EARLIER for row in rows) else ""
    foot = break_words([str(row["label"]) for row in rows if row["breaks"]], texts)
    interval = texts("chart.interval") if any(row["low"] is not None for row in rows) else ""
    foot = " ".join(filter(None, [whole_year_note(edition, measure, texts), foot, hollow, interval]))
    return _frame(
        scene, kind, rows, title=scene.finding, subtitle=subtitle, column=column, target=label, foot=foot
    )


def earlier_mark(before: EarlierFigure, measure: Measure, texts: Texts) -> dict[str, object]:
    """What a mark of a figure published earlier has of its own: its status is drawn hollow."""
    shown = texts.value(measure, before.value)
    return {
        "value": before.value,
        "shown": shown,
        "full": texts("chart.earlier_value", value=shown),
        "status": EARLIER,
        "note": texts("chart.earlier_note", document=before.document, page=before.page),
    }


def whole_year_note(edition: Edition, measure: Measure, texts: Texts) -> str:
    """The foot line under a year's quarters when the title gives a yearly figure that no quarter shows."""
    is_recounted = edition.grain == "year" and measure.aggregation == "distinct"
    return texts("chart.whole_year") if is_recounted else ""


def breaks_of(figures: Figures, measure: Measure, periods: Sequence[str]) -> list[str]:
    """The periods whose coverage differs from that of the last period before them that has a figure."""
    found = []
    last = ""
    for period in periods:
        reading = figures.total(measure.id, period)
        if reading is None or reading.value is None:
            continue
        common = compared(measure, figures, period, last) if last else None
        if last and (common is None or not common.is_whole):
            found.append(period)
        last = period
    return found


def break_words(periods: list[str], texts: Texts) -> str:
    """What the break marks mean; the notes in the table say what changed."""
    if len(periods) == 1:
        return texts("picture.break", period=periods[0])
    return texts("picture.breaks", periods=", ".join(periods)) if periods else ""


def _breakdown(scene: _Scene, kind: str, dimension: str) -> ChartFrame:
    """Largest first, the unstated always last, ties by name for a stable order. Scores keep their own order."""
    measure, texts = scene.measure, scene.texts
    cells = scene.figures.cells(measure.id, scene.edition.period, dimension)
    order = sorted(
        cells,
        key=lambda name: (
            name in UNSTATED,
            dimension != SCORED and cells[name].value is None,
            0.0 if dimension == SCORED else -(cells[name].value or 0.0),
            name,
        ),
    )
    rows = [
        _row(scene, texts.category(dimension, name), cells[name], emphasis=name not in UNSTATED)
        for name in order[:MOST_BARS]
    ]
    named, unit = texts.named("dimension", dimension), texts.unit(measure)
    subtitle = texts("chart.breakdown_subtitle", name=measure.name, dimension=named, when=scene.when)
    if unit.lower() != measure.name.lower():
        subtitle = texts("chart.with_unit", subtitle=subtitle, unit=unit)
    left_out = len(cells) - len(rows)
    return _frame(
        scene,
        kind,
        rows,
        title=breakdown_finding(measure, scene.total, cells, texts),
        subtitle=subtitle,
        column=named.capitalize(),
        foot=texts.plural("chart.left_out", left_out) if left_out else "",
    )


def _gender(scene: _Scene) -> ChartFrame:
    """Shares of those who stated their gender, then the undisclosed share of all people.

    Where a gender is withheld, or only the total is known, the rest is one segment: "other answers".
    """
    texts, total = scene.texts, scene.total
    cells = scene.figures.cells(scene.measure.id, scene.edition.period, "gender")
    stated = {name: cells[name] for name in GENDERS[:3] if name in cells}
    if total.value is None:
        stated = {"Woman": total}
    elif not stated or any(cell.value is None for cell in stated.values()):
        stated = {"Woman": total, "Other": Reading("ok", value=100 - total.value, n=total.n)}
    if "Undisclosed" in cells and total.value is not None:
        stated["Undisclosed"] = cells["Undisclosed"]
    rows = [
        _row(scene, texts.choice("gender", name), cell, emphasis=name == "Woman") | {"code": name}
        for name, cell in stated.items()
    ]
    subtitle = texts("chart.gender_subtitle", when=scene.when)
    column = texts("table.gender")
    return _frame(scene, "gender", rows, title=scene.finding, subtitle=subtitle, column=column)


def _row(scene: _Scene, label: str, reading: Reading, *, emphasis: bool) -> dict[str, object]:
    measure, texts = scene.measure, scene.texts
    base = reading.n if measure.is_estimate else None
    if reading.value is None:
        code = "suppressed" if reading.status == SUPPRESSED else "not_available"
        shown = full = texts.choice("status", code)
    else:
        code = "ok"
        full = texts.value(measure, reading.value)
        shown = texts.short_value(measure, reading.value) if scene.narrow else full
    low, high = (reading.interval if reading.value is not None else None) or (None, None)
    return {
        "label": label,
        "value": reading.value,
        "low": low,
        "high": high,
        "shown": shown,
        "full": full,
        "n": base,
        "base": "" if base is None else texts.number(base),
        "status": code,
        "emphasis": emphasis,
        "target": None,
        "note": texts.say(reading.note),
        "code": "",
        "breaks": False,
    }


def _frame(
    scene: _Scene,
    kind: str,
    rows: list[dict[str, object]],
    *,
    title: str,
    subtitle: str,
    column: str,
    target: str = "",
    foot: str = "",
) -> ChartFrame:
    texts = scene.texts
    data = pd.DataFrame(rows, columns=COLUMNS).astype(TYPES)
    source = texts("chart.source", source=texts.say(scene.measure.source))
    if scene.edition.is_sample:
        source = texts("chart.sample", rest=source)
    listed = "; ".join(texts("alt.mark", label=row["label"], value=row["full"]) for row in rows)
    alt = texts("alt.chart", kind=texts.named("kind", kind), title=title, subtitle=subtitle, data=listed)
    return ChartFrame(
        measure=scene.measure,
        period=scene.edition.period,
        kind=kind,
        data=data,
        title=title,
        subtitle=subtitle,
        footnote=f"{foot} {source}".strip(),
        alt=f"{alt} {target}." if target else alt,
        narrow=scene.narrow,
        column=column,
        target_label=target,
    )
