"""Shared by Instagram and Facebook: the Graph API's error format, bounds of a request, ends of days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request

CALIFORNIA = ZoneInfo("America/Los_Angeles")


def graph_error(code: int, message: str, *, kind: str = "OAuthException", **more: Any) -> dict[str, Any]:
    """The body of an error; ``more`` are further keys, such as error_subcode."""
    return {"error": {"message": message, "type": kind, "code": code, **more, "fbtrace_id": "sample"}}


def bounds(request: Request, since: date, until: date) -> tuple[date, date]:
    """The requested period, or this one; ``until`` is the first day after it."""

    def day(name: str, default: date) -> date:
        text = request.query_params.get(name)
        if text is None:
            return default
        return datetime.fromtimestamp(int(text), UTC).date() if text.isdigit() else date.fromisoformat(text)

    return day("since", since), day("until", until)


def end_of(day: date, zone: ZoneInfo = CALIFORNIA) -> str:
    """The ``end_time`` of a day: its last midnight, in UTC. 07:00 or 08:00 the day after in California."""
    midnight = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    return f"{midnight:%Y-%m-%dT%H:%M:%S}+0000"
