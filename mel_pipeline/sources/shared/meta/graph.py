"""Meta's Graph API: requests, error codes, quotas, pages. No entity by name here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from mel_pipeline.core.errors import PermanentSourceError, ReauthoriseError, SourceError, TransientSourceError
from mel_pipeline.sources.shared.base import text_of
from mel_pipeline.sources.shared.http import Answer, Http, TryAgainError, explain_status
from mel_pipeline.sources.shared.platform.budget import Budget
from mel_pipeline.sources.shared.values import Novelty, promised_list, whole_number

PAGE = 100  # records a page; more are refused
_LISTS = frozenset({"insights", "media", "posts"})
_REAUTHORISE = frozenset({102, 190})
_THROTTLED = frozenset({4, 17, 32, 613, *range(80000, 80015)})
_RETRY = frozenset({1, 2})
_PERMISSION = frozenset({10, *range(200, 300)})
_FEW_VIEWERS = (
    "not enough viewers"  # code 10 means a small audience with these words, else a missing permission
)
_PERMISSION_NAME = re.compile(r"\b(?:instagram|pages|read|ads|business)_[a-z_]+\b")
_USAGE_HEADERS = ("x-business-use-case-usage", "x-app-usage")
_USAGE = ("call_count", "total_time", "total_cputime")  # percent of the quota


@dataclass(frozen=True)
class GraphError:
    """Decided by the JSON ``code``, never by the HTTP status. ``permission``: the one that Meta's text names."""

    code: int
    subcode: int
    has_few_viewers: bool = False
    permission: str | None = None

    @property
    def is_query_error(self) -> bool:
        """A bad or retired metric, or a window out of reach: another query may succeed."""
        return self.code == 100 and not self.is_gone

    @property
    def is_gone(self) -> bool:
        """The object was deleted, or the id is wrong."""
        return self.code == 100 and self.subcode == 33

    @property
    def is_suppressed(self) -> bool:
        """Hidden for too few viewers (10), or posted before the account became a business account."""
        return self.has_few_viewers or (self.code == 100 and self.subcode == 2108006)


class RefusedError(PermanentSourceError):
    """The query was refused (code 100); another may succeed."""

    def __init__(self, message: str, error: GraphError) -> None:
        super().__init__(message)
        self.error = error


@dataclass(frozen=True)
class Wording:
    """What messages say: the platform, and the settings and permissions that fix an error."""

    platform: str
    address_setting: str
    token_setting: str
    ids_setting: str
    permissions: str
    insights_permission: str  # the one that insights need


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
            novelty.require([position])
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


def error_of(data: Mapping[str, object]) -> GraphError | None:
    """The error in an answer, if it is one."""
    error = data.get("error")
    if not isinstance(error, dict):
        return None
    code, words = _number(error.get("code")), str(error.get("message") or "")
    named = _PERMISSION_NAME.search(words)
    return GraphError(
        code,
        _number(error.get("error_subcode")),
        code == 10 and _FEW_VIEWERS in words.lower(),
        named[0] if named else None,
    )


def explain_error(  # noqa: PLR0911 - one return a meaning
    answer: Answer, error: GraphError, wording: Wording, throttled: float, *, insights: bool = False
) -> SourceError:
    """What a code means. Meta's own text is left out: it repeats the query and the account.

    Args:
        insights: whether insights were requested, which need a permission of their own.
    """
    code, platform = error.code, wording.platform
    if code in _REAUTHORISE:
        return ReauthoriseError(
            f"{answer.what}: the access token has expired or was withdrawn (code {code})."
            f" Authorise the account again and set {wording.token_setting}."
        )
    if code in _THROTTLED:
        return TryAgainError(
            f"{answer.what}: too many calls (code {code}). Run the load again later.",
            wait_seconds(answer.headers) or throttled,
        )
    if code in _RETRY:
        return TryAgainError(
            f"{answer.what}: {platform} reports an internal error (code {code}). Run the load again later."
        )
    if code == 10 and error.has_few_viewers:
        return PermanentSourceError(f"{answer.what}: too few people saw it, so its figures are hidden.")
    if code in _PERMISSION:
        needed = error.permission or (wording.insights_permission if insights else "")
        missing = f"the permission {needed}" if needed else "a permission"
        return PermanentSourceError(
            f"{answer.what}: the access token lacks {missing} (code {code})."
            f" Authorise again with {wording.permissions}, as somebody with a role there."
        )
    if code == 100:
        reason = (
            "it does not exist, or the token may not see it"
            if error.is_gone
            else "the metric was retired, or the period is out of its reach"
        )
        return PermanentSourceError(
            f"{answer.what}: {platform} refused the query (code 100): {reason}. Check {wording.ids_setting}."
        )
    if answer.status >= 500:
        return TransientSourceError(
            f"{answer.what}: {platform} answered code {code}. Run the load again later."
        )
    return explain_status(answer, f"{platform} answered code {code}.")


def wait_seconds(headers: Mapping[str, str]) -> float | None:
    """How long to wait, by the usage headers, which count in minutes. None if they do not say."""
    waits = [
        60.0 * minutes
        for entry in _usage(headers)
        if (minutes := _amount(entry.get("estimated_time_to_regain_access")))
    ]
    return max(waits, default=None)


def used_percent(headers: Mapping[str, str]) -> float | None:
    """The largest used share of any quota, in percent. None if the headers do not say."""
    shares = [
        share
        for entry in _usage(headers)
        for name in _USAGE
        if (share := _amount(entry.get(name))) is not None
    ]
    return max(shares, default=None)


def _usage(headers: Mapping[str, str]) -> list[Mapping[str, object]]:
    """The records of both usage headers: the app's own, and one per account."""
    lowered = {name.lower(): value for name, value in headers.items()}
    found: list[Mapping[str, object]] = []
    for name in _USAGE_HEADERS:
        try:
            data = json.loads(lowered.get(name, "{}"))
        except ValueError:
            continue  # the call is valid without usage; throttling then waits the default time
        if isinstance(data, dict):
            found += [data, *(entry for part in data.values() for entry in records({"data": part}))]
    return found


def _amount(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


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


def _number(value: object) -> int:
    return whole_number(value) or 0
