"""Obstacles to publishing a quarter, as sentences that say what to do. Reads only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import MelError, NotSetUpError, ReportError
from mel_pipeline.core.periods import Quarter, quarters_of_year
from mel_pipeline.publication import store
from mel_pipeline.publication.calculations import FIGURES, definition_files, last_calculation, listing_of

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.publication.store import Calculation
    from mel_pipeline.warehouse import Warehouse


@dataclass(frozen=True)
class Obstacle:
    """Why a quarter cannot be published yet. The approver may waive ``waivable`` ones, by ``key``."""

    key: str
    sentence: str
    waivable: bool = False


def obstacles(
    warehouse: Warehouse, settings: Settings, quarter: Quarter, waived: Mapping[str, str] | None = None
) -> list[Obstacle]:
    """Everything that prevents publishing, most basic first; obstacles waived with a reason are left out."""
    if quarter.end > settings.current_day:
        return [Obstacle("open", f"{quarter} has not ended. Publish it from {quarter.end} on.")]
    try:
        calculation = last_calculation(warehouse, str(quarter))
    except ReportError as error:
        return [Obstacle("not_calculated", str(error))]
    found = [
        *_earlier_drafts(warehouse, quarter),
        *_stale(warehouse, settings, calculation),
        *_broken_checks(warehouse, quarter),
        *_missing_sources(warehouse, settings, quarter),
        *_unmapped_labels(warehouse, quarter),
        *unsigned_lines(warehouse, settings, quarter),
    ]
    return [item for item in found if not (item.waivable and item.key in (waived or {}))]


def _earlier_drafts(warehouse: Warehouse, quarter: Quarter) -> Iterator[Obstacle]:
    """A published year is the sum of its published quarters, as far as people are concerned."""
    calculated = {row["quarter"] for row in warehouse.records(f"select distinct quarter from {FIGURES}")}  # noqa: S608
    out = {entry.quarter for entry in store.ledger(warehouse) if entry.event == "published"}
    before = {str(item) for item in quarters_of_year(quarter.year) if str(item) < str(quarter)}
    if drafts := sorted((before & calculated) - out):
        yield Obstacle(
            "order",
            f"{', '.join(drafts)} {'is' if len(drafts) == 1 else 'are'} not published. Publish the quarters of a year in"
            f" their order: {drafts[0]} first.",
        )


def _stale(warehouse: Warehouse, settings: Settings, calculation: Calculation) -> Iterator[Obstacle]:
    again = f"Run `mel run --quarter {calculation.quarter}` again."
    later = warehouse.records(
        "select count(*) as n from load_ledger where status = 'loaded' and new + changed + deleted > 0"
        " and finished_at > :moment",
        {"moment": calculation.calculated_at},
    )
    if later[0]["n"]:
        yield Obstacle("stale", f"Data were loaded after {calculation.quarter} was calculated. {again}")
    if store.digest_of(listing_of(definition_files(settings.sql_dir))) != calculation.definitions:
        yield Obstacle(
            "stale", f"Definitions were changed after {calculation.quarter} was calculated. {again}"
        )


def _broken_checks(warehouse: Warehouse, quarter: Quarter) -> Iterator[Obstacle]:
    if not warehouse.has_table("quality_result"):
        return
    rows = warehouse.records(
        "select asset, sentence from quality_result where severity = 'error' and not passed"
        " and (quarter is null or quarter = :quarter) order by asset, check_name",
        {"quarter": str(quarter)},
    )
    for row in rows:
        yield Obstacle("check", f"A blocking check fails on {row['asset']}: {row['sentence']}")


def _missing_sources(warehouse: Warehouse, settings: Settings, quarter: Quarter) -> Iterator[Obstacle]:
    """Sources whose last load failed, and those in use that were never loaded for this quarter."""
    rows = warehouse.records(
        "select source, entity, max(case when status = 'loaded' then finished_at end) as loaded,"
        " max(case when status = 'loaded' and quarter = :quarter then 1 else 0 end) as has_quarter,"
        " max(finished_at) as tried from load_ledger group by source, entity",
        {"quarter": str(quarter)},
    )
    loads = {(row["source"], row["entity"]): row for row in rows}
    for source in source_names():
        contract = contract_of(source)
        missing = []
        for entity, details in contract.entities.items():
            load = loads.get((source, entity))
            if load is None:
                if contract.kind is None and _is_in_use(source, settings):
                    missing.append(f"{details.title} never loaded")
            elif load["loaded"] is None or load["tried"] > load["loaded"]:
                missing.append(f"{details.title}: the last load failed")
            elif details.load == "quarter" and not load["has_quarter"]:
                missing.append(f"{details.title} not loaded for {quarter}")
        if missing:
            yield Obstacle(
                source,
                f"{contract.title} is missing ({'; '.join(missing)}). Load it, or waive it with a reason: in the"
                f" form `without: '{source}=REASON'`, at a terminal `--without {source}=REASON`.",
                waivable=True,
            )


def _is_in_use(source: str, settings: Settings) -> bool:
    """Whether a source that was never loaded is set up; one with wrong settings is."""
    from mel_pipeline.sources import open_source

    try:
        open_source(source, settings)
    except NotSetUpError:
        return False
    except MelError:
        return True
    return True


def _unmapped_labels(warehouse: Warehouse, quarter: Quarter) -> Iterator[Obstacle]:
    if not warehouse.has_table("fct_survey_response"):
        return
    rows = warehouse.records(
        "select unknown_answer, count(*) as n from fct_survey_response where unknown_answer is not null"
        " and occurred_on >= :first and occurred_on < :last group by unknown_answer order by n desc, unknown_answer",
        {"first": quarter.start, "last": quarter.end},
    )
    if rows:
        listed = ", ".join(
            f"{json.dumps(row['unknown_answer'], ensure_ascii=False)} ({row['n']})" for row in rows
        )
        yield Obstacle(
            "labels",
            f"No scale knows the answers {listed} to the overall question, so those of their surveys are withheld. Give"
            " them a score in the workbook, sheet Answer scales, and run the quarter again.",
        )


def unsigned_lines(warehouse: Warehouse, settings: Settings, quarter: Quarter) -> Iterator[Obstacle]:
    """Lines of action whose owner has not signed, or signed other figures, where the organisation wants signatures."""
    if not settings.sign_off:
        return
    from mel_pipeline.publication.duties import Standing, unsigned
    from mel_pipeline.publication.signatures import digest_of_line
    from mel_pipeline.sources.workbook.versions import current
    from mel_pipeline.transform.catalogue import catalogue_of

    lines = {
        line.number: line.indicators for line in catalogue_of(settings).lines_of_action if line.indicators
    }
    stated = current(settings)

    def standing(row: str, line: int) -> Standing:
        signed = stated.signed.get(row, {}).get(str(quarter))
        if signed is None:
            return "unknown"
        return "same" if signed == digest_of_line(warehouse, lines[line], quarter) else "changed"

    for sentence in unsigned(stated.rows.get("duties", ()), lines, quarter, standing):
        yield Obstacle("sign_off", sentence)
