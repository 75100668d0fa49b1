"""KoBoToolbox's API v2, with the survey on city needs: a form in three languages with a repeated group."""

from __future__ import annotations

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

TOKEN = "sample-kobo-token"
FORM = "aCityNeeds2024SampleFo"
MOST = 1_000
BEGUN = date(2024, 3, 4)
# As people write them: other languages, missing accents, homonyms with and without a country, typos.
CITIES = [
    ("Dakar", "Sénégal"), ("Moscou", "Russie"), ("Pékin", "Chine"), ("Ciudad de México", "México"), ("Bruxelles", "Belgique"),
    ("Cordoba", "Argentina"), ("Córdoba", ""), ("Guadalajara", "México"), ("Barcelonna", "España"), ("Montreal", "Canada"),
    ("Teheran", "Iran"), ("Quito", "Ecuador"), ("Seul", "Corea del Sur"), ("Yaounde", "Cameroun"), ("Atlantis", ""),
]  # fmt: skip
TOPICS = {"housing": ["Housing", "Logement", "Vivienda"], "mobility": ["Mobility", "Mobilité", "Movilidad"],
          "care": ["Care", "Soins", "Cuidados"], "climate": ["Climate / energy", "Climat / énergie", "Clima / energía"]}  # fmt: skip
GENDERS = {"w": ["Woman", "Femme", "Mujer"], "m": ["Man", "Homme", "Hombre"], "nb": ["Non-binary", "Non binaire", "No binario"],
           "na": ["Prefer not to say", "Préfère ne pas répondre", "Prefiero no decirlo"]}  # fmt: skip

SHORT_PAGE = Limit(
    "a page of more than 1,000 submissions: not refused but cut, `next` says so",
    {
        "count": 2400,
        "next": "https://kf.example.org/api/v2/assets/…/data/?limit=1000&start=1000",
        "results": [],
    },
    "https://community.kobotoolbox.org/t/important-changes-to-api-v2-data-result-limits/74610",
    always=True,
)
NOT_FOUND = Limit(
    "a form that does not exist, or is not shared with the account",
    {"detail": "Not found."},
    "https://github.com/kobotoolbox/kpi/issues/3813",
    status=404,
)


