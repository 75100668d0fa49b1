"""One cell at a time: what a person wrote, as the text the raw table holds, or why it cannot be. Pure."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

_INVISIBLE = dict.fromkeys([0x200B, 0x2060, 0xFEFF, 0x00AD])
_EXACT = 1e15


def clean_text(text: str) -> str:
    """Without control characters, invisible ones and spaces at the ends; line breaks are plain."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").translate(_INVISIBLE)
    text = "".join(
        letter for letter in text if letter == "\n" or unicodedata.category(letter) not in ("Cc", "Cs")
    )
    return re.sub(r" *\n *", "\n", text).strip()


def number_text(value: float) -> str:
    """Digits without an exponent."""
    if abs(value) >= _EXACT:
        return repr(value)
    number = Decimal(repr(value))
    return f"{number.to_integral_value() if number == number.to_integral_value() else number:f}"
