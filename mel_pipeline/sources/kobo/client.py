"""Fetch forms and submissions from a KoBoToolbox server. parse.py interprets the responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.kobo import parse
from mel_pipeline.sources.shared.base import Client, Load, Pull
from mel_pipeline.sources.shared.http import Answer, Http, Policy, base_url, explain_status
from mel_pipeline.sources.shared.survey.server import Server
from mel_pipeline.sources.shared.survey.submissions import Form, Record
from mel_pipeline.sources.shared.values import Novelty

PAGE = 1_000  # Kobo's maximum since 2026; larger requests get this many


def open(settings: Settings, policy: Policy | None = None) -> Kobo:
    return Kobo(settings, Http(policy))


class Kobo(Client):
    """Kobo as a source. The token travels in a header; pages go by offset, and ``next`` is never followed."""

    source = parse.NAME

    def __init__(self, settings: Settings, http: Http) -> None:
        options = settings.source(parse.NAME)
        self._http = http
        self._forms = options.listed("asset_uids")
        self._token = options.text("token")
        self._url = f"{base_url(options.text('api_url'), options.variable('api_url'))}/api/v2/assets"
        self._server = Server("KoBoToolbox", parse.KEY, settings, parse.rejected_in_review)

    def _response_load(self, load: Load) -> Pull:
        """Every submission of the forms: an edited one keeps its timestamp, so none can be skipped."""
        return self._server.pull(load, self._forms, self._form)

    def _form(self, uid: str) -> tuple[Form, Iterator[tuple[list[Record], int]]]:
        return parse.form_of(self._request(f"form {uid}", f"{uid}/", {})), self._pages(uid)

    def _pages(self, uid: str) -> Iterator[tuple[list[Record], int]]:
        start = 0
        novelty = Novelty(f"KoBoToolbox {uid}")
        while True:
            data = self._request(
                f"submissions of {uid}",
                f"{uid}/data/",
                {"limit": str(PAGE), "start": str(start), "sort": '{"_id":1}'},
            )
            records, total = parse.results_of(data)
            yield records, total
            start += len(records)
            if not records or start >= total:
                return
            novelty.require(record.get(parse.KEY) for record in records)

    def _request(self, what: str, node: str, params: Mapping[str, str]) -> Record:
        def judge(answer: Answer) -> Record:
            if answer.status == 200:
                return answer.record()
            if answer.status >= 500 or answer.status == 429 or not answer.body.lstrip().startswith(b"{"):
                raise explain_status(answer, "Check MEL_KOBO_API_URL.")
            raise parse.explain(answer, self._token)

        headers = {"Authorization": f"Token {self._token}"}
        return self._http.call(
            f"KoBoToolbox {what}",
            f"{self._url}/{node}",
            judge,
            headers=lambda: headers,
            params={"format": "json", **params},
        )

    loads: ClassVar = {
        "responses": _response_load,
    }
