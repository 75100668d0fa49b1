"""Projects, outcomes and partnerships read from the warehouse, up to a day.

Outcomes without consent stay in the warehouse: only their number leaves this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mel_pipeline.reporting.figures.measures import missing, words
from mel_pipeline.reporting.site.register import Outcome, Register
from mel_pipeline.sources.workbook.named_persons import names_a_person
from mel_pipeline.sources.workbook.sheets import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

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


def _names(row: Mapping[Any, Any]) -> bool:
    return any(isinstance(text, str) and names_a_person(text) for text in row.values())


def _without_names(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[[not _names(row) for row in frame.to_dict("records")]].reset_index(drop=True)


def _outcome(row: Mapping[Any, Any]) -> Outcome:
    def texts(stem: str) -> dict[str, str]:
        return {language: words(row[f"{stem}_{language}"]) for language in LANGUAGES}

    day = row["happened_on"]
    return Outcome(
        id=words(row["outcome_id"]),
        organisation=words(row["organisation"]),
        happened_on=day.date() if hasattr(day, "date") else day,
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
