"""Text normalised for comparison: one rule for headers, labels and city names."""

from __future__ import annotations

import unicodedata


def normalize_text(text: str) -> str:
    """Strip case, accents, punctuation and repeated spaces, for exact comparison."""
    letters = "".join(
        c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c)
    )
    return " ".join("".join(c if c.isalnum() else " " for c in letters).split())
