"""Fetch lists and campaigns from Brevo. parse.py interprets the responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import ClassVar

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import UnpromisedError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.brevo import parse
from mel_pipeline.sources.shared.base import Batch, Client, Load, Pull
from mel_pipeline.sources.shared.http import Answer, Http, Policy, base_url, explain_status
from mel_pipeline.sources.shared.platform.budget import Budget
from mel_pipeline.sources.shared.platform.mailings import (
    RowsOf,
    content_rows,
    count_rows,
    every_page,
    next_cursor,
    sent_since,
    total_of,
)
from mel_pipeline.sources.shared.values import whole_number

STATISTICS_WINDOW = timedelta(days=150)  # since sending: Brevo's six months, with a margin
PAGES = {"contacts/lists": ("lists", 50), "emailCampaigns": ("campaigns", 100)}  # name and size of a page


def open(settings: Settings, policy: Policy | None = None) -> Brevo:
    return Brevo(settings, Http(policy))


class Brevo(Client):
    """Brevo as a source. The key travels in a header."""

    source = parse.NAME

    def __init__(self, settings: Settings, http: Http) -> None:
        options = settings.source(parse.NAME)
        self._key = options.text("api_key")
        self._url = base_url(options.text("api_url"), options.variable("api_url"))
        self._http = http
        self._budget = Budget(http, "Brevo", reserve=0.0)
        self._first_day = Quarter.parse(settings.first_quarter).start
        self._today = settings.current_day

    def _list_load(self, load: Load) -> Pull:
        """Today's lists."""
        return Pull(self._lists(load.contract), usage=self._budget.usage)

    def _issue_load(self, load: Load) -> Pull:
        """Campaigns sent since the cursor and 30 days before it."""
        return self._build_pull(load, self._campaigns_since(load), content_rows)

    def _count_load(self, load: Load) -> Pull:
        pages = self._campaigns_since(load)
        whole = ([self._with_old_counts(one) for one in page] for page in pages)
        return self._build_pull(load, whole, count_rows)

    def _campaigns_since(self, load: Load) -> Iterator[list[parse.Record]]:
        return self._campaigns(sent_since(load.cursor, load.contract, self._first_day))

    def _build_pull(self, load: Load, pages: Iterator[list[parse.Record]], read: RowsOf) -> Pull:
        return Pull(
            (read(parse.NAME, map(parse.mailing_of, page), load.contract) for page in pages),
            cursor=lambda: next_cursor(load.contract, self._today),
            usage=self._budget.usage,
        )

    def _lists(self, contract: EntityContract) -> Iterator[Batch]:
        for page in self._pages("contacts/lists", {}):
            yield parse.list_rows(page, contract, self._today)
        yield parse.several_row(contract, self._today)

    def _campaigns(self, since: date) -> Iterator[list[parse.Record]]:
        params = {
            "status": "sent",
            "statistics": "globalStats",
            "excludeHtmlContent": "true",
            "startDate": f"{since}T00:00:00.000Z",
            "endDate": f"{self._today + timedelta(days=1)}T00:00:00.000Z",
        }
        return self._pages("emailCampaigns", params)

    def _with_old_counts(self, campaign: parse.Record) -> parse.Record:
        """The list counts events of the last six months only; an older campaign is fetched on its own."""
        sent = parse.mailing_of(campaign).sent
        if sent is None or sent.date() >= self._today - STATISTICS_WINDOW:
            return campaign
        if (number := whole_number(campaign.get("id"))) is None:
            return campaign  # quarantined where contents are read
        params = {"statistics": "globalStats", "excludeHtmlContent": "true"}
        whole = self._request(f"emailCampaigns/{number}", params)
        if whole_number(whole.get("id")) != number:
            raise UnpromisedError(
                f"Brevo campaign {number}: the answer is about another one, or none. Run the load again later."
            )
        return whole

    def _pages(self, node: str, more: Mapping[str, str]) -> Iterator[list[parse.Record]]:
        name, size = PAGES[node]

        def fetch(start: int) -> tuple[list[parse.Record], int]:
            data = self._request(node, {**more, "limit": str(size), "offset": str(start), "sort": "asc"})
            return parse.records(data, name), total_of(data, "count", f"Brevo {name}")

        return every_page(f"Brevo {name}", fetch)

    def _request(self, node: str, params: Mapping[str, str]) -> Mapping[str, object]:
        self._budget.before_call()

        def judge(answer: Answer) -> Mapping[str, object]:
            wait = self._note_limits(answer)
            if answer.status == 200:
                return answer.record()
            if answer.status >= 500 or not answer.body.lstrip().startswith(b"{"):
                raise explain_status(answer, "Check MEL_BREVO_API_URL.")
            raise parse.explain(answer, self._key, wait)

        headers = {"api-key": self._key}
        return self._http.call(
            f"Brevo {node}", f"{self._url}/{node}", judge, headers=lambda: headers, params=params
        )

    def _note_limits(self, answer: Answer) -> float | None:
        """Seconds until the limit resets; Brevo counts them down in a header."""
        values = [
            answer.headers.get(f"x-sib-ratelimit-{name}", "") for name in ("reset", "remaining", "limit")
        ]
        if not all(text.isdecimal() and len(text) < 15 for text in values):
            return None
        reset, left, limit = map(int, values)
        self._budget.note_left(left, limit, float(reset))
        return float(reset)

    loads: ClassVar = {
        "accounts": _list_load,
        "contents": _issue_load,
        "content_metrics": _count_load,
    }
