"""Texts as they are compared: one rule for headers, labels and names of cities."""

from __future__ import annotations

import unicodedata


def normalize_text(text: str) -> str:
    """A text without case, accents, punctuation and doubled spaces, for exact comparison."""
    letters = "".join(
        c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c)
    )
    return " ".join("".join(c if c.isalnum() else " " for c in letters).split())
