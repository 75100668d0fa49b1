"""Units that are currencies."""

from __future__ import annotations

import re

_CODE = re.compile("[A-Z]{3}")  # ISO 4217; other units are in lower case


def is_currency(unit: str) -> bool:
    """Whether a unit of an indicator, or of a number in a text, is an amount of money."""
    return _CODE.fullmatch(unit) is not None
