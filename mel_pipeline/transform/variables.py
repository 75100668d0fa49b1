"""Variables available to the SQL models by ``var``."""

from __future__ import annotations

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
    }
