"""Cells that no database column holds: they are taken out before rows are staged. No database here.

What can be staged is judged by the rules of the contract. A cast in SQL fails as a whole, so that one moment with an
impossible time zone would stop every model.
"""

from __future__ import annotations

import re
from datetime import datetime
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
        # Each text once, and no row is looked at unless something is wrong: nearly always nothing is.
        texts = [text for text in set(frame[name].to_numpy(object)) if isinstance(text, str)]
        bad: dict[str, str] = {}
        if "\x00" in "".join(texts):
            bad |= {text: "holds bytes that are not text" for text in texts if "\x00" in text}
        if max(map(len, texts), default=0) > most:
            words = f"is longer than {most:,} characters"
            bad |= {text: words for text in texts if len(text) > most and text not in bad}
        if column.type in ("date", "datetime"):
            words = "is not a day or time that exists"
            bad |= {text: words for text in texts if text not in bad and _no_moment(text)}
        if bad:
            positions = frame[name].isin(list(bad)).to_numpy().nonzero()[0].tolist()
            found |= {(position, name): bad[frame[name].iloc[position]] for position in positions}
    return [(position, name, words) for (position, name), words in found.items()]


def _no_moment(text: str) -> bool:
    """Of the form of a day or moment, and none; other forms are for the contract's rules."""
    if not MOMENT.match(text):
        return False
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return len(text) > DAY  # a day that does not exist breaks a rule of its own
    return not 1 < moment.year < 9999  # a time zone may move it a day
