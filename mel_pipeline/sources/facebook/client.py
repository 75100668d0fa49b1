"""Fetch Pages, their days and posts from the Graph API. parse.py interprets the responses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import ClassVar
from zoneinfo import ZoneInfo

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import PermanentSourceError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.facebook import parse
from mel_pipeline.sources.shared.base import Batch, Client, Load, Pull
from mel_pipeline.sources.shared.http import Http, Policy, base_url
from mel_pipeline.sources.shared.meta.files import FACEBOOK, reader
from mel_pipeline.sources.shared.meta.graph import Graph, bounds, records
from mel_pipeline.sources.shared.meta.graph_errors import RefusedError, Wording
from mel_pipeline.sources.shared.meta.posts import Missing, day_in
from mel_pipeline.sources.shared.meta.token import warning_of
from mel_pipeline.sources.shared.platform.accounts import EachAccount
from mel_pipeline.sources.shared.platform.days import daily_pull, days_of, periods_of, windows
from mel_pipeline.sources.shared.platform.exports import ExportFolder
from mel_pipeline.sources.shared.platform.rows import Availability, Period

VERSION = "v25.0"
WHAT = "Facebook Page"
WINDOW_DAYS = 90  # more days a call are refused, so a quarter takes two
RETENTION_DAYS = 2 * 365  # older days come back empty, and would hide what is stored
_POST_FIELDS = "id,message,created_time,status_type"


def open(settings: Settings, policy: Policy | None = None) -> Facebook | ExportFolder:
    """Pages through the API, or through exported files where a folder is set."""
    if settings.source(parse.NAME).text("export_dir"):
        metrics = ("page_media_view", *parse.PERIOD_METRICS)
        return ExportFolder(
            parse.NAME,
            reader(parse.NAME, FACEBOOK, settings),
            settings,
            post_metrics=list(dict.fromkeys(FACEBOOK.metrics.values())),
            period_metrics=metrics,
        )
    return Facebook(settings, Http(policy))


class Facebook(Client):
    """Pages as a source. Each needs a token of its own, obtained with the system user's token."""

    source = parse.NAME

    def __init__(self, settings: Settings, http: Http) -> None:
        options = settings.source(parse.NAME)
        self._token = options.text("access_token")
        self._token_setting = options.variable("access_token")
        self._accounts = options.listed("page_ids")
        wording = Wording(
            "Facebook",
            options.variable("api_url"),
            self._token_setting,
            options.variable("page_ids"),
            "pages_show_list, pages_read_engagement and read_insights",
            "read_insights",
        )
        address = base_url(options.text("api_url"), wording.address_setting)
        self._graph = Graph(http, f"{address}/{VERSION}", wording)
        self._today = settings.current_day
        self._beginning = Quarter.parse(settings.first_quarter).start
        self._available_from = max(self._beginning, self._today - timedelta(days=RETENTION_DAYS))
        self._zone = ZoneInfo(settings.time_zone)
        self._page_tokens: dict[str, str] = {}
        self._warnings: dict[str, None] = {}

    def _page_load(self, load: Load) -> Pull:
        """Followers, today and at the end of each earlier day."""
        return self._page_pull(partial(self._account_rows, load.contract), before=self._note_expiry)

    def _daily_load(self, load: Load) -> Pull:
        """Daily figures since the cursor."""
        pull = daily_pull(
            load.contract,
            load.cursor,
            load.checkpoint,
            self._accounts,
            partial(self._days, load.contract, parse.last_days(load.cursor)),
            beginning=self._beginning,
            today=self._today,
            window_days=WINDOW_DAYS,
            what=WHAT,
            unread=partial(parse.unread_days, load.contract),
        )
        return self._build_pull(pull.batches, pull.warnings, pull)

    def _period_load(self, load: Load) -> Pull:
        periods = periods_of(load.quarter, self._today)
        return self._page_pull(
            partial(self._periods, load.contract, periods),
            lambda account: [parse.unread_periods(load.contract, account, periods)],
        )

    def _post_load(self, load: Load) -> Pull:
        return self._page_pull(partial(self._posts, load.contract, load.quarter))

    def _figure_load(self, load: Load) -> Pull:
        return self._page_pull(partial(self._figures, load.contract, load.quarter))

    def _page_pull(
        self,
        read: Callable[[str], Iterator[Batch]],
        unread: Callable[[str], Iterable[Batch]] | None = None,
        before: Callable[[], None] | None = None,
    ) -> Pull:
        """Every Page, read one after another. Arguments as ``EachAccount.batches``."""
        each = EachAccount(WHAT)
        return self._build_pull(each.batches(self._accounts, read, unread, before), each.warnings)

    def _build_pull(
        self, batches: Iterator[Batch], unread: Callable[[], list[str]], pull: Pull | None = None
    ) -> Pull:
        self._warnings = {}  # those of this load
        cursor = pull.cursor if pull else lambda: None
        return Pull(
            batches,
            cursor=cursor,
            usage=self._graph.budget.usage,
            warnings=lambda: [*self._warnings, *unread()],
        )

    def _note_expiry(self) -> None:
        if warning := warning_of(self._graph, self._token, self._today):
            self._warnings[warning] = None

    def _account_rows(self, contract: EntityContract, account: str) -> Iterator[Batch]:
        fields = {"fields": "id,name,followers_count"}
        page = self._graph.ask(f"Page {account}", account, self._page_token(account), fields)
        followers: list[Mapping[str, object]] = []
        for window in windows(self._available_from, self._today, WINDOW_DAYS):
            try:
                followers += records(self._insights(account, window, [parse.FOLLOWERS]))
            except RefusedError as refused:
                self._note_refused(parse.FOLLOWERS, refused)
                break
        yield parse.parse_page(page, {"data": followers}, contract, account, self._today)

    def _days(
        self, contract: EntityContract, known: Mapping[str, str], account: str, window: tuple[date, date]
    ) -> Iterator[Batch]:
        """Days too old are marked, unless their figures may be stored already; the others are requested."""
        available = min(max(window[0], self._available_from), window[1])
        if window[0] < available and account not in known:
            unavailable = days_of((window[0], available))
            yield parse.empty_days(contract, account, parse.PAGE_METRICS, unavailable, "not_offered")
        if available < window[1]:
            yield from self._available_days(contract, known, account, (available, window[1]))

    def _available_days(
        self, contract: EntityContract, known: Mapping[str, str], account: str, window: tuple[date, date]
    ) -> Iterator[Batch]:
        """All metrics in one call; a retired one fails the whole call, so then each on its own."""
        try:
            data = self._insights(account, window, parse.PAGE_METRICS)
            yield parse.parse_days(data, contract, account, window, parse.PAGE_METRICS)
        except RefusedError as refused:
            if refused.error.is_gone:
                raise
            # A day that is stored keeps its figure.
            fresh = [day for day in days_of(window) if day.isoformat() > known.get(account, "")]
            yield from self._days_one_by_one(contract, account, window, fresh)

    def _days_one_by_one(
        self, contract: EntityContract, account: str, window: tuple[date, date], fresh: Sequence[date]
    ) -> list[Batch]:
        """The metrics that succeed, and fresh days of the others as empty. If all fail, the metrics are not the cause."""
        answered: list[Batch] = []
        refused: dict[str, RefusedError] = {}
        for metric in parse.PAGE_METRICS:
            try:
                data = self._insights(account, window, [metric])
                answered.append(parse.parse_days(data, contract, account, window, [metric]))
            except RefusedError as error:
                refused[metric] = error
        if not answered:
            raise next(iter(refused.values()))
        for metric, reason in refused.items():
            self._note_refused(metric, reason)
        return [*answered, parse.empty_days(contract, account, refused, fresh, "retired")]

    def _insights(
        self, account: str, window: tuple[date, date], metrics: Iterable[str]
    ) -> Mapping[str, object]:
        params = {"metric": ",".join(metrics), "period": "day", **bounds(window)}
        what = f"Page {account}, {window[0]} to {window[1]}"
        return self._graph.ask(what, f"{account}/insights", self._page_token(account), params)

    def _periods(self, contract: EntityContract, periods: Sequence[Period], account: str) -> Iterator[Batch]:
        self._page_token(account)  # fail on a Page that cannot be read instead of reporting no reach
        yield parse.parse_periods(contract, account, periods)

    def _posts(self, contract: EntityContract, quarter: Quarter, account: str) -> Iterator[Batch]:
        for _, page in self._post_pages(account, quarter, _POST_FIELDS):
            yield parse.parse_posts(records(page), contract, account, day_in(quarter, self._zone))

    def _post_pages(
        self, account: str, quarter: Quarter, fields: str
    ) -> Iterator[tuple[dict[str, str], Mapping[str, object]]]:
        # A day more on both sides: Facebook cuts by UTC, the quarter by the business time zone.
        around = bounds((quarter.start - timedelta(days=1), quarter.end + timedelta(days=1)))
        params = {"fields": fields, **around}
        yield from self._graph.pages(
            f"Page {account} posts", f"{account}/posts", self._page_token(account), params
        )

    def _figures(self, contract: EntityContract, quarter: Quarter, account: str) -> Iterator[Batch]:
        """Posts are listed first; their figures are then requested page by page."""
        for params, page in self._post_pages(account, quarter, _POST_FIELDS):
            posts = records(page)
            found, missing = self._figures_of(account, params, posts)
            whole = parse.with_figures(posts, found)
            yield parse.parse_figures(whole, missing, contract, account, day_in(quarter, self._zone))

    def _figures_of(
        self, account: str, params: Mapping[str, str], posts: Sequence[Mapping[str, object]]
    ) -> tuple[dict[str, list[Mapping[str, object]]], Missing]:
        """Series by post, and why others are missing: all metrics at once, then one by one, then post by post."""
        found: dict[str, list[Mapping[str, object]]] = {str(post.get("id")): [] for post in posts}
        missing: dict[tuple[str, str], Availability] = {}
        if not posts:
            return found, missing
        try:
            self._add_figures(found, account, params, parse.POST_METRICS)
        except RefusedError:
            for metric in parse.POST_METRICS:
                try:
                    self._add_figures(found, account, params, [metric])
                except RefusedError:
                    missing |= self._post_by_post(found, account, metric, posts)
        return found, missing

    def _add_figures(
        self,
        found: dict[str, list[Mapping[str, object]]],
        account: str,
        params: Mapping[str, str],
        metrics: Iterable[str],
    ) -> None:
        with_insights = {**params, "fields": f"id,insights.metric({','.join(metrics)})"}
        page = self._graph.ask(
            f"Page {account} figures of posts", f"{account}/posts", self._page_token(account), with_insights
        )
        for post in records(page):
            if str(post.get("id")) in found:
                found[str(post.get("id"))] += records(post.get("insights"))

    def _post_by_post(
        self,
        found: dict[str, list[Mapping[str, object]]],
        account: str,
        metric: str,
        posts: Sequence[Mapping[str, object]],
    ) -> dict[tuple[str, str], Availability]:
        refused: list[str] = []
        for post in posts:
            number = str(post.get("id"))
            try:
                answer = self._graph.ask(
                    f"post {number} {metric}",
                    f"{number}/insights",
                    self._page_token(account),
                    {"metric": metric},
                )
            except RefusedError as error:
                if not error.error.is_gone:  # a post deleted in between has no figure
                    refused.append(number)
                continue
            found[number] += records(answer)
        why = parse.why_refused(metric, refused, posts)
        if "retired" in why.values():
            self._warn_retired(metric)
        return why

    def _page_token(self, account: str) -> str:
        if account not in self._page_tokens:
            page = self._graph.ask(f"Page {account}", account, self._token, {"fields": "access_token"})
            token = page.get("access_token")
            if not isinstance(token, str) or not token:
                raise PermanentSourceError(
                    f"Facebook Page {account}: Facebook returned no token for the Page. Assign the Page to the system"
                    f" user with full control, generate a new token and set {self._token_setting}."
                )
            self._page_tokens[account] = token
        return self._page_tokens[account]

    def _note_refused(self, metric: str, refused: RefusedError) -> None:
        if refused.error.is_gone:
            raise refused
        self._warn_retired(metric)

    def _warn_retired(self, metric: str) -> None:
        self._warnings[
            f"Facebook no longer offers {metric} (code 100); the other figures are kept."
            " See what replaces it in Meta's list of deprecated metrics."
        ] = None

    loads: ClassVar = {
        "accounts": _page_load,
        "daily": _daily_load,
        "periods": _period_load,
        "contents": _post_load,
        "content_metrics": _figure_load,
    }
