"""Of which event a given attendance list is, in the reader's words. Judges nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from datetime import date

    from mel_pipeline.ingest.event_choice import EventChoice
    from mel_pipeline.ingest.listed_events import ListedEvent
    from mel_pipeline.reporting.text.texts import Texts

MARK = " · "  # between code, day and title of an event; no code holds it
AGAIN = {"code": "list_again", "none": "list_again", "several": "list_again", "day": "list_mend_day"}


_CODE = re.compile(r"(?<![\w-])[A-Z]{2,}(?:-[A-Z0-9]+)+(?![\w-])")


def whole_codes(sentence: str) -> Markup:
    """A sentence as HTML whose codes, such as TRN-2025-Q1-01, stay on one line."""
    return Markup(_CODE.sub(r'<span class="event-code">\g<0></span>', str(escape(sentence))))  # noqa: S704


@dataclass(frozen=True)
class Said:
    """``facts``: what was understood, label and words. ``why``: what is in the way, empty where the list counts.

    ``todo``: what mends it. ``notes``: what is worth knowing where it counts.
    """

    counts: bool
    facts: list[tuple[str, str]]
    why: str = ""
    todo: str = ""
    notes: list[str] = field(default_factory=list)


def said(found: ListedEvent, t: Texts) -> Said:
    """One event of a list, or why there is none.

    ``todo`` speaks of the choice of events that the page offers below it.
    """
    facts = [(t("workbook_page.list_day"), _days(found, t))]
    event = MARK.join(filter(None, (found.code, found.title, _when(found, t), found.programme)))
    if event:
        facts.append((t("workbook_page.list_event"), event))
    if found.trouble is None:
        return Said(True, facts, notes=_notes(found, t))
    why = t(
        f"workbook_page.list_why.{found.trouble}",
        code=found.code_said,
        event=found.code or found.title,
        when=_when(found, t),
        days=_days(found, t),
    )
    todo = t(f"workbook_page.{AGAIN[found.trouble]}") if found.trouble in AGAIN else ""
    if found.is_inside and todo:
        todo = t("workbook_page.list_inside", code=found.code_said)
    return Said(False, facts, why, todo)


def _notes(found: ListedEvent, t: Texts) -> list[str]:
    notes = []
    if found.is_decided and found.day and found.otherwise:
        notes.append(t("workbook_page.list_decided", day=t.day(found.day), otherwise=t.day(found.otherwise)))
    if not found.is_training:
        notes.append(t("workbook_page.list_no_training"))
    elif not found.programme:
        notes.append(t("workbook_page.list_no_programme"))
    return notes


def _days(found: ListedEvent, t: Texts) -> str:
    days = [found.day] if found.trouble is None else sorted(filter(None, (found.day, found.otherwise)))
    words = [t.day(day) for day in days if day is not None]
    return (
        t("workbook_page.list_or", one=words[0], other=words[1])
        if len(words) > 1
        else "".join(words) or t("workbook_page.list_no_day")
    )


def _when(found: ListedEvent, t: Texts) -> str:
    return _span(found.starts, found.ends, t)


def chosen(event: EventChoice, t: Texts) -> str:
    """An event as it is offered and, once chosen, comes back: its code, days and title."""
    return MARK.join(filter(None, (event.code, _span(event.starts, event.ends, t), event.title)))


def code_in(text: str) -> str:
    """The code of an event that was chosen; what was written instead, as it is."""
    return text.partition(MARK)[0].strip()


def _span(first: date | None, last: date | None, t: Texts) -> str:
    if first is None:
        return ""
    return t.day(first) if last is None or last == first else f"{t.day(first)} – {t.day(last)}"
