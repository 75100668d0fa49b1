"""What the MEL lead writes for an edition: main points, lessons, themes of comments, decisions. From the workbook.

Numbers are written as ``{MEM-01}`` and filled in from the figures. Themes that were counted come from coded comments.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.languages import BASE, Text
from mel_pipeline.reporting.edition import CodersAgree, Decision, Narrative, Theme, Wording
from mel_pipeline.reporting.inputs.comments import read_coding, read_themes
from mel_pipeline.sources.workbook.versions import current

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.sources.workbook.model import Row
    from mel_pipeline.warehouse import Warehouse

MOST_POINTS = 6
LEAST_PAIRS = 10  # comments coded twice before their agreement says anything


def with_comments(
    narrative: Narrative | None, warehouse: Warehouse, period: str, min_cell: int
) -> Narrative | None:
    """The narrative with the themes counted from coded comments, and how well two coders agreed.

    A theme that the workbook also states by hand keeps its wording, which has translations, and takes the counted number.
    """
    counted = read_themes(warehouse, period, min_cell)
    if not counted:
        return narrative
    found = narrative or Narrative()
    stated = {_english(theme): theme.theme for theme in found.comments}
    themes = [Theme(stated.get(_english(theme), theme.theme), theme.people) for theme in counted]
    known = {_english(theme) for theme in counted}
    others = [theme for theme in found.comments if _english(theme) not in known]
    return replace(found, comments=[*themes, *others], agreement=_agreement(warehouse, period))


def _english(theme: Theme) -> str:
    return theme.theme.by_language[BASE].casefold()


def _agreement(warehouse: Warehouse, period: str) -> CodersAgree | None:
    coding = read_coding(warehouse, period)
    found = coding.agreement if coding else None
    if found is None or found.comments < LEAST_PAIRS or found.kappa is None or found.interval is None:
        return None
    return CodersAgree(found.comments, found.kappa, found.interval.low, found.interval.high)


def read_narrative(settings: Settings, period: str) -> Narrative | None:
    """What the workbook states for an edition; None if nothing.

    Raises:
        ReportError: the file in which it stood before cannot be read, or a text is missing. The message gives the place,
            never the text.
    """
    version = current(settings)
    if problem := version.problems.get(f"narrative/{period}"):
        raise ReportError(f"{problem} Then write the report again.")
    rows = {
        name: [row for row in version.rows[name] if row.get("edition") == period]
        for name in ("main_points", "lessons", "decisions")
    }
    if not any(rows.values()) and f"narrative/{period}" not in version.imported:
        return None
    if len(rows["main_points"]) > MOST_POINTS:
        raise ReportError(
            f"Reading the workbook, Main points: {period} has {len(rows['main_points'])}, and at most {MOST_POINTS} fit."
            " Remove some, then write the report again."
        )
    lessons = rows["lessons"]
    return Narrative(
        [_wording("Main points", row) for row in sorted(rows["main_points"], key=_order)],
        [_wording("Lessons and themes", row) for row in lessons if row["kind"] == "lesson"],
        [
            Theme(_wording("Lessons and themes", row), int(row["people"] or 0))
            for row in lessons
            if row["kind"] == "theme"
        ],
        [_decision(row) for row in rows["decisions"]],
    )


def _order(row: Row) -> float:
    """By the number given; rows without one come last, in the order of the workbook."""
    return float(row["position"] or "inf")


def _decision(row: Row) -> Decision:
    due = row.get("due_on")
    is_open = row.get("open") != "no"
    return Decision(
        _wording("Decisions", row), row["owner_role"] or "", date.fromisoformat(due) if due else None, is_open
    )


def _wording(sheet: str, row: Row) -> Wording:
    texts = {key.removeprefix("text_"): text for key, text in row.items() if key.startswith("text_") and text}
    try:
        return Wording(Text.model_validate(texts).by_language)
    except ValidationError as error:
        wrong = "; ".join(item["msg"] for item in error.errors(include_input=False))
        raise ReportError(
            f"Reading the workbook, {sheet}, {row['id']}: {wrong}. Correct it, then write the report again."
        ) from None
