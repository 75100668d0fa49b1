"""The sample organisation: real cities, synthetic nameless people. A pure function of the day.

Every random draw is seeded with the name of its record, so a later day adds records and changes none.
No HTTP here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from mel_pipeline.core.yaml_io import from_yaml
from mel_pipeline.sandbox.organisation import activity, members, newsletter, people, presence

FIRST_YEAR = 2023


@dataclass(frozen=True, eq=False)
class Organisation:
    """All records that exist on ``today`` (moments in UTC without zone)."""

    today: date
    accounts: list[members.Account]
    contacts: list[people.Contact]
    board: list[people.BoardSeat]
    staff: list[people.Employee]
    events: list[activity.Event]
    participations: list[activity.Participation]
    deals: list[activity.Deal]
    social: list[presence.SocialAccount]
    sites: list[presence.Site]
    newsletter: list[newsletter.Issue]

    @property
    def now(self) -> datetime:
        """The start of today; later events do not exist yet."""
        return datetime(self.today.year, self.today.month, self.today.day)


def calibration() -> dict[str, Any]:
    loaded: dict[str, Any] = from_yaml(
        (Path(__file__).parent / "calibration.yml").read_text(encoding="utf-8")
    )
    return loaded


@lru_cache(maxsize=2)
def build(today: date) -> Organisation:
    """The organisation on a given day, with records from 2023 on."""
    wanted = calibration()
    now = datetime(today.year, today.month, today.day)
    accounts = members.build_accounts(wanted)
    contacts = people.build_contacts(accounts)
    board = people.build_board(accounts, contacts)
    events, participations = [], []
    for year in range(FIRST_YEAR, today.year + 1):
        of_year = activity.build_events(year)
        events += of_year
        participations += _participations(year, of_year, accounts, contacts, board, wanted)
    yesterday = today - timedelta(days=1)
    return Organisation(
        today=today,
        accounts=[account for account in accounts if account.created <= now],
        contacts=[contact for contact in contacts if contact.created <= now],
        board=[seat for seat in board if seat.modified <= now],
        staff=[person for person in people.build_staff(wanted) if person.joined_on <= today],
        events=[event for event in events if event.created <= now],
        participations=[row for row in participations if row.created <= now],
        deals=[deal for deal in activity.build_deals(accounts, wanted) if deal.created <= now],
        social=presence.build_accounts(yesterday, wanted),
        sites=presence.build_sites(yesterday, wanted),
        newsletter=newsletter.build_newsletter(today),
    )


def _participations(
    year: int,
    events: list[activity.Event],
    accounts: list[members.Account],
    contacts: list[people.Contact],
    board: list[people.BoardSeat],
    wanted: dict[str, Any],
) -> list[activity.Participation]:
    registrations = activity.Registrations(year, accounts, contacts, board)
    exact = year == 2024
    rows = [
        row
        for event in events
        if not (event.cancelled or (exact and event.kind == "Solutions Lab"))
        for row in registrations.of_event(event)
    ]
    return rows + (activity.calibrated_labs(registrations, events, wanted["labs_2024"]) if exact else [])
