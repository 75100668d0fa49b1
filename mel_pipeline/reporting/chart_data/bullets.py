"""All indicators that have a target, each against its own: rows of a bullet chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.core.periods import previous_period
from mel_pipeline.reporting.chart_data.page import PageFrame, Stage, code_of, page_frame
from mel_pipeline.reporting.figures.coverage import compared
from mel_pipeline.reporting.figures.findings import status
from mel_pipeline.reporting.figures.lookup import Target

if TYPE_CHECKING:
    from mel_pipeline.reporting.figures.measures import Measure

ON, DUE = ("over", "on", "in_band"), ("over", "on", "in_band", "near", "off", "out_of_band")
HEADROOM = 1.1


def frame(stage: Stage) -> PageFrame | None:
    """One row per indicator with a target: columns label, value, before, target, top, their words and the status."""
    texts, period = stage.texts, stage.period
    aimed = [(measure, stage.figures.target(measure, period)) for measure in stage.known]
    rows = [_row(stage, measure, target) for measure, target in aimed if target is not None]
    before = previous_period(period)
    headings = [
        texts("table.indicator"),
        texts("page.actual"),
        texts("page.target"),
        before,
        texts("page.status"),
    ]
    table = [
        (
            str(row["label"]),
            str(row["full"]),
            str(row["target_full"]),
            str(row["before_shown"]),
            f"{row['shape']} {row['word']}",
        )
        for row in rows
    ]
    return page_frame(
        stage,
        "bullets",
        rows,
        title=_title(stage, [str(row["code"]) for row in rows]),
        subtitle=texts("picture.bullets.subtitle", period=period),
        headings=headings,
        table=table,
        sources=[measure for measure, target in aimed if target is not None],
        words={
            "actual": texts.period(period),
            **({"before": texts.period(before)} if any(row["before"] is not None for row in rows) else {}),
            "target": texts("page.target"),
        },
        empty_why="" if rows else texts("picture.bullets.empty"),
    )


def _row(stage: Stage, measure: Measure, target: Target) -> dict[str, object]:
    texts, period = stage.texts, stage.period
    now = stage.total(measure.id, period)
    before = stage.total(measure.id, previous_period(period))
    common = compared(measure, stage.figures, period, previous_period(period))
    if now.value is not None and before.value is not None and (common is None or not common.is_whole):
        before_value, before_shown = None, texts("page.other_coverage")
    else:
        before_value, before_shown = before.value, stage.shown(measure, before)
    mark = status(measure, now, target, period, texts)
    aim = texts.value(measure, target.value)
    later = target.period != period
    known = [value for value in (now.value, before_value, target.value) if value is not None]
    return {
        "label": measure.name,
        "value": now.value,
        "shown": stage.shown(measure, now, short=True),
        "full": stage.shown(measure, now),
        "state": code_of(now),
        "before": before_value,
        "before_shown": before_shown,
        "target": target.value,
        "target_shown": texts.short_value(measure, target.value),
        "target_full": texts("picture.bullets.by", value=aim, period=target.period) if later else aim,
        "aim": texts("picture.bullets.aim", value=texts.short_value(measure, target.value)),
        "by": texts("page.target_by", period=target.period) if later else "",
        "top": max(known) * HEADROOM or 1.0,
        "code": mark.code,
        "shape": mark.shape,
        "word": mark.word,
    }


def _title(stage: Stage, codes: list[str]) -> str:
    """How many are on target; those whose period has not closed do not count as missed."""
    texts = stage.texts
    due = sum(code in DUE for code in codes)
    met = sum(code in ON for code in codes)
    ahead = sum(code == "ahead" for code in codes)
    if not codes:
        return texts("picture.bullets.none", period=stage.period)
    if not due:
        key = "picture.bullets.all_ahead" if ahead else "picture.bullets.unknown"
        return texts(key, period=stage.period)
    if met == due:
        return texts.plural("picture.bullets.all_on", due, period=stage.period)
    if not met:
        return texts.plural("picture.bullets.none_on", due, period=stage.period)
    return texts.plural("picture.bullets.some_on", due, met=texts.number(met), period=stage.period)
