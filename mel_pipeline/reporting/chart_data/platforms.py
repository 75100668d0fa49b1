"""Views by platform over the last eight quarters, each in a small panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mel_pipeline.reporting.chart_data.page import PageFrame, Stage, code_of, page_frame
from mel_pipeline.reporting.figures.lookup import NOT_AVAILABLE, Reading, quarters_shown

if TYPE_CHECKING:
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.text.texts import Texts

VIEWS, QUARTERS = "RCH-01", 8
APART = 5.0  # if a panel would be a fifth of the highest or less, each gets its own scale, and the picture says so


def frame(stage: Stage) -> PageFrame | None:
    """One row per platform and quarter: platform, label, value, state, emphasis, top of the scale, now in words."""
    measure = stage.measure(VIEWS)
    if measure is None:
        return None
    texts, period = stage.texts, stage.period
    quarters = quarters_shown(period, QUARTERS)
    begun = [slot for slot, item in enumerate(quarters) if stage.figures.total(VIEWS, item) is not None]
    quarters = quarters[begun[0] :] if begun else quarters
    cells = {
        item: stage.figures.cells(VIEWS, item, "platform") for item in dict.fromkeys([*quarters, period])
    }
    now = cells[period]
    names = {name for found in cells.values() for name in found}
    order = sorted(names, key=lambda name: (_value(now, name) is None, -(_value(now, name) or 0.0), name))
    drawn = [name for name in order if any(_value(cells[quarter], name) is not None for quarter in quarters)]
    rows = [
        _row(stage, measure, name, quarter, cells[quarter].get(name))
        for name in drawn
        for quarter in quarters
    ]
    own = _scales(rows)
    for row in rows:
        name = str(row["platform"])
        reading = now.get(name, Reading(NOT_AVAILABLE))
        row |= {"now": stage.shown(measure, reading), "now_state": code_of(reading)}
    known = any(row["value"] is not None for row in rows)
    columns = quarters if period in quarters else [*quarters, period]
    table = [
        (name, *(stage.shown(measure, cells[item].get(name, Reading(NOT_AVAILABLE))) for item in columns))
        for name in order
    ]
    return page_frame(
        stage,
        "platforms",
        rows,
        title=_title(stage, measure, {name: now.get(name, Reading(NOT_AVAILABLE)) for name in order}),
        subtitle=texts(
            "picture.platforms.own_scale" if own else "picture.platforms.one_scale",
            name=measure.name,
            first=quarters[0],
            last=quarters[-1],
            period=period,
        ),
        headings=[texts.choice("dimension", "platform").capitalize(), *columns],
        table=table,
        sources=[measure],
        foot=_foot([name for name in order if name not in drawn], texts) if known else [],
        empty_why="" if known else texts("chart.empty_why"),
    )


def _foot(undrawn: list[str], texts: Texts) -> list[str]:
    """What an empty slot is, and the platforms without any figure, named once."""
    without = [texts("picture.platforms.without", names=texts.listed(undrawn))] if undrawn else []
    return [texts("picture.platforms.foot"), *without]


def _value(cells: dict[str, Reading], name: str) -> float | None:
    return cells[name].value if name in cells else None


def _row(
    stage: Stage, measure: Measure, name: str, quarter: str, reading: Reading | None
) -> dict[str, object]:
    cell = reading or Reading(NOT_AVAILABLE)
    return {
        "platform": name,
        "label": quarter,
        "value": cell.value,
        "shown": stage.shown(measure, cell),
        "state": code_of(cell),
        "emphasis": quarter.startswith(stage.period),
    }


def _scales(rows: list[dict[str, object]]) -> bool:
    """Set the top of each row's panel scale; True where each panel has its own."""
    tops: dict[str, float] = {}
    for row in rows:
        if row["value"] is not None:
            tops[str(row["platform"])] = max(tops.get(str(row["platform"]), 0.0), float(str(row["value"])))
    drawn = [top for top in tops.values() if top > 0]
    own = bool(drawn) and max(drawn) >= APART * min(drawn)
    for row in rows:
        row["top"] = (tops.get(str(row["platform"]), 0.0) if own else max(drawn, default=0.0)) or 1.0
    return own


def _title(stage: Stage, measure: Measure, now: dict[str, Reading]) -> str:
    """Which platform leads, and how many have no figure."""
    texts, period = stage.texts, stage.period
    known = {name: cell.value for name, cell in now.items() if cell.value is not None}
    if not known or max(known.values()) == 0:
        return texts("picture.platforms.none", name=measure.name, period=period)
    leader = max(known, key=lambda name: known[name])
    values: dict[str, Any] = {
        "leader": leader,
        "value": texts.value(measure, known[leader]),
        "period": period,
    }
    without_figure = len(now) - len(known)
    if not without_figure:
        return texts("picture.platforms.leads", **values)
    return texts.plural("picture.platforms.leads_of", without_figure, all=texts.number(len(now)), **values)
