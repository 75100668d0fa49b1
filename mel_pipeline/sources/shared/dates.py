"""Parse dates and times of exports, with one day/month order for a whole file. A written UTC offset is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Literal

from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.files import FileRefusedError
from mel_pipeline.sources.shared.zones import zone_of

Order = Literal["day_first", "month_first"]

_ZONES = {  # abbreviations that mean one offset only; CST, BST and IST mean several
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3,
    "EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
_OFFSET = r"[+-]\d{1,2}(?::?\d{2})?"
_CLOCK = (
    r"(?:(?:[ T,]|\s[-–]\s|\bat\b|\bà\b|\ba las\b|\ba les\b)+"
    r"(?P<hour>\d{1,2})(?:(?:[:.]|\s?h\s?)(?P<minute>\d{2})(?:(?:[:.]|\s?min\s?)(?P<second>\d{2})(?:\s?s)?)?(?:[.,]\d+)?|(?P<full>\s?h))?"
    r"\s*(?P<half>[AaPp]\.?\s?[Mm]\.?)?)?"
    rf"(?:\s*\(?(?P<zone>{'|'.join(sorted(_ZONES, key=len, reverse=True))})\)?(?![^\W\d_]))?"
    rf"\s*(?P<offset>{_OFFSET})?\)?(?P<name>\s*\([^()\d]*\))?"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|r|º|°|\.)?"
_WORD = r"(?P<word>[^\W\d_]{2,})\.?"
_YEAR = r"(?P<year>\d{4}|['’]?\d{2})"
_OF = r"(?:\s?[-/]\s?|[ ,]\s?(?:(?:de|del|of) |d['’]\s?)?)"  # between day, month and year in words
_ISO = re.compile(r"(?P<year>\d{4})([-/.])\s?(?P<month>\d{1,2})\2\s?(?P<day>\d{1,2})\.?" + _CLOCK)
_NUMBERS = re.compile(r"(?P<one>\d{1,2})([/.-])(?P<other>\d{1,2})\2(?P<year>\d{4}|\d{2})" + _CLOCK)
_IN_WORDS = [
    re.compile(f"{_DAY}{_OF}{_WORD},?{_OF}{_YEAR}{_CLOCK}"),  # 5 de novembre del 2024, 05-Nov-24
    re.compile(f"{_WORD}[ /-]{_DAY},?[ /-]{_YEAR}{_CLOCK}"),  # Nov 05, 2024
    re.compile(rf"(?P<year>\d{{4}})[ /-]{_WORD}[ /-](?P<day>\d{{1,2}}){_CLOCK}"),  # 2024-Nov-05
]
_WEEKDAY = re.compile(r"(?P<weekday>[^\W\d_]{2,})\.?,? (?=.*\d{2})")


def _numbered(*languages: str, start: int) -> dict[str, int]:
    return {name: number for names in languages for number, name in enumerate(names.split(), start=start)}


_MONTHS = _numbered(
    "january february march april may june july august september october november december",
    "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "gener febrer marc abril maig juny juliol agost setembre octubre novembre desembre",
    start=1,
) | {"setiembre": 9, "ag": 8}
_WEEKDAYS = _numbered(
    "monday tuesday wednesday thursday friday saturday sunday",
    "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "lunes martes miercoles jueves viernes sabado domingo",
    "dilluns dimarts dimecres dijous divendres dissabte diumenge",
    "dl dt dc dj dv ds dg",  # as Catalan shortens them
    start=0,
) | {"dim": 6}  # as French shortens it; Catalan does not shorten dimarts so


def order_of(texts: Iterable[str], declared: Order | None, remedy: str = "") -> Order:
    """Which number in 03/04/2025 is the day, decided by all dates in a file together.

    Args:
        remedy: what else to do when nothing decides it, besides exporting again.

    Raises:
        FileRefusedError: nothing decides it (both readings are shown), or dates contradict each other.
    """
    found = evidence_of(texts)
    if found.order:
        return found.order
    if declared or found.shown is None:
        return declared or "day_first"
    one, other, year = int(found.shown["one"]), int(found.shown["other"]), _year(found.shown["year"])
    raise FileRefusedError(
        f"The dates can be read in two ways: {one}/{other}/{year} is {year}-{other:02}-{one:02} with"
        f" the day first, or {year}-{one:02}-{other:02} with the month first, and no date in the file"
        f" decides it. Export with the month in words{remedy}."
    )


@dataclass(frozen=True)
class Evidence:
    """What dates say about their order: ``order`` where they prove one; ``shown``, the first with two readings."""

    order: Order | None
    shown: re.Match[str] | None


def evidence_of(texts: Iterable[str]) -> Evidence:
    """Which order of day and month the dates among some texts prove.

    Raises:
        FileRefusedError: dates contradict each other.
    """
    day_first = month_first = False
    shown: re.Match[str] | None = None
    for text in texts:
        weekday, rest = _without_weekday(" ".join(text.split()))
        if match := _NUMBERS.fullmatch(rest):
            shown = shown or match
            one, other = int(match["one"]), int(match["other"])
            day_first = day_first or one > 12 or _only(weekday, match, "day_first")
            month_first = month_first or other > 12 or _only(weekday, match, "month_first")
    if day_first and month_first:
        raise FileRefusedError(
            "Some dates have the day first and others the month first. Export the file again, unchanged."
        )
    if day_first or month_first:
        return Evidence("day_first" if day_first else "month_first", shown)
    return Evidence(None, shown)


def other_order(order: Order) -> Order:
    return "month_first" if order == "day_first" else "day_first"


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
    return _NUMBERS.fullmatch(_without_weekday(" ".join(text.split()))[1]) is not None


def has_year_first(text: str) -> bool:
    """Whether it is a numeric date with the year first, as a spreadsheet's date cell is written out."""
    return _ISO.fullmatch(" ".join(text.split())) is not None


