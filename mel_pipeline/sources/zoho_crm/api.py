"""Zoho CRM v8, one method per call. Counts credits, limits concurrency, explains failures; keeps no records."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path

from mel_pipeline.core.errors import PermanentSourceError, SourceError, TransientSourceError
from mel_pipeline.sources.shared.http import Answer, Http, TryAgainError
from mel_pipeline.sources.shared.oauth.zoho import ZohoAuth
from mel_pipeline.sources.shared.rate_limiter import RateLimiter
from mel_pipeline.sources.zoho_crm.errors import error_body, explain_error, is_error, scope_of

Record = Mapping[str, object]

PER_PAGE = 200  # Zoho's maximum
IDS_A_CALL = 100
BULK_START_CREDITS, DELETED_CREDITS = 50, 2


@dataclass(frozen=True)
class Page:
    """Records of one call, whether more follow, and the token of the next page."""

    records: list[Record]
    more: bool = False
    token: str | None = None


@dataclass
class Credits:
    """API credits: what this source has used, and what Zoho says is left of the rolling 24 hours."""

    used: int = 0
    left: int | None = None  # Zoho reports it only when more than half is used
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)


@dataclass(frozen=True)
class Call:
    """One request: its description, module, cost in credits and the scope it needs."""

    what: str
    module: str
    path: str
    params: Mapping[str, str] | None = None
    since: datetime | None = None
    body: object = None
    credits: int = 1
    scope: str = ""
    into: Path | None = None
    promised: str = "data"  # what an answer with content has to hold

    @property
    def has_token(self) -> bool:
        """Whether it continues from a page token."""
        query = self.body.get("query") if isinstance(self.body, dict) else None
        return "page_token" in (self.params or {}) or (isinstance(query, dict) and "page_token" in query)


class Api:
    """The calls the connector makes. Safe to share between threads."""

    def __init__(self, http: Http, auth: ZohoAuth, *, concurrency: int = 5, reserve: int = 0) -> None:
        self.http = http
        self._auth = auth
        self._reserve = reserve
        self._slots = threading.BoundedSemaphore(concurrency)
        self._concurrency = concurrency
        self.credits = Credits()
        self.server_time: datetime | None = None  # of the latest response

    @cached_property
    def downloads(self) -> RateLimiter:
        """Results of Bulk Read: Zoho allows ten a minute."""
        return RateLimiter(10, 60.0, longest_wait=self.http.policy.longest_wait, sleep=self.http.sleep)

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """Threads that wait for Zoho, as many as calls may be open at once."""
        return ThreadPoolExecutor(self._concurrency, thread_name_prefix="zoho")

    @property
    def host(self) -> str:
        """Where calls go, as the sign-in returned it."""
        return self._auth.api_url()

    def organisation(self) -> str | None:
        """Zoho's id of the organisation, the same for every user and token.

        https://www.zoho.com/crm/developer/docs/api/v8/get-org-data.html
        """
        call = Call("Zoho CRM organisation", "org", "/crm/v8/org", scope="ZohoCRM.org.READ", promised="org")
        found = records_in(self.request(call), "org")
        return str(found[0]["zgid"]) if found and found[0].get("zgid") else None

    def modules(self) -> list[Record]:
        call = Call(
            "Zoho CRM list of modules",
            "all",
            "/crm/v8/settings/modules",
            scope="ZohoCRM.settings.modules.READ",
            promised="modules",
        )
        return records_in(self.request(call), "modules")

    def fields(self, module: str) -> list[Record]:
        call = Call(
            f"Zoho CRM fields of {module}",
            module,
            "/crm/v8/settings/fields",
            {"module": module, "type": "all"},  # by default, fields that no layout uses are not listed
            scope="ZohoCRM.settings.fields.READ",
            promised="fields",
        )
        return records_in(self.request(call), "fields")

    def count(self, module: str) -> int:
        """Existing records at the source; converted leads are not counted."""
        what = f"Zoho CRM count of {module}"
        data = self.request(Call(what, module, f"/crm/v8/{module}/actions/count", promised="count"))
        count = str(data.get("count"))
        if not (count.isdecimal() and len(count) < 15):
            raise TransientSourceError(f"{what}: the answer holds no number. Run the load again later.")
        return int(count)

    def page(
        self,
        module: str,
        fields: Sequence[str],
        position: Mapping[str, str],
        *,
        number: int,
        since: datetime | None = None,
        converted: str | None = None,
    ) -> Page:
        """One page in the order of ids, which never change: what is added during the scan comes last."""
        params = {
            "fields": ",".join(fields),
            "per_page": str(PER_PAGE),
            "sort_by": "id",
            "sort_order": "asc",
            **({"converted": converted} if converted else {}),
            **position,
        }
        what = f"Zoho CRM {module} page {number}"
        data = self.request(Call(what, module, f"/crm/v8/{module}", params, since))
        return _page(data, what)

    def by_ids(
        self, module: str, fields: Sequence[str], ids: Sequence[str], converted: str | None
    ) -> list[Record]:
        """At most 100 records by their ids."""
        params = {"fields": ",".join(fields), "ids": ",".join(ids), "per_page": str(PER_PAGE)}
        if converted:
            params["converted"] = converted
        return records_in(
            self.request(Call(f"Zoho CRM {module} by id", module, f"/crm/v8/{module}", params)), "data"
        )

    def full_record(self, module: str, record_id: str, fields: Sequence[str]) -> Record | None:
        """One record with the fields that lists omit; None when it is gone."""
        call = Call(
            f"Zoho CRM {module}, one record",
            module,
            f"/crm/v8/{module}/{record_id}",
            {"fields": ",".join(fields)},
        )
        found = records_in(self.request(call), "data")
        return found[0] if found else None

    def full_texts(self, module: str, fields: Sequence[str], ids: Sequence[str]) -> list[Record]:
        """Rich texts of at most 100 records in full length; every other call may cut them at 500 characters.

        https://www.zoho.com/crm/developer/docs/api/v8/get-rich-text-fields.html
        """
        call = Call(
            f"Zoho CRM {module}, long texts",
            module,
            f"/crm/v8/{module}/actions/fetch_full_data",
            {"ids": ",".join(ids), "fields": ",".join(fields)},
        )
        return records_in(self.request(call), "data")

    def deleted(self, module: str, number: int, since: datetime | None) -> Page:
        """Zoho keeps the list 60 days, for permanent deletions 120."""
        params = {"type": "all", "per_page": str(PER_PAGE), "page": str(number)}
        what = f"Zoho CRM {module} deleted page {number}"
        return _page(
            self.request(
                Call(what, module, f"/crm/v8/{module}/deleted", params, since, credits=DELETED_CREDITS)
            ),
            what,
        )

    def query(self, module: str, select: str, credits: int) -> Page:
        """One COQL call."""
        body = {"select_query": select}
        call = Call(
            f"Zoho CRM query of {module}", module, "/crm/v8/coql", body=body, credits=credits,
            scope="ZohoCRM.coql.READ",
        )  # fmt: skip
        return _page(self.request(call), call.what)

    def bulk(
        self, module: str, path: str, what: str, *, body: object = None, into: Path | None = None
    ) -> Record:
        """One Bulk Read call: start a job, poll its state, or download its result into a file."""
        credits = BULK_START_CREDITS if body is not None else 1
        return self.request(
            Call(what, module, path, body=body, credits=credits, scope="ZohoCRM.bulk.READ", into=into)
        )

    def request(self, call: Call) -> dict[str, object]:
        """One call. 204 and 304 are an empty response; an expired token is renewed once, and the call repeated."""
        used: list[dict[str, str]] = []
        rejected: list[int] = []

        def headers() -> dict[str, str]:
            self._charge(call)
            used.append(self._auth.headers())
            modified = {"If-Modified-Since": call.since.isoformat(timespec="seconds")} if call.since else {}
            return {**used[-1], **modified}

        def judge(answer: Answer) -> dict[str, object]:
            self._note_headers(answer)
            if answer.status in (204, 304) or (call.into is not None and answer.status == 200):
                return {}
            if answer.status in (200, 201, 202):
                return self._kept(call, answer)
            if answer.status in (401, 403):
                self._refund(call)
            if answer.status == 401 and error_body(answer).get("code") != "OAUTH_SCOPE_MISMATCH":
                if rejected:
                    raise PermanentSourceError(
                        f"{call.what}: HTTP 401, also with a new token. The refresh token's user may have"
                        " lost access; make a new one and set MEL_ZOHO_REFRESH_TOKEN."
                    )
                rejected.append(401)
                self._auth.renew(used[-1])
                raise TryAgainError(f"{call.what}: HTTP 401, the token had expired.", 0.0)
            raise self._explained(call, answer)

        with self._slots:
            return self.http.call(
                call.what,
                self.host + call.path,
                judge,
                method="GET" if call.body is None else "POST",
                headers=headers,
                params=call.params,
                body=call.body,
                into=call.into,
            )

    def _kept(self, call: Call, answer: Answer) -> dict[str, object]:
        """The body of a success, if it holds what was promised: status 200 may carry an error, or nothing."""
        data = answer.record()
        if is_error(data, call.promised):
            raise self._explained(call, answer)
        if call.promised not in data:
            raise TryAgainError(
                f"{call.what}: the answer has no '{call.promised}', so it is not taken for an empty one."
                " Run the load again later."
            )
        return data

    def _explained(self, call: Call, answer: Answer) -> SourceError:
        scope = call.scope or scope_of(call.module)
        throttled = self.http.policy.throttled
        return explain_error(answer, call.module, scope, throttled, with_token=call.has_token)

    def _charge(self, call: Call) -> None:
        """Count a call before it is made; stop before it uses the reserve."""
        with self.credits.lock:
            left = self.credits.left
            if left is not None and left - call.credits < self._reserve:
                raise TransientSourceError(
                    f"{call.what}: {left:,} API credits are left in the rolling 24 hours, and {self._reserve:,}"
                    " are reserved for others (MEL_ZOHO_CREDIT_RESERVE). The next run resumes from here."
                )
            self.credits.used += call.credits
            if left is not None:
                self.credits.left = left - call.credits

    def _refund(self, call: Call) -> None:
        """A call refused for authorisation costs nothing."""
        with self.credits.lock:
            self.credits.used -= call.credits

    def _note_headers(self, answer: Answer) -> None:
        left = answer.headers.get("X-API-CREDITS-REMAINING", "")
        if left.isdecimal() and len(left) < 15:
            with self.credits.lock:
                self.credits.left = int(left)
        try:
            self.server_time = parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError):
            self.server_time = datetime.now(UTC)


def _page(data: Mapping[str, object], what: str) -> Page:
    """A page, if it says whether more follow; no content (204, 304) is the end."""
    if not data:
        return Page([])
    info = data.get("info")
    more = info.get("more_records") if isinstance(info, dict) else None
    if not isinstance(info, dict) or not isinstance(more, bool):
        raise TransientSourceError(
            f"{what}: the answer does not say whether more records follow, so it is not taken for the end."
            " Run the load again later."
        )
    token = info.get("next_page_token")
    return Page(records_in(data, "data"), more, str(token) if token else None)


def records_in(data: Mapping[str, object], name: str) -> list[Record]:
    """The list of that name in a response."""
    found = data.get(name) or []
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise PermanentSourceError(
            f"Zoho CRM: '{name}' in the response is not a list of records. Check MEL_ZOHO_API_URL."
        )
    return found
