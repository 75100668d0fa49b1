"""Fetch audiences and newsletter reports from Mailchimp. parse.py interprets the responses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar

from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.mailchimp import parse
from mel_pipeline.sources.shared.base import Client, Load, Pull, simple_pull
from mel_pipeline.sources.shared.http import Answer, Http, Policy, base_url, explain_status
from mel_pipeline.sources.shared.platform.mailings import (
    RowsOf,
    content_rows,
    count_rows,
    every_page,
    next_cursor,
    sent_since,
    total_of,
)

PAGE = 100
_DATA_CENTRE = re.compile(r"-([a-z]{2}\d{1,3})$")


def open(settings: Settings, policy: Policy | None = None) -> Mailchimp:
    return Mailchimp(settings, Http(policy))


class Mailchimp(Client):
    """Mailchimp as a source. The key travels in a header, to the data centre that it names."""

    source = parse.NAME

    def __init__(self, settings: Settings, http: Http) -> None:
        options = settings.source(parse.NAME)
        self._http = http
        self._key = options.text("api_key")
        self._url = base_url(options.text("api_url") or _address(self._key), options.variable("api_url"))
        self._first_day = Quarter.parse(settings.first_quarter).start
        self._today = settings.current_day

    def _audience_load(self, load: Load) -> Pull:
        """Today's audiences."""
        fields = {"fields": "lists.id,lists.name,lists.stats.member_count,total_items"}
        pages = self._pages("lists", fields)
        return simple_pull(parse.list_rows(page, load.contract, self._today) for page in pages)

    def _issue_load(self, load: Load) -> Pull:
        return self._reports(load, content_rows)

    def _count_load(self, load: Load) -> Pull:
        return self._reports(load, count_rows)

    def _reports(self, load: Load, read: RowsOf) -> Pull:
        """Newsletters sent since the cursor and 30 days before it."""
        since = sent_since(load.cursor, load.contract, self._first_day)
        reports = self._pages("reports", {"since_send_time": f"{since}T00:00:00+00:00"})
        return Pull(
            (
                read(parse.NAME, map(parse.mailing_of, parse.whole_campaigns(page)), load.contract)
                for page in reports
            ),
            cursor=lambda: next_cursor(load.contract, self._today),
        )

    def _pages(self, name: str, more: Mapping[str, str]) -> Iterator[list[parse.Record]]:
        def fetch(start: int) -> tuple[list[parse.Record], int]:
            data = self._request(name, {**more, "count": str(PAGE), "offset": str(start)})
            return parse.records(data, name), total_of(data, "total_items", f"Mailchimp {name}")

        return every_page(f"Mailchimp {name}", fetch)

    def _request(self, name: str, params: Mapping[str, str]) -> Mapping[str, object]:
        def judge(answer: Answer) -> Mapping[str, object]:
            if answer.status == 200:
                return answer.record()
            if answer.status >= 500 or not answer.body.lstrip().startswith(b"{"):
                raise explain_status(answer, "Check MEL_MAILCHIMP_API_URL.")
            raise parse.explain(answer, self._key, self._http.policy.throttled)

        headers = {"Authorization": f"Bearer {self._key}"}
        return self._http.call(
            f"Mailchimp {name}", f"{self._url}/{name}", judge, headers=lambda: headers, params=params
        )

    loads: ClassVar = {
        "accounts": _audience_load,
        "contents": _issue_load,
        "content_metrics": _count_load,
    }


def _address(key: str) -> str:
    """Mailchimp's address in the data centre that the end of a key names.

    Raises:
        SettingsError: the key names none.
    """
    match = _DATA_CENTRE.search(key)
    if match is None:
        raise SettingsError(
            "MEL_MAILCHIMP_API_KEY does not end in a data centre, such as -us21. Copy the whole key."
        )
    return f"https://{match[1]}.api.mailchimp.com/3.0"
