"""Variables available to the SQL models by ``var``."""

from __future__ import annotations

from mel_pipeline.core.organisation import facts
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings


def sql_variables(settings: Settings, quarter: Quarter) -> dict[str, object]:
    """Variables for one quarter; the project adds the list of indicator models itself."""
    return {
        "quarter": str(quarter),
        "today": settings.current_day.isoformat(),
        "first_quarter": settings.first_quarter,
        "time_zone": settings.time_zone,
        "currency": settings.currency,
        "fund_pipeline": settings.fund_pipeline,
        **_minimum_attendance(facts(settings.organisation).minimum_attendance),
    }


def _minimum_attendance(written: str) -> dict[str, object]:
    """Per cent of an event's duration, or seconds; the other is 0."""
    number = int("".join(filter(str.isdigit, written)))
    share = written.endswith("%")
    return {
        "least_attendance_pct": number if share else 0,
        "least_attendance_seconds": 0 if share else 60 * number,
    }
