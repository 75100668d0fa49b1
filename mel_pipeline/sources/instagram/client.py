"""Ask the Instagram Graph API for accounts, followers, reach and posts. Meanings are in parse.py."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from mel_pipeline.contracts import EntityContract, contract_of, fingerprint_of
from mel_pipeline.errors import PermanentSourceError, SettingsError
from mel_pipeline.periods import Quarter
from mel_pipeline.settings import Settings
from mel_pipeline.sources.base import Batch, Pull, simple_pull
from mel_pipeline.sources.http import Answer, Http, Policy, base_url, explain_status, needed
from mel_pipeline.sources.instagram import parse

VERSION = "v23.0"
PAGE = 100
REPULL_DAYS = 3  # Instagram completes its figures up to 48 hours later
_POST_FIELDS = "id,caption,media_type,media_product_type,timestamp"


class _RefusedError(PermanentSourceError):
    """Code 100 or 10: this question is not answered; another may be."""

    def __init__(self, message: str, error: parse.GraphError) -> None:
        super().__init__(message)
        self.error = error


def open(settings: Settings, policy: Policy | None = None) -> Instagram:
    return Instagram(settings, Http(policy))


class Instagram:
    """Instagram as a source. The token travels in a header, and the ``next`` links are never followed."""

    def __init__(self, settings: Settings, http: Http) -> None:
        self._http = http
        self._url = f"{base_url(settings.instagram_api_url, 'MEL_INSTAGRAM_API_URL')}/{VERSION}"
        self._token = needed(settings.instagram_access_token.get_secret_value(), "MEL_INSTAGRAM_ACCESS_TOKEN")
        ids = needed(settings.instagram_account_ids, "MEL_INSTAGRAM_ACCOUNT_IDS").split(",")
        self._accounts = [account.strip() for account in ids if account.strip()]
        self._today = settings.current_day
        self._first_day = Quarter.parse(settings.first_quarter).start
        self._zone = ZoneInfo(settings.time_zone)

    def pull(
        self,
        entity: str,
        *,
        quarter: Quarter | None = None,
        cursor: str | None = None,
        checkpoint: str | None = None,  # noqa: ARG002
    ) -> Pull:
        """Today's accounts, new followers since the cursor, or the figures and posts of a quarter."""
        contract = contract_of("instagram").entities[entity]
        if entity == "accounts":
            return simple_pull(self._account_rows(contract))
        if entity == "daily_followers":
            return self._daily_followers(contract, cursor)
        if quarter is None:
            raise SettingsError(f"Instagram {contract.title} is asked for a quarter. Name one, like 2024-Q4.")
        if entity == "period_insights":
            return simple_pull(self._period_insights(contract, quarter))
        return simple_pull(self._media(contract, quarter))

    def _account_rows(self, contract: EntityContract) -> Iterator[Batch]:
        for account in self._accounts:
            fields = {"fields": "id,username,followers_count"}
            yield parse.parse_account(self._ask(f"account {account}", account, fields), contract, self._today)

    def _daily_followers(self, contract: EntityContract, cursor: str | None) -> Pull:
        """The cursor is JSON: the last day of each account, and the contract it was read by."""
        stored = json.loads(cursor) if cursor else {}
        known = stored.get("days", {}) if stored.get("contract") == fingerprint_of(contract) else {}
        last: dict[str, str] = dict(known)

        def batches() -> Iterator[Batch]:
            for account in self._accounts:
                first = self._first_day
                if account in known:
                    first = max(first, date.fromisoformat(known[account]) - timedelta(days=REPULL_DAYS - 1))
                for window in parse.follower_windows(first, self._today):
                    params = {"metric": "follower_count", "period": "day", **_bounds(window)}
                    try:
                        data = self._ask(f"account {account} followers", f"{account}/insights", params)
                    except _RefusedError as refused:
                        if not refused.error.is_about_the_question:
                            raise
                        yield parse.no_answer(contract, account, "new followers", window)
                        continue
                    batch = parse.parse_daily(data, contract, account)
                    if len(batch.frame):
                        last[account] = max(last.get(account, ""), str(batch.frame["day"].max()))
                    yield batch

        def new_cursor() -> str | None:
            return json.dumps({"contract": fingerprint_of(contract), "days": last}) if last else None

        return Pull(batches(), new_cursor)

    def _period_insights(self, contract: EntityContract, quarter: Quarter) -> Iterator[Batch]:
        """Metrics are asked one by one: one that was retired would fail the others with it."""
        for account in self._accounts:
            for period in parse.periods_of(quarter):
                asked = (period[0], min(period[1], self._today))
                if asked[0] >= asked[1]:
                    continue
                for metric in ("reach", "views"):
                    params = {
                        "metric": metric,
                        "metric_type": "total_value",
                        "period": "day",
                        **_bounds(asked),
                    }
                    try:
                        data = self._ask(f"account {account} {metric}", f"{account}/insights", params)
                    except _RefusedError as refused:
                        if not refused.error.is_about_the_question:
                            raise
                        yield parse.no_answer(contract, account, metric, period)
                        continue
                    yield parse.parse_period(data, contract, account, metric, period)

    def _media(self, contract: EntityContract, quarter: Quarter) -> Iterator[Batch]:
        # A day more on both sides: Instagram cuts by UTC, the quarter by the business time zone.
        bounds = _bounds((quarter.start - timedelta(days=1), quarter.end + timedelta(days=1)))
        for account in self._accounts:
            after: dict[str, str] = {}
            while True:
                params = {"limit": str(PAGE), **bounds, **after}
                data = self._posts(account, params)
                posts = data.get("data")
                yield parse.parse_media(
                    posts if isinstance(posts, list) else [], contract, account, quarter, self._zone
                )
                position = parse.next_page(data)
                if position is None:
                    break
                after = {"after": position}

    def _posts(self, account: str, params: dict[str, str]) -> Mapping[str, object]:
        """A page of posts with their figures; one refused figure makes it ask post by post."""
        what, node = f"account {account} posts", f"{account}/media"
        with_figures = f"{_POST_FIELDS},insights.metric({','.join(parse.MEDIA_METRICS)})"
        try:
            return self._ask(what, node, {"fields": with_figures, **params})
        except _RefusedError:
            page = self._ask(what, node, {"fields": _POST_FIELDS, **params})
        posts = page.get("data")
        full = [
            {**post, "insights": {"data": self._figures(str(post.get("id")))}}
            for post in (posts if isinstance(posts, list) else [])
        ]
        return {**page, "data": full}

    def _figures(self, post: str) -> list[object]:
        """The figures of one post, metric by metric. One that is not given stays empty."""
        found: list[object] = []
        for metric in parse.MEDIA_METRICS:
            try:
                data = self._ask(f"post {post} {metric}", f"{post}/insights", {"metric": metric}).get("data")
            except _RefusedError:
                continue  # the row keeps an empty figure, which the report shows as missing
            found += data if isinstance(data, list) else []
        return found

    def _ask(self, what: str, node: str, params: Mapping[str, str]) -> Mapping[str, object]:
        def judge(answer: Answer) -> Mapping[str, object]:
            data = answer.record() if answer.status < 500 or answer.body.lstrip()[:1] == b"{" else {}
            error = parse.error_of(data)
            if error is None:
                if answer.status != 200:
                    raise explain_status(answer, "Check MEL_INSTAGRAM_API_URL.")
                return data
            explained = parse.explain_error(answer, error, self._http.policy.throttled)
            if error.is_about_the_question or error.is_suppressed:
                raise _RefusedError(str(explained), error)
            raise explained

        headers = {"Authorization": f"Bearer {self._token}"}
        return self._http.call(
            f"Instagram {what}", f"{self._url}/{node}", judge, headers=lambda: headers, params=params
        )


def _bounds(period: tuple[date, date]) -> dict[str, str]:
    return {"since": period[0].isoformat(), "until": period[1].isoformat()}
