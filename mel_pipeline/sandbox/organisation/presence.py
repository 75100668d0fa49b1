"""Public presence of the network: Instagram accounts and posts, visits to its web sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

ACCOUNT_IDS = ["17841400000000001", "17841400000000002", "17841400000000003"]
MAIN, AVANTIA, CARE = ACCOUNT_IDS


@dataclass(frozen=True)
class Post:
    id: str
    account: str
    caption: str
    kind: str  # IMAGE, VIDEO, CAROUSEL_ALBUM
    published: datetime
    views: int | None
    reach: int | None


@dataclass(frozen=True)
class SocialAccount:
    """One account; ``views`` and ``new_followers`` hold a number per day from the launch on."""

    id: str
    username: str
    launched: date
    followers_at_launch: int
    views: dict[date, int]
    new_followers: dict[date, int]
    posts: list[Post]


def share_out(total: int, weights: Sequence[float]) -> list[int]:
    """Integers proportional to the weights that sum exactly to the total."""
    whole = sum(weights)
    exact = [total * weight / whole for weight in weights]
    shares = [int(value) for value in exact]
    order = sorted(range(len(exact)), key=lambda i: (shares[i] - exact[i], i))
    for index in order[: total - sum(shares)]:
        shares[index] += 1
    return shares


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def build_accounts(last_day: date, calibration: dict[str, Any]) -> list[SocialAccount]:
    main = _plain(MAIN, "metropolis", date(2023, 1, 1), 14_200, 2_400, 6.0, last_day)
    care = _plain(CARE, "metropolis.care", date(2023, 9, 15), 0, 260, 1.1, last_day)
    return [
        _with_interviews(main, calibration["interviews"], last_day),
        _avantia(last_day, calibration["avantia_2024"]),
        care,
    ]


def _plain(
    number: str, name: str, launch: date, start: int, views: float, followers: float, last: date
) -> SocialAccount:
    span = days(launch, last)
    views_by_day, followers_by_day = {}, {}
    for day in span:
        rng = Random(f"{name} {day}")
        growth = 1 + (day - launch).days / 1_800
        views_by_day[day] = int(views * growth * rng.uniform(0.6, 1.4) * (0.7 if day.weekday() > 4 else 1.1))
        followers_by_day[day] = round(followers * growth * rng.uniform(-0.2, 2.0))
    posts = [post for day in span if (post := _daily_post(number, name, day, views)) is not None]
    return SocialAccount(number, name, launch, start, views_by_day, followers_by_day, posts)


def _daily_post(account: str, name: str, day: date, views: float) -> Post | None:
    rng = Random(f"post {name} {day}")
    if rng.random() > 0.3:
        return None
    seen = int(views * rng.lognormvariate(-0.3, 0.8))
    unknown = day < date(2023, 2, 1)  # posted before the account became a business account: no insights
    kind = rng.choice(["IMAGE", "VIDEO", "CAROUSEL_ALBUM"])
    published = datetime(day.year, day.month, day.day, rng.randint(7, 18), rng.randint(0, 59))
    caption = rng.choice(
        ["News from member cities", "From our Solutions Labs", "Cities that care", "Join the next session"]
    )
    return Post(
        _post_id(account, day, 0),
        account,
        caption,
        kind,
        published,
        None if unknown else seen,
        None if unknown else int(seen * 0.71),
    )


def _post_id(account: str, day: date, number: int) -> str:
    return f"180{account[-2:]}{day:%Y%m%d}{number:04}"


def _with_interviews(account: SocialAccount, interviews: dict[date, str], last: date) -> SocialAccount:
    series = []
    for day, city in interviews.items():
        if day <= last:
            seen = Random(f"interview {city}").randint(4_000, 16_000)
            moment = datetime(day.year, day.month, day.day, 12)
            caption = f"{city}. #10MinutesWithTheMayor"
            series.append(
                Post(
                    _post_id(account.id, day, 7), account.id, caption, "VIDEO", moment, seen, int(seen * 0.66)
                )
            )
    return SocialAccount(
        **{**account.__dict__, "posts": sorted([*account.posts, *series], key=lambda post: post.published)}
    )


def _avantia(last: date, wanted: dict[str, Any]) -> SocialAccount:
    """Launched in 2024; its paid campaign ended with the year, so its views do not grow afterwards."""
    launch, start, end = wanted["launched_on"], wanted["campaign_start"], wanted["campaign_end"]
    later = _plain(AVANTIA, "avantia", date(2025, 1, 1), 0, 900, 2.2, max(last, date(2025, 1, 1)))
    span, campaign = days(launch, end), days(start, end)
    rng = Random("avantia 2024")
    daily = dict(
        zip(
            span,
            share_out(
                wanted["account_views"] - wanted["campaign_views"], [rng.uniform(0.5, 1.5) for _ in span]
            ),
            strict=True,
        )
    )
    for day, extra in zip(
        campaign, share_out(wanted["campaign_views"], [rng.uniform(0.5, 1.5) for _ in campaign]), strict=True
    ):
        daily[day] += extra
    followers = dict(
        zip(span, share_out(wanted["followers"], [3 if day >= start else 1 for day in span]), strict=True)
    )
    numbers = share_out(
        wanted["campaign_views"], [rng.lognormvariate(0, 0.6) for _ in range(wanted["campaign_videos"])]
    )
    videos = []
    for number, seen in enumerate(numbers):
        day = start + timedelta(days=2 * number)
        moment = datetime(day.year, day.month, day.day, 16)
        caption = f"Women at the wheel, part {number + 1}. #AVANTIAcampaign"
        videos.append(
            Post(_post_id(AVANTIA, day, number), AVANTIA, caption, "VIDEO", moment, seen, int(seen * 0.58))
        )
    quiet = [
        post
        for day in days(launch, start - timedelta(days=1))
        if (post := _daily_post(AVANTIA, "avantia", day, 300)) is not None
    ]
    keep = {day: value for day, value in daily.items() if day <= last}
    return SocialAccount(
        AVANTIA,
        "avantia",
        launch,
        0,
        {**keep, **{day: value for day, value in later.views.items() if day <= last}},
        {
            **{d: v for d, v in followers.items() if d <= last},
            **{d: v for d, v in later.new_followers.items() if d <= last},
        },
        [post for post in [*quiet, *videos, *later.posts] if post.published.date() <= last],
    )


def reach(views: int) -> int:
    """Unique people behind a number of views: grows more slowly than views, so parts never sum to the whole."""
    return int(2.1 * views**0.82) if views > 50 else int(views * 0.8)


@dataclass(frozen=True)
class Site:
    id: str
    name: str
    launched: date
    visits: dict[date, int | None]  # None: Matomo recorded nothing that day


def build_sites(last: date, calibration: dict[str, Any]) -> list[Site]:
    silent = {date(2023, 11, 19), date(2024, 2, 11), date(2024, 8, 4), date(2025, 7, 13)}
    main: dict[date, int | None] = {}
    for day in days(date(2023, 1, 1), last):
        rng = Random(f"site 1 {day}")
        main[day] = (
            None if day in silent else int(rng.uniform(330, 520) * (0.55 if day.weekday() > 4 else 1.0))
        )
    care: dict[date, int | None] = {}
    for day in days(date(2023, 9, 15), last):
        grown = 1.0 if day < date(2024, 11, 1) else 1.9
        care[day] = int(Random(f"site 2 {day}").uniform(22, 46) * grown)
    return [
        Site("1", "metropolis.org", date(2023, 1, 1), main),
        Site("2", "metropoliscare.org", date(2023, 9, 15), _tripled(care, calibration["care_toolkit"])),
    ]


def _tripled(visits: dict[date, int | None], wanted: dict[str, Any]) -> dict[date, int | None]:
    """The launch month of the toolkit has exactly ``factor`` times the visits of the month before."""
    quiet = [day for day in visits if f"{day:%Y-%m}" == str(wanted["quiet_month"])]
    launch = [day for day in visits if f"{day:%Y-%m}" == str(wanted["launch_month"])]
    total = wanted["factor"] * sum(visits[day] or 0 for day in quiet)
    if len(launch) == 31:
        visits.update(
            zip(
                launch,
                share_out(total, [Random(f"toolkit {day}").uniform(0.6, 1.4) for day in launch]),
                strict=True,
            )
        )
    return visits