def read_moment(text: str, order: Order | None, zone: str | None = None) -> str:
    """A date and time as ISO, with its written UTC offset, or else that of ``zone``.

    ``GMT-3`` is three hours behind UTC, as people mean it; POSIX and some parsers invert the sign.

    Args:
        order: None if unknown; a date that needs it then cannot be read.

    Raises:
        ValueError: it is not a date, or not on the weekday it names.
    """
    text = " ".join(text.split())
    weekday, rest = _without_weekday(text)
    try:
        match, day = _day_of(rest, order)
    except ValueError:
        if weekday is None:
            raise
        (match, day), weekday = _day_of(text, order), None  # `mar` is a Tuesday, or March
    if weekday is not None and day.weekday() != weekday:
        raise ValueError("not that weekday")
    if match["name"] and not (match["zone"] or match["offset"]):
        raise ValueError("not a time zone")
    moment = datetime.combine(day, _clock(match))
    if match["zone"] or match["offset"]:
        return moment.replace(tzinfo=_offset(match["zone"], match["offset"])).isoformat()
    return (moment.replace(tzinfo=zone_of(zone)) if zone else moment).isoformat()


def _day_of(text: str, order: Order | None) -> tuple[re.Match[str], date]:
    """The day that a date without its weekday means, and its parts."""
    if match := _ISO.fullmatch(text):
        return match, date(int(match["year"]), int(match["month"]), int(match["day"]))
    if order and (match := _NUMBERS.fullmatch(text)):
        return match, _swapped(match, order)
    for pattern in _IN_WORDS:
        if match := pattern.fullmatch(text):
            return match, date(_year(match["year"]), _named(match["word"], False), int(match["day"]))
    raise ValueError("not a date")


def _clock(match: re.Match[str]) -> time:
    if match["hour"] is None:
        return time()
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("not an hour of the 12-hour clock")
        hour = hour % 12 + (12 if match["half"][0] in "Pp" else 0)
    elif not (match["minute"] or match["full"]):
        raise ValueError("not a time")
    return time(hour, int(match["minute"] or 0), int(match["second"] or 0))


def _without_weekday(text: str) -> tuple[int | None, str]:
    """The weekday that a date begins with, from Monday = 0, and the rest; an unknown word stays."""
    if match := _WEEKDAY.match(text):
        try:
            return _named(match["weekday"], True), text[match.end() :]
        except ValueError:
            pass
    return None, text


def _only(weekday: int | None, match: re.Match[str], order: Order) -> bool:
    """Whether a date falls on its weekday in this order, and in the other not."""

    def fits(reading: Order) -> bool:
        try:
            return _swapped(match, reading).weekday() == weekday
        except ValueError:
            return False

    return weekday is not None and fits(order) and not (fits("day_first") and fits("month_first"))


def _swapped(match: re.Match[str], order: Order) -> date:
    one, other = int(match["one"]), int(match["other"])
    day, month = (one, other) if order == "day_first" else (other, one)
    return date(_year(match["year"]), month, day)


def _year(text: str) -> int:
    digits = text.lstrip("'’")
    return int(digits) if len(digits) == 4 else 2000 + int(digits)


@lru_cache
def _named(name: str, weekday: bool) -> int:
    """The month or weekday that a name, or an unambiguous abbreviation, means in English, French, Spanish or Catalan."""
    start = normalize_text(name)
    names = _WEEKDAYS if weekday else _MONTHS
    if start in names:
        return names[start]
    found = {number for one, number in names.items() if len(start) > 2 and one.startswith(start)}
    if len(found) != 1:
        raise ValueError("not a month or a weekday")
    return found.pop()


def _offset(zone: str | None, text: str | None) -> timezone:
    if text is None:
        return timezone(timedelta(hours=_ZONES[zone or "Z"]))
    if zone not in (None, "Z", "UTC", "GMT"):
        raise ValueError("a zone and an offset")
    digits = text[1:].replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)
