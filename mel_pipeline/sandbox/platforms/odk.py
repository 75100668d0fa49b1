"""ODK Central's API: sessions and OData, with the form of site visits."""

from __future__ import annotations

import base64
import json
import secrets
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from mel_pipeline.sandbox.limits import Limit
from mel_pipeline.sandbox.organisation import Organisation
from mel_pipeline.sandbox.platforms.base import Platform
from mel_pipeline.sandbox.zoho.clock import Clock

EMAIL, PASSWORD = "mel@example.org", "sample-odk-password"
PROJECT, FORM = "4", "site_visit"
BEGUN = date(2024, 2, 5)
FIELDS = [
    ("/meta", "structure"), ("/meta/instanceID", "string"), ("/meta/instanceName", "string"), ("/start", "dateTime"),
    ("/visit", "structure"), ("/visit/city", "string"), ("/visit/event_code", "string"), ("/visit/themes", "string"),
    ("/visit/place", "geopoint"), ("/people", "repeat"), ("/people/role", "string"), ("/people/name", "string"),
]  # fmt: skip

_PROBLEMS = "https://github.com/getodk/central-backend/blob/6d04d75ffb02e99058fbe1982fcfd45cddd0f0c8/lib/util/problem.js"
BAD_LOGIN = Limit(
    "a wrong password, or a session that has ended",
    {"code": 401.2, "message": "Could not authenticate with the provided credentials."},
    _PROBLEMS,
    status=401,
    always=True,
)
NO_RIGHTS = Limit(
    "a form of a project in which the account has no role",
    {"code": 403.1, "message": "The authenticated actor does not have rights to perform that action."},
    _PROBLEMS,
    status=403,
)
NOT_FOUND = Limit(
    "a project or form that was deleted",
    {"code": 404.1, "message": "Could not find the resource you were looking for."},
    _PROBLEMS,
    status=404,
)


class OdkCentral(Platform):
    """One form. Pages continue from a token; the URL of the next one names another host."""

    name = "odk"

    def __init__(self, organisation: Organisation, clock: Clock) -> None:
        super().__init__(organisation, clock)
        self.submissions = _submissions(organisation.today)
        self.announced_too_many = 0
        self._sessions: set[str] = set()

    def endpoints(self) -> list[BaseRoute]:
        base = f"/v1/projects/{PROJECT}/forms/{FORM}"
        return [
            Route("/v1/sessions", self.sessions, methods=["POST"]),
            Route(f"{base}/fields", self.fields),
            Route(f"{base}.svc/Submissions", self.table),
        ]

    def refusal(self, kind: Literal["expired_token", "throttled"]) -> Response:
        if kind == "expired_token":
            return BAD_LOGIN.response()
        return Response("Too many requests", 429)

    async def sessions(self, request: Request) -> Response:
        credentials = await request.json()
        if (credentials.get("email"), credentials.get("password")) != (EMAIL, PASSWORD):
            return self.refusal("expired_token")
        token = secrets.token_urlsafe(32)
        self._sessions.add(token)
        ends = self.clock.now() + timedelta(days=1)
        return JSONResponse(
            {
                "token": token,
                "csrf": "x",
                "expiresAt": ends.isoformat(),
                "createdAt": self.clock.now().isoformat(),
            }
        )

    def _refused(self, request: Request) -> Response | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self._sessions:
            return BAD_LOGIN.response()
        found = next((limit for limit in (NO_RIGHTS, NOT_FOUND) if self.limited(FORM, limit)), None)
        return found.response() if found else None

    async def fields(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        return JSONResponse(
            [
                {
                    "name": path.rsplit("/", 1)[-1],
                    "path": path,
                    "type": kind,
                    "binary": None,
                    "selectMultiple": True if path.endswith("themes") else None,
                }
                for path, kind in FIELDS
            ]
        )

    async def table(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        query = request.query_params
        size, start = int(query.get("$top", "250")), 0
        if "$skiptoken" in query:
            position = json.loads(base64.b64decode(query["$skiptoken"].removeprefix("01")))
            start = (
                next(n for n, one in enumerate(self.submissions) if one["__id"] == position["instanceId"]) + 1
            )
        shown = self.submissions[start : start + size]
        expanded = query.get("$expand") == "*"
        body: dict[str, Any] = {"@odata.context": "https://odk.example.org/v1/x.svc/$metadata#Submissions"}
        if start + size < len(self.submissions):
            token = "01" + base64.b64encode(json.dumps({"instanceId": shown[-1]["__id"]}).encode()).decode()
            body["@odata.nextLink"] = (
                f"https://odk.example.org/v1/x.svc/Submissions?%24top={size}&%24skiptoken={token.replace('=', '%3D')}"
            )
        if query.get("$count") == "true":
            body["@odata.count"] = len(self.submissions) + self.announced_too_many
        body["value"] = [
            one if expanded else {name: value for name, value in one.items() if name != "people"}
            for one in shown
        ]
        return JSONResponse(body)


def _submissions(today: date) -> list[dict[str, Any]]:
    """Newest first, as Central returns them."""
    found: list[dict[str, Any]] = []
    for number in range((today - BEGUN).days):
        day = BEGUN + timedelta(days=number)
        rng = Random(f"odk {day}")
        if day.weekday() > 4 or rng.random() > 0.35:
            continue
        moment = datetime(day.year, day.month, day.day, rng.randint(8, 16), rng.randint(0, 59), tzinfo=UTC)
        identity = f"uuid:{number:08}-0000-4000-8000-000000000000"
        found.append(
            {
                "__id": identity,
                "__system": {
                    "submissionDate": f"{moment:%Y-%m-%dT%H:%M:%S}.123Z", "updatedAt": None, "submitterId": "5",
                    "submitterName": "Sample enumerator", "attachmentsPresent": 0, "attachmentsExpected": 0, "status": None,
                    "reviewState": "rejected" if rng.random() < 0.02 else rng.choice([None, "approved"]),
                    "deviceId": "collect:abc", "edits": 0, "formVersion": "1",
                },
                "meta": {"instanceID": identity, "instanceName": "Visit by Sample enumerator"},
                "start": f"{moment - timedelta(minutes=9):%Y-%m-%dT%H:%M:%S}.000Z",
                "visit": {
                    "city": rng.choice(["Barcelona, España", "Medellín", "Bogotá", "São Paulo"]), "event_code": None,
                    "themes": " ".join(rng.sample(["care", "housing", "water"], 2)),
                    "place": {"type": "Point", "coordinates": [2.17, 41.38, 0]},
                },
                "people": [{"__id": f"{identity}/people/{n}", "role": role, "name": "Sample Person"} for n, role in enumerate(["Host", "Expert"])],
                "people@odata.navigationLink": "Submissions('x')/people",
            }
        )  # fmt: skip
    return found[::-1]


PLATFORM = OdkCentral
