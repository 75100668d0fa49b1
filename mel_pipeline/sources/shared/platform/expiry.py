"""Warn before a token expires."""

from __future__ import annotations

from datetime import date

WARN_DAYS = 14


def expiry_warning(title: str, ends: date | None, today: date, setting: str) -> list[str]:
    """A warning from two weeks before expiry; none if the date is not known.

    Args:
        setting: the variable that takes the new token.
    """
    if ends is None or (ends - today).days > WARN_DAYS:
        return []
    return [
        f"The access token of {title} expires on {ends}. Generate a new one before then and set {setting}."
    ]
