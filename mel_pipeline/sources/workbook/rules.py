"""What a single cell cannot show: columns of a row that go together. Each gives (column, what to do) pairs. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from mel_pipeline.core.languages import BASE
from mel_pipeline.sources.workbook import rules_of_projects

if TYPE_CHECKING:
    from mel_pipeline.sources.workbook.model import Row
    from mel_pipeline.sources.workbook.sheets import Sheet

Wrong = Iterator[tuple[str, str]]


def _category(row: Row) -> Wrong:
    if bool(row.get("dimension")) != bool(row.get("category")):
        missing = "category" if row.get("dimension") else "dimension"
        yield missing, "disaggregation and category go together. Fill in both, or neither"


def _is_day(period: str | None) -> bool:
    return (period or "").count("-") > 1


def _targets(row: Row) -> Wrong:
    yield from _category(row)
    if row.get("kind") == "baseline":
        if not row.get("value") and not row.get("reason_en"):
            yield "value", "a baseline without a value needs a reason, such as: not published"
        return
    if not row.get("value"):
        yield "value", "a target or milestone needs a value"
    if not row.get("reason_en"):
        yield "reason_en", "a target or milestone needs a reason: where it was decided, and why"
    if "/" in (row.get("period") or "") or (row.get("kind") == "target" and _is_day(row.get("period"))):
        yield "period", "a target is for a quarter or a year, such as 2025-Q4 or 2026"


def _manual_indicators(row: Row) -> Wrong:
    if (row.get("aggregation") == "ratio") != bool(row.get("denominator")):
        yield "denominator", "a ratio needs a denominator, and nothing else has one"


def _manual_figures(row: Row) -> Wrong:
    yield from _category(row)
    if bool(row.get("numerator")) != bool(row.get("denominator")):
        missing = "denominator" if row.get("numerator") else "numerator"
        yield missing, "numerator and denominator go together. Fill in both, or neither"
    elif not row.get("value") and not row.get("numerator"):
        yield "value", "a figure needs a value, or numerator and denominator"
    if row.get("denominator") is not None and float(row["denominator"] or 0) == 0:
        yield "denominator", "nothing can be divided by zero. Leave the row out if there was nothing to count"


def _earlier_figures(row: Row) -> Wrong:
    yield from _category(row)


def _duties(row: Row) -> Wrong:
    if bool(row.get("due_on")) == bool(row.get("days_after")):
        yield "due_on", "a duty needs either a day, or days after the end of a period"
    if row.get("days_after") and row.get("every") not in ("quarter", "year"):
        yield "every", "a duty with days after a period comes back every quarter or year. Choose one"
    if row.get("due_on") and row.get("every") in ("quarter", "year"):
        yield "every", "a duty with a day of its own is due once"


def _lessons(row: Row) -> Wrong:
    if (row.get("kind") == "theme") != bool(row.get("people")):
        yield "people", "a theme needs the number of people who mentioned it, and a lesson has none"


def _corrections(row: Row) -> Wrong:
    numbers = (1, 2, 3)
    for stem in ("match", "set"):
        for number in numbers:
            column, value = row.get(f"{stem}_column_{number}"), row.get(f"{stem}_value_{number}")
            if value and not column:
                yield f"{stem}_column_{number}", "a value needs the name of its column"
            if stem == "match" and column and not value:
                yield f"{stem}_value_{number}", "a column by which rows are found needs a value"
    sets = [number for number in numbers if row.get(f"set_column_{number}")]
    if row.get("action") == "set" and not sets:
        yield "set_column_1", "the action 'set' needs a column and its new value"
    if row.get("action") == "leave_out" and sets:
        yield f"set_column_{sets[0]}", "rows that are left out get no new values"


def _survey_questions(row: Row) -> Wrong:
    if (row.get("role") == "language_name") != bool(row.get("code")):
        yield "code", "the name of a language needs its code of two letters, and nothing else has one"
    if row.get("role") == "date_order" and row.get("question") not in ("day_first", "month_first"):
        yield "question", "the order of dates is day_first or month_first"


def _answer_scales(row: Row) -> Wrong:
    if row.get("scale") == "gender":
        if not row.get("code"):
            yield "code", "an answer about gender needs its meaning"
        if row.get("score"):
            yield "score", "an answer about gender has no score"
        return
    if row.get("code"):
        yield "code", "an answer of satisfaction has a score and no gender"
    if bool(row.get("score")) == (row.get("non_answer") == "yes"):
        yield "score", "an answer of satisfaction needs a score, or counts as not answered"


def english(sheet: Sheet, row: Row) -> Wrong:
    """A text in another language needs the English one: readers of a language that is missing see it."""
    for column in sheet.columns:
        english = f"{column.stem}_{BASE}"
        if column.language not in (None, BASE) and row.get(column.key) and not row.get(english):
            yield english, "the English text is missing beside the one in another language"
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
    **rules_of_projects.RULES,
}
