"""Figures in the cells of a survey, as people, tools and spreadsheets write them. Pure.

Whatever changes a figure (a sign, `<`, `%`, brackets, a second figure) makes it another answer, never the figure.
"""

from __future__ import annotations

import re

MOST = 10  # of recommendation
_FIGURE = re.compile(r"(\d{1,15})(?:[.,](\d+))?")
_WORDS = r"[^\d<>%+~]*[^\W\d_][^\d<>%+~]*"
_MARK = r"\s*[-–—=:(\[]\s*"
_BEFORE = re.compile(rf"(\d{{1,2}})(?:{_MARK}|\s*[.)]\s*|\s+)({_WORDS})")
_AFTER = re.compile(rf"({_WORDS}?)(?:{_MARK}|\s+)(\d{{1,2}})\s*[)\]]?")
_MARKED = re.compile(rf"\d(?:{_MARK}|\s*[.)])|{_MARK}\d")
_LIKELY = re.compile(r"likel|probab|recom", re.IGNORECASE)  # without a mark, `5 stars` is not 5 of 10
_OF_TEN = re.compile(r"(\d{1,2})\s*(?:/|out of|of|sur|de|sobre)\s*10", re.IGNORECASE)
_RANGE = re.compile(
    r"(?<![\d/-])(?<!\d[.,])(\d{1,2})\s*(?:-|–|to|à|a|al|i|y|and|et|hasta|sur)\s*(\d{1,3})(?![\d/-]|[.,]\d)",
    re.IGNORECASE,
)


def figure_of(text: str) -> float | None:
    """A bare figure (`5`, `5.0`, `4,5`, `9.0000000000`); None for anything else."""
    match = _FIGURE.fullmatch(text.strip())
    return float(f"{match[1]}.{match[2] or 0}") if match and text.isascii() else None


def anchored(text: str) -> tuple[float, str] | None:
    """A figure with the label of its end (`10 - Extremely likely`, `Extremely likely (10)`); None for anything else."""
    if match := _BEFORE.fullmatch(text.strip()):
        return float(match[1]), match[2].strip(" ()[]")
    if match := _AFTER.fullmatch(text.strip()):
        return float(match[2]), match[1].strip(" ()[]")
    return None


def recommended(text: str) -> str:
    """How likely someone is to recommend, as digits if it can be read: else as written, for the contract to judge."""
    figure = figure_of(text)
    if figure is None and (match := _OF_TEN.fullmatch(text.strip())):
        figure = float(match[1])
    if figure is None and (label := anchored(text)) and (_MARKED.search(text) or _LIKELY.search(text)):
        figure = label[0]
    return f"{figure:.0f}" if figure is not None and figure.is_integer() else text


def range_in(text: str) -> tuple[int, int] | None:
    """The range that a question states (`on a scale of 0 to 10`); None if it states none, or several."""
    found = {(int(match[1]), int(match[2])) for match in _RANGE.finditer(text)}
    ranges = [(low, high) for low, high in found if low <= 1 and 3 <= high <= 100]
    return ranges[0] if len(ranges) == 1 else None
