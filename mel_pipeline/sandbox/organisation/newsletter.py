"""The network's newsletter: two issues a month, relaunched in 2024, with a growing audience since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from random import Random

FIRST_YEAR, RELAUNCH = 2023, date(2024, 2, 1)
DAYS = (8, 22)  # of each month


@dataclass(frozen=True)
class Issue:
    """One issue; times in naive UTC. Counts are unique people."""

    key: str
    name: str
    subject: str
    created: datetime
    sent: datetime | None  # None: a draft
    recipients: int = 0
    hard_bounces: int = 0
    soft_bounces: int = 0
    opened: int = 0
    clicked: int = 0
    unsubscribed: int = 0
    marked_as_spam: int = 0
    forwarded: int = 0

    @property
    def delivered(self) -> int:
        return self.recipients - self.hard_bounces - self.soft_bounces


def build_newsletter(today: date) -> list[Issue]:
    """Every issue sent before today, oldest first, and the next one as a draft."""
    issues = []
    for number, day in enumerate(_days()):
        if day >= today:
            sent = _issue(number, day)
            if sent.created <= datetime(today.year, today.month, today.day):
                issues.append(Issue(sent.key, sent.name, sent.subject, sent.created, None))
            break
        issues.append(_issue(number, day))
    return issues


def _days() -> Iterator[date]:
    year, month = FIRST_YEAR, 1
    while True:
        yield from (date(year, month, day) for day in DAYS)
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def _issue(number: int, day: date) -> Issue:
    """Before its relaunch the newsletter lost readers; afterwards more of them open and click."""
    rng = Random(f"newsletter {day}")
    grown = max((day - RELAUNCH).days, 0)
    recipients = 3_100 - 6 * number if not grown else int(2_950 + 2.4 * grown)
    recipients += rng.randint(-25, 25)
    hard, soft = int(recipients * rng.uniform(0.004, 0.012)), int(recipients * rng.uniform(0.006, 0.02))
    delivered = recipients - hard - soft
    opened = int(delivered * (rng.uniform(0.30, 0.38) if grown else rng.uniform(0.17, 0.22)))
    subject = rng.choice(["News from member cities", "What our cities are building", "Voices of the network"])
    name = f"Metropolis newsletter {number + 1:03}, {day:%B %Y}"
    sent = datetime(day.year, day.month, day.day, 9, rng.randint(0, 50))
    return Issue(
        key=sha256(f"newsletter {day}".encode()).hexdigest()[:32],
        name=name,
        subject=f"{subject}, {day:%B %Y}",
        created=sent - timedelta(days=6, hours=2),
        sent=sent,
        recipients=recipients,
        hard_bounces=hard,
        soft_bounces=soft,
        opened=opened,
        clicked=int(opened * (rng.uniform(0.14, 0.22) if grown else rng.uniform(0.07, 0.11))),
        unsubscribed=rng.randint(2, 9),
        marked_as_spam=rng.choice([0, 0, 0, 1]),
        forwarded=rng.randint(0, 6),
    )
