"""People of the sample: synthetic and nameless. Contacts, board seats and the secretariat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from mel_pipeline.sandbox.organisation.members import Account

CONTACTS = 4321
GENDERS = (
    ["Woman"] * 44 + ["Man"] * 44 + ["Non-binary", "Self-described"] + ["Prefers not to say"] * 4 + [None] * 6
)


@dataclass(frozen=True)
class Contact:
    id: str
    number: int
    account: str
    gender: str | None
    language: str | None
    created: datetime
    modified: datetime


@dataclass(frozen=True)
class BoardSeat:
    id: str
    account: str
    contact: str
    role: str
    start: date
    end: date | None
    modified: datetime


@dataclass(frozen=True)
class Employee:
    id: str
    gender: str
    employment: str
    joined_on: date
    left_on: date | None


def build_contacts(accounts: list[Account]) -> list[Contact]:
    """A fixed number of people, each belonging to an organisation that existed before 2023 or a later one."""
    rng = Random("contacts")
    weights = [3 if account.member_type != "Non-member" else 4 for account in accounts]
    contacts = []
    for number in range(CONTACTS):
        home = (
            accounts[number % len(accounts)]
            if number < 8 * len(accounts)
            else rng.choices(accounts, weights)[0]
        )
        earliest = max(home.created, datetime(2020, 1, 1))
        days = 300 if earliest.year < 2024 else 20
        created = earliest + timedelta(minutes=rng.randint(60, 60 * 24 * days))
        contacts.append(
            Contact(
                id=str(546_000_000_200_000_000 + 1_000 * number),
                number=number,
                account=home.id,
                gender=rng.choice(GENDERS),
                language=rng.choice(["en", "en", "en", "fr", "es", None]),
                created=created,
                modified=created + timedelta(days=rng.randint(0, 200)),
            )
        )
    return contacts


def build_board(accounts: list[Account], contacts: list[Contact]) -> list[BoardSeat]:
    """35 persons on 33 bodies from 2023 to 2025, then a new board."""
    seated = [account for account in accounts if account.on_board]
    doubled = [account for account in seated if account.name in ("Dakar", "Brussels Capital Region")]
    at_home: dict[str, list[Contact]] = {}
    for contact in contacts:
        at_home.setdefault(contact.account, []).append(contact)
    seats = []
    for term, (start, end) in enumerate([(date(2023, 1, 1), date(2025, 10, 31)), (date(2025, 11, 1), None)]):
        taken: dict[str, int] = {}
        for number, account in enumerate([*seated, *doubled]):
            place = taken.get(account.id, 0) + 2 * term
            taken[account.id] = taken.get(account.id, 0) + 1
            person = at_home[account.id][place]
            role = "President" if account.name == "Dakar" else "Co-President" if number % 6 == 1 else "Member"
            seats.append(
                BoardSeat(
                    id=str(546_000_000_600_000_000 + 1_000 * (100 * term + number)),
                    account=account.id,
                    contact=person.id,
                    role=role,
                    start=start,
                    end=end,
                    modified=datetime(start.year, start.month, start.day, 10) + timedelta(minutes=number),
                )
            )
    return seats


def build_staff(calibration: dict[str, Any]) -> list[Employee]:
    """The secretariat; headcount at the end of 2024 as stated in the annual report."""
    wanted = calibration["secretariat_2024"]
    rng = Random("staff")
    in_post = ["Female"] * wanted["women"] + ["Male"] * wanted["men"]
    staff = [
        Employee(
            id=str(318_000_000_000_100 + number),
            gender=gender,
            employment="Secondee" if number % 8 == 3 else "Staff",
            joined_on=date(rng.randint(2012, 2023), rng.randint(1, 12), rng.randint(1, 28)),
            left_on=date(2025, 8, 31) if number == 5 else date(2026, 3, 31) if number == 20 else None,
        )
        for number, gender in enumerate(in_post)
    ]
    others = [
        ("Female", "Staff", date(2016, 2, 1), date(2023, 12, 31)),
        ("Male", "Staff", date(2014, 9, 15), date(2024, 6, 30)),
        ("Male", "Staff", date(2025, 10, 1), None),
        ("", "Staff", date(2026, 4, 15), None),
        *[
            ("Female" if n % 2 else "Male", "Intern", date(2024, 9, 2), date(2025, 2, 28))
            for n in range(wanted["interns"])
        ],
        ("Female", "Intern", date(2025, 9, 1), date(2026, 2, 27)),
    ]
    for number, (gender, employment, start, end) in enumerate(others, start=len(staff)):
        staff.append(Employee(str(318_000_000_000_100 + number), gender, employment, start, end))
    return staff
