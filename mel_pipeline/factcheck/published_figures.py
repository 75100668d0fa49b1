"""Check a draft report against the figures in the warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ReportError
from mel_pipeline.factcheck import Published, Report, check, read_draft
from mel_pipeline.factcheck.languages import own_words
from mel_pipeline.transform.catalogue import catalogue_of
from mel_pipeline.transform.catalogue.translations import read_translated

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.warehouse import Warehouse


def check_draft(
    warehouse: Warehouse, settings: Settings, path: Path, language: str | None, period: str | None
) -> Report:
    """Every number of a draft with its verdict.

    Raises:
        DraftError: the draft cannot be read.
        ReportError: nothing, or not this period, has been calculated.
    """
    draft = read_draft(path)
    return check(draft, read_published(warehouse, settings, period), language, period)


def read_published(warehouse: Warehouse, settings: Settings, period: str | None = None) -> Published:
    """The released figures of all periods, with their names.

    Raises:
        ReportError: nothing, or not this period, has been calculated.
    """
    if not warehouse.has_table("released_figures"):
        raise ReportError("Checking a draft: nothing has been calculated yet. Run `mel report` first.")
    with warehouse.connect():  # one connection for both
        figures = warehouse.read(
            "select * from released_figures where grain <> 'month' order by indicator_id, period, dimension, category"
        )
        indicators = read_translated(
            warehouse,
            "select * from dim_indicator order by position, indicator_id",
            "indicator",
            "indicator_id",
        )
    known = sorted(set(figures["period"]))
    if not known or (period is not None and period not in known):
        there = f"Available: {', '.join(known)}." if known else "Nothing has been calculated yet."
        raise ReportError(f"Checking a draft against {period or 'the figures'}: not calculated. {there}")
    catalogue = catalogue_of(settings)
    named = [
        *(("region", item.name) for item in catalogue.regions),
        *(("programme", item.name) for item in catalogue.programmes),
    ]
    categories = {(dimension, name.en): list(name.by_language.values()) for dimension, name in named}
    return Published(
        figures,
        indicators,
        categories,
        tuple(item.name.en for item in catalogue.campaigns),
        settings.organisation_name,
        own_words(settings.organisation),
    )
