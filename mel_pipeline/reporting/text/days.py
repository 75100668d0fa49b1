"""Days in sentences that SQL wrote, in words. Names of files keep theirs."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mel_pipeline.reporting.text.texts import Texts

_DAY = re.compile(r"(?<![\w.-])\d{4}-\d{2}-\d{2}(?![\w-]|\.\w)")


def days_in_words(sentence: str, texts: Texts) -> str:
    """``2024-11-03`` as 3 November 2024; what stands before the last colon is a name and stays."""
    name, colon, words = sentence.rpartition(": ")

    def in_words(found: re.Match[str]) -> str:
        try:
            return texts.day(date.fromisoformat(found[0]))
        except ValueError:
            return found[0]

    return f"{name}{colon}{_DAY.sub(in_words, words)}"
