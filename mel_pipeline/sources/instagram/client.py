"""Fetch accounts, followers, reach and posts from the Instagram Graph API. parse.py interprets the responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import ClassVar
from zoneinfo import ZoneInfo

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.instagram import parse
from mel_pipeline.sources.shared.base import Batch, Client, Load, Pull
from mel_pipeline.sources.shared.http import Http, Policy, base_url
from mel_pipeline.sources.shared.meta.files import INSTAGRAM, reader
from mel_pipeline.sources.shared.meta.graph import Graph, bounds, records
from mel_pipeline.sources.shared.meta.graph_errors import RefusedError, Wording
from mel_pipeline.sources.shared.meta.token import warning_of
from mel_pipeline.sources.shared.platform.accounts import EachAccount
from mel_pipeline.sources.shared.platform.days import (
    DayCursor,
    daily_pull,
    days_of,
    fetch_end,
    months_ending_in,
    parts_of,
    periods_of,
)
from mel_pipeline.sources.shared.platform.exports import ExportFolder
from mel_pipeline.sources.shared.platform.rows import Period

VERSION = "v23.0"
WHAT = "Instagram account"
WINDOW_DAYS = 30  # more days a call are refused, of totals as well
FOLLOWER_DAYS = 30  # follower_count of a window that begins earlier is refused as a whole
_POST_FIELDS = "id,caption,media_type,media_product_type,timestamp"


WORDING = Wording(
    "Instagram",
    "MEL_INSTAGRAM_API_URL",
    "MEL_INSTAGRAM_ACCESS_TOKEN",
    "MEL_INSTAGRAM_ACCOUNT_IDS",
    "instagram_basic and instagram_manage_insights",
    "instagram_manage_insights",
)


def open(settings: Settings, policy: Policy | None = None) -> Instagram | ExportFolder:
    """Accounts through the API, or through exported files where a folder is set."""
    if settings.source(parse.NAME).text("export_dir"):
        return ExportFolder(
            parse.NAME,
            reader(parse.NAME, INSTAGRAM, settings),
            settings,
            post_metrics=list(dict.fromkeys(INSTAGRAM.metrics.values())),
            period_metrics=("views", "reach"),
        )
    return Instagram(settings, Http(policy))


class Instagram(Client):
    """Instagram as a source."""

    source = parse.NAME

    def __init__(self, settings: Settings, http: Http) -> None:
        options = settings.source(parse.NAME)
        url = f"{base_url(options.text('api_url'), WORDING.address_setting)}/{VERSION}"
        self._graph = Graph(http, url, WORDING)
        self._token = options.text("access_token")
        self._accounts = options.listed("account_ids")
        self._today = settings.current_day
        self._first_day = Quarter.parse(settings.first_quarter).start
        self._zone = ZoneInfo(settings.time_zone)

    def _account_load(self, load: Load) -> Pull:
        """Today's accounts."""
        expiry: list[str] = []

        def batches() -> Iterator[Batch]:
            yield from each.batches(self._accounts, partial(self._account_rows, load.contract))
            if warning := warning_of(self._graph, self._token, self._today):
                expiry.append(warning)

        each = EachAccount(WHAT)
        pull = self._build_pull(batches())
        return replace(pull, warnings=lambda: [*each.warnings(), *expiry])

    def _daily_load(self, load: Load) -> Pull:
        """New followers since the cursor: days for as long as Instagram has them, and completed months."""
        stored = DayCursor.read(load.cursor, load.contract).last
        pull = daily_pull(
            load.contract,
            load.cursor,
            load.checkpoint,
            self._accounts,
            partial(self._new_followers, load.contract, stored),
            beginning=self._first_day,
            today=self._today,
            window_days=WINDOW_DAYS,
            what=WHAT,
            unread=partial(parse.unread_days, load.contract),
        )
        return replace(pull, usage=self._graph.budget.usage)

    def _period_load(self, load: Load) -> Pull:
        refused: dict[str, None] = {}
        each = EachAccount(WHAT)
        periods = periods_of(load.quarter, self._today)
        batches = each.batches(
            self._accounts,
            lambda account: self._periods(load.contract, account, periods, refused),
            lambda account: [parse.unread_periods(load.contract, account, periods)],
        )
        pull = self._build_pull(batches)
        return replace(pull, warnings=lambda: [*each.warnings(), *refused])

    def _post_load(self, load: Load) -> Pull:
        return self._post_pull(load, with_figures=False)

    def _figure_load(self, load: Load) -> Pull:
        return self._post_pull(load, with_figures=True)

    def _post_pull(self, load: Load, *, with_figures: bool) -> Pull:
        each = EachAccount(WHAT)
        read = partial(self._posts, load.contract, load.quarter, with_figures=with_figures)
        pull = self._build_pull(each.batches(self._accounts, read))
        return replace(pull, warnings=each.warnings)

    def _build_pull(self, batches: Iterator[Batch]) -> Pull:
        return Pull(batches, usage=self._graph.budget.usage)

    def _account_rows(self, contract: EntityContract, account: str) -> Iterator[Batch]:
        fields = {"fields": "id,username,followers_count"}
        yield parse.parse_account(self._request(f"account {account}", account, fields), contract, self._today)

    def _new_followers(
        self, contract: EntityContract, stored: Mapping[str, str], account: str, window: tuple[date, date]
    ) -> Iterator[Batch]:
        """Days that Instagram still has, days it has no more, and the months that end in the window."""
        available = min(max(window[0], self._today - timedelta(days=FOLLOWER_DAYS)), window[1])
        lost = [day for day in days_of((window[0], available)) if day.isoformat() > stored.get(account, "")]
        if lost:
            yield parse.unavailable_days(contract, account, lost)
        if available < window[1]:
            yield self._new_by_day(contract, account, (available, window[1]))
        for month in months_ending_in(window):
            yield self._new_in_month(contract, account, month)

    def _new_by_day(self, contract: EntityContract, account: str, window: tuple[date, date]) -> Batch:
        params = {"metric": parse.FOLLOWERS, "period": "day", **bounds(window)}
        try:
            data = self._request(f"account {account} followers", f"{account}/insights", params)
        except RefusedError as refused:
            if not refused.error.is_query_error:
                raise
            return parse.unavailable_days(contract, account, days_of(window))
        return parse.parse_daily(data, contract, account, window)

    def _new_in_month(self, contract: EntityContract, account: str, month: Period) -> Batch:
        """Those who followed less those who left, of a month in windows: followers by day are gone after 30 days."""
        more = {"breakdown": "follow_type"}
        parts = parts_of(month, fetch_end(month, self._today), WINDOW_DAYS)
        try:
            answers = [self._total(account, parse.NET_FOLLOWERS, part, more) for part in parts]
        except RefusedError as refused:
            if not refused.error.is_query_error:
                raise
            return parse.unavailable_period(contract, account, parse.NET_FOLLOWERS, month)
        return parse.parse_net_followers(answers, contract, account, month)

    def _periods(
        self, contract: EntityContract, account: str, periods: list[Period], refused: dict[str, None]
    ) -> Iterator[Batch]:
        """Views of a period are those of its windows; reach is not: the same people are in several windows."""
        seen: dict[tuple[date, date], Mapping[str, object]] = {}
        for period in periods:
            yield parse.unavailable_period(contract, account, "reach", period)
            parts = parts_of(period, fetch_end(period, self._today), WINDOW_DAYS)
            try:
                for part in parts:
                    if part not in seen:
                        seen[part] = self._total(account, "views", part)
            except RefusedError as error:
                if not error.error.is_query_error:
                    raise
                refused[
                    f"Instagram does not offer views for {period.text} (code 100): the metric was retired, or the"
                    " period is too far back."
                ] = None
                yield parse.unavailable_period(contract, account, "views", period)
                continue
            answers = {part: seen[part] for part in parts}
            yield parse.parse_views(answers, contract, account, period, self._today)

    def _total(
        self, account: str, metric: str, window: tuple[date, date], more: Mapping[str, str] | None = None
    ) -> Mapping[str, object]:
        """The total of one metric over a window. A retired one would fail the others, so it is requested alone."""
        params = {"metric": metric, "metric_type": "total_value", "period": "day", **bounds(window)}
        return self._request(f"account {account} {metric}", f"{account}/insights", {**params, **(more or {})})

    def _posts(
        self, contract: EntityContract, quarter: Quarter, account: str, *, with_figures: bool
    ) -> Iterator[Batch]:
        # A day more on both sides: Instagram cuts by UTC, the quarter by the business time zone.
        around = bounds((quarter.start - timedelta(days=1), quarter.end + timedelta(days=1)))
        read = parse.parse_figures if with_figures else parse.parse_posts
        what, node = f"account {account} posts", f"{account}/media"
        fetch = partial(self._with_figures, what, node) if with_figures else None
        for _, page in self._graph.pages(what, node, self._token, {"fields": _POST_FIELDS, **around}, fetch):
            yield read(records(page), contract, account, quarter, self._zone)

    def _with_figures(self, what: str, node: str, params: Mapping[str, str]) -> Mapping[str, object]:
        """A page of posts with their figures; if one figure is refused, they are requested post by post."""
        fields = f"{_POST_FIELDS},insights.metric({','.join(parse.MEDIA_METRICS)})"
        try:
            return self._request(what, node, {**params, "fields": fields})
        except RefusedError:
            page = self._request(what, node, params)
        full = [{**post, "insights": self._figures(str(post.get("id")))} for post in records(page)]
        return {**page, "data": full}

    def _figures(self, post: str) -> dict[str, object]:
        """The figures of one post, metric by metric, and why any is missing."""
        found: list[object] = []
        missing: dict[str, str] = {}
        for metric in parse.MEDIA_METRICS:
            try:
                data = self._request(f"post {post} {metric}", f"{post}/insights", {"metric": metric}).get(
                    "data"
                )
            except RefusedError as refused:
                missing[metric] = "suppressed" if refused.error.is_suppressed else "not_offered"
                continue  # its row says why it is empty
            found += data if isinstance(data, list) else []
        return {"data": found, "missing": missing}

    def _request(self, what: str, node: str, params: Mapping[str, str]) -> Mapping[str, object]:
        return self._graph.ask(what, node, self._token, params)

    loads: ClassVar = {
        "accounts": _account_load,
        "daily": _daily_load,
        "periods": _period_load,
        "contents": _post_load,
        "content_metrics": _figure_load,
    }
