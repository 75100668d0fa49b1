"""Time zones by the names that survey tools, spreadsheets and people give them. No dates here."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

_UTC = {"z", "zulu", "utc", "gmt", "ut", "etc/utc", "etc/gmt"}
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)
_LARGEST = timedelta(hours=14)


class UnknownZoneError(ValueError):
    """Nobody knows a time zone by this name. The text says which, and what to write."""


@lru_cache
def zone_of(name: str) -> tzinfo:
    """A zone by its IANA name in any case, by `Z`, `UTC` or `GMT`, or by an offset (`+01:00`, `GMT-3`).

    Raises:
        UnknownZoneError: it is none of these.
    """
    text = name.strip()
    if text.casefold() in _UTC:
        return UTC
    if match := _OFFSET.fullmatch(text):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        if offset <= _LARGEST and int(match[3] or 0) < 60:
            return timezone(-offset if match[1] == "-" else offset)
    elif found := _names().get(text.casefold()):
        return ZoneInfo(found)
    raise UnknownZoneError(
        f"Nobody knows the time zone '{text[:40]}'. Write a name such as Africa/Nairobi, or UTC, as `zone:` of a"
        " codebook for this survey."
    )


@lru_cache
def _names() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones()}
