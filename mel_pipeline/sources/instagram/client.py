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
from mel_pipeline.sources.shared.meta.graph import Graph, RefusedError, Wording, bounds, records
from mel_pipeline.sources.shared.meta.token import warning_of
from mel_pipeline.sources.shared.platform.days import daily_pull, fetch_end, periods_of
from mel_pipeline.sources.shared.platform.exports import ExportFolder

VERSION = "v23.0"
WINDOW_DAYS = 30  # follower_count: more days a call are refused
_POST_FIELDS = "id,caption,media_type,media_product_type,timestamp"


WORDING = Wording(
    "Instagram",
    "MEL_INSTAGRAM_API_URL",
    "MEL_INSTAGRAM_ACCESS_TOKEN",
    "MEL_INSTAGRAM_ACCOUNT_IDS",
    "instagram_basic and instagram_manage_insights",
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
        self._graph = Graph(http, url, WORDING, hides_small_groups=True)
        self._token = options.text("access_token")
        self._accounts = options.listed("account_ids")
        self._today = settings.current_day
        self._first_day = Quarter.parse(settings.first_quarter).start
        self._zone = ZoneInfo(settings.time_zone)

    def _account_load(self, load: Load) -> Pull:
        """Today's accounts."""
        warnings: list[str] = []
        pull = self._build_pull(self._account_rows(load.contract, warnings))
        return replace(pull, warnings=lambda: warnings)

    def _daily_load(self, load: Load) -> Pull:
        """New followers since the cursor."""
        pull = daily_pull(
            load.contract,
            load.cursor,
            load.checkpoint,
            self._accounts,
            partial(self._new_followers, load.contract),
            beginning=self._first_day,
            today=self._today,
            window_days=WINDOW_DAYS,
        )
        return replace(pull, usage=self._graph.budget.usage)

    def _period_load(self, load: Load) -> Pull:
        refused: dict[str, None] = {}
        pull = self._build_pull(self._periods(load.contract, load.quarter, refused))
        return replace(pull, warnings=lambda: list(refused))

    def _post_load(self, load: Load) -> Pull:
        return self._build_pull(self._posts(load.contract, load.quarter, with_figures=False))

    def _figure_load(self, load: Load) -> Pull:
        return self._build_pull(self._posts(load.contract, load.quarter, with_figures=True))

    def _build_pull(self, batches: Iterator[Batch]) -> Pull:
        return Pull(batches, usage=self._graph.budget.usage)

    def _account_rows(self, contract: EntityContract, warnings: list[str]) -> Iterator[Batch]:
        for account in self._accounts:
            fields = {"fields": "id,username,followers_count"}
            yield parse.parse_account(
                self._request(f"account {account}", account, fields), contract, self._today
            )
        if warning := warning_of(self._graph, self._token, self._today):
            warnings.append(warning)

    def _new_followers(
        self, contract: EntityContract, account: str, window: tuple[date, date]
    ) -> Iterator[Batch]:
        params = {"metric": "follower_count", "period": "day", **bounds(window)}
        try:
            data = self._request(f"account {account} followers", f"{account}/insights", params)
        except RefusedError as refused:
            if not refused.error.is_query_error:
                raise
            yield parse.unavailable_days(contract, account, window)
            return
        yield parse.parse_daily(data, contract, account, window)

    def _periods(
        self, contract: EntityContract, quarter: Quarter, refused: dict[str, None]
    ) -> Iterator[Batch]:
        """Metrics are requested one by one: a retired one would fail a joint request."""
        for account in self._accounts:
            for period in periods_of(quarter, self._today):
                for metric in ("reach", "views"):
                    dates = bounds((period.start, fetch_end(period, self._today)))
                    params = {"metric": metric, "metric_type": "total_value", "period": "day", **dates}
                    try:
                        data = self._request(f"account {account} {metric}", f"{account}/insights", params)
                    except RefusedError as error:
                        if not error.error.is_query_error:
                            raise
                        refused[
                            f"Instagram does not offer {metric} for {period.text} (code 100): the metric was"
                            " retired, or the period is too far back."
                        ] = None
                        yield parse.unavailable_period(contract, account, metric, period)
                        continue
                    yield parse.parse_period(data, contract, account, metric, period)

    def _posts(self, contract: EntityContract, quarter: Quarter, *, with_figures: bool) -> Iterator[Batch]:
        # A day more on both sides: Instagram cuts by UTC, the quarter by the business time zone.
        around = bounds((quarter.start - timedelta(days=1), quarter.end + timedelta(days=1)))
        read = parse.parse_figures if with_figures else parse.parse_posts
        for account in self._accounts:
            what, node = f"account {account} posts", f"{account}/media"
            fetch = partial(self._with_figures, what, node) if with_figures else None
            for _, page in self._graph.pages(
                what, node, self._token, {"fields": _POST_FIELDS, **around}, fetch
            ):
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
