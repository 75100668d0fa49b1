"""Fetch accounts and posts from X. parse.py interprets the responses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar
from zoneinfo import ZoneInfo

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import UnpromisedError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.shared.base import Batch, Client, Load, Pull, simple_pull
from mel_pipeline.sources.shared.http import Answer, Http, Policy, base_url, explain_status
from mel_pipeline.sources.shared.platform.budget import Budget
from mel_pipeline.sources.shared.platform.days import periods_of
from mel_pipeline.sources.shared.platform.exports import ExportFolder, only
from mel_pipeline.sources.shared.values import Novelty
from mel_pipeline.sources.x import files, parse

PAGE = 100
MOST_POSTS = 3_200  # a timeline lists no older ones
BEGINNING = "2010-11-06T00:00:01Z"  # X accepts no earlier start


def open(
    settings: Settings, policy: Policy | None = None, clock: Callable[[], float] = time.time
) -> X | ExportFolder:
    """Accounts through the API, or through exported files where a folder is set."""
    options = settings.source(parse.NAME)
    if options.text("export_dir"):
        account = options.known("user_ids") and only(options, "user_ids")
        return ExportFolder(
            parse.NAME,
            partial(files.read_export, account=account or None),
            settings,
            post_metrics=list(dict.fromkeys(files.METRICS.values())),
            period_metrics=parse.PERIOD_METRICS,
        )
    return X(settings, Http(policy), clock)


class X(Client):
    """X as a source. The token travels in a header. ``clock`` gives seconds since 1970."""

    source = parse.NAME

    def __init__(self, settings: Settings, http: Http, clock: Callable[[], float]) -> None:
        options = settings.source(parse.NAME)
        self._http = http
        self._accounts = options.listed("user_ids")
        self._token = options.text("bearer_token")
        self._url = f"{base_url(options.text('api_url'), options.variable('api_url'))}/2"
        self._budget = Budget(http, "X", reserve=0.0)
        self._today = settings.current_day
        self._zone = ZoneInfo(settings.time_zone)
        self._clock = clock
        self._warnings: dict[str, None] = {}

    def _account_load(self, load: Load) -> Pull:
        """Today's accounts."""
        return self._build_pull(self._account_rows(load.contract))

    def _period_load(self, load: Load) -> Pull:
        periods = periods_of(load.quarter, self._today)
        return simple_pull([parse.period_rows(load.contract, self._accounts, periods)])

    def _post_load(self, load: Load) -> Pull:
        return self._build_pull(self._posts(load.contract, load.quarter, with_figures=False))

    def _figure_load(self, load: Load) -> Pull:
        return self._build_pull(self._posts(load.contract, load.quarter, with_figures=True))

    def _build_pull(self, batches: Iterator[Batch]) -> Pull:
        self._warnings = {}  # those of this load
        return Pull(batches, usage=self._budget.usage, warnings=lambda: list(self._warnings))

    def _account_rows(self, contract: EntityContract) -> Iterator[Batch]:
        params = {"ids": ",".join(self._accounts), "user.fields": "public_metrics,username"}
        yield parse.account_rows(
            self._request("accounts", "users", params), contract, self._accounts, self._today
        )

    def _posts(self, contract: EntityContract, quarter: Quarter, *, with_figures: bool) -> Iterator[Batch]:
        # A day more on both sides: X cuts by UTC, the quarter by the business time zone.
        params = {
            "tweet.fields": "created_at,public_metrics",
            "exclude": "retweets",
            "max_results": str(PAGE),
            "start_time": f"{quarter.start - timedelta(days=1)}T00:00:00Z",
            "end_time": f"{min(quarter.end + timedelta(days=1), self._today)}T00:00:00Z",
        }
        if datetime.fromisoformat(params["start_time"]) >= datetime.fromisoformat(params["end_time"]):
            return
        broken: dict[str, UnpromisedError] = {}
        for account in self._accounts:
            try:
                yield from self._posts_of(account, params, contract, quarter, with_figures=with_figures)
                if not with_figures and quarter.end <= self._today:
                    self._note_cut(account, quarter)
            except parse.WithheldError as reason:  # this account's trouble, not that of the others
                yield parse.withheld(account, reason, contract)
            except UnpromisedError as error:
                broken[account] = error
        if broken and len(broken) == len(self._accounts):
            raise next(iter(broken.values()))
        for account, unpromised in broken.items():
            yield parse.withheld(account, unpromised, contract)

    def _posts_of(
        self,
        account: str,
        params: Mapping[str, str],
        contract: EntityContract,
        quarter: Quarter,
        *,
        with_figures: bool,
    ) -> Iterator[Batch]:
        position: dict[str, str] = {}
        novelty = Novelty(f"X posts of {account}")
        while True:
            page = self._request(f"posts of {account}", f"users/{account}/tweets", {**params, **position})
            yield parse.post_rows(
                parse.records(page), contract, account, quarter, self._zone, with_figures=with_figures
            )
            token = parse.next_token(page)
            if token is None:
                return
            novelty.require_next(token, parse.records(page))
            position = {"pagination_token": token}

    def _note_cut(self, account: str, quarter: Quarter) -> None:
        """Warn where the timeline may end within the quarter or after it: what X no longer lists is no zero."""
        users = self._request("accounts", "users", {"ids": account, "user.fields": "public_metrics"})
        posts = parse.posts_ever(users)
        if posts is None or posts <= MOST_POSTS:
            return
        before = {"max_results": "5", "start_time": BEGINNING, "end_time": f"{quarter.start}T00:00:00Z"}
        if parse.records(self._request(f"posts of {account}", f"users/{account}/tweets", before)):
            return  # older ones are listed, so none of the quarter is missing
        self._warnings[
            f"X lists only the newest {MOST_POSTS:,} of the {posts:,} posts of account {account}, and none from before"
            f" {quarter.start}: posts of {quarter} may be missing. What an earlier load stored stays. Export the quarter"
            " from X analytics, and see MEL_X_EXPORT_DIR."
        ] = None

    def _request(self, what: str, node: str, params: Mapping[str, str]) -> Mapping[str, object]:
        self._budget.before_call()

        def judge(answer: Answer) -> Mapping[str, object]:
            wait = self._note_limits(answer)
            if answer.status == 200:
                return answer.record()
            if answer.status >= 500 or not answer.body.lstrip().startswith(b"{"):
                raise explain_status(answer, "Check MEL_X_API_URL.")
            raise parse.explain(answer, self._token, wait)

        headers = {"Authorization": f"Bearer {self._token}"}
        return self._http.call(
            f"X {what}", f"{self._url}/{node}", judge, headers=lambda: headers, params=params
        )

    def _note_limits(self, answer: Answer) -> float | None:
        """Seconds until the quota of this endpoint resets; X sends the time of the reset."""
        values = [answer.headers.get(f"x-rate-limit-{name}", "") for name in ("reset", "remaining", "limit")]
        if not all(text.isdecimal() and len(text) < 15 for text in values):
            return None
        reset, left, limit = map(int, values)
        wait = max(0.0, reset - self._clock())
        self._budget.note_left(left, limit, wait)
        return wait

    loads: ClassVar = {
        "accounts": _account_load,
        "periods": _period_load,
        "contents": _post_load,
        "content_metrics": _figure_load,
    }
