"""All indicators that have a target, each against its own: rows of a bullet chart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mel_pipeline.core.periods import previous_period
from mel_pipeline.reporting.chart_data.page import PageFrame, Stage, code_of, page_frame
from mel_pipeline.reporting.figures.coverage import compared
from mel_pipeline.reporting.figures.judgement import (
    JUDGED,
    ON_TRACK,
    Standing,
    is_of_year,
    standing,
    status_of,
)
from mel_pipeline.reporting.figures.lookup import NOT_AVAILABLE, Reading

if TYPE_CHECKING:
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.figures.targets import Target

HEADROOM = 1.1


def frame(stage: Stage) -> PageFrame | None:
    """One row per indicator with a target: columns label, value, before, expected, target, top, their words and the status."""
    texts, period = stage.texts, stage.period
    judged = [(measure, standing(measure, stage.figures)) for measure in stage.known]
    aimed = [(measure, found, found.target) for measure, found in judged if found.target is not None]
    rows = [_row(stage, measure, found, target) for measure, found, target in aimed]
    before = previous_period(period)
    on_the_way = any(row["expected"] is not None for row in rows)
    headings = [texts("table.indicator"), texts("page.actual"), texts("page.target")]
    headings += [texts("page.expected_by_now")] if on_the_way else []
    headings += [before, texts("page.status")]
    table = [
        (
            str(row["label"]),
            str(row["full"]),
            str(row["target_full"]),
            *([str(row["expected_full"])] if on_the_way else []),
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
        sources=[measure for measure, _, _ in aimed],
        words={
            "actual": texts.period(period),
            **({"before": texts.period(before)} if any(row["before"] is not None for row in rows) else {}),
            "target": texts("page.target"),
            **({"expected": texts("page.expected_by_now")} if on_the_way else {}),
        },
        empty_why="" if rows else texts("picture.bullets.empty"),
    )


def _row(stage: Stage, measure: Measure, judged: Standing, target: Target) -> dict[str, object]:
    texts, period = stage.texts, stage.period
    now = stage.total(measure.id, period)
    before = stage.total(measure.id, previous_period(period))
    common = compared(measure, stage.figures, period, previous_period(period))
    if judged.value is not None and is_of_year(measure, target, period):
        now, before = replace(now, value=judged.value), Reading(NOT_AVAILABLE)  # the sum of a year so far
        before_value, before_shown = None, ""
    elif now.value is not None and before.value is not None and (common is None or not common.is_whole):
        before_value, before_shown = None, texts("page.other_coverage")
    else:
        before_value, before_shown = before.value, stage.shown(measure, before)
    mark = status_of(judged, texts)
    expected = judged.expected if not judged.is_due and judged.code != "ahead" else None
    aim = texts.value(measure, target.value)
    later = target.period != period
    known = [value for value in (now.value, before_value, expected, target.value) if value is not None]
    return {
        "label": measure.name,
        "value": now.value,
        "shown": stage.shown(measure, now, short=True),
        "full": stage.shown(measure, now),
        "state": code_of(now),
        "before": before_value,
        "before_shown": before_shown,
        "expected": expected,
        "expected_full": "" if expected is None else texts.value(measure, expected),
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
    """How many are on track; those of which nothing is expected yet do not count as missed."""
    texts = stage.texts
    judged = sum(code in JUDGED for code in codes)
    met = sum(code in ON_TRACK for code in codes)
    if not codes:
        return texts("picture.bullets.none", period=stage.period)
    if not judged:
        key = "picture.bullets.all_ahead" if "ahead" in codes else "picture.bullets.unknown"
        return texts(key, period=stage.period)
    if met == judged:
        return texts.plural("picture.bullets.all_on", judged, period=stage.period)
    if not met:
        return texts.plural("picture.bullets.none_on", judged, period=stage.period)
    return texts.plural("picture.bullets.some_on", judged, met=texts.number(met), period=stage.period)
