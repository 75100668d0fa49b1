"""Cells that no database column holds: they are taken out before rows are staged. No database here.

What can be staged is judged by the rules of the contract. A cast in SQL fails as a whole, so that one moment with an
impossible time zone would stop every model.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from mel_pipeline.core.contracts import EntityContract

if TYPE_CHECKING:
    import pandas as pd

LONGEST_TEXT = 100_000  # characters; Zoho's longest field, a rich text, holds 50,000
LONGEST_KEY = 1_000
DAY = 10  # characters of a day
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}|$)")


def unstorable(frame: pd.DataFrame, contract: EntityContract) -> list[tuple[int, str, str]]:
    """Position and column of each such cell, and what is wrong with it.

    Args:
        frame: the contract's columns as text, with positions as its index.
    """
    found: dict[tuple[int, str], str] = {}
    for name, column in contract.columns.items():
        most = LONGEST_KEY if name in contract.row_key else LONGEST_TEXT
        texts = frame[name].dropna()
        joined = "".join(texts)
        if "\x00" in joined:
            _note(found, texts, name, lambda text: "\x00" in text, "holds bytes that are not text")
        if len(joined) > most and max(map(len, texts)) > most:
            words = f"is longer than {most:,} characters"
            _note(found, texts, name, partial(_is_longer, most), words)
        if column.type in ("date", "datetime"):
            _note(found, texts, name, _no_moment, "is not a day or time that exists")
    return [(position, name, words) for (position, name), words in found.items()]


def _note(
    found: dict[tuple[int, str], str],
    texts: pd.Series[str],
    name: str,
    is_bad: Callable[[str], bool],
    words: str,
) -> None:
    bad = {text for text in texts.unique() if is_bad(text)}
    if bad:
        for position in texts.index[texts.isin(bad)]:
            found.setdefault((int(position), name), words)


def _is_longer(most: int, text: str) -> bool:
    return len(text) > most


def _no_moment(text: str) -> bool:
    """Of the form of a day or moment, and none; other forms are for the contract's rules."""
    if not MOMENT.match(text):
        return False
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return len(text) > DAY  # a day that does not exist breaks a rule of its own
    return not 1 < moment.year < 9999  # a time zone may move it a day
