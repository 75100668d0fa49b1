"""Header texts: normalised, without markup, made unique; what the first cells say about a column.

Pure; no tool by name here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from html.parser import HTMLParser

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.survey.model import Builtin, Question, Sheet

_LONGEST_CHOICE = 60  # characters; a longer text is not a choice
_TAG = re.compile(r"</?[a-z][^<>]*>|&(?:[a-z]+|#\d+);", re.IGNORECASE)


def in_words(text: str) -> str:
    """A header as people read it: no markup, no padding, no line breaks."""
    if _TAG.search(text):
        reader = _Words()
        reader.feed(text)
        reader.close()
        text = "".join(reader.parts)
    return " ".join(text.split())


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - as the parser calls it
        self._hidden += tag in ("style", "script")
        self.parts.append(" " if tag in ("br", "p", "div", "li") else "")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "script") and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def unique_names(names: Iterable[str]) -> list[str]:
    """Names made unique: the second `Other` becomes `Other (2)`, a column without a name `column 7`."""
    given = [name or f"column {number}" for number, name in enumerate(names, start=1)]
    taken: set[str] = set()
    times: Counter[str] = Counter()
    found = []
    for name in given:
        times[name] += 1
        unique = name if times[name] == 1 and name not in taken else ""
        while not unique:
            candidate = f"{name} ({max(times[name], 2)})"
            unique = candidate if candidate not in taken and candidate not in given else ""
            times[name] += not unique
        taken.add(unique)
        found.append(unique)
    return found


def questions_of(headers: Sequence[str], builtins: Mapping[str, Builtin]) -> list[Question]:
    """One question per column.

    Args:
        builtins: columns that the tool itself writes, by header as ``plain`` returns it. Only the first
            column of a name is the tool's; a question may have the same name.
    """
    found: list[Question] = []
    seen: set[str] = set()
    for key, header in zip(unique_names(" ".join(name.split()) for name in headers), headers, strict=True):
        name = normalize_text(in_words(header))
        builtin = builtins.get(name) if name not in seen else None
        seen.add(name)
        found.append(Question(key, in_words(header) or key, builtin=builtin))
    return found


def cells_of(sheet: Sheet, column: int, header_rows: int = 1) -> list[str]:
    """The non-empty cells among the first of a column."""
    rows = sheet.first_rows[header_rows:]
    return [cell for row in rows if column < len(row) and (cell := row[column].strip())]


def joined_by(cells: Collection[str], separators: Iterable[str]) -> str | None:
    """The separator by which cells join several choices; None if that is not certain.

    People use commas and semicolons in sentences too. So the parts must recur in other combinations: at
    least two different cells hold several parts, and all of those parts but one occur in another cell too.
    `Quito, Ecuador` written twice is not two choices.
    """
    cells = set(cells)
    for separator in separators:
        split = [[part.strip() for part in cell.split(separator) if part.strip()] for cell in cells]
        several = [parts for parts in split if len(parts) > 1]
        occurrences = Counter(part for parts in split for part in set(parts))
        parts = {part for parts in several for part in parts}
        if len(several) < 2 or max(map(len, parts)) > _LONGEST_CHOICE:
            continue
        if sum(occurrences[part] == 1 for part in parts) <= 1:
            return separator
    return None
