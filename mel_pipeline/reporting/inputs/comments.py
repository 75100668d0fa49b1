"""Open comments of surveys: the file in which they get their themes, and what is counted of them.

Comments are people's words. They leave the warehouse in that file only, for the MEL lead; everything else here has counts
and themes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.languages import BASE
from mel_pipeline.reporting.edition import Theme, Wording
from mel_pipeline.reporting.figures.coding import Agreement, Written, agreement, suggested
from mel_pipeline.sources.workbook import versions
from mel_pipeline.sources.workbook.form import write
from mel_pipeline.sources.workbook.model import Proposal
from mel_pipeline.sources.workbook.named_persons import names_a_person
from mel_pipeline.sources.workbook.said import Said
from mel_pipeline.sources.workbook.sheets import Sheet, sheets
from mel_pipeline.warehouse import Warehouse

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.sources.workbook.model import Row, Version

Coder = Literal["first", "second", "both"]
SHEET = "comments"
MOST_COMMENTS = 2_000  # of one file, the newest first; the others follow once those are coded
MOST_CHARACTERS = 1_500
_COLUMNS = {"first": {"theme_1"}, "second": {"theme_2"}, "both": {"theme_1", "theme_2", "agreed_theme"}}
COMMENTS = (
    "select c.comment_id, c.survey, c.event_code, c.occurred_on, c.language, c.theme, c.theme_1, c.theme_2,"
    " s.open_comment from fct_comment c join raw_surveys__responses s on s._row_key = c.response_key"
    " where s.open_comment is not null and not s._is_deleted order by c.occurred_on desc, c.comment_id"
)
THEMES = "select theme, people, least_people from fct_comment_theme where period = :period order by people desc, theme"
PAIRS = (
    "select lower(c.theme_1) as first, lower(c.theme_2) as second, count(*) as n from fct_comment c"
    " join dim_period p on p.period = :period and c.occurred_on >= p.starts_on and c.occurred_on <= p.as_of_on"
    " where c.theme_1 is not null and c.theme_2 is not null group by lower(c.theme_1), lower(c.theme_2)"
)
STATE = (
    "select count(*) as comments, count(c.theme) as themed,"
    " count(case when c.theme is null and c.theme_1 is not null and c.theme_2 is not null then 1 end) as differing"
    " from fct_comment c join dim_period p"
    " on p.period = :period and c.occurred_on >= p.starts_on and c.occurred_on <= p.as_of_on"
)


@dataclass(frozen=True)
class Coding:
    """How far the comments of a period are coded. ``differing``: two coders chose different themes and did not agree yet."""

    comments: int
    themed: int
    differing: int
    agreement: Agreement


def read_coding(warehouse: Warehouse, period: str) -> Coding | None:
    """How far the comments of a quarter or year are coded; None before any were calculated, or if there are none."""
    if not _is_there(warehouse):
        return None
    state = warehouse.records(STATE, {"period": period})[0]
    pairs = {
        (row["first"], row["second"]): int(row["n"]) for row in warehouse.records(PAIRS, {"period": period})
    }
    if not state["comments"]:
        return None
    return Coding(int(state["comments"]), int(state["themed"]), int(state["differing"]), agreement(pairs))


def read_themes(warehouse: Warehouse, period: str, min_cell: int) -> list[Theme]:
    """Themes of the comments of a quarter or year with the people who raised them.

    Of a theme that fewer than ``min_cell`` raised in some quarter of the year, the number is that quarter's: year and other
    quarters together would tell it. Of one that may name a person it is 0. Both are then merged with other small themes.
    """
    if not _is_there(warehouse):
        return []
    found = []
    for row in warehouse.records(THEMES, {"period": period}):
        people = int(row["people"] if row["least_people"] >= min_cell else row["least_people"])
        found.append(Theme(Wording({BASE: row["theme"]}), 0 if names_a_person(row["theme"]) else people))
    return found


def comments_form(settings: Settings, language: str, coder: Coder) -> tuple[Version, bytes, int]:
    """The current version, the file in which comments get their themes, and how many comments are in it.

    Two who code at the same time each get a file without the other's column, so that neither knows what the other chose.

    Args:
        coder: who fills it in; ``both``: where they settle what differs.

    Raises:
        MelError: a version or the comments cannot be read, such as while a run writes.
    """
    version = versions.issue(settings)
    rows = _read(settings)
    coded = {str(row["comment"]): row for row in version.rows.get(SHEET, ())}
    mine = _COLUMNS[coder]
    guesses = suggested(
        [Written(row["language"], row["open_comment"], row["theme"]) for row in rows if row["theme"]],
        [Written(row["language"], row["open_comment"]) for row in rows],
    )
    shown = {str(row["comment_id"]): _shown(row, guess) for row, guess in zip(rows, guesses, strict=True)}
    waiting = [one for one in shown if one not in coded][:MOST_COMMENTS]
    with_words = [{**row, **shown.get(str(row["comment"]), {})} for row in version.rows.get(SHEET, ())]
    content = write(
        replace(version, rows={**version.rows, SHEET: with_words}),
        language,
        {"themes": _themes(version)},
        organisation=settings.organisation_name,
        made_at=utc_now(),
        proposals={
            SHEET: [Proposal({"comment": one, **shown[one]}, Said("proposed_comment")) for one in waiting]
        },
        only=_sheet(mine),
    )
    return version, content, len(waiting) + sum("text" in row for row in with_words)


def _sheet(mine: set[str]) -> Sheet:
    """The sheet with the columns for the eye before the coder's own."""
    known = sheets()[SHEET]
    key, *themes = known.columns
    return known.model_copy(
        update={"columns": (key, *known.shown, *(column for column in themes if column.key in mine))}
    )


def _shown(row: Mapping[str, Any], guess: str | None) -> dict[str, str | None]:
    day = row["occurred_on"]
    text = row["open_comment"]
    return {
        "form": row["survey"],
        "event": row["event_code"],
        "quarter": f"{day.year}-Q{(day.month + 2) // 3}" if day else None,
        "text": text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…",
        "suggestion": None if row["theme"] else guess,
    }


def _themes(version: Version) -> Sequence[str]:
    """Themes given before, and those of the sheet *Lessons and themes*."""
    rows: Sequence[Row] = version.rows.get(SHEET, ())
    found = {row.get(key) for row in rows for key in ("theme_1", "theme_2", "agreed_theme")}
    found |= {row.get("text_en") for row in version.rows.get("lessons", ()) if row.get("kind") == "theme"}
    return sorted({one for one in found if one}, key=str.casefold)


def _read(settings: Settings) -> list[dict[str, Any]]:
    warehouse = Warehouse(settings.database_url, settings.lock_wait_seconds)
    return warehouse.records(COMMENTS) if _is_there(warehouse) else []


def _is_there(warehouse: Warehouse) -> bool:
    return all(map(warehouse.has_table, ("fct_comment", "fct_comment_theme", "raw_surveys__responses")))
