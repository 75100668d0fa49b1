"""Activities of the network: events, lab sessions, participations, and contributions to its fund."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from mel_pipeline.sandbox.organisation.members import Account
from mel_pipeline.sandbox.organisation.people import BoardSeat, Contact

FOLDER = Path(__file__).parent
THEMES = [
    "Metropolitan futures",
    "Metropolitan ecosystems",
    "Social cohesion",
    "Metropolitan institutions",
    "Gender equality",
]
TRAINING_PROGRAMMES = [
    "AVANTIA",
    "MGET",
    "COMANAGE",
    "Training",
]  # of the first to fourth course of a quarter
CONFERENCES_2024 = [
    ("Urban 20 summit, São Paulo", date(2024, 6, 17)),
    ("World Metropolitan Day, Dakar", date(2024, 10, 14)),
    ("World Urban Forum 12, Cairo", date(2024, 11, 4)),
    ("Urban 20 summit, Rio de Janeiro", date(2024, 11, 14)),
]


@dataclass(frozen=True)
class Event:
    id: str
    code: str
    name: str
    kind: str
    lab: str | None
    programme: str | None
    themes: str
    lines: str
    format: str
    own: bool
    cancelled: bool
    start: datetime  # UTC
    end: datetime

    @property
    def created(self) -> datetime:
        return self.start - timedelta(days=60)


@dataclass(frozen=True)
class Participation:
    id: str
    event: Event
    contact: str | None
    account: str | None
    role: str
    attends: bool
    invited: bool

    @property
    def created(self) -> datetime:
        return self.event.start - timedelta(days=20)

    @property
    def settled(self) -> datetime:
        """When attendance was entered."""
        return self.event.end + timedelta(days=1)


@dataclass(frozen=True)
class Deal:
    id: str
    name: str
    account: str
    pipeline: str
    stage: str
    edition: str | None
    amount: int
    currency: str
    rate: float
    signed_on: date | None
    created: datetime
    modified: datetime


def build_events(year: int) -> list[Event]:
    """All events of one year, independent of the current day."""
    drafts = sorted(
        [*_labs(year), *_trainings(year), *_conferences(year), *_panels(year), *_board(year)], key=_order
    )
    return [
        Event(id=str(546_000_000_300_000_000 + 1_000_000 * (year - 2020) + 1_000 * number), **draft)
        for number, draft in enumerate(drafts)
    ]


def _order(draft: dict[str, Any]) -> tuple[datetime, str]:
    return draft["start"], draft["code"]


def _draft(code: str, name: str, kind: str, day: date, rng: Random, **more: Any) -> dict[str, Any]:
    start = more.pop("start", datetime(day.year, day.month, day.day, rng.randint(8, 15)))
    return {
        "code": code,
        "name": name,
        "kind": kind,
        "lab": more.get("lab"),
        "programme": more.get("programme"),
        "themes": more.get("themes") or rng.choice(THEMES),
        "lines": more.get("lines", "3"),
        "format": more.get("format") or rng.choice(["Online", "Online", "In person", "Hybrid"]),
        "own": more.get("own", True),
        "cancelled": more.get("cancelled", False),
        "start": start,
        "end": start + timedelta(hours=2),
    }


def _labs(year: int) -> Iterator[dict[str, Any]]:
    rng = Random(f"labs {year}")
    for number, (lab, themes) in enumerate(lab_names(year), start=1):
        for session in range(1, rng.randint(2, 4) + 1):
            day = date(year, rng.randint(1, 12), rng.randint(1, 27))
            name = f"{lab}: session {session}"
            code = f"LAB-{year}-{number:02}-S{session}"
            more = {"lab": lab, "programme": _programme_of(lab), "themes": themes, "lines": "1;2;3"}
            yield _draft(code, name, "Solutions Lab", day, rng, **more)
        name = f"{lab}: extra session"
        if number % 4 == 0:
            day = date(year, rng.randint(1, 12), rng.randint(1, 27))
            code = f"LAB-{year}-{number:02}-X"
            more = {"lab": lab, "programme": _programme_of(lab), "themes": themes, "lines": "1;2;3"}
            yield _draft(code, name, "Solutions Lab", day, rng, **more, cancelled=True)
    # A lab that never took place must not count as held.
    day = date(year, 9, 19)
    lab = f"Postponed sample lab {year}"
    yield _draft(f"LAB-{year}-99-S1", lab, "Solutions Lab", day, rng, lab=lab, lines="1;2;3", cancelled=True)


def _programme_of(lab: str) -> str:
    """One lab belongs to a project of its own."""
    return "COMANAGE" if lab == "Energy communities" else "Solutions Labs"


def lab_names(year: int) -> list[tuple[str, str]]:
    """Labs of a year with their themes; those of 2024 are the ones named in the annual report."""
    rows = csv.DictReader((FOLDER / "solutions_labs_2024.csv").read_text(encoding="utf-8").splitlines())
    labs = [(row["lab"], row["themes"]) for row in rows]
    if year == 2024:
        return labs
    count = {2023: 8, 2025: 9}.get(year, 11)
    rng = Random(f"lab names {year}")
    picked = rng.sample(labs, min(count, len(labs)))
    extra = [(f"Sample lab {year}-{n}", rng.choice(THEMES)) for n in range(count - len(picked))]
    return picked + extra


def _trainings(year: int) -> Iterator[dict[str, Any]]:
    rng = Random(f"trainings {year}")
    for quarter in (1, 2, 3, 4):
        for number in range(1, rng.randint(2, 4) + 1):
            day = date(year, 3 * quarter - rng.randint(0, 2), rng.randint(1, 26))
            code = f"TRN-{year}-Q{quarter}-{number:02}"
            yield _draft(
                code,
                f"Training {year}-Q{quarter}, course {number}",
                "Training",
                day,
                rng,
                lines="2",
                programme=TRAINING_PROGRAMMES[number - 1],
            )


def _conferences(year: int) -> Iterator[dict[str, Any]]:
    rng = Random(f"conferences {year}")
    named = (
        CONFERENCES_2024
        if year == 2024
        else [(f"Sample conference {year}-{n}", date(year, 3 * n, 12)) for n in (1, 2, 4)]
    )
    for number, (name, day) in enumerate(named, start=1):
        yield _draft(f"CNF-{year}-{number:02}", name, "Conference", day, rng, lines="1;3", format="In person")


def _panels(year: int) -> Iterator[dict[str, Any]]:
    rng = Random(f"panels {year}")
    for quarter in (1, 2, 3, 4):
        for number in (1, 2, 3):
            day = date(year, 3 * quarter - rng.randint(0, 2), rng.randint(1, 26))
            code = f"PNL-{year}-Q{quarter}-{number:02}"
            yield _draft(
                code,
                f"Panel {year}-Q{quarter}-{number}",
                "Panel",
                day,
                rng,
                own=number != 3,
                programme="AVANTIA" if number == 1 else None,
            )
    # 23:30 UTC on 31 December is already the next year in Barcelona.
    start = datetime(year, 12, 31, 23, 30)
    yield _draft(
        f"PNL-{year}-NYE",
        f"Turn-of-year talk {year}",
        "Panel",
        start.date(),
        rng,
        start=start,
        format="Online",
    )


def _board(year: int) -> Iterator[dict[str, Any]]:
    rng = Random(f"board {year}")
    for number, day in enumerate([date(year, 3, 19), date(year, 6, 18), date(year, 10, 15)], start=1):
        yield _draft(
            f"GOV-{year}-{number:02}",
            f"Board of Directors {year}-{number}",
            "Governing body",
            day,
            rng,
            lines="5",
        )


class Registrations:
    """Draws participants. One counter per year numbers the participations."""

    def __init__(
        self, year: int, accounts: list[Account], contacts: list[Contact], board: list[BoardSeat]
    ) -> None:
        self.year = year
        self.number = 0
        self.board = board
        self.accounts = {account.id: account for account in accounts}
        self.by_account: dict[str, list[Contact]] = {}
        for contact in contacts:
            self.by_account.setdefault(contact.account, []).append(contact)

    def of_event(self, event: Event) -> list[Participation]:
        """Registrations of one event (labs of a calibrated year: ``calibrated_labs``)."""
        rng = Random(f"participants {event.code}")
        if event.kind == "Governing body":
            seated = [
                seat
                for seat in self.board
                if seat.start <= event.start.date() and (seat.end is None or seat.end >= event.start.date())
            ]
            return [
                self.add(event, seat.contact, seat.account, "Participant", rng.random() < 0.8, False)
                for seat in seated
            ]
        size = {"Conference": (70, 120), "Training": (25, 55), "Panel": (30, 60), "Solutions Lab": (18, 34)}[
            event.kind
        ]
        people = self.people(event, rng, rng.randint(*size))
        rows = []
        for person in people:
            comes = rng.random() < 0.82
            rows.append(
                self.add(
                    event,
                    person.id,
                    person.account,
                    "Participant",
                    comes,
                    comes and self.is_invited(event, rng),
                )
            )
        if event.kind in ("Panel", "Conference"):
            rows += [
                self.add(event, None, None, "Participant", True, False) for _ in range(rng.randint(5, 25))
            ]
            speakers = self.people(event, rng, rng.randint(4, 7))
            rows += [
                self.add(
                    event, person.id, person.account, "Moderator" if number == 0 else "Speaker", True, False
                )
                for number, person in enumerate(speakers)
            ]
        return rows

    def people(self, event: Event, rng: Random, count: int) -> list[Contact]:
        """Distinct people from a handful of organisations; every year some members take part in nothing."""
        day = event.start.date()
        share = 0.24 if event.kind == "Solutions Lab" else 0.74
        homes = [a for a in self.accounts.values() if a.created.date() < day and a.kind == "City government"]
        circle = [
            a
            for a in homes
            if Random(f"{a.name} in {self.year}").random() < share
            and (a.is_member(day) or a.member_type == "Non-member")
        ]
        hosts = rng.sample(circle, min(len(circle), max(4, count // 3)))
        known = event.start - timedelta(days=21)  # registered 20 days ahead
        pool = [c for account in hosts for c in self.by_account.get(account.id, []) if c.created < known]
        return rng.sample(pool, min(count, len(pool)))

    def is_invited(self, event: Event, rng: Random) -> bool:
        return event.kind in ("Solutions Lab", "Training") and rng.random() < 0.95

    def add(
        self, event: Event, contact: str | None, account: str | None, role: str, attends: bool, invited: bool
    ) -> Participation:
        self.number += 1
        number = 1_000_000 * (self.year - 2020) + self.number
        return Participation(
            str(546_000_000_400_000_000 + 10 * number), event, contact, account, role, attends, invited
        )


def calibrated_labs(
    registrations: Registrations, events: list[Event], wanted: dict[str, int]
) -> list[Participation]:
    """Lab participants of 2024: the calibrated numbers of members, women, men and people of undisclosed gender, each person once."""
    rng = Random("labs of 2024, participants")
    held = [event for event in events if event.kind == "Solutions Lab" and not event.cancelled]
    members = sorted(
        (a for a in registrations.accounts.values() if a.is_member(date(2023, 12, 31)) and a.region),
        key=lambda a: a.id,
    )
    chosen = rng.sample(members, wanted["engaged_members"] + 1)
    absent, engaged = chosen[0], chosen[1:]
    guests = [
        a
        for a in registrations.accounts.values()
        if a.member_type == "Non-member" and a.kind == "City government"
    ]
    homes = engaged + guests
    pool = [
        c for home in homes for c in registrations.by_account[home.id] if c.created.date() < date(2023, 12, 1)
    ]
    rng.shuffle(pool)
    people = _people_to_reach(pool, homes, wanted)
    rows = []
    for number, person in enumerate(people):
        lab = held[number % len(held)].lab
        sessions = [event for event in held if event.lab == lab]
        first = held[number % len(held)]
        for event in sessions:
            comes = event is first or rng.random() < 0.4
            if comes or rng.random() < 0.2:
                invited = comes and rng.random() < 0.95
                rows.append(
                    registrations.add(event, person.id, person.account, "Participant", comes, invited)
                )
    for person in registrations.by_account[absent.id][
        :3
    ]:  # registered but never attended: the city is not engaged
        rows.append(registrations.add(held[0], person.id, absent.id, "Participant", False, False))
    return rows


def _people_to_reach(pool: list[Contact], homes: list[Account], wanted: dict[str, int]) -> list[Contact]:
    """One person with disclosed gender from every home first, then others up to the wanted totals."""
    left = {"Woman": wanted["women"], "Man": wanted["men"], None: wanted["undisclosed"]}
    picked: list[Contact] = []
    first_of_each = [
        next(c for c in pool if c.account == home.id and c.gender in ("Woman", "Man")) for home in homes
    ]
    for person in [*first_of_each, *pool]:
        group = None if person.gender in (None, "Prefers not to say") else person.gender
        if person not in picked and left.get(group, 0) > 0:
            left[group] -= 1
            picked.append(person)
    if any(left.values()):
        raise ValueError(
            f"Calibrating the labs of 2024: too few people in the sample, {left} missing. Raise CONTACTS in people.py."
        )
    return picked


def build_deals(accounts: list[Account], calibration: dict[str, Any]) -> list[Deal]:
    """Contributions and project agreements, including negotiations and losses, which must not count."""
    ids = {account.name: account.id for account in accounts}
    sdc, osf, first, second = (account.name for account in accounts if account.kind == "Donor")
    fund = calibration["fund_2024"]
    rows = [
        (
            f"Contribution {sdc}",
            sdc,
            "International Fund",
            "Signed",
            "1",
            fund[sdc],
            "EUR",
            1.0,
            date(2024, 11, 28),
        ),
        (
            f"Contribution {osf}",
            osf,
            "International Fund",
            "Signed",
            "1",
            fund[osf],
            "EUR",
            1.0,
            date(2024, 12, 12),
        ),
        (
            "Contribution in negotiation",
            first,
            "International Fund",
            "Negotiation",
            "1",
            500_000,
            "EUR",
            1.0,
            None,
        ),
        ("Contribution declined", second, "International Fund", "Lost", "1", 250_000, "EUR", 1.0, None),
        (
            "Second contribution",
            osf,
            "International Fund",
            "Signed",
            "2",
            216_000,
            "USD",
            1.08,
            date(2025, 5, 20),
        ),
        (
            "Contribution to the second edition",
            first,
            "International Fund",
            "Signed",
            "2",
            300_000,
            "EUR",
            1.0,
            date(2026, 4, 16),
        ),
        (
            "Energy communities project",
            second,
            "Projects",
            "Signed",
            None,
            120_000,
            "EUR",
            1.0,
            date(2023, 5, 4),
        ),
        ("Care project", first, "Projects", "Signed", None, 90_000, "EUR", 1.0, date(2025, 2, 12)),
    ]
    deals = []
    for number, (name, donor, pipeline, stage, edition, amount, currency, rate, signed) in enumerate(rows):
        created = (
            datetime(2024, 9, 10, 9)
            if signed is None
            else datetime(signed.year, signed.month, signed.day, 9) - timedelta(days=90)
        )
        modified = created + timedelta(days=30) if signed is None else created + timedelta(days=90, hours=3)
        deals.append(
            Deal(
                str(546_000_000_500_000_000 + 1_000 * number),
                name,
                ids[donor],
                pipeline,
                stage,
                edition,
                amount,
                currency,
                rate,
                signed,
                created,
                modified,
            )
        )
    return deals
