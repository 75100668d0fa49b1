"""One edition: its content, read from the warehouse as frames, and the files written from it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.logo import logo_of
from mel_pipeline.core.organisation import facts
from mel_pipeline.core.periods import previous_period, quarters_of_year, year_before
from mel_pipeline.core.settings import Settings
from mel_pipeline.ingest.origin import holds_sample
from mel_pipeline.ingest.privacy.keys import entities_about_people
from mel_pipeline.publication.movement import movement
from mel_pipeline.publication.provenance import origins
from mel_pipeline.publication.restatement import HELD, OPEN, ledger_rows
from mel_pipeline.publication.sensitivity import people_indicators
from mel_pipeline.publication.store import calculations, last_publication
from mel_pipeline.quality.scorecard import card, rules, worth_a_look
from mel_pipeline.reporting.edition import Edition, Publication, Region
from mel_pipeline.reporting.figures.measures import RATES
from mel_pipeline.reporting.format_names import wanted_formats
from mel_pipeline.reporting.inputs.folders import clear_away, editions_dir, is_published
from mel_pipeline.reporting.inputs.kept_editions import published_edition
from mel_pipeline.reporting.inputs.narrative import read_narrative
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
    )


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
        card=_card(warehouse, quality),
        rules_held=_rules_held(warehouse, _quarters(period)),
        worth_a_look=len(worth_a_look(warehouse, _quarters(period))),
        notes=[*read_outages(warehouse), *read_unknown_ends(warehouse)],
        min_cell=settings.min_cell,
        origins=origins(warehouse, settings),
        publication=_publication(warehouse, period),
        restatements=_restatements(warehouse, settings, period, for_readers=for_readers),
        movements=_movements(warehouse, settings, period, for_readers=for_readers),
        narrative=read_narrative(settings, period),
        statements=stated.statements,
        earlier=stated.earlier,
        verbatim=stated.verbatim,
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
    entry = last_publication(warehouse, period if "-Q" in period else f"{period}-Q4")
    if entry is None:
        return None
    return Publication(entry.version or 1, entry.happened_at.date(), entry.role or "", entry.note or "")


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


def read_quality(warehouse: Warehouse, min_cell: int) -> pd.DataFrame:
    """One row per raw table: rows read, stored and quarantined, the last load in words, and the last change.

    Rows about fewer than ``min_cell`` people are not counted (missing): they are the denominator that a figure withholds.
    Not the last request to the source: it moves every night, and would change every page and PDF.
    """
    import pandas as pd

    loads = {
        (row["source"], row["entity"]): row
        for row in warehouse.records(
            "select source, entity, max(case when status = 'loaded' then finished_at end) as last_loaded,"
            " max(case when new + changed + deleted > 0 then finished_at end) as last_changed,"
            " max(finished_at) as last_tried from load_ledger group by source, entity",
        )
    }
    tried = {source for source, _ in loads}
    quarantine = {
        (row["source"], row["entity"]): (int(row["rows_lost"]), int(row["cells_lost"]))
        for row in warehouse.records(
            "select source, entity, count(distinct case when lost = 'row' then coalesce(row_key, source_ref) end)"
            " as rows_lost, count(distinct case when lost = 'cell' then row_key || column_name end) as cells_lost"
            " from quarantine where resolved_at is null group by source, entity",
        )
    }
    tables, about_people = warehouse.tables(), set(entities_about_people())
    rows = []
    for source in source_names():
        contract = contract_of(source)
        if contract.kind == "stated" or (contract.kind is not None and source not in tried):
            continue  # what people state is no data of a source; a platform the organisation does not use
        for entity, details in contract.entities.items():
            load = loads.get(
                (source, entity), {"last_loaded": None, "last_changed": None, "last_tried": None}
            )
            last = load["last_loaded"]
            quarantined, cells = quarantine.get((source, entity), (0, 0))
            table = contract.table(entity)
            stored = _stored(warehouse, table, source, entity) if table in tables else 0
            is_small = (source, entity) in about_people and 0 < stored < min_cell
            rows.append(
                {
                    "source_title": contract.title,
                    "entity_title": details.title,
                    "source": source,
                    "rows_read": None if is_small else stored + quarantined,
                    "rows_stored": None if is_small else stored,
                    "rows_quarantined": quarantined,
                    "status_sentence": _status(last, load["last_tried"], quarantined, cells),
                    "last_changed_on": load["last_changed"].date() if load["last_changed"] else None,
                }
            )
    return pd.DataFrame(rows).astype({"rows_read": "Int64", "rows_stored": "Int64"})


def _card(warehouse: Warehouse, quality: pd.DataFrame) -> list[dict[str, Any]]:
    """The card of the sources; without the sum of rows where one of its parts is not shown."""
    small = set(quality.loc[quality["rows_stored"].isna(), "source"])
    return [
        {**vars(line), "aside": line.quarantined, "rows": None if line.source in small else line.rows}
        for line in card(warehouse)
        if contract_of(line.source).kind != "stated"
    ]


def _stored(warehouse: Warehouse, table: str, source: str, entity: str) -> int:
    """Rows of an entity. In a table shared by sources, count the rows last written by this source's loads."""
    query = f"select count(*) as n from {table} where not _is_deleted"  # noqa: S608
    if contract_of(source).entities[entity].shape is None:
        return int(warehouse.read(query)["n"].iloc[0])
    mine = f"{query} and starts_with(_load_id, :load)"
    return int(warehouse.read(mine, {"load": f"{source}-{entity}-"})["n"].iloc[0])


