"""Of which event a given attendance list is, in the reader's words. Judges nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mel_pipeline.ingest.listed_events import ListedEvent
    from mel_pipeline.reporting.text.texts import Texts

AGAIN = {"code": "list_again", "none": "list_again", "several": "list_again", "day": "list_mend_day"}


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
    """One event of a list, or why there is none."""
    facts = [(t("workbook_page.list_day"), _days(found, t))]
    event = " · ".join(filter(None, (found.code, found.title, _when(found, t), found.programme)))
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
    first, last = found.starts, found.ends
    if first is None:
        return ""
    return t.day(first) if last is None or last == first else f"{t.day(first)} – {t.day(last)}"
