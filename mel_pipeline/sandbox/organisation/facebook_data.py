"""The network's Facebook Pages: daily figures and posts, each draw seeded with its name. No HTTP here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from random import Random

from mel_pipeline.sandbox.organisation.presence import days, reach

PAGE_METRICS = (
    "page_media_view",
    "page_total_media_view_unique",
    "page_post_engagements",
    "page_daily_follows_unique",
    "page_daily_unfollows_unique",
    "page_follows",
)
SILENT = {date(2025, 2, 9), date(2026, 3, 15)}  # Facebook returns nothing for these days
_KINDS = ["added_photos", "added_video", "mobile_status_update", "shared_story"]
_TEXTS = ["News from member cities", "From our Solutions Labs", "Cities that care", "Join the next session"]


@dataclass(frozen=True)
class PagePost:
    id: str  # <page>_<post>
    message: str
    kind: str
    published: datetime  # UTC without zone
    views: int
    clicks: int

    @property
    def figures(self) -> dict[str, int]:
        return {
            "post_media_view": self.views,
            "post_total_media_view_unique": int(self.views * 0.74),
            "post_clicks": self.clicks,
        }


@dataclass(frozen=True)
class Page:
    """One Page; ``figures`` holds each metric by day from the launch on."""

    id: str
    name: str
    launched: date
    followers: int
    figures: dict[str, dict[date, int]]
    posts: list[PagePost]


def build_pages(last: date) -> list[Page]:
    """Both Pages at the end of a day."""
    found = [
        _page("112000000000001", "Metropolis", date(2023, 1, 1), 9_800, 900.0, 4.0, last),
        _page("112000000000002", "Metropolis Care", date(2024, 3, 4), 0, 140.0, 1.2, last),
    ]
    return [page for page in found if page.launched <= last]


def _page(number: str, name: str, launch: date, start: int, views: float, follows: float, last: date) -> Page:
    figures: dict[str, dict[date, int]] = {metric: {} for metric in PAGE_METRICS}
    followers = start
    for day in days(launch, last):
        rng = Random(f"facebook {number} {day}")
        seen = int(views * rng.uniform(0.5, 1.5) * (0.6 if day.weekday() > 4 else 1.1))
        gained, lost = int(follows * rng.uniform(0, 2)), int(follows * rng.uniform(0, 0.7))
        lost = min(lost, followers)
        followers += gained - lost
        if day in SILENT:
            continue
        engaged = int(seen * rng.uniform(0.02, 0.06))
        values = (seen, reach(seen), engaged, gained, lost, followers)
        for metric, value in zip(PAGE_METRICS, values, strict=True):
            figures[metric][day] = value
    posts = [post for day in days(launch, last) if (post := _post(number, day, views)) is not None]
    return Page(number, name, launch, followers, figures, posts)


def _post(page: str, day: date, views: float) -> PagePost | None:
    rng = Random(f"facebook post {page} {day}")
    if rng.random() > 0.35:
        return None
    seen = int(views * rng.lognormvariate(-0.4, 0.7))
    published = datetime(day.year, day.month, day.day, rng.randint(7, 18), rng.randint(0, 59))
    return PagePost(
        f"{page}_{page[-1]}22{day:%Y%m%d}",
        rng.choice(_TEXTS),
        rng.choice(_KINDS),
        published,
        seen,
        int(seen * rng.uniform(0.005, 0.03)),
    )
