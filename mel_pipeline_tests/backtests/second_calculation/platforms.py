"""Reads social networks, web counters and newsletter services over HTTP; each answer becomes plain rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import requests

GOOGLE = {
    "grant_type": "refresh_token",
    "client_id": "sample-google-client",
    "client_secret": "sample-google-client-secret",
}


class Http:
    """GET and POST of JSON below one address, with the service's own header."""

    def __init__(self, url: str, **headers: str) -> None:
        self._url, self._http = url, requests.Session()
        self._http.headers.update({name.replace("_", "-"): value for name, value in headers.items()})

    def get(self, path: str, **query: object) -> Any:
        return self._checked(self._http.get(f"{self._url}{path}", params=_text(query), timeout=30))

    def post(self, path: str, json: object = None, **form: object) -> Any:
        return self._checked(
            self._http.post(f"{self._url}{path}", json=json, data=_text(form) or None, timeout=30)
        )

    @staticmethod
    def _checked(answer: requests.Response) -> Any:
        assert answer.status_code == 200, f"{answer.url}: HTTP {answer.status_code} {answer.text[:200]}"
        return answer.json()


def windows(first: date, last: date, most: int) -> Iterator[tuple[date, date]]:
    """Stretches of at most ``most`` days that cover the days from first to last once: first day, day after the last."""
    while first <= last:
        end = min(first + timedelta(days=most), last + timedelta(days=1))
        yield first, end
        first = end


def google_token(http: Http, refresh_token: str) -> dict[str, str]:
    answer = http.post("/token", **GOOGLE, refresh_token=refresh_token)
    return {"Authorization": f"Bearer {answer['access_token']}"}


def graph_pages(http: Http, path: str, **query: object) -> Iterator[dict[str, Any]]:
    """The entries of a list of the Graph API, page by page; a list ends where no next page is named."""
    after: dict[str, object] = {}
    while True:
        answer = http.get(path, **query, limit=100, **after)
        yield from answer["data"]
        paging = answer.get("paging", {})
        if "next" not in paging:
            return
        after = {"after": paging["cursors"]["after"]}


def _text(values: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}
