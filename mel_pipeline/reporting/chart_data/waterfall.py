"""From the members at the end of the last period to those at the end of this one, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.core.periods import previous_period
from mel_pipeline.reporting.chart_data.page import PageFrame, Stage, code_of, page_frame
from mel_pipeline.reporting.figures.lookup import Reading
from mel_pipeline.reporting.text.texts import MINUS

if TYPE_CHECKING:
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.text.texts import Texts

MEMBERS, JOINED, LEFT = "MEM-01", "MEM-02", "MEM-08"


def frame(stage: Stage) -> PageFrame | None:
    """Columns label, role (opening, joined, left, rest, closing), start, value, shown, state.

    ``value`` is a level or a signed step, ``start`` the level it begins from. What the known steps do not explain
    is a step of its own.
    """
    measure = stage.measure(MEMBERS)
    if measure is None:
        return None
    texts, period = stage.texts, stage.period
    opening = stage.total(MEMBERS, previous_period(period))
    closing = stage.total(MEMBERS, period)
    joined, left = stage.total(JOINED, period), stage.total(LEFT, period)
    rows = _rows(stage, measure, opening, closing, {"joined": joined, "left": left})
    subtitle = texts(
        "picture.waterfall.subtitle", name=measure.name, before=previous_period(period), period=period
    )
    return page_frame(
        stage,
        "waterfall",
        rows,
        title=_title(stage, measure, rows),
        subtitle=subtitle,
        headings=[texts("picture.waterfall.step"), texts("unit.members")],
        table=[(str(row["label"]).replace("\n", " "), str(row["shown"])) for row in rows],
        sources=[measure],
        foot=[texts("picture.waterfall.foot")] if rows else [],
        empty_why=""
        if rows
        else texts("picture.waterfall.empty", before=previous_period(period), period=period),
    )


def _rows(
    stage: Stage, measure: Measure, opening: Reading, closing: Reading, steps: dict[str, Reading]
) -> list[dict[str, object]]:
    """No rows where the opening or closing level is unknown."""
    if opening.value is None or closing.value is None:
        return []
    texts = stage.texts
    level = opening.value
    rows = [_row(texts, "opening", previous_period(stage.period), 0.0, level, texts.value(measure, level))]
    for role, reading in steps.items():
        sign = -1.0 if role == "left" else 1.0
        step = None if reading.value is None else sign * reading.value
        shown = stage.absent(reading) if step is None else signed(texts, step)
        rows.append(_row(texts, role, stage.period, level, step, shown) | {"state": code_of(reading)})
        level += step or 0.0
    rest = closing.value - level
    if rest:
        rows.append(_row(texts, "rest", stage.period, level, rest, signed(texts, rest)))
    shown = texts.value(measure, closing.value)
    return [*rows, _row(texts, "closing", stage.period, 0.0, closing.value, shown)]


def _row(
    texts: Texts, role: str, period: str, start: float, value: float | None, shown: str
) -> dict[str, object]:
    label = texts(f"picture.waterfall.{role}", period=period)
    return {"label": label, "role": role, "start": start, "value": value, "shown": shown, "state": "ok"}


def signed(texts: Texts, step: float) -> str:
    """``+3``, ``−1`` or ``0``."""
    sign = "+" if step > 0 else MINUS if step < 0 else ""
    return sign + texts.number(abs(step))


def _title(stage: Stage, measure: Measure, rows: list[dict[str, object]]) -> str:
    texts = stage.texts
    if not rows:
        return texts("picture.waterfall.unknown", before=previous_period(stage.period), period=stage.period)
    ends = [float(str(rows[slot]["value"])) for slot in (0, -1)]
    key = "same" if ends[0] == ends[1] else "grew" if ends[1] > ends[0] else "shrank"
    head = texts(
        f"picture.waterfall.{key}",
        opening=texts.value(measure, ends[0]),
        closing=texts.value(measure, ends[1]),
        period=stage.period,
    )
    parts = [
        texts.plural(f"picture.waterfall.count_{row['role']}", abs(float(str(row["value"]))))
        for row in rows[1:-1]
        if row["role"] != "rest" and row["state"] == "ok" and row["value"]
    ]
    parts += [
        texts("picture.waterfall.count_rest", step=str(row["shown"])) for row in rows if row["role"] == "rest"
    ]
    return texts("picture.with_parts", head=head, parts=", ".join(parts)) if parts else head
