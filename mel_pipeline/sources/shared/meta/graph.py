"""Meta's Graph API: requests, error codes, quotas, pages. No entity by name here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from mel_pipeline.core.errors import TransientSourceError
from mel_pipeline.sources.shared.base import text_of
from mel_pipeline.sources.shared.http import Answer, Http, explain_status
from mel_pipeline.sources.shared.meta.graph_errors import (
    RefusedError,
    Wording,
    error_of,
    explain_error,
    used_percent,
    wait_seconds,
)
from mel_pipeline.sources.shared.platform.budget import Budget
from mel_pipeline.sources.shared.values import Novelty, promised_list

PAGE = 100  # records a page; more are refused
_LISTS = frozenset({"insights", "media", "posts"})


@dataclass
class Graph:
    """One Graph API. Tokens travel in a header, and the ``next`` links are never followed."""

    http: Http
    url: str  # with the version
    wording: Wording
    budget: Budget = field(init=False)

    def __post_init__(self) -> None:
        self.budget = Budget(self.http, self.wording.platform)

    def ask(
        self,
        what: str,
        node: str,
        token: str,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Mapping[str, object]:
        """Send a request and return the JSON object of the answer.

        Args:
            form: sends the query in the body, for values that must not appear in an address.

        Raises:
            RefusedError: the query was refused; another may succeed.
            SourceError: explained in plain words, without token or Meta's own text.
        """
        self.budget.before_call()
        headers = {"Authorization": f"Bearer {token}"}
        answer = self.http.call(
            f"{self.wording.platform} {what}",
            f"{self.url}/{node}",
            partial(self._judge, _needs_insights(node, params)),
            method="GET" if form is None else "POST",
            headers=lambda: headers,
            params=params,
            form=form,
        )
        if node.rpartition("/")[2] in _LISTS:  # an empty list is `[]`; without one nothing is known
            promised_list(answer, "data", f"{self.wording.platform} {what}")
        return answer

    def pages(
        self,
        what: str,
        node: str,
        token: str,
        params: Mapping[str, str],
        ask: Callable[[Mapping[str, str]], Mapping[str, object]] | None = None,
    ) -> Iterator[tuple[dict[str, str], Mapping[str, object]]]:
        """Every page of a list, with the parameters that request it again.

        Args:
            ask: fetches a page in a special way, given its parameters.
        """
        query = {"limit": str(PAGE), **params}
        novelty = Novelty(f"{self.wording.platform} {what}")
        while True:
            answer = ask(query) if ask else self.ask(what, node, token, query)
            yield query, answer
            position = next_page(answer)
            if position is None:
                return
            if position in ("", query.get("after")):
                raise TransientSourceError(
                    f"{self.wording.platform} {what}: there are more pages, but the answer does not say where"
                    " the next one begins. Run the load again later."
                )
            novelty.require_next(position, records(answer))
            query = {**query, "after": position}

    def _judge(self, needs_insights: bool, answer: Answer) -> Mapping[str, object]:
        used = used_percent(answer.headers)
        if used is not None:
            self.budget.note_share(used, wait_seconds(answer.headers))
        data = answer.record() if answer.status < 500 or answer.body.lstrip()[:1] == b"{" else {}
        error = error_of(data)
        if error is None:
            if answer.status != 200:
                raise explain_status(answer, f"Check {self.wording.address_setting}.")
            return data
        explained = explain_error(
            answer, error, self.wording, self.http.policy.throttled, insights=needs_insights
        )
        if error.code == 100 or error.is_suppressed:
            raise RefusedError(str(explained), error)
        raise explained


def _needs_insights(node: str, params: Mapping[str, str] | None) -> bool:
    return node.endswith("/insights") or "insights." in (params or {}).get("fields", "")


def figure(series: Mapping[str, object]) -> str | None:
    """A metric's value: ``total_value`` where there is one, else the first of ``values``."""
    total = series.get("total_value")
    if isinstance(total, dict):
        return text_of(total.get("value"))
    values = values_of(series)
    return text_of(values[0].get("value")) if values else None


def next_page(data: Mapping[str, object]) -> str | None:
    """Cursor of the next page. The last page still has cursors, but no ``next``; that link is never followed.

    Empty text: there are more pages, but the answer does not say where.
    """
    paging = data.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    return (text_of(cursors.get("after")) if isinstance(cursors, dict) else None) or ""


def bounds(window: tuple[date, date]) -> dict[str, str]:
    """First day, and first day after the window, as every list and insight takes them."""
    return {"since": window[0].isoformat(), "until": window[1].isoformat()}


def iso(text: str | None) -> str | None:
    """``…+0000`` as ``…+00:00``, which every database reads; anything else unchanged."""
    if text and len(text) > 5 and text[-5] in "+-" and text[-4:].isdigit():
        return f"{text[:-2]}:{text[-2:]}"
    return text


def records(data: object) -> list[Mapping[str, object]]:
    """The records in ``data`` of an answer."""
    return _list(data.get("data")) if isinstance(data, Mapping) else []


def values_of(series: Mapping[str, object]) -> list[Mapping[str, object]]:
    """The values of a series, each with its ``end_time``."""
    return _list(series.get("values"))


def _list(value: object) -> list[Mapping[str, object]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
