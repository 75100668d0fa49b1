"""Passages of a draft: paragraphs, headings and table cells with their location, and their sentences."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from mel_pipeline.factcheck.languages import language as language_named

_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*$")
_ITEM = re.compile(r"^\s*(?:[-*+•–]|\d{1,2}[.)])\s+")
_RULE = re.compile(r"^\s*\|?[\s:|-]+\|[\s:|-]*$")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_END = re.compile(r"(?<=[.!?…])[»”\"')\]]*\s+(?=[«“\"'(\[]?\s*[A-ZÀ-ÝŒ¿¡0-9])")
_FIGURE = re.compile(r"\d")
LONGEST_LABEL = 80
_LONGEST_SENTENCE = 1_000  # longer ones are cut between words, so that time stays bounded


@dataclass(frozen=True)
class Passage:
    """A self-contained piece of text.

    ``heading`` is the heading above it; for a table cell, ``text`` is "row: cell" and ``column`` its column
    header. ``kind``: paragraph, heading, cell, footnote, or margin (page headers and footers).
    """

    text: str
    place: str
    kind: str = "paragraph"
    heading: str = ""
    column: str = ""


def tidy(text: str) -> str:
    """Strip soft hyphens and other invisible characters; normalise to NFC; keep narrow spaces."""
    return unicodedata.normalize("NFC", text.translate(_INVISIBLE)).replace("\t", " ")


def from_lines(text: str, *, markdown: bool) -> list[Passage]:
    """Passages of plain text or Markdown, with the number of their first line."""
    passages: list[Passage] = []
    open_lines: list[str] = []
    begun, heading = 1, ""
    rows: list[tuple[int, list[str]]] = []

    def close() -> None:
        nonlocal rows
        if open_lines:
            passages.append(Passage(" ".join(open_lines), f"line {begun}", heading=heading))
            open_lines.clear()
        if rows:
            passages.extend(table_passages([(f"line {n}", cells) for n, cells in rows], heading))
            rows = []

    for number, raw in enumerate(tidy(text).splitlines(), start=1):
        line = _LINK.sub(r"\1", raw) if markdown else raw
        title = _HEADING.match(line)
        if markdown and line.lstrip().startswith("|"):
            if open_lines:
                close()
            if not _RULE.match(line):
                rows.append((number, [cell.strip(" *_") for cell in line.strip().strip("|").split("|")]))
            continue
        if not line.strip() or title or _ITEM.match(line) or rows:
            close()
        if title:
            heading = title.group(1)
            passages.append(Passage(heading, f"line {number}", "heading", heading))
        elif line.strip():
            if not open_lines:
                begun = number
            text_of = re.sub(r"^\s*[-*+•]\s+|^\s*>\s?", "", line)
            open_lines.append(
                re.sub(r"[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}", "", text_of) if markdown else text_of
            )
    close()
    return passages


def table_passages(rows: list[tuple[str, list[str]]], heading: str) -> list[Passage]:
    """Cells of a table as "row: cell", with column headers if the first row has no numbers but years.

    Args:
        rows: location and cells of each row.
    """
    if not rows:
        return []
    first = rows[0][1]
    headed = len(rows) > 1 and not any(
        _FIGURE.search(re.sub(r"(?:19|20)\d\d|[QT][1-4]", "", c)) for c in first[1:]
    )
    heads = first if headed else []
    found = []
    for number, (place, cells) in enumerate(rows):
        label = cells[0] if cells and len(cells[0]) <= LONGEST_LABEL else ""
        for column, cell in enumerate(cells):
            if not cell.strip():
                continue
            where = f"{place}, column {column + 1}"
            plain = column == 0 or (headed and number == 0) or len(cell) > LONGEST_LABEL or not label
            own = cell if plain else f"{label}: {cell}"
            head = heads[column] if column < len(heads) and number > 0 else ""
            found.append(Passage(own, where, "cell", heading, "" if plain else head))
    return found


@cache
def _abbreviated(code: str) -> re.Pattern[str]:
    return re.compile(rf"(?:\b(?:{language_named(code).either('abbreviations')})|\b[A-Z])\.$")


def sentences(text: str, language: str) -> list[str]:
    """Split a passage into sentences; abbreviations do not end one."""
    found: list[str] = []
    begun = 0
    for match in _END.finditer(text):
        before = text[begun : match.start()]
        if _abbreviated(language).search(before) or re.fullmatch(r"\s*\d{1,2}\.", before):
            continue
        found.append(text[begun : match.end()].strip())
        begun = match.end()
    found.append(text[begun:].strip())
    return [piece for sentence in found if sentence for piece in _bounded(sentence)]


def _bounded(sentence: str) -> list[str]:
    pieces = []
    while len(sentence) > _LONGEST_SENTENCE:
        cut = sentence.rfind(" ", 1, _LONGEST_SENTENCE)
        cut = cut if cut > 0 else _LONGEST_SENTENCE
        pieces.append(sentence[:cut].strip())
        sentence = sentence[cut:].strip()
    return [*pieces, sentence]
