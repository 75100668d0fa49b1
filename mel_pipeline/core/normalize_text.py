"""Text normalised for comparison: one rule for headers, labels and city names."""

from __future__ import annotations

import unicodedata


def normalize_text(text: str) -> str:
    """Strip case, accents, punctuation and repeated spaces, for exact comparison."""
    letters = text.casefold()
    if not letters.isascii():
        letters = "".join(c for c in unicodedata.normalize("NFKD", letters) if not unicodedata.combining(c))
    if _is_in_words(letters):
        return " ".join(letters.split())
    return " ".join("".join(c if c.isalnum() else " " for c in letters).split())


_SIGNIFICANT = "%‰#&@*"  # punctuation by Unicode, but it changes what an answer says
_MINUS = "\u2212\ufe63\uff0d"
_JOINER = "\u200d"  # between the parts of one emoji


def normalize_answer(text: str) -> str:
    """Strip what does not change an answer: case, accents, repeated spaces, punctuation of words.

    Signs, symbols, emoji, and whatever stands around bare figures stay: `-1`, `<5`, `5%` and `(3)` are not `1`, `5`
    and `3`. Of words alone it gives the same as ``normalize_text``.
    """
    spaced = " ".join(_without_accents(text).split())
    if _is_in_words(spaced) or not any(c.isalpha() for c in spaced):
        return spaced
    kept = (c if _counts(spaced, place) else " " for place, c in enumerate(spaced))
    return " ".join("".join(kept).split())


def is_bare(text: str) -> bool:
    """Whether a text holds figures and nothing in words."""
    return any(c.isdigit() for c in text) and not any(c.isalpha() for c in text)


def _is_in_words(text: str) -> bool:
    """Letters, digits and plain spaces alone, as most answers are: nothing in it has to go."""
    return text.replace(" ", "").isalnum()


def _without_accents(text: str) -> str:
    if text.isascii():
        return text.casefold()
    found = []
    for c in text.casefold():
        if c in _MINUS:
            found.append("-")
        elif unicodedata.category(c) == "No":
            found.append(c)  # a circled or raised figure is not the figure
        else:
            found += [d for d in unicodedata.normalize("NFKD", c) if not _is_unseen(d)]
    return "".join(found)


def _is_unseen(c: str) -> bool:
    """Accents, and characters that only steer how others are drawn."""
    return bool(unicodedata.combining(c)) or (unicodedata.category(c) in ("Mn", "Cf") and c != _JOINER)


def _counts(text: str, place: int) -> bool:
    """Whether a character of an answer in words is more than its punctuation."""
    c = text[place]
    if c.isalnum() or c in _SIGNIFICANT or not unicodedata.category(c).startswith("P"):
        return True
    before, after = text[place - 1] if place else "", text[place + 1 : place + 2]
    if c == "-":
        return after.isdigit() and before in ("", " ")
    return c in ".,/:" and before.isdigit() and after.isdigit()
