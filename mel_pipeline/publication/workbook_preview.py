"""A preview of the workbook as Markdown, for people who work in Dagster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mel_pipeline.sources.workbook.said import said_in

if TYPE_CHECKING:
    from mel_pipeline.sources.workbook.model import Change, Preview

MOST = 50  # lines of a list
LONGEST = 120  # characters of a value
# What stands in these may be somebody's answer, and Dagster's history keeps what it is shown: columns only.
QUIET = ("corrections", "cities", "survey_questions", "answer_scales")


def as_markdown(preview: Preview) -> dict[str, str]:
    """New, changed, removed, refused and changed in two places, each a list; empty ones are left out.

    Of a refused cell its place and what to do, in the language of the workbook; not what stands there.
    """
    language = preview.upload.language
    parts: Mapping[str, Sequence[str]] = {
        "new": [_change(item) for item in preview.new],
        "changed": [_change(item) for item in preview.changed],
        "removed": [_change(item) for item in preview.removed],
        "refused": [
            f"**{item.sheet}, {item.cell}**: {said_in(item.why, language)}" for item in preview.refused
        ],
        "changed in two places": [
            f"**{item.sheet} {item.id or item.cell}**: changed here and, since the download, elsewhere. Version"
            f" {preview.current.number} goes on counting."
            for item in preview.conflicts
        ],
        "to know": [said_in(words, language) for words in preview.warnings],
    }
    return {name: "\n".join(_lines(items)) for name, items in parts.items() if items}


def _lines(items: Sequence[str]) -> Iterator[str]:
    yield from (f"- {item}" for item in items[:MOST])
    if len(items) > MOST:
        yield f"- and {len(items) - MOST:,} more"


def _change(change: Change) -> str:
    place = f"**{change.sheet} {change.id or ''}**".replace(" **", "**") + (
        f" ({change.cell})" if change.cell else ""
    )
    if change.sheet in QUIET:
        return f"{place}: {', '.join(change.columns)}"
    before, after = change.before or {}, change.after or {}
    cells = [
        f"{column} {_value(after.get(column))}"
        if not change.before
        else f"{column} {_value(before.get(column))}"
        if not change.after
        else f"{column} {_value(before.get(column))} → {_value(after.get(column))}"
        for column in change.columns
    ]
    return f"{place}: {'; '.join(cells)}"


def _value(written: str | None) -> str:
    text = " ".join((written or "–").split())
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("`", "'")
