"""Ask Zoho People for a form's records, page by page. What an answer means is in parse.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mel_pipeline.contracts import EntityContract, contract_of
from mel_pipeline.errors import PermanentSourceError
from mel_pipeline.periods import Quarter
from mel_pipeline.settings import Settings
from mel_pipeline.sources.base import Batch, Pull, simple_pull
from mel_pipeline.sources.http import Answer, Http, Policy, TryAgainError, base_url, explain_status
from mel_pipeline.sources.zoho_oauth import ZohoAuth
from mel_pipeline.sources.zoho_people import parse

LIMIT = 200  # larger values are refused with code 7021


def open(settings: Settings, policy: Policy | None = None) -> ZohoPeople:
    http = Http(policy)
    return ZohoPeople(
        http, ZohoAuth(settings, http), base_url(settings.zoho_people_url, "MEL_ZOHO_PEOPLE_URL")
    )


class ZohoPeople:
    """Zoho People as a source: a snapshot each time. The sign-in does not tell its host; it is configured."""

    def __init__(self, http: Http, auth: ZohoAuth, url: str) -> None:
        self._http = http
        self._auth = auth
        self._url = url

    def pull(
        self,
        entity: str,
        *,
        quarter: Quarter | None = None,  # noqa: ARG002
        cursor: str | None = None,  # noqa: ARG002
        checkpoint: str | None = None,  # noqa: ARG002
    ) -> Pull:
        """All records of the form."""
        return simple_pull(self._pages(contract_of("zoho_people").entities[entity]))

    def _pages(self, contract: EntityContract) -> Iterator[Batch]:
        page = 0
        while True:
            records = self._page(contract, page + 1, page * LIMIT + 1)
            if not records:
                return
            page += 1
            yield parse.parse_page(records, contract, page)
            if len(records) < LIMIT:
                return

    def _page(self, contract: EntityContract, page: int, first: int) -> list[Mapping[str, object]]:
        what = f"Zoho People {contract.object} page {page}"
        used: list[dict[str, str]] = []
        rejected: list[int] = []

        def headers() -> dict[str, str]:
            used.append(self._auth.headers())
            return used[-1]

        def judge(answer: Answer) -> list[Mapping[str, object]]:
            if answer.status not in (200, 400, 401):
                raise explain_status(answer, "Check MEL_ZOHO_PEOPLE_URL.")
            response = answer.record().get("response", answer.record())
            if not isinstance(response, dict):
                raise PermanentSourceError(
                    f"{what}: the answer is not Zoho People's. Check MEL_ZOHO_PEOPLE_URL."
                )
            error = parse.error_code(response)
            if answer.status != 401 and error is None:
                return parse.records_of(response, what)
            code, message = error or (0, "")
            if code == parse.NO_RECORDS:
                return []
            if (answer.status == 401 or code in parse.BAD_TOKEN) and not rejected:
                rejected.append(code)
                self._auth.renew(used[-1])
                raise TryAgainError(f"{what}: the token had expired.", 0.0)
            raise parse.explain_error(what, code or answer.status, message)

        return self._http.call(
            what,
            f"{self._url}/people/api/forms/{contract.object}/getRecords",
            judge,
            headers=headers,
            params={"sIndex": str(first), "limit": str(LIMIT)},
        )
