"""Organisations of the sample: real member cities, unlisted and former members, donors and partners."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

FOLDER = Path(__file__).parent

NON_MEMBERS = [
    ("Municipality of Córdoba (Spain)", "ES", "Europe", "City government"),
    ("Girona", "ES", "Europe", "City government"),
    ("Meudon", "FR", "Europe", "City government"),
    ("Warsaw", "PL", "Europe", "City government"),
    ("Freetown", "SL", "Africa", "City government"),
    ("Nairobi", "KE", "Africa", "City government"),
    ("Sample partner university", None, None, "Research institute"),
    ("Sample partner network", None, None, "Association"),
    ("Sample partner agency", None, None, "International organisation"),
    ("Swiss Agency for Development and Cooperation (SDC)", "CH", None, "Donor"),
    ("Open Society Foundations", "US", None, "Donor"),
    ("Sample prospective donor A", None, None, "Donor"),
    ("Sample prospective donor B", None, None, "Donor"),
]
LATER_MEMBERS = [
    ("Sample member A (2025)", "Asia", date(2025, 2, 18)),
    ("Sample member B (2025)", "Africa", date(2025, 6, 3)),
    ("Sample member C (2025)", "Europe", date(2025, 10, 14)),
    ("Sample member D (2026)", "Latin America and the Caribbean", date(2026, 3, 10)),
    ("Sample member E (2026)", "Africa", date(2026, 9, 8)),
]


@dataclass(frozen=True)
class Account:
    """One organisation as stored in the CRM."""

    id: str
    name: str
    kind: str
    member_type: str
    region: str | None
    country: str | None
    jurisdiction: str | None
    part_of: str | None
    joined_on: date | None
    left_on: date | None
    on_board: bool
    created: datetime
    modified: datetime

    def is_member(self, day: date) -> bool:
        """Whether it is a full member on that day."""
        return (
            self.member_type == "Member"
            and self.joined_on is not None
            and self.joined_on <= day
            and (self.left_on is None or self.left_on > day)
        )


def build_accounts(calibration: dict[str, Any]) -> list[Account]:
    """Every organisation that will ever exist; ``created`` decides which are served on a day."""
    rows = list(csv.DictReader((FOLDER / "member_cities.csv").read_text(encoding="utf-8").splitlines()))
    joined = {**calibration["members"]["joined_2024"], **calibration["members"]["associate_joined_2024"]}
    ids = {row["name"]: _id(number) for number, row in enumerate(rows)}
    larger = {row["overlaps_with"] for row in rows if row["jurisdiction"] == "city"}
    accounts = [_listed(row, ids, joined, early=row["name"] in larger) for row in rows]
    number = len(rows)
    for index in range(calibration["members"]["unlisted"]):
        recent = index in (0, 1)
        since = date(2023, 4 + 5 * index, 20) if recent else date(2015 + index, 6, 1)
        left = date(2025, 7, 1) if index == 2 else None
        accounts.append(
            _account(number, f"Unlisted member {index + 1}", "City government", "Member", since, left)
        )
        number += 1
    accounts.append(
        _account(
            number, "Former sample member", "City government", "Member", date(2012, 5, 2), date(2023, 9, 30)
        )
    )
    for name, place, since in LATER_MEMBERS:
        number += 1
        accounts.append(_account(number, name, "City government", "Member", since, None, place))
    for name, country, region, kind in NON_MEMBERS:
        number += 1
        accounts.append(_account(number, name, kind, "Non-member", None, None, region, country))
    return accounts


def _listed(row: dict[str, str], ids: dict[str, str], joined: dict[str, date], *, early: bool) -> Account:
    """``early``: the CRM had it before it joined, because another member is part of it."""
    rng = Random(f"account {row['name']}")
    since = joined.get(row["name"])
    if since is None:
        year = int(row["joined_year"] or rng.randint(1986, 2021))
        since = date(year, rng.randint(1, 12), rng.randint(1, 28))
    inside = row["overlaps_with"] if row["jurisdiction"] == "city" else ""
    created = _moment(min(since, date(2021, 5, 3)) if early else max(since, date(2019, 1, 1)), rng)
    return Account(
        id=ids[row["name"]],
        name=row["name"],
        kind="Research institute" if row["member_type"] == "associate" else "City government",
        member_type="Associate" if row["member_type"] == "associate" else "Member",
        region=row["region"],
        country=row["country"],
        jurisdiction=row["jurisdiction"],
        part_of=ids.get(inside),
        joined_on=since,
        left_on=None,
        on_board=row["board_seat"] == "yes",
        created=created,
        modified=created + timedelta(days=rng.randint(1, 20)),
    )


def _account(
    number: int,
    name: str,
    kind: str,
    member_type: str,
    joined_on: date | None,
    left_on: date | None,
    region: str | None = None,
    country: str | None = None,
) -> Account:
    rng = Random(f"account {name}")
    created = _moment(max(joined_on or date(2020, 1, 7), date(2019, 1, 1)), rng)
    return Account(
        id=_id(number),
        name=name,
        kind=kind,
        member_type=member_type,
        region=region,
        country=country,
        jurisdiction="city" if member_type == "Member" else None,
        part_of=None,
        joined_on=joined_on,
        left_on=left_on,
        on_board=False,
        created=created,
        modified=_moment(left_on, rng) if left_on else created + timedelta(days=1),
    )


def _id(number: int) -> str:
    return str(546_000_000_100_000_000 + 1_000 * number)


def _moment(day: date, rng: Random) -> datetime:
    """A working hour of that day (naive UTC)."""
    return datetime(day.year, day.month, day.day, rng.randint(7, 16), rng.randint(0, 59), rng.randint(0, 59))
