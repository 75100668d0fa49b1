"""Responses that an export left out: a file without the column that says so does not bring them back. Pure.

An earlier download of a survey may lack the question of consent, or the column in which the tool marks tests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Literal

Screen = Literal["consent", "validity"]  # what an export can say of a response
REASONS: Mapping[Screen, str] = {
    "consent": "left out before, without consent; this file lacks the question",
    "validity": "left out before, as no valid response; this file lacks the column that says so",
}


class LeftOut:
    """Which responses were left out, and by what, as the cursor keeps it: digests of their keys, by screen."""

    def __init__(self, stored: object) -> None:
        kept = stored if isinstance(stored, dict) else {}
        self._marks: dict[Screen, set[str]] = {screen: set(kept.get(screen, ())) for screen in REASONS}

    def stored(self) -> dict[str, list[str]]:
        """What the cursor keeps."""
        return {screen: sorted(marks) for screen, marks in self._marks.items() if marks}

    def note(self, keys: Iterable[str], screen: Screen) -> None:
        """Responses that a file left out."""
        self._marks[screen] |= set(map(_mark, keys))

    def reason(self, keys: Collection[str], screens: Collection[Screen]) -> str | None:
        """Why a response stays out; None: it may count. A file decides for itself where it has the ``screens``.

        Args:
            keys: of one response.
        """
        of_response = set(map(_mark, keys))
        for screen, marks in self._marks.items():
            if screen in screens:
                marks.difference_update(of_response)  # the file says that it may be used
            elif marks & of_response:
                return REASONS[screen]
        return None


def _mark(key: str) -> str:
    return hashlib.blake2s(key.encode(), digest_size=8).hexdigest()
