"""Fetch a form's records from Zoho People, page by page. parse.py interprets the responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.errors import PermanentSourceError
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.shared.base import Batch, Client, Load, Pull
from mel_pipeline.sources.shared.http import Answer, Http, Policy, TryAgainError, base_url, explain_status
from mel_pipeline.sources.shared.oauth.zoho import ZohoAuth
from mel_pipeline.sources.shared.rate_limiter import RateLimiter
from mel_pipeline.sources.shared.values import Novelty
from mel_pipeline.sources.zoho_people import parse

LIMIT = 200  # larger values are refused with code 7021
CALLS, WINDOW_SECONDS = 360, 60.0  # Zoho locks at 400 a minute; retries count as well
MAX_SCANS = 3  # of a form whose records shift during paging

Record = Mapping[str, object]


def open(settings: Settings, policy: Policy | None = None) -> ZohoPeople:
    http = Http(policy)
    return ZohoPeople(
        http, ZohoAuth(settings, http), base_url(settings.zoho_people_url, "MEL_ZOHO_PEOPLE_URL")
    )


class ZohoPeople(Client):
    """Zoho People as a source: a snapshot each time. The sign-in does not return its host; it is configured."""

    source = "zoho_people"

    def __init__(self, http: Http, auth: ZohoAuth, url: str) -> None:
        self._http = http
        self._auth = auth
        self._url = url
        self._rate_limiter = RateLimiter(
            CALLS, WINDOW_SECONDS, longest_wait=http.policy.longest_wait, sleep=http.sleep
        )

    def _employee_load(self, load: Load) -> Pull:
        """All records of the form. A stored one that is no longer among them is deleted."""
        contract = load.contract
        whole: list[bool] = []

        def batches() -> Iterator[Batch]:
            for _ in range(MAX_SCANS):
                pages, is_stable = self._scan(contract)
                if is_stable:
                    break
            whole.append(is_stable)
            for number, records in enumerate(pages, start=1):
                yield parse.parse_page(records, contract, number)
            if not is_stable:
                yield parse.empty_batch(
                    contract,
                    f"The form kept changing while it was read, {MAX_SCANS} times: nobody is marked deleted.",
                )

        return Pull(batches(), complete=lambda: whole == [True])

    def _scan(self, contract: EntityContract) -> tuple[list[list[Record]], bool]:
        """All pages, and whether the records stayed in place while they were read.

        Each page begins with the last record of the previous one. When it does not, records were added
        or removed in between, and one of them may have moved between pages unseen.
        """
        pages = [self._page(contract, 1, 1)]
        novelty = Novelty(f"Zoho People {contract.object}")
        while len(pages[-1]) >= LIMIT:
            seam = pages[-1][-1]
            following = self._page(contract, len(pages) + 1, len(pages) * (LIMIT - 1) + 1)
            if not following or parse.identity(following[0], contract) != parse.identity(seam, contract):
                return [*pages, following], False
            novelty.require(parse.identity(record, contract) for record in pages[-1][:-1])
            pages.append(following)
        return [pages[0], *(page[1:] for page in pages[1:])], True

    def _page(self, contract: EntityContract, page: int, first: int) -> list[Record]:
        what = f"Zoho People {contract.object} page {page}"
        used: list[dict[str, str]] = []
        rejected: list[int] = []

        def headers() -> dict[str, str]:
            self._rate_limiter.wait(what)
            used.append(self._auth.headers())
            return used[-1]

        def judge(answer: Answer) -> list[Record]:
            if answer.status not in (200, 400, 401):
                raise explain_status(answer, "Check MEL_ZOHO_PEOPLE_URL.")
            response = answer.record().get("response", answer.record())
            if not isinstance(response, dict):
                raise PermanentSourceError(
                    f"{what}: the response is not Zoho People's. Check MEL_ZOHO_PEOPLE_URL."
                )
            error = parse.error_code(response)
            if answer.status != 401 and error is None:
                return parse.records_of(response, what)
            code, message = error or (0, "")
            if code == parse.NO_RECORDS:
                return []
            is_token = answer.status == 401 or code in parse.BAD_TOKEN
            if is_token and not rejected and response.get("code") != "OAUTH_SCOPE_MISMATCH":
                rejected.append(code)
                self._auth.renew(used[-1])
                raise TryAgainError(f"{what}: the token had expired.", 0.0)
            raise parse.explain_error(what, 401 if answer.status == 401 else code, message)

        return self._http.call(
            what,
            f"{self._url}/people/api/forms/{contract.object}/getRecords",
            judge,
            headers=headers,
            params={"sIndex": str(first), "limit": str(LIMIT)},
        )

    loads: ClassVar = {"employees": _employee_load}