class Kobo(Platform):
    """One form. ``submissions`` may be changed; an edited one keeps its time."""

    name = "kobo"

    def __init__(self, organisation: Organisation, clock: Clock) -> None:
        super().__init__(organisation, clock)
        self.submissions = _submissions(organisation.today)
        self.announced_too_many = 0

    def endpoints(self) -> list[BaseRoute]:
        return [Route("/api/v2/assets/{uid}/", self.asset), Route("/api/v2/assets/{uid}/data/", self.data)]

    def refusal(self, kind: Literal["expired_token", "throttled"]) -> Response:
        if kind == "expired_token":
            return JSONResponse({"detail": "Invalid token."}, 401, {"WWW-Authenticate": "Token"})
        return JSONResponse(
            {"detail": "Request was throttled. Expected available in 600 seconds."},
            429,
            {"Retry-After": "600"},
        )

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Token {TOKEN}":
            return self.refusal("expired_token")
        if request.path_params["uid"] != FORM or self.limited(FORM, NOT_FOUND):
            return NOT_FOUND.response()
        return None

    async def asset(self, request: Request) -> Response:
        refused = self._refused(request)
        return refused if refused is not None else JSONResponse(_asset(len(self.submissions)))

    async def data(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        query = request.query_params
        size, start = min(int(query.get("limit", "100")), MOST), int(query.get("start", "0"))
        shown = self.submissions[start : start + size]
        more = start + size < len(self.submissions)
        here = f"https://kf.example.org/api/v2/assets/{FORM}/data/?format=json&limit={size}"
        body = {
            "count": len(self.submissions) + self.announced_too_many,
            "next": f"{here}&start={start + size}" if more else None,
            "previous": f"{here}&start={max(0, start - size)}" if start else None,
            "results": shown,
        }
        return JSONResponse(body)


def _asset(count: int) -> dict[str, Any]:
    def question(name: str, kind: str, label: list[str], **more: str) -> dict[str, Any]:
        return {"name": name, "type": kind, "label": label, **more}

    survey = [
        {"name": "start", "type": "start"},
        {"name": "end", "type": "end"},
        {"name": "username", "type": "username"},
        question("about", "begin_group", ["About you", "À propos de vous", "Sobre usted"]),
        question(
            "city",
            "text",
            ["Which city do you represent?", "Quelle ville représentez-vous ?", "¿Qué ciudad representa?"],
        ),
        question("country", "text", ["In which country is it?", "Dans quel pays ?", "¿En qué país?"]),
        question(
            "gender",
            "select_one",
            [
                "How do you describe your gender?",
                "Comment décrivez-vous votre genre ?",
                "¿Cómo describe su género?",
            ],
            select_from_list_name="genders",
        ),
        question("email", "text", ["Your e-mail", "Votre e-mail", "Su correo electrónico"]),
        {"type": "end_group"},
        question(
            "topics",
            "select_multiple",
            [
                "What does your city need?",
                "De quoi votre ville a-t-elle besoin ?",
                "¿Qué necesita su ciudad?",
            ],
            select_from_list_name="topics",
        ),
        question("teams", "begin_repeat", ["Teams", "Équipes", "Equipos"]),
        question("role", "text", ["Role", "Rôle", "Función"]),
        {"type": "end_repeat"},
        question("place", "geopoint", ["Where are you?", "Où êtes-vous ?", "¿Dónde está?"]),
    ]
    choices = [
        {"list_name": listed, "name": name, "label": labels}
        for listed, pairs in (("topics", TOPICS), ("genders", GENDERS))
        for name, labels in pairs.items()
    ]
    translations = ["English (en)", "Français (fr)", "Español (es)"]
    return {
        "uid": FORM, "name": "What cities need", "kind": "asset", "asset_type": "survey", "deployment__submission_count": count,
        "content": {"survey": survey, "choices": choices, "translations": translations, "translated": ["label"]},
    }  # fmt: skip


def _submissions(today: date) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number in range((today - BEGUN).days):
        day = BEGUN + timedelta(days=number)
        rng = Random(f"kobo {day}")
        if rng.random() > 0.12:
            continue
        city, country = rng.choice(CITIES)
        moment = datetime(day.year, day.month, day.day, rng.randint(7, 16), rng.randint(0, 59), tzinfo=UTC)
        identity = 500_000 + number
        submission: dict[str, Any] = {
            "_id": identity, "_uuid": f"5f0c0a0e-0000-4000-8000-{identity:012}", "formhub/uuid": "f" * 32, "__version__": "vQx1",
            "start": f"{moment - timedelta(minutes=6):%Y-%m-%dT%H:%M:%S}.000+00:00", "end": f"{moment:%Y-%m-%dT%H:%M:%S}.000+00:00",
            "username": "enumerator7", "about/city": city, "about/gender": rng.choice(list(GENDERS)),
            "about/email": f"respondent{number}@example.org", "topics": " ".join(rng.sample(list(TOPICS), rng.randint(1, 3))),
            "teams": [{"teams/role": role} for role in rng.sample(["Mayor's office", "Planning", "Finance"], rng.randint(0, 2))],
            "place": "41.38 2.17 0 0", "_geolocation": [41.38, 2.17], "_submission_time": f"{moment:%Y-%m-%dT%H:%M:%S}",
            "_submitted_by": "enumerator7", "_status": "submitted_via_web", "_tags": [], "_notes": [], "_attachments": [],
            "_validation_status": {"uid": "validation_status_not_approved", "label": "Not approved"} if rng.random() < 0.03 else {},
            "meta/instanceID": f"uuid:{identity}",
        }  # fmt: skip
        if country:
            submission["about/country"] = country
        found.append(submission)
    return found


PLATFORM = Kobo