def _status(loaded: datetime | None, tried: datetime | None, quarantined: int, cells: int) -> str:
    # Each sentence is a phrase in the locale files, where it is translated.
    if loaded is None:
        return "Not loaded yet."
    if tried is not None and tried > loaded:
        return "The last load failed; what was loaded before stands. See the notes."
    reasons = "The quarantine table gives the reasons."
    if cells and quarantined:
        return f"Quarantined rows: {quarantined:,}; cells left empty: {cells:,}. {reasons}"
    if cells:
        return f"Cells left empty: {cells:,}. {reasons}"
    if quarantined:
        return f"Quarantined rows: {quarantined:,}. {reasons}"
    return "Complete."


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


def _rules_held(warehouse: Warehouse, quarters: Sequence[str]) -> list[dict[str, Any]]:
    """How many rules pass, by dimension of data quality."""
    return [
        {"dimension": name, "rules": len(found), "hold": sum(bool(rule["passed"]) for rule in found)}
        for name, found in rules(warehouse, quarters).items()
    ]


def _quarters(period: str) -> list[str]:
    return [period] if "-Q" in period else [str(item) for item in quarters_of_year(int(period))]


def read_outages(warehouse: Warehouse) -> list[str]:
    """Current outages, one per source and reason: the last load of an entity failed."""
    failed = warehouse.records(
        "select source, entity, finished_at, message, loaded_at from ("
        " select *, row_number() over (partition by source, entity order by finished_at desc) as recent,"
        " max(case when status = 'loaded' then finished_at end) over (partition by source, entity) as loaded_at"
        " from load_ledger) l where recent = 1 and status = 'failed' order by source, entity",
    )
    outages: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in failed:
        # Messages begin with the request ("Instagram account 17 reach: ..."); the reason follows.
        outages.setdefault((row["source"], row["message"].split(": ", 1)[-1]), []).append(row)
    return [_outage(rows, reason) for (_, reason), rows in outages.items()]


def read_unknown_ends(warehouse: Warehouse) -> list[str]:
    """Where rows count as still active because the day they ended cannot be read; without a number, they may be people.

    Neither leaving the row out nor guessing its day would be nearer to the truth: it did count before.
    """
    lost = {
        (row["source"], row["entity"], row["column_name"])
        for row in warehouse.records(
            "select distinct source, entity, column_name from quarantine where resolved_at is null and lost = 'cell'"
        )
    }
    return [
        f"{contract.title} ({details.title}): dates of leaving that cannot be read. Members and people with one count as"
        " still active until it is corrected at the source."
        for contract in map(contract_of, source_names())
        for entity, details in contract.entities.items()
        if any(
            column.ends and (contract.name, entity, name) in lost for name, column in details.columns.items()
        )
    ]


def _outage(rows: list[dict[str, Any]], reason: str) -> str:
    contract = contract_of(rows[0]["source"])
    titles = ", ".join(contract.entities[row["entity"]].title for row in rows)
    what = contract.title if len(rows) == len(contract.entities) else f"{contract.title} ({titles})"
    loaded = [row["loaded_at"] for row in rows if row["loaded_at"] is not None]
    since = f"not updated since {min(loaded):%Y-%m-%d}" if loaded else "never loaded"
    tried = max(row["finished_at"] for row in rows)
    return f"{what}: {since}; tried on {tried:%Y-%m-%d}. {reason[:1].upper()}{reason[1:]}"
