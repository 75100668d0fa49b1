"""One edition: its content, read from the warehouse as frames, and the files written from it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.logo import logo_of
from mel_pipeline.core.organisation import facts
from mel_pipeline.core.periods import previous_period, quarters_of_year, year_before
from mel_pipeline.core.release_calendar import release_of
from mel_pipeline.core.settings import Settings
from mel_pipeline.ingest.origin import holds_sample
from mel_pipeline.publication.movement import movement
from mel_pipeline.publication.provenance import origins
from mel_pipeline.publication.recall import recall_of
from mel_pipeline.publication.restatement import HELD, OPEN, ledger_rows
from mel_pipeline.publication.sensitivity import people_indicators
from mel_pipeline.publication.store import calculations, last_publication
from mel_pipeline.quality.scorecard import worth_a_look
from mel_pipeline.reporting.edition import Edition, Publication, Recall, Region
from mel_pipeline.reporting.figures.measures import RATES
from mel_pipeline.reporting.figures.monthly import months_shown
from mel_pipeline.reporting.format_names import wanted_formats
from mel_pipeline.reporting.inputs.data_quality import (
    read_outages,
    read_quality,
    read_unknown_ends,
    rules_held,
    source_card,
)
from mel_pipeline.reporting.inputs.folders import clear_away, editions_dir, is_published
from mel_pipeline.reporting.inputs.kept_editions import published_edition
from mel_pipeline.reporting.inputs.narrative import read_narrative, with_comments
from mel_pipeline.reporting.inputs.register_data import read_projects, read_voices
from mel_pipeline.reporting.inputs.stated import read_stated
from mel_pipeline.transform.catalogue import catalogue_of
from mel_pipeline.transform.catalogue.translations import read_translated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from mel_pipeline.reporting import BuiltEdition
    from mel_pipeline.warehouse import Warehouse

WAITS = {"state": HELD, "published": None, "current": None, "difference": None}


def read_edition(
    warehouse: Warehouse, settings: Settings, period: str, *, published: bool | None = None
) -> Edition:
    """Frames for one edition. A published one is as it was published; what was restated since stands beside it.

    Args:
        published: whether it is for readers; by default once its period is published.

    Raises:
        ReportError: the period has not been calculated yet.
        PublicationError: a published edition was changed from outside.
    """
    with warehouse.connect():  # opened once for everything below
        for_readers = is_published(warehouse, period) if published is None else published
        kept = _as_published(warehouse, settings, period) if for_readers else None
        return kept or read_live(warehouse, settings, period, for_readers=for_readers)


def _as_published(warehouse: Warehouse, settings: Settings, period: str) -> Edition | None:
    return published_edition(
        warehouse,
        period,
        is_sample=settings.sample or holds_sample(warehouse),
        publication=_publication(warehouse, period),
        restatements=_restatements(warehouse, settings, period, for_readers=True),
        **_release(settings),
    )


def _release(settings: Settings) -> dict[str, Any]:
    found = release_of(settings.organisation)
    return {"release_days": found.days, "revision_policy": found.policy.by_language if found.policy else {}}


def write_edition(edition: Edition, settings: Settings, also: Sequence[str] = ()) -> BuiltEdition:
    """Write it in the configured languages and formats; unchanged files are not touched.

    A published edition goes to the folder that readers open, a draft to that of the MEL lead; the other folder has
    none of it afterwards. An incomplete language is not written; ``refused`` of the result says which and why.

    Args:
        also: further languages, for readers who prefer another one.

    Raises:
        ReportError: a page cannot be written, two languages differ, or a format or language does not exist.
    """
    from mel_pipeline.core.processes import cores
    from mel_pipeline.reporting import build_all, cache, languages, refused

    configured = languages(settings.report_sources, settings.languages)
    formats = wanted_formats(settings.formats)
    wanted = [*configured, *(language for language in also if language not in configured)]
    incomplete = refused(edition, settings.report_sources, wanted)
    written = [language for language in wanted if language not in incomplete]
    processes = settings.processes or cores()
    folder = editions_dir(settings, published=edition.publication is not None)
    with cache.using(settings.pictures_dir):
        built = build_all(edition, folder, settings.report_sources, written, formats, processes)
    other = editions_dir(settings, published=edition.publication is None)
    clear_away(other / edition.period, folder / edition.period)
    return replace(built, refused=incomplete)


def read_live(warehouse: Warehouse, settings: Settings, period: str, *, for_readers: bool) -> Edition:
    """The edition from what the warehouse and the files hold now. For readers: published figures only.

    Raises:
        ReportError: the period has not been calculated yet.
    """
    known = _calculated(warehouse)
    if period not in known:
        raise _not_calculated(period, known)
    figures = read_released(warehouse, for_readers=for_readers)
    order = [name.strip() for name in settings.languages.split(",")]
    quality = read_quality(warehouse, settings.min_cell)
    stated = read_stated(warehouse, settings, figures)
    return Edition(
        period=period,
        grain="quarter" if "-Q" in period else "year",
        organisation=settings.organisation_name,
        logo=logo_of(settings.organisation),
        plan=plan.by_language() if (plan := facts(settings.organisation).plan) else {},
        is_sample=settings.sample or holds_sample(warehouse),
        licence=settings.licence,
        regions=_regions(warehouse),
        sentences=_sentences(warehouse, stated.sentences),
        data_as_of=_data_as_of(warehouse, settings, period),
        figures=figures,
        indicators=stated.with_baselines(
            read_translated(
                warehouse,
                "select * from dim_indicator order by position, indicator_id",
                "indicator",
                "indicator_id",
                order,
            ),
            period,
        ),
        targets=read_targets(warehouse),
        lines_of_action=read_translated(
            warehouse,
            "select * from dim_line_of_action order by number",
            "line_of_action",
            "number",
            order,
        ),
        quality=quality,
        card=source_card(warehouse, quality),
        rules_held=rules_held(warehouse, _quarters(period)),
        worth_a_look=len(worth_a_look(warehouse, _quarters(period))),
        notes=[*read_outages(warehouse), *read_unknown_ends(warehouse)],
        min_cell=settings.min_cell,
        origins=origins(warehouse, settings),
        publication=_publication(warehouse, period),
        **_release(settings),
        restatements=_restatements(warehouse, settings, period, for_readers=for_readers),
        movements=_movements(warehouse, settings, period, for_readers=for_readers),
        narrative=with_comments(read_narrative(settings, period), warehouse, period, settings.min_cell),
        projects=[] if "-Q" in period else read_projects(warehouse, int(period)),
        voices=read_voices(warehouse, period),
        statements=stated.statements,
        earlier=stated.earlier,
        verbatim=stated.verbatim,
        months=_months(warehouse, period, for_readers=for_readers),
    )


def _months(warehouse: Warehouse, period: str, *, for_readers: bool) -> list[dict[str, Any]]:
    """Totals and parts of the months of a period and of the one before; a month without a figure is left out."""
    first, *_, last = months_shown(period)
    return warehouse.records(
        "select f.indicator_id, f.period, f.category, f.value, f.expected, f.covered from released_figures as f"  # noqa: S608 - no text from outside
        " join dim_indicator as i on i.indicator_id = f.indicator_id"
        " where f.grain = 'month' and f.period between :first and :last and f.value is not null"
        f" and f.dimension in ('total', coalesce(i.parts, 'total')) {'and f.version is not null' if for_readers else ''}"
        " order by f.indicator_id, f.category, f.period",
        {"first": first, "last": last},
    )


def read_released(warehouse: Warehouse, edition: Edition | None = None, *, for_readers: bool) -> pd.DataFrame:
    """Public figures of every period, as they are now; of the indicators that an edition knows, if given."""
    figures = warehouse.read(
        f"select * from released_figures where grain <> 'month'"  # noqa: S608
        f" {'and version is not null' if for_readers else ''}"
        " order by indicator_id, period, dimension, category"
    )
    known = figures["indicator_id"].isin(edition.indicators["indicator_id"]) if edition else None
    return figures if known is None else figures[known].reset_index(drop=True)


def stated_in(known: Edition) -> tuple[Any, ...]:
    """What people state in an edition: definitions, targets, plan, regions, texts."""
    return (
        known.organisation,
        known.logo,
        known.plan,
        known.licence,
        known.indicators,
        known.targets,
        known.lines_of_action,
        known.regions,
        known.sentences,
        known.narrative,
    )


def _regions(warehouse: Warehouse) -> list[Region]:
    frame = read_translated(
        warehouse,
        "select region as name_en, map_column, map_row from dim_region where position < 98 order by position",
        "region",
        "name_en",
    )
    found = []
    for row in frame.astype(object).where(frame.notna(), None).to_dict("records"):
        name = {
            str(key).removeprefix("name_"): str(text)
            for key, text in row.items()
            if text and str(key).startswith("name_")
        }
        placed = row["map_column"] is not None and row["map_row"] is not None
        found.append(Region(name, (int(row["map_column"]), int(row["map_row"])) if placed else None))
    return found


def read_targets(warehouse: Warehouse) -> pd.DataFrame:
    """The stated targets, as ``stated_targets`` reads them: the only place that knows where they are."""
    return warehouse.read("select * from dim_target order by indicator_id, period, kind, on_date")


def _sentences(warehouse: Warehouse, stated: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    found = {language: dict(texts) for language, texts in stated.items()}
    for row in warehouse.records(
        "select code, language, text from dim_translation where subject = 'sentence' order by language, code"
    ):
        found.setdefault(row["language"], {})[row["code"]] = row["text"]
    return found


def _movements(
    warehouse: Warehouse, settings: Settings, period: str, *, for_readers: bool
) -> dict[str, dict[str, float]]:
    """Indicator → its change since the comparison period, by reason, where a published figure was revised since.

    Where nothing was revised, all of a change is real. Readers see no comparison with a draft, and of people only what
    published figures say.
    """
    ledger = ledger_rows(warehouse)
    found = {}
    for indicator in catalogue_of(settings).indicators:
        amounts = indicator.aggregation in ("flow", "distinct") and indicator.unit not in RATES
        earlier = year_before(period) if amounts else previous_period(period)
        is_revised = any(
            row["indicator_id"] == indicator.id
            and row["period"] in (period, earlier)
            and row["disaggregation"] == "total"
            and row["state"] == OPEN
            for row in ledger
        )
        hidden = for_readers and (indicator.disclosure or not is_published(warehouse, earlier))
        if is_revised and not hidden:
            with suppress(ReportError):
                found[indicator.id] = movement(warehouse, indicator.id, earlier, period).parts
    return found


def _publication(warehouse: Warehouse, period: str) -> Publication | None:
    quarter = period if "-Q" in period else f"{period}-Q4"
    entry = last_publication(warehouse, quarter)
    if entry is None:
        return None
    found = recall_of(warehouse, quarter)
    recalled = Recall(found.happened_at.date(), found.role or "", found.note or "") if found else None
    return Publication(
        entry.version or 1, entry.happened_at.date(), entry.role or "", entry.note or "", recalled
    )


def _restatements(
    warehouse: Warehouse, settings: Settings, period: str, *, for_readers: bool
) -> list[dict[str, Any]]:
    """Readers see new numbers about people in a new version only, where they are protected."""
    quarter = period if "-Q" in period else f"{period}-Q4"
    rows = [row for row in ledger_rows(warehouse, quarter) if row["period"] == period]
    people = people_indicators(settings) if for_readers else set()
    return [row | WAITS if row["indicator_id"] in people and row["state"] == OPEN else row for row in rows]


def read_figures(warehouse: Warehouse, period: str) -> pd.DataFrame:
    """Figures of one period: indicator_id, period, disaggregation, value, numerator, denominator, n.

    Raises:
        ReportError: the period has not been calculated yet.
    """
    known = _calculated(warehouse)
    if period not in known:
        raise _not_calculated(period, known)
    return warehouse.read(
        "select indicator_id, period, disaggregation, value, numerator, denominator, n, status from released_figures"
        " where period = :period order by indicator_id, case when disaggregation = 'total' then 0 else 1 end, disaggregation",
        {"period": period},
    )


def _calculated(warehouse: Warehouse) -> set[str]:
    if not warehouse.has_table("released_figures"):
        return set()
    return set(
        warehouse.read("select distinct period from released_figures where grain <> 'month'")["period"]
    )


def _not_calculated(period: str, known: set[str]) -> ReportError:
    there = f"There are: {', '.join(sorted(known))}." if known else "Nothing has been calculated yet."
    quarter = f"{period}-Q4" if "-Q" not in period else period
    return ReportError(
        f"Reading the figures of {period}: not calculated. {there} Run `mel run --quarter {quarter}` first."
    )


def _data_as_of(warehouse: Warehouse, settings: Settings, period: str) -> date:
    """The last day on which a load changed anything, so that a run without changes leaves the report as it is.

    Published figures keep the day they were calculated.
    """
    quarter = period if "-Q" in period else f"{period}-Q4"
    frozen = last_publication(warehouse, quarter)
    made = (
        {item.calculation_id: item.calculated_at for item in calculations(warehouse, quarter)}
        if frozen
        else {}
    )
    moment: datetime | None = (
        made[frozen.details["calculation"]]
        if frozen
        else warehouse.records(
            "select max(finished_at) as moment from load_ledger"
            " where status = 'loaded' and new + changed + deleted > 0",
        )[0]["moment"]
    )
    if moment is None:
        return settings.current_day
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(settings.time_zone)).date()


def _quarters(period: str) -> list[str]:
    return [period] if "-Q" in period else [str(item) for item in quarters_of_year(int(period))]
