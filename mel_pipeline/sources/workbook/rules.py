"""What a single cell cannot show: columns of a row that go together. Each gives (column, what to do) pairs. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from mel_pipeline.core.languages import BASE
from mel_pipeline.sources.workbook import rules_of_projects
from mel_pipeline.sources.workbook.said import Name, Said

if TYPE_CHECKING:
    from mel_pipeline.sources.workbook.model import Row
    from mel_pipeline.sources.workbook.sheets import Sheet

Wrong = Iterator[tuple[str, Said]]


def _category(row: Row) -> Wrong:
    if bool(row.get("dimension")) != bool(row.get("category")):
        missing = "category" if row.get("dimension") else "dimension"
        yield missing, Said("category_pair")


def _is_day(period: str | None) -> bool:
    return (period or "").count("-") > 1


def _targets(row: Row) -> Wrong:
    yield from _category(row)
    if row.get("kind") == "baseline":
        if not row.get("value") and not row.get("reason_en"):
            yield "value", Said("baseline_reason")
        return
    if not row.get("value"):
        yield "value", Said("target_value")
    if not row.get("reason_en"):
        yield "reason_en", Said("target_reason")
    if "/" in (row.get("period") or "") or (row.get("kind") == "target" and _is_day(row.get("period"))):
        yield "period", Said("target_period")


def _manual_indicators(row: Row) -> Wrong:
    if (row.get("aggregation") == "ratio") != bool(row.get("denominator")):
        yield "denominator", Said("ratio_denominator")


def _manual_figures(row: Row) -> Wrong:
    yield from _category(row)
    if bool(row.get("numerator")) != bool(row.get("denominator")):
        missing = "denominator" if row.get("numerator") else "numerator"
        yield missing, Said("numbers_pair")
    elif not row.get("value") and not row.get("numerator"):
        yield "value", Said("figure_value")
    if row.get("denominator") is not None and float(row["denominator"] or 0) == 0:
        yield "denominator", Said("zero_denominator")


def _earlier_figures(row: Row) -> Wrong:
    yield from _category(row)


def _duties(row: Row) -> Wrong:
    if bool(row.get("due_on")) == bool(row.get("days_after")):
        yield "due_on", Said("duty_when")
    if row.get("days_after") and row.get("every") not in ("quarter", "year"):
        yield "every", Said("duty_every")
    if row.get("due_on") and row.get("every") in ("quarter", "year"):
        yield "every", Said("duty_once")


def _lessons(row: Row) -> Wrong:
    if (row.get("kind") == "theme") != bool(row.get("people")):
        yield "people", Said("theme_people")


def _corrections(row: Row) -> Wrong:
    numbers = (1, 2, 3)
    for stem in ("match", "set"):
        for number in numbers:
            column, value = row.get(f"{stem}_column_{number}"), row.get(f"{stem}_value_{number}")
            if value and not column:
                yield f"{stem}_column_{number}", Said("column_of_value")
            if stem == "match" and column and not value:
                yield f"{stem}_value_{number}", Said("value_of_column")
    sets = [number for number in numbers if row.get(f"set_column_{number}")]
    if row.get("action") == "set" and not sets:
        yield "set_column_1", Said("set_column", set=Name(word="set"))
    if row.get("action") == "leave_out" and sets:
        yield f"set_column_{sets[0]}", Said("left_out_values")


def _survey_questions(row: Row) -> Wrong:
    if (row.get("role") == "language_name") != bool(row.get("code")):
        yield "code", Said("language_code")
    if row.get("role") == "date_order" and row.get("question") not in ("day_first", "month_first"):
        yield "question", Said("date_order")


def _answer_scales(row: Row) -> Wrong:
    if row.get("scale") == "gender":
        if not row.get("code"):
            yield "code", Said("gender_meaning")
        if row.get("score"):
            yield "score", Said("gender_score")
        return
    if row.get("code"):
        yield "code", Said("satisfaction_gender")
    if bool(row.get("score")) == (row.get("non_answer") == "yes"):
        yield "score", Said("satisfaction_score")


def _comments(row: Row) -> Wrong:
    if row.get("agreed_theme") and not (row.get("theme_1") and row.get("theme_2")):
        yield "agreed_theme", Said("agreed_needs_two")


def english(sheet: Sheet, row: Row) -> Wrong:
    """A text in another language needs the English one: readers of a language that is missing see it."""
    for column in sheet.columns:
        english = f"{column.stem}_{BASE}"
        if column.language not in (None, BASE) and row.get(column.key) and not row.get(english):
            yield english, Said("english_missing")
            return


RULES: dict[str, Callable[[Row], Wrong]] = {
    "targets": _targets,
    "manual_indicators": _manual_indicators,
    "manual_figures": _manual_figures,
    "earlier_figures": _earlier_figures,
    "duties": _duties,
    "lessons": _lessons,
    "corrections": _corrections,
    "survey_questions": _survey_questions,
    "answer_scales": _answer_scales,
    "comments": _comments,
    **rules_of_projects.RULES,
}
