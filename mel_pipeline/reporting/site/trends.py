"""A figure over every quarter, drawn with the report's trend chart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from mel_pipeline.core.periods import Quarter, closing_quarter
from mel_pipeline.reporting.chart_data.indicator import (
    COLUMNS,
    EARLIER,
    LONG,
    TYPES,
    ChartFrame,
    break_words,
    breaks_of,
    earlier_mark,
    whole_year_note,
)
from mel_pipeline.reporting.figures.findings import finding
from mel_pipeline.reporting.figures.lookup import NOT_AVAILABLE, SUPPRESSED, Figures, Reading
from mel_pipeline.reporting.palette import load_palette
from mel_pipeline.reporting.pictures.charts import render
from mel_pipeline.reporting.pictures.dark import page_address
from mel_pipeline.reporting.pictures.picture import picture

if TYPE_CHECKING:
    from pathlib import Path

    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.text.texts import Texts

MOST_WIDE, MOST_NARROW = 24, 5
ROOMY = 8  # up to this many quarters every mark has room for its number


@dataclass(frozen=True)
class Trend:
    """A chart for a page: a wide drawing and one for phones, as data URLs, and its alternative text."""

    alt: str
    wide: str
    narrow: str
    width: int
    height: int
    quarters: int


def quarters_of(figures: Figures, measure: Measure, period: str, first: str) -> list[str]:
    """Every quarter from the indicator's first one, calculated or published before, to the edition's."""
    last = Quarter.parse(closing_quarter(period))
    before = [item.period for item in figures.earlier_figures(measure.id) if "-" in item.period]
    quarter = min([Quarter.parse(first), *map(Quarter.parse, before)])
    found: list[str] = []
    while quarter <= last:
        is_known = figures.total(measure.id, str(quarter)) is not None or str(quarter) in before
        if found or is_known:
            found.append(str(quarter))
        quarter = quarter.next()
    return found


def draw_trend(
    edition: Edition,
    measure: Measure,
    figures: Figures,
    texts: Texts,
    quarters: list[str],
    sources_dir: Path,
) -> Trend | None:
    """Draw it; call inside ``canvas.house_style``. None when no quarter was ever calculated."""
    if not quarters:
        return None
    frames = [
        trend_frame(edition, measure, figures, texts, quarters[-most:], narrow=narrow)
        for most, narrow in ((MOST_WIDE, False), (MOST_NARROW, True))
    ]
    palette = load_palette(sources_dir)
    wide, narrow = (
        picture(frame, _texts(frame, texts), render, sources_dir, title=frame.title, with_png=False)
        for frame in frames
    )
    return Trend(
        frames[0].alt,
        page_address(wide.svg, palette),
        page_address(narrow.svg, palette),
        wide.width,
        wide.height,
        quarters=len(frames[0].data),
    )


def _texts(frame: ChartFrame, texts: Texts) -> Texts:
    """Where marks are close together, a gap is a dash: words would overlap; alt text and table have them."""
    if len(frame.data) <= ROOMY:
        return texts
    return replace(texts, entries={**texts.entries, "chart.gap": "–", "chart.withheld": "–"})


def trend_frame(
    edition: Edition, measure: Measure, figures: Figures, texts: Texts, quarters: list[str], *, narrow: bool
) -> ChartFrame:
    """The frame of a trend over these quarters, the last one emphasised."""
    marks = [_mark(measure, figures, texts, quarter, edition.period) for quarter in quarters]
    broken = breaks_of(figures, measure, quarters)
    for mark in marks:
        mark["breaks"] = mark["label"] in broken
    label = next((mark["aim"] for mark in reversed(marks) if mark["aim"]), "")
    data = pd.DataFrame(_spaced(marks, measure, texts, narrow=narrow), columns=COLUMNS)
    data = data.astype(TYPES)
    source = texts("chart.source", source=texts.say(measure.source))
    if edition.is_sample:
        source = texts("chart.sample", rest=source)
    title = finding(measure, figures, edition.period, texts)
    subtitle = texts(
        "chart.trend_subtitle",
        unit=texts.unit(measure),
        statistic=texts.choice("statistic", _statistic(measure)),
        first=quarters[0],
        last=quarters[-1],
    )
    listed = "; ".join(texts("alt.mark", label=mark["label"], value=mark["full"]) for mark in marks)
    alt = texts("alt.chart", kind=texts.named("kind", "trend"), title=title, subtitle=subtitle, data=listed)
    return ChartFrame(
        measure=measure,
        period=edition.period,
        kind="trend",
        data=data,
        title=title,
        subtitle=subtitle,
        footnote=" ".join(
            filter(
                None,
                [
                    whole_year_note(edition, measure, texts),
                    break_words(broken, texts),
                    texts("chart.interval") if data["low"].notna().any() else "",
                    texts("chart.earlier") if any(mark["status"] == EARLIER for mark in marks) else "",
                    source,
                ],
            )
        ),
        alt=f"{alt} {label}." if label else alt,
        narrow=narrow,
        column=texts("table.quarter"),
        target_label=label,
    )


def _statistic(measure: Measure) -> str:
    return "ratio" if measure.is_estimate else measure.aggregation


def _mark(measure: Measure, figures: Figures, texts: Texts, quarter: str, period: str) -> dict[str, Any]:
    reading = figures.total(measure.id, quarter) or Reading(NOT_AVAILABLE)
    near = figures.target_line(measure, quarter)
    status = (
        "ok" if reading.value is not None else (SUPPRESSED if reading.status == SUPPRESSED else NOT_AVAILABLE)
    )
    words = texts.value(measure, reading.value) if status == "ok" else texts.choice("status", status)
    mark = {
        "label": quarter,
        "value": reading.value,
        "low": reading.interval[0] if reading.value is not None and reading.interval else None,
        "high": reading.interval[1] if reading.value is not None and reading.interval else None,
        "shown": words,
        "full": words,
        "n": None,
        "base": "",  # n is in the table: under a dozen marks it would be unreadable
        "status": status,
        "emphasis": quarter.startswith(period),
        "target": None if near is None else near.value,
        "note": texts.say(reading.note),
        "code": "",
        "aim": ""
        if near is None
        else texts("chart.target", period=near.period, value=texts.value(measure, near.value)),
    }
    before = figures.earlier(measure.id, quarter)
    return mark if before is None else mark | earlier_mark(before, measure, texts)


def _spaced(
    marks: list[dict[str, Any]], measure: Measure, texts: Texts, *, narrow: bool
) -> list[dict[str, Any]]:
    """Shorten numbers to fit; of many quarters only every second, third ... is labelled, always including the last."""
    step = -(-len(marks) // ROOMY)
    for place, mark in enumerate(reversed(marks)):
        if mark["status"] in ("ok", EARLIER) and (narrow or step > 1 or abs(mark["value"]) >= LONG):
            mark["shown"] = texts.short_value(measure, mark["value"]) if place % step == 0 else ""
    return marks
