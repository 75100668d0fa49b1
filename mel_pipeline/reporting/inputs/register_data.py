"""Projects, outcomes and partnerships read from the warehouse, up to a day.

Outcomes without consent stay in the warehouse: only their number leaves this module.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.periods import Quarter, quarters_of_year
from mel_pipeline.reporting.edition import CityVoice, ProjectAim, ProjectNote, Wording
from mel_pipeline.reporting.figures.measures import missing, number, words
from mel_pipeline.reporting.site.register import Outcome, Register
from mel_pipeline.sources.workbook.named_persons import names_a_person
from mel_pipeline.sources.workbook.sheets import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from mel_pipeline.warehouse import Warehouse

PROJECTS = "select * from dim_project order by project_id"
FINANCES = "select * from fct_project_finance where year <= :year order by project_id, year"
LOGFRAME = "select * from dim_logframe order by project_id, level_order, position, logframe_id"
PARTNERSHIPS = (
    "select * from fct_partnership where coalesce(agreed_on, applied_on) is null"
    " or coalesce(agreed_on, applied_on) <= :day"
    " order by coalesce(agreed_on, applied_on) desc, partner, partnership_id"
)
OUTCOMES = "select * from fct_outcome where has_consent and happened_on <= :day order by happened_on desc, outcome_id"
UNPRINTED = "select count(*) as n from fct_outcome where not has_consent and happened_on <= :day"


def read_register(warehouse: Warehouse, day: date) -> Register:
    """What is stated, up to a day. Texts that may name a person are left out, and counted.

    Args:
        day: the last of the edition's period.
    """
    if not all(map(warehouse.has_table, ("dim_project", "dim_logframe", "fct_outcome", "fct_partnership"))):
        return Register()  # calculated by an earlier version
    until = {"day": day}
    rows = warehouse.read(OUTCOMES, until).to_dict("records")
    printed = [row for row in rows if not _names(row)]
    projects = _without_names(warehouse.read(PROJECTS))
    known = set(projects["project_id"])
    logframe = _without_names(warehouse.read(LOGFRAME))
    finances = warehouse.read(FINANCES, {"year": day.year})
    return Register(
        projects=projects,
        finances=finances[finances["project_id"].isin(known)],
        logframe=logframe[logframe["project_id"].isin(known)],
        partnerships=_without_names(warehouse.read(PARTNERSHIPS, until)),
        outcomes=tuple(_outcome(row) for row in printed),
        unprinted=int(warehouse.records(UNPRINTED, until)[0]["n"]),
        withheld=len(rows) - len(printed),
    )


def read_projects(warehouse: Warehouse, year: int) -> list[ProjectNote]:
    """The projects that an annual edition mentions: those that had begun by its end, and were not over before it."""
    register = read_register(warehouse, date(year, 12, 31))
    counted = [outcome.project for outcome in register.outcomes if outcome.happened_on.year == year]
    found = []
    for row in register.projects.to_dict("records"):
        starts, ends = _day(row["starts_on"]), _day(row["ends_on"])
        if row["status"] == "planned" or (starts and starts.year > year) or (ends and ends.year < year):
            continue
        mine = register.logframe[register.logframe["project_id"] == row["project_id"]]
        found.append(
            ProjectNote(
                words(row["project_id"]),
                Wording({language: words(row[f"name_{language}"]) for language in LANGUAGES}),
                words(row["status"]),
                ends,
                [_aim(item) for item in mine.to_dict("records") if not missing(item["indicator_id"])],
                counted.count(words(row["project_id"])),
            )
        )
    return found


def read_voices(warehouse: Warehouse, period: str) -> list[CityVoice]:
    """Outcomes of the period that may be printed: substantiated ones first, then the latest."""
    quarters = [Quarter.parse(period)] if "-" in period else quarters_of_year(int(period))
    first, last = quarters[0].start, quarters[-1].end - timedelta(days=1)
    found = [item for item in read_register(warehouse, last).outcomes if first <= item.happened_on]
    return [
        CityVoice(item.organisation, item.happened_on, Wording(item.change))
        for item in sorted(found, key=lambda item: (not item.is_substantiated, -item.happened_on.toordinal()))
    ]


def _aim(row: Mapping[Any, Any]) -> ProjectAim:
    return ProjectAim(
        words(row["indicator_id"]),
        words(row["dimension"]) or "total",
        words(row["category"]),
        number(row["baseline_value"]),
        words(row["baseline_on"]),
        number(row["target_value"]),
        words(row["target_by"]),
    )


def _day(value: Any) -> date | None:
    if missing(value):
        return None
    found: date = value.date() if hasattr(value, "date") else value
    return found


def _names(row: Mapping[Any, Any]) -> bool:
    return any(isinstance(text, str) and names_a_person(text) for text in row.values())


def _without_names(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.loc[[not _names(row) for row in frame.to_dict("records")]].reset_index(drop=True)


def _outcome(row: Mapping[Any, Any]) -> Outcome:
    def texts(stem: str) -> dict[str, str]:
        return {language: words(row[f"{stem}_{language}"]) for language in LANGUAGES}

    return Outcome(
        id=words(row["outcome_id"]),
        organisation=words(row["organisation"]),
        happened_on=_day(row["happened_on"]) or date.min,  # the contract asks for it
        change=texts("change"),
        significance=texts("significance"),
        contribution=texts("contribution"),
        evidence=tuple(words(row[name]) for name in ("evidence_1", "evidence_2") if not missing(row[name])),
        is_substantiated=bool(row["is_substantiated"]),
        line="" if words(row["line_of_action"]) == "Not stated" else words(row["line_of_action"]),
        indicator=words(row["indicator_id"]),
        project=words(row["project_id"]),
        stated_in=words(row["stated_in"]),
    )
