"""Whether the sources are fresh and the last quarter is complete, in sentences. Reads only."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.contracts import contract_of, source_names

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.warehouse import Warehouse


def late_sources(warehouse: Warehouse) -> list[str]:
    """One sentence per source that was loaded before, but not within the days of its contract.

    Each table's own check reports this when it is loaded; this one also reports when nothing runs.
    """
    if not warehouse.has_table("load_ledger"):
        return []
    rows = warehouse.records(
        "select source, entity, max(finished_at) as loaded from load_ledger where status = 'loaded'"
        " group by source, entity"
    )
    loaded = {(row["source"], row["entity"]): row["loaded"] for row in rows}
    now, sentences = utc_now(), []
    for source in source_names():
        contract = contract_of(source)
        late = [
            f"{details.title} {(now - loaded[source, entity]).days:,} days ago ({details.max_age_days} are allowed)"
            for entity, details in contract.entities.items()
            if (source, entity) in loaded and (now - loaded[source, entity]).days > details.max_age_days
        ]
        if late:
            sentences.append(f"{contract.title} is late. Last loaded: {'; '.join(late)}.")
    return sentences


def last_quarter(warehouse: Warehouse, settings: Settings) -> tuple[list[str], str]:
    """What is missing for the quarter that ended last, and a sentence for when nothing is.

    Nothing is due for the sample, or before an organisation's first quarter.
    """
    quarter = settings.open_quarter.previous()
    due = quarter.end + timedelta(days=settings.last_quarter_days)
    if settings.sample:
        return [], "The sample organisation: no last quarter is due."
    if str(quarter) < settings.first_quarter:
        return [], f"Data begin with {settings.first_quarter}."
    if settings.current_day < due:
        return [], f"{quarter} is due on {due:%d %B %Y}."
    missing = []
    if not _has_figures(warehouse, str(quarter)):
        missing.append(f"No figures of {quarter}: start the job nightly for it.")
    pages = [
        folder / str(quarter) / "report-en.html" for folder in (settings.published_dir, settings.drafts_dir)
    ]
    if not any(page.is_file() and page.stat().st_size for page in pages):
        missing.append(f"No report of {quarter} ({pages[1]}): start the job quarterly_report for it.")
    return missing, f"{quarter} is there: its figures and its report."


def _has_figures(warehouse: Warehouse, quarter: str) -> bool:
    if not warehouse.has_table("released_figures"):
        return False
    query = "select count(*) as n from released_figures where period = :quarter and dimension = 'total' and value is not null"
    return bool(warehouse.records(query, {"quarter": quarter})[0]["n"])
