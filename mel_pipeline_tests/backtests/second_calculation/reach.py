"""RCH: social networks, web sites and newsletters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from mel_pipeline_tests.backtests.second_calculation.cells import Cell, count, missing, share
from mel_pipeline_tests.backtests.second_calculation.mailings import Issue
from mel_pipeline_tests.backtests.second_calculation.periods import TIME_ZONE, Period
from mel_pipeline_tests.backtests.second_calculation.social import Account, Post

CAMPAIGN, SERIES = "#avantiacampaign", "#10minuteswiththemayor"


def cells(
    accounts: list[Account],
    posts: list[Post],
    visits: dict[str, dict[date, int]],
    issues: list[Issue],
    period: Period,
) -> Iterator[Cell]:
    yield from _summed(
        "RCH-01", accounts, period, {account.label: _views(account, period) for account in accounts}
    )
    yield from _summed(
        "RCH-02", accounts, period, {account.label: _followers(account, period) for account in accounts}
    )
    mine = [post for post in posts if _within(post, period)]
    campaign = [post for post in mine if _carries(post, CAMPAIGN)]
    if campaign:
        yield count(
            "RCH-01",
            period,
            "campaign=AVANTIA campaign",
            sum(post.views or 0 for post in campaign),
            len(campaign),
        )
    yield count("RCH-05", period, "total", sum(_carries(post, SERIES) for post in mine))
    yield from _reach(accounts, period)
    yield from _visits(visits, period)
    yield from _newsletters(issues, period)
    yield from _subscribers(issues, period)


def _within(post: Post, period: Period) -> bool:
    return period.first <= post.published.astimezone(ZoneInfo(TIME_ZONE)).date() <= period.last


def _carries(post: Post, hashtag: str) -> bool:
    """Whether the hashtag is a word of the post, in capitals or not."""
    return hashtag in re.findall(r"#\w+", post.text.lower())


def _views(account: Account, period: Period) -> int | None:
    """Views of every day of the period since the account began; None where some day has none."""
    first, end = max(period.first, account.began), period.last + timedelta(days=1)
    parts = {stretch: seen for stretch, seen in account.views.items() if first <= stretch[0] < end}
    covered = sum((until - since).days for since, until in parts)
    return sum(parts.values()) if account.tells_views and covered == (end - first).days > 0 else None


def _followers(account: Account, period: Period) -> int | None:
    """Counted on the last day, or a later count less the net new followers of every day between."""
    if period.last in account.followers:
        return account.followers[period.last]
    if not account.net:
        return None
    counted_on, followers = min((day, n) for day, n in account.followers.items() if day > period.last)
    since = {stretch: n for stretch, n in account.net.items() if period.last < stretch[0] < counted_on}
    covered = sum((until - first).days for first, until in since)
    whole = covered == (counted_on - period.last).days - 1  # the count is of the morning
    return followers - sum(since.values()) if whole else None


def _summed(
    indicator: str, accounts: list[Account], period: Period, known: dict[str, int | None]
) -> Iterator[Cell]:
    """Each account, each platform, and all that can be had. A platform counts if all its accounts do."""
    platforms: dict[str, list[int | None]] = {}
    for account in accounts:
        value = known[account.label]
        platforms.setdefault(account.platform, []).append(value)
        name = f"account={account.label}"
        yield missing(indicator, period, name) if value is None else count(indicator, period, name, value, 1)
    total = accounts_in_it = 0
    for platform, values in platforms.items():
        given = [value for value in values if value is not None]
        total, accounts_in_it = total + sum(given), accounts_in_it + len(given)
        name = f"platform={platform}"
        whole = len(given) == len(values)
        yield (
            count(indicator, period, name, sum(given), len(given))
            if whole
            else missing(indicator, period, name)
        )
    yield count(indicator, period, "total", total, accounts_in_it)


def _reach(accounts: list[Account], period: Period) -> Iterator[Cell]:
    """None of the services has reach of a quarter or a year, and it is never added up."""
    mine = [account for account in accounts if account.counts_people]
    names = {f"account={account.label}" for account in mine} | {
        f"platform={account.platform}" for account in mine
    }
    for name in sorted(names | {"total"}):
        yield missing("RCH-06", period, name)


def _visits(visits: dict[str, dict[date, int]], period: Period) -> Iterator[Cell]:
    """RCH-07 over the days with data; n is the number of days, over all sites."""
    by_site = {
        site: [seen for day, seen in days.items() if period.first <= day <= period.last]
        for site, days in visits.items()
    }
    every = [seen for days in by_site.values() for seen in days]
    yield count("RCH-07", period, "total", sum(every), len(every))
    for site, days in by_site.items():
        if days:
            yield count("RCH-07", period, f"site={site}", sum(days), len(days))


def _subscribers(issues: list[Issue], period: Period) -> Iterator[Cell]:
    """RCH-09: of each service the largest issue of the quarter in which the period closes."""
    first = date(period.last.year, period.last.month - 2, 1)
    largest: dict[str, int] = {}
    for issue in issues:
        if first <= issue.sent_on <= period.last:
            largest[issue.platform] = max(largest.get(issue.platform, 0), issue.recipients)
    yield count("RCH-09", period, "total", sum(largest.values()), len(largest))
    for platform, recipients in largest.items():
        yield count("RCH-09", period, f"platform={platform}", recipients, 1)


def _newsletters(issues: list[Issue], period: Period) -> Iterator[Cell]:
    mine = [issue for issue in issues if period.first <= issue.sent_on <= period.last]
    for indicator, name in (("RCH-03", "opens"), ("RCH-08", "clicks")):
        groups = {"total": list(mine)}
        for issue in mine:
            groups.setdefault(f"platform={issue.platform}", []).append(issue)
        for of, sent in groups.items():
            known = [
                (value, issue.delivered) for issue in sent if (value := getattr(issue, name)) is not None
            ]
            if known:
                yield share(indicator, period, of, sum(n for n, _ in known), sum(n for _, n in known))
            else:
                yield missing(indicator, period, of)
