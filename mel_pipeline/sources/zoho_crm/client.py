"""Ask Zoho CRM v8 for records and deletions, page by page. What an answer means is in parse.py."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from mel_pipeline.contracts import EntityContract, contract_of
from mel_pipeline.errors import PermanentSourceError, TransientSourceError
from mel_pipeline.periods import Quarter
from mel_pipeline.settings import Settings
from mel_pipeline.sources.base import Batch, Pull, fingerprint_of, frame_of
from mel_pipeline.sources.http import Answer, Http, Policy, TryAgainError
from mel_pipeline.sources.zoho_crm import parse
from mel_pipeline.sources.zoho_oauth import ZohoAuth

PER_PAGE = 200  # the most Zoho gives
PAGE_REACH = 2_000  # records that `page` reaches; beyond, only page_token
OVERLAP = timedelta(minutes=10)  # read again before the watermark: equal seconds, clocks, late commits
_ROUNDS = 3  # tries to get a record whole that keeps changing between slices of fields


def open(settings: Settings, policy: Policy | None = None) -> ZohoCrm:
    http = Http(policy)
    return ZohoCrm(http, ZohoAuth(settings, http))


class ZohoCrm:
    """Zoho CRM as a source. The cursor is JSON: latest Modified_Time, and the contract it was read by."""

    def __init__(self, http: Http, auth: ZohoAuth) -> None:
        self._http = http
        self._auth = auth

    def pull(self, entity: str, *, quarter: Quarter | None = None, cursor: str | None = None) -> Pull:  # noqa: ARG002
        """Records changed since the cursor (all of them without one), then what was deleted."""
        contract = contract_of("zoho_crm").entities[entity]
        seen = _watermark(cursor, contract)
        since = seen - OVERLAP if seen else None
        latest = [seen] if seen else []

        def batches() -> Iterator[Batch]:
            for page, records in enumerate(self._records(contract, since), start=1):
                kept = [record for record in records if parse.changed_since(record, since)]
                latest.extend(m for record in kept if (m := parse.instant(record.get("Modified_Time"))))
                latest[:] = [max(latest)] if latest else []
                yield parse.parse_page(kept, contract, page)
            if gone := list(self._deleted(contract, since)):
                yield Batch(frame_of([], contract), deleted_keys=gone)

        def new_cursor() -> str | None:
            return _cursor(latest[0], contract) if latest else None

        return Pull(batches(), new_cursor)

    def _records(
        self, contract: EntityContract, since: datetime | None
    ) -> Iterator[list[Mapping[str, object]]]:
        slices = parse.field_slices(contract)
        if len(slices) == 1:
            yield from self._pages(contract, slices[0], since)
            return
        scans = [
            {str(r["id"]): r for page in self._pages(contract, fields, since) for r in page}
            for fields in slices
        ]
        whole, torn = parse.join_slices(scans)
        for _ in range(_ROUNDS):
            if not torn:
                break
            again = [self._by_id(contract, fields, torn) for fields in slices]
            mended, torn = parse.join_slices(again)
            whole += mended
        if torn:
            raise TransientSourceError(
                f"Zoho CRM {contract.object}: {len(torn)} records kept changing while they were read."
                " Nothing was stored. Run the load again later."
            )
        for start in range(0, len(whole), PER_PAGE):
            yield list(whole[start : start + PER_PAGE])

    def _pages(
        self, contract: EntityContract, fields: list[str], since: datetime | None
    ) -> Iterator[list[Mapping[str, object]]]:
        """Pages in the order of change: what changes meanwhile moves to the end, and is met there."""
        position: dict[str, str] = {"page": "1"}
        page = 0
        while True:
            page += 1
            data = self._ask(
                f"Zoho CRM {contract.object} page {page}",
                contract,
                f"/crm/v8/{contract.object}",
                {
                    "fields": ",".join(fields),
                    "per_page": str(PER_PAGE),
                    "sort_by": "Modified_Time",
                    "sort_order": "asc",
                    **position,
                },
                since,
            )
            yield _list(data, "data")
            info = data.get("info")
            if not isinstance(info, dict) or not info.get("more_records"):
                return
            if token := info.get("next_page_token"):
                position = {"page_token": str(token)}
            elif "page" in position and page * PER_PAGE < PAGE_REACH:
                position = {"page": str(page + 1)}
            else:
                raise PermanentSourceError(
                    f"Zoho CRM {contract.object} page {page}: more records were announced but no page token"
                    " came with them. Nothing was stored. Tell the person who maintains the connector."
                )

    def _by_id(
        self, contract: EntityContract, fields: list[str], ids: list[str]
    ) -> dict[str, Mapping[str, object]]:
        found: dict[str, Mapping[str, object]] = {}
        for start in range(0, len(ids), 100):
            data = self._ask(
                f"Zoho CRM {contract.object} by id",
                contract,
                f"/crm/v8/{contract.object}",
                {
                    "fields": ",".join(fields),
                    "ids": ",".join(ids[start : start + 100]),
                    "per_page": str(PER_PAGE),
                },
                None,
            )
            found |= {str(record["id"]): record for record in _list(data, "data")}
        return found

    def _deleted(self, contract: EntityContract, since: datetime | None) -> Iterator[str]:
        """Ids deleted since then. Zoho keeps the list 60 days (120 when permanent)."""
        page = 0
        while True:
            page += 1
            data = self._ask(
                f"Zoho CRM {contract.object} deleted page {page}",
                contract,
                f"/crm/v8/{contract.object}/deleted",
                {"type": "all", "per_page": str(PER_PAGE), "page": str(page)},
                since,
            )
            for record in _list(data, "data"):
                moment = parse.instant(record.get("deleted_time"))
                if since is None or moment is None or moment >= since:
                    yield str(record["id"])
            info = data.get("info")
            if not isinstance(info, dict) or not info.get("more_records"):
                return

    def _ask(
        self, what: str, contract: EntityContract, path: str, params: dict[str, str], since: datetime | None
    ) -> dict[str, object]:
        """One call. 204 and 304 are an empty answer; an expired token is renewed once."""
        used: list[dict[str, str]] = []

        def headers() -> dict[str, str]:
            used.append(self._auth.headers())
            asked = {"If-Modified-Since": since.isoformat(timespec="seconds")} if since else {}
            return {**used[-1], **asked}

        rejected: list[int] = []

        def judge(answer: Answer) -> dict[str, object]:
            if answer.status in (204, 304):
                return {}
            if answer.status == 200:
                return answer.record()
            code = answer.record().get("code") if answer.body.strip() else None
            if answer.status == 401 and code != "OAUTH_SCOPE_MISMATCH":
                if rejected:
                    raise PermanentSourceError(
                        f"{what}: HTTP 401, also with a new token. The refresh token's user may have lost"
                        " access; make a new one and set MEL_ZOHO_REFRESH_TOKEN."
                    )
                rejected.append(401)
                self._auth.renew(used[-1])
                raise TryAgainError(f"{what}: HTTP 401, the token had expired.", 0.0)
            raise parse.explain_error(answer, str(contract.object), self._http.policy.throttled)

        return self._http.call(what, self._auth.api_url() + path, judge, headers=headers, params=params)


def _list(data: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    found = data.get(name) or []
    if not isinstance(found, list):
        raise PermanentSourceError(f"Zoho CRM: '{name}' in the answer is not a list. Check MEL_ZOHO_API_URL.")
    return found


def _watermark(cursor: str | None, contract: EntityContract) -> datetime | None:
    """Where to go on from; None, so everything, at first and after the contract has changed."""
    if not cursor:
        return None
    stored = json.loads(cursor)
    return (
        datetime.fromisoformat(stored["modified"]) if stored["contract"] == fingerprint_of(contract) else None
    )


def _cursor(latest: datetime, contract: EntityContract) -> str:
    return json.dumps({"modified": latest.astimezone(UTC).isoformat(), "contract": fingerprint_of(contract)})
