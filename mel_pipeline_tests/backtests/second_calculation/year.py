"""All indicators of a year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from mel_pipeline_tests.backtests.second_calculation import (
    attendance,
    events,
    fund,
    gender,
    mailings,
    members,
    reach,
    social,
    stated,
    surveys,
)
from mel_pipeline_tests.backtests.second_calculation.cells import Cell
from mel_pipeline_tests.backtests.second_calculation.periods import periods_of
from mel_pipeline_tests.backtests.second_calculation.zoho import Zoho


def calculate(
    url: str, survey_folder: Path, attendance_folder: Path, year: int, today: date
) -> Iterator[Cell]:
    """Every cell of the quarters and of the year, from the services below ``url`` the exported survey files and the lists."""
    zoho = Zoho(url)
    crm, staff = zoho.crm(), zoho.staff()
    organisations = members.organisations(crm["Accounts"])
    held = events.events_of(crm)
    taking_part = events.participations_of(crm, held, organisations)
    responses = surveys.responses_of(survey_folder, held)
    accounts, posts = social.accounts(url, year, today), social.posts(url, year)
    trained = attendance.trained_of(attendance_folder, held)
    sheets = stated.sheets()
    visits, issues = mailings.visits(url, year), mailings.issues(url, zoho, year)
    for period in periods_of(year):
        attended = taking_part[taking_part["held"] & taking_part["Attended"]]
        yield from members.cells(organisations, attended, period)
        yield from events.cells(held, taking_part, organisations, period)
        yield from gender.bodies(staff, crm["Board_Seats"], crm["Contacts"], period)
        yield from fund.cells(crm["Deals"], organisations, period)
        yield from attendance.cells(trained, held, period)
        yield from surveys.cells(responses, taking_part, period)
        yield from reach.cells(accounts, posts, visits, issues, period)
        yield from stated.cells(sheets, period)
