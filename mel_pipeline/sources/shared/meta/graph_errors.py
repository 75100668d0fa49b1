"""What errors and quotas of Meta's Graph API mean. No HTTP here, no entity by name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from mel_pipeline.core.errors import PermanentSourceError, ReauthoriseError, SourceError, TransientSourceError
from mel_pipeline.sources.shared.http import Answer, TryAgainError, explain_status
from mel_pipeline.sources.shared.values import whole_number

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
            found += [
                data,
                *(
                    entry
                    for part in data.values()
                    for entry in (part if isinstance(part, list) else ())
                    if isinstance(entry, dict)
                ),
            ]
    return found


def _amount(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _number(value: object) -> int:
    return whole_number(value) or 0
