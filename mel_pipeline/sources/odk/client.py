"""Fetch forms and submissions from an ODK Central server. parse.py interprets the responses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, TypeVar

from mel_pipeline.core.errors import SettingsError, TransientSourceError
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.odk import parse
from mel_pipeline.sources.shared.base import Client, Load, Pull
from mel_pipeline.sources.shared.http import Answer, Http, Policy, base_url, explain_status
from mel_pipeline.sources.shared.survey.server import Server
from mel_pipeline.sources.shared.survey.submissions import Form, Record
from mel_pipeline.sources.shared.values import Novelty

T = TypeVar("T")
PAGE = 250


def open(settings: Settings, policy: Policy | None = None) -> OdkCentral:
    return OdkCentral(settings, Http(policy))


class OdkCentral(Client):
    """ODK Central as a source. One session per load; only the token of ``@odata.nextLink`` is used."""

    source = parse.NAME

    def __init__(self, settings: Settings, http: Http) -> None:
        options = settings.source(parse.NAME)
        self._http = http
        self._forms = options.listed("forms")
        self._sign_in = {name: options.text(name) for name in ("email", "password")}
        self._url = f"{base_url(options.text('api_url'), options.variable('api_url'))}/v1"
        self._session: str | None = None
        self._server = Server("ODK Central", parse.KEY, settings, parse.rejected_in_review)

    def _response_load(self, load: Load) -> Pull:
        """Every submission of the forms: an edited one keeps its timestamp, so none can be skipped."""
        return self._server.pull(load, self._forms, self._form)

    def _form(self, name: str) -> tuple[Form, Iterator[tuple[list[Record], int]]]:
        project, mark, form = name.partition("/")
        if not (project.isdigit() and mark and form):
            raise SettingsError(f"MEL_ODK_FORMS: '{name}' is not project/form, such as 4/site_visit.")
        node = f"projects/{project}/forms/{form}"
        fields = self._request(f"fields of {name}", f"{node}/fields", {"odata": "true"}, Answer.json)
        return parse.form_of(name, fields), self._pages(name, f"{node}.svc/Submissions")

    def _pages(self, name: str, node: str) -> Iterator[tuple[list[Record], int]]:
        position: dict[str, str] = {}
        novelty = Novelty(f"ODK Central {name}")
        while True:
            params = {"$top": str(PAGE), "$count": "true", "$expand": "*", **position}
            data = self._request(f"submissions of {name}", node, params, Answer.record)
            records, total, token = parse.page_of(data)
            yield records, total
            if not records or token is None:
                return
            novelty.require(record.get(parse.KEY) for record in records)
            position = {"$skiptoken": token}

    def _request(self, what: str, node: str, params: Mapping[str, str], read: Callable[[Answer], T]) -> T:
        headers = {"Authorization": f"Bearer {self._token()}"}
        return self._http.call(
            f"ODK Central {what}",
            f"{self._url}/{node}",
            lambda answer: read(self._require_ok(answer)),
            headers=lambda: headers,
            params=params,
        )

    def _token(self) -> str:
        if self._session is None:
            data = self._http.call(
                "ODK Central sign-in",
                f"{self._url}/sessions",
                lambda answer: self._require_ok(answer).record(),
                method="POST",
                body=self._sign_in,
            )
            if not isinstance(token := data.get("token"), str) or not token:
                raise TransientSourceError(
                    "ODK Central sign-in: the answer holds no token. Run the load again later."
                )
            self._session = token
        return self._session

    def _require_ok(self, answer: Answer) -> Answer:
        if answer.status == 200:
            return answer
        if answer.status >= 500 or answer.status == 429 or not answer.body.lstrip().startswith(b"{"):
            raise explain_status(answer, "Check MEL_ODK_API_URL.")
        raise parse.explain(answer, self._sign_in.values())

    loads: ClassVar = {
        "responses": _response_load,
    }
