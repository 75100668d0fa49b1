"""Fetch pages, daily figures, reach by month and posts from LinkedIn. parse.py interprets the responses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import ClassVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import PermanentSourceError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.linkedin import files, parse
from mel_pipeline.sources.shared.base import Batch, Client, Load, Pull
from mel_pipeline.sources.shared.dates import declared_order
from mel_pipeline.sources.shared.http import Answer, Http, Policy, base_url, explain_status
from mel_pipeline.sources.shared.platform.accounts import EachAccount
from mel_pipeline.sources.shared.platform.days import DayCursor, daily_pull, days_of, months_of, periods_of
from mel_pipeline.sources.shared.platform.expiry import expiry_warning
from mel_pipeline.sources.shared.platform.exports import ExportFolder, only
from mel_pipeline.sources.shared.platform.rows import Period, account_row, batch_of
from mel_pipeline.sources.shared.values import Novelty, promised_number, unix_moment

PAGE = 100
WHAT = "LinkedIn page"
POSTS_PER_CALL = 50  # whose figures one call requests: their URNs have to fit into its URL
WINDOW_DAYS = 90
MOST_AHEAD = timedelta(days=92)  # a scheduled post is listed by the day on which it was written


def open(settings: Settings, policy: Policy | None = None) -> LinkedIn | ExportFolder:
    """Pages through the API, or through exported files where a folder is set."""
    options = settings.source(parse.NAME)
    if options.text("export_dir"):
        setting = options.variable("export_date_order")
        read = partial(
            files.read_export,
            page=only(options, "organization_ids"),
            declared=declared_order(options.text("export_date_order"), setting),
            setting=setting,
        )
        return ExportFolder(
            parse.NAME,
            read,
            settings,
            post_metrics=list(files.POST_METRICS.values()),
            period_metrics=[parse.REACH],
        )
    return LinkedIn(settings, Http(policy))


class LinkedIn(Client):
    """LinkedIn as a source. The token travels in a header."""

    source = parse.NAME

    def __init__(self, settings: Settings, http: Http) -> None:
        options = settings.source(parse.NAME)
        self._http = http
        self._pages = options.listed("organization_ids")
        self._token = options.text("access_token")
        self._url = f"{base_url(options.text('api_url'), options.variable('api_url'))}/rest"
        self._version = options.text("api_version")
        self._introspect = base_url(options.text("introspect_url"), options.variable("introspect_url"))
        self._app = {name: options.text(name) for name in ("client_id", "client_secret")}
        self._renew = options.variable("access_token")
        self._today = settings.current_day
        self._first_day = Quarter.parse(settings.first_quarter).start
        self._available_from = self._today - timedelta(days=parse.RETENTION_DAYS)
        self._zone = ZoneInfo(settings.time_zone)
        self._warnings: list[str] = []

    def _daily_load(self, load: Load) -> Pull:
        """Days since the cursor."""
        known = DayCursor.read(load.cursor, load.contract).last
        return daily_pull(
            load.contract,
            load.cursor,
            load.checkpoint,
            self._pages,
            partial(self._days, load.contract, known),
            beginning=self._first_day,
            today=self._today,
            window_days=WINDOW_DAYS,
            what=WHAT,
            unread=partial(parse.unread_days, load.contract),
        )

    def _page_load(self, load: Load) -> Pull:
        """Today's pages."""
        return self._build_pull(partial(self._page_rows, load.contract), before=self._check_expiry)

    def _period_load(self, load: Load) -> Pull:
        """The reach of a quarter's months."""
        periods = periods_of(load.quarter, self._today)
        return self._build_pull(
            partial(self._months, load.contract, load.quarter),
            lambda page: [parse.unread_periods(load.contract, page, periods)],
        )

    def _post_load(self, load: Load) -> Pull:
        return self._build_pull(partial(self._posts, load.contract, load.quarter, with_figures=False))

    def _figure_load(self, load: Load) -> Pull:
        return self._build_pull(partial(self._posts, load.contract, load.quarter, with_figures=True))

    def _build_pull(
        self,
        read: Callable[[str], Iterator[Batch]],
        unread: Callable[[str], Iterable[Batch]] | None = None,
        before: Callable[[], None] | None = None,
    ) -> Pull:
        """Every page, read one after another. Arguments as ``EachAccount.batches``."""
        each = EachAccount(WHAT)
        batches = each.batches(self._pages, read, unread, before)
        return Pull(batches, warnings=lambda: [*self._warnings, *each.warnings()])

    def _page_rows(self, contract: EntityContract, page: str) -> Iterator[Batch]:
        size = self._request(
            f"followers of {page}", f"networkSizes/{_urn(page)}?edgeType=COMPANY_FOLLOWED_BY_MEMBER"
        )
        promised_number(size, "firstDegreeSize", f"LinkedIn followers of {page}")
        organization = self._request(f"page {page}", f"organizations/{page}")
        name = str(organization.get("localizedName") or "") or None
        row = account_row(parse.NAME, page, name, self._today, size.get("firstDegreeSize"), f"page {page}")
        yield batch_of([row], contract)

    def _days(
        self, contract: EntityContract, known: Mapping[str, str], page: str, window: tuple[date, date]
    ) -> Iterator[Batch]:
        """Days too old are marked, unless their figures may be stored already; the others are requested."""
        available = min(max(window[0], self._available_from), window[1])
        if window[0] < available and page not in known:
            yield parse.unavailable_days(contract, page, days_of((window[0], available)))
        if available < window[1]:
            elements = self._statistics(page, f"&timeIntervals={_range((available, window[1]), 'DAY')}")
            yield parse.day_rows(elements, contract, page, days_of((available, window[1])))

    def _months(self, contract: EntityContract, quarter: Quarter, page: str) -> Iterator[Batch]:
        """Only completed months that LinkedIn still keeps."""
        rows = []
        for month in months_of(quarter, self._today):
            if month.end is None or month.end > self._today:
                continue  # not completed yet
            if month.start < self._available_from:
                rows.append(parse.reach_row(page, month, [], "not_offered"))
                continue
            elements = self._statistics(page, f"&timeIntervals={_range((month.start, month.end), 'MONTH')}")
            rows.append(parse.reach_row(page, month, elements, "no_data"))
        rows += [self._reach_not_offered(page, period) for period in periods_of(quarter, self._today)]
        yield batch_of(rows, contract)

    def _reach_not_offered(self, page: str, period: Period) -> dict[str, str | None]:
        return parse.reach_row(page, period, [], "not_offered")

    def _posts(
        self, contract: EntityContract, quarter: Quarter, page: str, *, with_figures: bool
    ) -> Iterator[Batch]:
        """Newest first; the pages end where all posts are older than the quarter, or where no next one is named.

        Posts that are not shown are taken off a page after it was cut, so a short page need not be the last.
        """
        start = 0
        seen: set[str] = set()
        novelty = Novelty(f"LinkedIn posts of {page}")
        while True:
            node = f"posts?q=author&author={_urn(page)}&count={PAGE}&start={start}&sortBy=CREATED"
            answer = self._request(f"posts of {page}", node)
            posts = parse.elements_of(answer)
            fresh = {str(post.get("id")) for post in posts} - seen
            if not fresh:
                if posts and not parse.names_next(answer):  # nothing tells that the list is complete
                    novelty.require([])
                return
            seen |= fresh
            batch, in_quarter = parse.post_rows(posts, contract, page, quarter, self._zone)
            if not with_figures:
                yield batch
            elif in_quarter:
                yield from self._figures(contract, page, in_quarter)
            newest = max(filter(None, map(parse.moment_of, posts)), default=None)
            if newest and newest.date() < quarter.start - MOST_AHEAD:
                return
            if not (parse.names_next(answer) or (parse.has_no_paging(answer) and len(posts) >= PAGE)):
                return
            start += PAGE

    def _figures(self, contract: EntityContract, page: str, posts: list[tuple[str, date]]) -> Iterator[Batch]:
        for kind, parameter in (("share", "shares"), ("ugcPost", "ugcPosts")):
            of_kind = [post for post in posts if f":{kind}:" in post[0]]
            for begin in range(0, len(of_kind), POSTS_PER_CALL):
                chunk = of_kind[begin : begin + POSTS_PER_CALL]
                urns = ",".join(quote(identity, safe="") for identity, _ in chunk)
                elements = self._statistics(page, f"&{parameter}=List({urns})")
                yield parse.figure_rows(chunk, elements, contract, page)

    def _statistics(self, page: str, more: str) -> list[parse.Element]:
        node = f"organizationalEntityShareStatistics?q=organizationalEntity&organizationalEntity={_urn(page)}{more}"
        return parse.elements_of(self._request(f"figures of {page}", node))

    def _check_expiry(self) -> None:
        """Warn before the token expires; LinkedIn reports its expiry only to the app it was issued to."""
        if not all(self._app.values()):
            return

        def judge(answer: Answer) -> Mapping[str, object]:
            if answer.status != 200:
                raise explain_status(answer, "Check MEL_LINKEDIN_CLIENT_ID and MEL_LINKEDIN_CLIENT_SECRET.")
            return answer.record()

        form = {**self._app, "token": self._token}
        try:
            status = self._http.call("LinkedIn token", self._introspect, judge, method="POST", form=form)
        except PermanentSourceError as error:  # figures do not depend on it
            self._warnings = [f"{error} The expiry date of the access token is not known."]
            return
        ends = status.get("expires_at")
        moment = unix_moment(ends) if ends else None
        day = moment.date() if moment else None
        self._warnings = expiry_warning("LinkedIn", day, self._today, self._renew)

    def _request(self, what: str, node: str) -> Mapping[str, object]:
        # The query is written out: Rest.li needs its brackets unescaped.
        def judge(answer: Answer) -> Mapping[str, object]:
            if answer.status == 200:
                return answer.record()
            if answer.status >= 500 or not answer.body.lstrip().startswith(b"{"):
                raise explain_status(answer, "Check MEL_LINKEDIN_API_URL.")
            raise parse.explain(answer, self._token, self._http.policy.throttled)

        headers = {
            "Authorization": f"Bearer {self._token}",
            "LinkedIn-Version": self._version,
            "X-Restli-Protocol-Version": "2.0.0",
        }
        return self._http.call(f"LinkedIn {what}", f"{self._url}/{node}", judge, headers=lambda: headers)

    loads: ClassVar = {
        "accounts": _page_load,
        "daily": _daily_load,
        "periods": _period_load,
        "contents": _post_load,
        "content_metrics": _figure_load,
    }


def _urn(page: str) -> str:
    return quote(f"urn:li:organization:{page}", safe="")


def _range(window: tuple[date, date], granularity: str) -> str:
    start, end = (
        int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000) for day in window
    )
    return f"(timeRange:(start:{start},end:{end}),timeGranularityType:{granularity})"
