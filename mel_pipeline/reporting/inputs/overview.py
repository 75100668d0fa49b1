"""What a MEL lead looks at first: the state of one quarter, read from the warehouse and the folders. Judges nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.publication.duties import owed
from mel_pipeline.publication.publishing import quarter_status
from mel_pipeline.quality.freshness import late_sources
from mel_pipeline.quality.scorecard import flagged_totals, quarantined_rows
from mel_pipeline.reporting.inputs.comments import read_coding
from mel_pipeline.reporting.inputs.data_quality import read_outages
from mel_pipeline.reporting.inputs.folders import is_published
from mel_pipeline.reporting.text.days import days_in_words
from mel_pipeline.reporting.text.texts import load_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mel_pipeline.core.periods import Quarter
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.reporting.inputs.comments import Coding
    from mel_pipeline.warehouse import Warehouse


@dataclass(frozen=True)
class Overview:
    """The state of a quarter in sentences.

    ``obstacles``: what stands against publishing. ``pages``: name of the language → file of the page, written after
    this. ``sources``: outages and late loads. ``quarantined``: raw table → rows and cells with their reason.
    ``flagged``: (indicator, sentence) of totals worth a look. ``owed``: duties of the workbook. ``comments``: how far
    they are coded by theme. ``totals``: indicator → its public total in words.
    """

    quarter: str
    sentence: str
    obstacles: tuple[str, ...]
    pages: Mapping[str, str]
    is_published: bool
    sources: tuple[str, ...]
    quarantined: Mapping[str, tuple[str, ...]]
    flagged: tuple[tuple[str, str], ...]
    owed: tuple[str, ...]
    totals: Mapping[str, str]
    comments: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()


def read_overview(warehouse: Warehouse, settings: Settings, quarter: Quarter) -> Overview:
    """The state of a calculated quarter."""
    with warehouse.connect():  # opened once for everything below
        status = quarter_status(warehouse, settings, quarter)
        return Overview(
            quarter=str(quarter),
            sentence=status.sentence,
            obstacles=tuple(obstacle.sentence for obstacle in status.obstacles),
            pages=_pages(settings),
            is_published=is_published(warehouse, str(quarter)),
            sources=(*read_outages(warehouse), *late_sources(warehouse)),
            quarantined=_quarantined(warehouse),
            flagged=tuple(flagged_totals(warehouse, [str(quarter)])),
            owed=tuple(item.sentence for item in owed(settings)),
            comments=_comments(read_coding(warehouse, str(quarter))),
            totals=_totals(warehouse, str(quarter)),
            lists=_lists(warehouse, settings),
        )


def _pages(settings: Settings) -> dict[str, str]:
    from mel_pipeline.reporting import languages
    from mel_pipeline.reporting.text.languages import language_name

    configured = languages(settings.report_sources, settings.languages)
    return {language_name(language): f"report-{language}.html" for language in configured}


def _quarantined(warehouse: Warehouse) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for row in quarantined_rows(warehouse):
        table = contract_of(row["source"]).table(row["entity"])
        found.setdefault(table, []).append(f"{row['source_ref']}: {row['reason']}")
    return {table: tuple(lines) for table, lines in found.items()}


def _lists(warehouse: Warehouse, settings: Settings) -> tuple[str, ...]:
    if not warehouse.has_table("int_attendance_event"):
        return ()
    rows = warehouse.records(
        "select distinct list_name, trouble from int_attendance_event where trouble is not null"
        " order by list_name, trouble"
    )
    texts = load_texts(settings.report_sources, "en")
    return tuple(days_in_words(f"{row['list_name']}: {row['trouble']}.", texts) for row in rows)


def _comments(coding: Coding | None) -> tuple[str, ...]:
    """How many open comments have their theme, and how well two coders agree."""
    if coding is None:
        return ()
    found = coding.agreement
    sentences = [f"{coding.themed:,} of {coding.comments:,} open comments have a theme."]
    if coding.differing:
        sentences.append(
            f"Two coders differ about {coding.differing:,}: these do not count until they agree."
        )
    if found.comments:
        said = f"Two coders gave {found.same:,} of {found.comments:,} comments the same theme"
        if found.kappa is None or found.interval is None:
            said += ". Cohen's kappa is not defined, as both used one theme only."
        else:
            low, high = found.interval.low, found.interval.high
            said += f": Cohen's kappa {found.kappa:.2f} (95% interval {low:.2f} to {high:.2f})."
        sentences.append(said)
    return tuple(sentences)


def _totals(warehouse: Warehouse, quarter: str) -> dict[str, str]:
    rows = warehouse.records(
        "select f.indicator_id, i.name_en, f.value, f.status from released_figures f"
        " join dim_indicator i on i.indicator_id = f.indicator_id"
        " where f.period = :quarter and f.dimension = 'total' order by i.position, f.indicator_id",
        {"quarter": quarter},
    )
    return {
        f"{row['indicator_id']} {row['name_en']}": row["status"]
        if row["value"] is None
        else _shown(row["value"])
        for row in rows
    }


def _shown(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")
