"""The form of the workbook with the organisation's own lists, and the rows that it proposes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import ContractError, WarehouseError
from mel_pipeline.core.organisation import facts
from mel_pipeline.core.target_path import last_day
from mel_pipeline.reporting.inputs.project_checks import project_choices
from mel_pipeline.sources.shared.survey.proposing import proposed_rows
from mel_pipeline.sources.workbook import versions
from mel_pipeline.sources.workbook.form import write
from mel_pipeline.sources.workbook.model import Proposal
from mel_pipeline.sources.workbook.said import Said
from mel_pipeline.transform.catalogue import Catalogue, catalogue_of

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.ingest.identity import Members
    from mel_pipeline.sources.workbook.model import Version

WORKBOOK = "workbook"  # the source that corrections do not apply to
UNJUDGED = {"in_band": "judged_by_band", "context": "judged_by_none"}  # directions in which no target lies
LANGUAGES = ["en", "fr", "es", "ca"]


def form(settings: Settings, language: str) -> tuple[Version, bytes]:
    """The current version, kept from now on, and the form with its rows, the organisation's lists and proposed rows.

    Raises:
        MelError: the catalogue or a version cannot be read.
    """
    version = versions.issue(settings)
    catalogue, members = catalogue_of(settings), known_members(settings)
    content = write(
        version,
        language,
        choices(catalogue, version, members, language, settings.currency),
        organisation=settings.organisation_name,
        made_at=utc_now(),
        proposals={
            "targets": list(_targets(settings, catalogue, version)),
            "manual_figures": list(_figures(settings, version)),
            "cities": _cities(settings, version, members),
            **_surveys(settings, version),
        },
        takes_none=[one.id for one in catalogue.indicators if one.direction in UNJUDGED],
        languages=[one.strip() for one in settings.languages.split(",") if one.strip()] or LANGUAGES,
    )
    return version, content


def choices(
    catalogue: Catalogue, version: Version, members: Members | None, language: str, currency: str
) -> Mapping[str, Sequence[str]]:
    """Entries of the drop-down lists, by the names that ``sheets.yml`` gives them."""
    stated = {str(row["code"]): row for row in version.rows["manual_indicators"]}
    manual = {
        code: f"{code} · {row.get(f'name_{language}') or row['name_en']}" for code, row in stated.items()
    }
    calculated = [one for one in catalogue.indicators if one.id not in stated]
    named = {one.id: f"{one.id} · {one.name.by_language.get(language, one.name.en)}" for one in calculated}
    unjudged = {one.id for one in calculated if one.direction in UNJUDGED}
    unjudged |= {code for code, row in stated.items() if row.get("direction") in UNJUDGED}
    every = named | manual
    contracts = [contract_of(name) for name in source_names() if name != WORKBOOK]
    roles = {one.owner_role for one in catalogue.indicators} | {"MEL lead"}
    return {
        "indicators": list(every.values()),
        "targetable": [entry for code, entry in every.items() if code not in unjudged],
        "manual_indicators": list(manual.values()),
        "dimensions": sorted({name for one in catalogue.indicators for name in one.disaggregations}),
        "units": sorted({one.unit for one in catalogue.indicators}),
        "lines": [
            f"{line.number} · {line.name.by_language.get(language, line.name.en)}"
            for line in catalogue.lines_of_action
        ],
        "roles": sorted(roles),
        "sources": [one.name for one in contracts],
        "entities": sorted({name for one in contracts for name in one.entities}),
        "members": sorted({one.name for one in members.all}) if members else [],
        **project_choices(version.rows.get("projects", ()), currency),
    }


def known_members(settings: Settings) -> Members | None:
    """The members of the CRM; None before they are loaded."""
    from mel_pipeline.ingest.city_names import read_members
    from mel_pipeline.ingest.identity import load_aliases
    from mel_pipeline.warehouse import Warehouse

    try:
        return read_members(Warehouse(settings.database_url, settings.lock_wait_seconds), load_aliases())
    except (ContractError, WarehouseError):
        return None


def _targets(settings: Settings, catalogue: Catalogue, version: Version) -> Iterator[Proposal]:
    """A target for the end of the plan, for every indicator that can have one and has none that late."""
    plan = facts(settings.organisation).plan
    year = str(max(plan.last_year if plan else 0, settings.current_day.year))
    has_one = {
        row["indicator"]
        for row in version.rows["targets"]
        if row["kind"] == "target"
        and not row.get("category")
        and last_day(str(row["period"])) >= last_day(year)
    }
    for one in catalogue.indicators:
        if one.direction not in UNJUDGED and one.id not in has_one:
            row = {"indicator": one.id, "period": year, "kind": "target"}
            yield Proposal(row, Said("proposed_target", period=year))


def _figures(settings: Settings, version: Version) -> Iterator[Proposal]:
    """The figure of the quarter that has ended, for every indicator counted by hand; people counted once, of the year."""
    quarter = settings.open_quarter.previous()
    stated = {(row["indicator"], row["period"]) for row in version.rows["manual_figures"]}
    for one in version.rows["manual_indicators"]:
        period = str(quarter.year if one["aggregation"] == "distinct" else quarter)
        if (one["code"], period) not in stated:
            row = {"indicator": one["code"], "period": period}
            yield Proposal(row, Said("proposed_figure", period=period))


def _surveys(settings: Settings, version: Version) -> dict[str, list[Proposal]]:
    """Questions and answers that the last load of a survey did not know."""
    from mel_pipeline.warehouse import Warehouse
    from mel_pipeline.warehouse.state import read_proposals

    try:
        with Warehouse(settings.database_url, settings.lock_wait_seconds).connect() as connection:
            found = read_proposals(connection)
    except WarehouseError:
        return {}
    return proposed_rows(found, version.rows)


def _cities(settings: Settings, version: Version, members: Members | None) -> list[Proposal]:
    """Cities without a decision, with the most similar member."""
    if members is None:
        return []
    from mel_pipeline.ingest.city_names import review_in, undecided
    from mel_pipeline.warehouse import Warehouse

    warehouse = Warehouse(settings.database_url, settings.lock_wait_seconds)
    return [
        Proposal(
            {"answer": line.answer.text, "country": line.answer.country or None},
            Said("proposed_member", times=line.answer.times, member=line.suggestion)
            if line.suggestion
            else Said("proposed_city", times=line.answer.times),
        )
        for line in undecided(warehouse, members, review_in(version, members))
    ]
