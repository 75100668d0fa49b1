"""How long a service asks to wait, as it writes it and as a message says it. No service by name here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST_KNOWN = 366 * 86_400.0  # seconds


def seconds_until(text: object) -> float | None:
    """A wait as a service writes it: seconds, or a date; None when it is neither."""
    written = str(text).strip()
    if written.isdecimal() and written.isascii():
        return float(written[:20])
    try:
        moment = parsedate_to_datetime(written)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((aware - datetime.now(UTC)).total_seconds(), 0.0)


def wait_until(seconds: float) -> str:
    """What a service that asks for a long wait means for the load."""
    until = datetime.now(UTC) + timedelta(seconds=min(seconds, LONGEST_KNOWN))
    return (
        f"The service asks to wait {duration(seconds)}, until {until:%Y-%m-%d %H:%M} UTC."
        " The next run after that resumes from here."
    )


def duration(seconds: float) -> str:
    return f"{seconds / 60:,.0f} minutes" if seconds < 2 * 3600 else f"{seconds / 3600:,.0f} hours"
