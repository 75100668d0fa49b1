"""Dates of an export, read in one order for a whole file. No time zones: exports carry none."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from mel_pipeline.sources.files import FileRefusedError

Order = Literal["day_first", "month_first"]

_CLOCK = r"(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?\s*([AaPp]\.?[Mm]\.?)?)?"
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})" + _CLOCK)
_NUMBERS = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})" + _CLOCK)
_WORDS = re.compile(r"([A-Za-z]{3})[a-z]*\.? (\d{1,2}),? (\d{4})" + _CLOCK)
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}


def order_of(texts: Iterable[str], declared: Order | None, remedy: str = "") -> Order:
    """Which number of 03/04/2025 is the day, decided by all dates of a file together.

    Args:
        remedy: what to do when nothing decides it, beside exporting anew.

    Raises:
        FileRefusedError: nothing decides it, or dates contradict one another. Both readings are shown.
    """
    day_first = month_first = False
    shown: re.Match[str] | None = None
    for text in texts:
        if match := _NUMBERS.fullmatch(text.strip()):
            shown = shown or match
            day_first = day_first or int(match[1]) > 12
            month_first = month_first or int(match[2]) > 12
    if shown is None:
        return declared or "day_first"
    if day_first and month_first:
        raise FileRefusedError(
            "Some dates have the day first and others the month first. Export the file again, unchanged."
        )
    if day_first or month_first:
        return "day_first" if day_first else "month_first"
    if declared:
        return declared
    one, other = int(shown[1]), int(shown[2])
    raise FileRefusedError(
        f"The dates can be read in two ways: {one}/{other}/{shown[3]} is {shown[3]}-{other:02}-{one:02} with"
        f" the day first, or {shown[3]}-{one:02}-{other:02} with the month first, and no date of the file"
        f" decides it. Export with the month in words{remedy}."
    )


def read_moment(text: str, order: Order) -> str:
    """A date and time as ISO without a zone.

    Raises:
        ValueError: it is none.
    """
    text = text.strip()
    if match := _ISO.fullmatch(text):
        year, month, day = int(match[1]), int(match[2]), int(match[3])
    elif match := _NUMBERS.fullmatch(text):
        one, other, year = int(match[1]), int(match[2]), int(match[3])
        day, month = (one, other) if order == "day_first" else (other, one)
    elif match := _WORDS.fullmatch(text):
        if match[1].lower() not in _MONTHS:
            raise ValueError("there is no such month")
        month, day, year = _MONTHS[match[1].lower()], int(match[2]), int(match[3])
    else:
        raise ValueError("not a date")
    hour = int(match[4] or 0)
    if match[7]:
        hour = hour % 12 + (12 if match[7][0] in "Pp" else 0)
    moment = datetime(year, month, day, hour, int(match[5] or 0), int(match[6] or 0))  # noqa: DTZ001 - exports name no zone
    return moment.isoformat()
