"""The answers by score: one bar per quarter, centred on the neutral answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.core.periods import previous_period
from mel_pipeline.reporting.chart_data.page import PageFrame, Stage, code_of, page_frame
from mel_pipeline.reporting.figures.findings import movement_word
from mel_pipeline.reporting.figures.lookup import NOT_AVAILABLE, Reading, quarters_shown

if TYPE_CHECKING:
    from mel_pipeline.reporting.figures.measures import Measure

SPREAD, SATISFIED_SHARE, QUARTERS = "SAT-05", "SAT-02", 4
SCORES = ("1", "2", "3", "4", "5")
SATISFIED, DISSATISFIED = SCORES[3:], SCORES[:2]


def frame(stage: Stage) -> PageFrame | None:
    """One row per bar: label, state, n, low and high sums with their words, and the shares ``s1`` to ``s5``."""
    measure = stage.measure(SPREAD)
    if measure is None:
        return None
    texts = stage.texts
    periods = quarters_shown(stage.period, QUARTERS)
    # Quarters before the first calculation are not a gap in the data.
    begun = [slot for slot, item in enumerate(periods) if stage.figures.total(SPREAD, item) is not None]
    periods = periods[begun[0] :] if begun else []
    if "-" not in stage.period:
        periods.append(stage.period)
    rows = [_row(stage, measure, period) for period in periods]
    headings = [texts("table.quarter"), *(texts(f"picture.likert.score_{score}") for score in SCORES)]
    known = any(row["state"] == "ok" for row in rows)
    return page_frame(
        stage,
        "likert",
        rows,
        title=_title(stage),
        subtitle=texts("picture.likert.subtitle", first=periods[0], last=periods[-1])
        if rows
        else measure.name,
        headings=[*headings, texts("table.base")],
        table=[
            (str(row["label"]), *(str(row[f"shown{score}"]) for score in SCORES), str(row["base"]))
            for row in rows
        ],
        sources=[measure],
        words={score: texts(f"picture.likert.score_{score}") for score in SCORES},
        foot=[texts("picture.likert.foot")] if known else [],
        empty_why="" if known else texts("chart.empty_why"),
    )


def _row(stage: Stage, measure: Measure, period: str) -> dict[str, object]:
    texts = stage.texts
    total, cells = _spread(stage, period)
    row: dict[str, object] = {
        "label": texts.period(period),
        "state": code_of(total),
        "emphasis": period == stage.period,
        "base": texts.number(total.n) if total.value is not None and total.n is not None else "",
        "absent": "" if total.value is not None else stage.absent(total),
        "low_shown": _share(stage, _part(cells, DISSATISFIED)),
        "high_shown": _share(stage, _part(cells, SATISFIED)),
    }
    for score, cell in cells.items():
        row |= {f"s{score}": cell.value, f"shown{score}": stage.shown(measure, cell)}
    return row


def _spread(stage: Stage, period: str) -> tuple[Reading, dict[str, Reading]]:
    """The total and its five cells; if one is missing all count as missing, because the bar would mislead."""
    total = stage.total(SPREAD, period)
    found = stage.figures.cells(SPREAD, period, "answer")
    cells = {score: found.get(score, Reading(NOT_AVAILABLE)) for score in SCORES}
    missing = [cell for cell in cells.values() if cell.value is None]
    if total.value is not None and missing:
        total = Reading(missing[0].status)
    if total.value is None:
        cells = dict.fromkeys(SCORES, Reading(total.status))
    return total, cells


def _part(cells: dict[str, Reading], scores: tuple[str, ...]) -> float | None:
    values = [cells[score].value for score in scores]
    return None if None in values else sum(value for value in values if value is not None)


def _share(stage: Stage, value: float | None) -> str:
    return "" if value is None else stage.texts.value(_summed(stage), value)


def _summed(stage: Stage) -> Measure:
    """Sums of answers are formatted like the satisfied participants indicator: they are the same figure."""
    measure = stage.measure(SATISFIED_SHARE) or stage.measure(SPREAD)
    assert measure is not None  # noqa: S101 - no frame is made without the second
    return measure


def _satisfied(stage: Stage, period: str, share: float) -> Reading:
    """The share with the interval of the indicator that is the same figure."""
    return Reading("ok", value=share, interval=stage.total(SATISFIED_SHARE, period).interval)


def _title(stage: Stage) -> str:
    texts, period, measure = stage.texts, stage.period, _summed(stage)
    total, cells = _spread(stage, period)
    share = _part(cells, SATISFIED)
    if share is None:
        return texts(f"picture.likert.{code_of(total)}", period=period)
    earlier = previous_period(period)
    _, earlier_cells = _spread(stage, earlier)
    before = _part(earlier_cells, SATISFIED)
    values = {"share": texts.value(measure, share), "period": period}
    if before is None:
        return texts("picture.likert.level", **values)
    key = movement_word(measure, _satisfied(stage, period, share), _satisfied(stage, earlier, before))
    return texts(f"picture.likert.{key}", before=texts.value(measure, before), earlier=earlier, **values)
