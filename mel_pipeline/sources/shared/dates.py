"""Parse dates and times of exports, with one day/month order for a whole file. A written UTC offset is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.files import FileRefusedError

Order = Literal["day_first", "month_first"]

_CLOCK = (
    r"(?:(?:[ T,]|\bat\b|\bà\b|\ba las\b)+(\d{1,2})[:h](\d{2})(?::(\d{2}))?(?:[.,]\d+)?"
    r"\s*([AaPp]\.?\s?[Mm]\.?)?)?"
    r"\s*(?:(Z|UTC|GMT)?\s*([+-]\d{1,2}(?::?\d{2})?)?)"
)
_ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})" + _CLOCK)
_NUMBERS = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})" + _CLOCK)
_MONTH_FIRST = re.compile(r"([^\W\d]{3,})\.? (\d{1,2}),? (\d{4})" + _CLOCK)
_DAY_FIRST = re.compile(r"(\d{1,2})(?:er)? (?:de |d['’])?([^\W\d]{3,})\.?,? (?:del? )?(\d{4})" + _CLOCK)
_MONTHS = {
    name: number
    for names in (
        "january february march april may june july august september october november december",
        "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "gener febrer marc abril maig juny juliol agost setembre octubre novembre desembre",
    )
    for number, name in enumerate(names.split(), start=1)
}


def order_of(texts: Iterable[str], declared: Order | None, remedy: str = "") -> Order:
    """Which number in 03/04/2025 is the day, decided by all dates in a file together.

    Args:
        remedy: what else to do when nothing decides it, besides exporting again.

    Raises:
        FileRefusedError: nothing decides it (both readings are shown), or dates contradict each other.
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
    one, other, year = int(shown[1]), int(shown[2]), _year(shown[3])
    raise FileRefusedError(
        f"The dates can be read in two ways: {one}/{other}/{year} is {year}-{other:02}-{one:02} with"
        f" the day first, or {year}-{one:02}-{other:02} with the month first, and no date in the file"
        f" decides it. Export with the month in words{remedy}."
    )


def declared_order(text: str, setting: str) -> Order | None:
    """The order of day and month that a setting declares; None where it is empty.

    Raises:
        SettingsError: it is neither day_first nor month_first.
    """
    match text.strip().lower():
        case "":
            return None
        case "day_first" | "month_first" as order:
            return order
    raise SettingsError(f"{setting} is '{text}'. Write day_first or month_first, or leave it empty.")


def has_two_readings(text: str) -> bool:
    """Whether it is a numeric date with the year last, so that day and month could be swapped."""
    return _NUMBERS.fullmatch(text.strip()) is not None


def read_moment(text: str, order: Order | None, zone: str | None = None) -> str:
    """A date and time as ISO, with its written UTC offset, or else that of ``zone``.

    ``GMT-3`` is three hours behind UTC, as people mean it; POSIX and some parsers invert the sign.

    Args:
        order: None if unknown; a date that needs it then cannot be read.

    Raises:
        ValueError: it is not a date.
    """
    text = " ".join(text.split())
    if match := _ISO.fullmatch(text):
        year, month, day = int(match[1]), int(match[2]), int(match[3])
    elif order and (match := _NUMBERS.fullmatch(text)):
        one, other, year = int(match[1]), int(match[2]), _year(match[3])
        day, month = (one, other) if order == "day_first" else (other, one)
    elif match := _MONTH_FIRST.fullmatch(text):
        month, day, year = _month(match[1]), int(match[2]), int(match[3])
    elif match := _DAY_FIRST.fullmatch(text):
        day, month, year = int(match[1]), _month(match[2]), int(match[3])
    else:
        raise ValueError("not a date")
    hour = int(match[4] or 0)
    if match[7]:
        if not 1 <= hour <= 12:
            raise ValueError("not an hour of the 12-hour clock")
        hour = hour % 12 + (12 if match[7][0] in "Pp" else 0)
    moment = datetime(year, month, day, hour, int(match[5] or 0), int(match[6] or 0))  # noqa: DTZ001 - the zone, if any, follows
    if match[8] or match[9]:
        return moment.replace(tzinfo=_offset(match[9] or "+0")).isoformat()
    return (moment.replace(tzinfo=ZoneInfo(zone)) if zone else moment).isoformat()


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


@lru_cache
def _month(name: str) -> int:
    """The month that a name, or an unambiguous abbreviation, means in English, French, Spanish or Catalan."""
    start = normalize_text(name)
    found = {number for month, number in _MONTHS.items() if month.startswith(start)}
    if len(found) != 1:
        raise ValueError("not a month")
    return found.pop()


def _offset(text: str) -> timezone:
    digits = text[1:].replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)
