"""Cells that no database column holds, though they have the form their rule asks for. No database here.

A cast in SQL fails as a whole: one 31 February or one count of thirty digits would stop every model.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from mel_pipeline.core.contracts import EntityContract

if TYPE_CHECKING:
    import pandas as pd

LONGEST_TEXT = 100_000  # characters; Zoho's longest field, a rich text, holds 50,000
LONGEST_KEY = 1_000
MOST_DIGITS = 15  # what a double holds exactly


def unstorable(frame: pd.DataFrame, contract: EntityContract) -> dict[int, tuple[str, str]]:
    """Position of each such row → column and what is wrong with it. The first fault of a row counts.

    Args:
        frame: the contract's columns as text, with positions as its index.
    """
    found: dict[int, tuple[str, str]] = {}
    for name, column in contract.columns.items():
        most = LONGEST_KEY if name in contract.row_key else LONGEST_TEXT
        texts = frame[name].dropna()
        joined = "".join(texts)
        if "\x00" in joined:
            _note(found, texts, name, lambda text: "\x00" in text, "holds bytes that are not text")
        if len(joined) > most and max(map(len, texts)) > most:
            words = f"is longer than {most:,} characters"
            _note(found, texts, name, partial(_is_longer, most), words)
        if column.type in ("integer", "number"):
            _note(found, texts, name, _too_large, f"has more than {MOST_DIGITS} digits")
        if column.type in ("date", "datetime"):
            _note(found, texts, name, _no_moment, "is not a day or time that exists")
    return found


def _note(
    found: dict[int, tuple[str, str]],
    texts: pd.Series[str],
    name: str,
    is_bad: Callable[[str], bool],
    words: str,
) -> None:
    bad = {text for text in texts.unique() if is_bad(text)}
    if bad:
        for position in texts.index[texts.isin(bad)]:
            found.setdefault(int(position), (name, words))


def _is_longer(most: int, text: str) -> bool:
    return len(text) > most


def _too_large(text: str) -> bool:
    """A number beyond what columns hold; one without the form of a number is another rule's."""
    if len(text) <= MOST_DIGITS and "e" not in text and "E" not in text:
        return False
    try:
        number = float(text)
    except ValueError:
        return False
    return not abs(number) < 10**MOST_DIGITS


def _no_moment(text: str) -> bool:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return True
    return not 1 < moment.year < 9999  # a time zone may move it a day
