"""Issues of the newsletter: two a month, relaunched in May 2024 to an audience that grows since. No HTTP here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

DAYS_OF_ISSUE = (7, 21)
RELAUNCH = date(2024, 5, 1)
SETTLED_AFTER = 10  # days in which most people open what they will open


@dataclass(frozen=True)
class Issue:
    """One issue, with what its figures come to when they have settled. ``sent_at`` is UTC."""

    key: str
    name: str
    sent_at: datetime
    sent: int
    hard_bounces: int
    soft_bounces: int
    opened: int  # people
    opens: int  # every opening
    clicked: int  # people
    unsubscribed: int
    complaints: int

    @property
    def delivered(self) -> int:
        return self.sent - self.hard_bounces - self.soft_bounces


def build_issues(first_year: int, today: date) -> list[Issue]:
    """Issues sent before a day, oldest first. A later day adds issues and alters none."""
    days = [
        date(year, month, day)
        for year in range(first_year, today.year + 1)
        for month in range(1, 13)
        for day in DAYS_OF_ISSUE
    ]
    return [_issue(day, number) for number, day in enumerate(days, start=1) if day < today]


def _issue(day: date, number: int) -> Issue:
    chance = Random(f"newsletter {day}")
    relaunched = day >= RELAUNCH
    months = (day.year - RELAUNCH.year) * 12 + day.month - RELAUNCH.month
    audience = 4_900 + (90 * months if relaunched else 4 * number) + chance.randint(-40, 40)
    hard, soft = (
        round(audience * chance.uniform(0.004, 0.009)),
        round(audience * chance.uniform(0.003, 0.008)),
    )
    delivered = audience - hard - soft
    opened = round(delivered * (chance.uniform(0.33, 0.41) if relaunched else chance.uniform(0.22, 0.27)))
    return Issue(
        key=f"{Random(f'key {day}').getrandbits(128):032x}",
        name=f"{'Metropolis Voices' if relaunched else 'Metropolis newsletter'} {day:%Y-%m} {'I' if day.day < 15 else 'II'}",
        sent_at=datetime(day.year, day.month, day.day, 9, 0) + timedelta(minutes=chance.randint(0, 50)),
        sent=audience,
        hard_bounces=hard,
        soft_bounces=soft,
        opened=opened,
        opens=round(opened * chance.uniform(1.3, 1.7)),
        clicked=round(opened * chance.uniform(0.12, 0.2)),
        unsubscribed=round(delivered * chance.uniform(0.0005, 0.003)),
        complaints=chance.choice((0, 0, 0, 1)),
    )


def share_by(sent_at: datetime, now: datetime) -> float:
    """How much of an issue's final figures has come by a moment."""
    days = (now - sent_at) / timedelta(days=1)
    return min(max(days / SETTLED_AFTER, 0.0), 1.0)
