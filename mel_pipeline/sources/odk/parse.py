"""Read ODK Central's form fields and submissions, and map its errors to exceptions. Pure: no HTTP, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qs, urlsplit

from mel_pipeline.core.errors import PermanentSourceError, ReauthoriseError, SourceError
from mel_pipeline.sources.shared.http import Answer, clean
from mel_pipeline.sources.shared.survey.model import Builtin, Layout, Question
from mel_pipeline.sources.shared.survey.submissions import Form, Record
from mel_pipeline.sources.shared.values import promised_list, promised_number

NAME = "odk"
KEY = "__id"
_BUILTINS: Mapping[str, Builtin] = {
    KEY: "response_id",  # stays when a submission is edited; meta/instanceID does not
    "__system/submissionDate": "completed_at",
    "__system/submitterName": "personal",
    "__system/deviceId": "personal",
}
_STARTED = {"/start", "/meta/start"}
_PERSONAL = {
    "/username",
    "/deviceid",
    "/phonenumber",
    "/email",
    "/audit",
    "/meta/audit",
    "/meta/instanceName",
}
_IGNORED = {"/end", "/today", "/meta/instanceID"}
_PLACES = {"geopoint", "geotrace", "geoshape", "binary"}


def explain(answer: Answer, secrets: Iterable[str]) -> SourceError:
    """Map an error response to an exception, by the code in its body."""
    data = answer.record()
    code, words = str(data.get("code") or f"HTTP {answer.status}"), clean(data.get("message", ""), secrets)
    if answer.status == 401:
        return ReauthoriseError(
            f"{answer.what}: the sign-in was rejected ({code}). Check MEL_ODK_EMAIL and MEL_ODK_PASSWORD."
        )
    return PermanentSourceError(
        f"{answer.what}: ODK Central answered {code}: '{words}'."
        " Check MEL_ODK_FORMS, and that the user may view the project."
    )


def form_of(name: str, fields: object) -> Form:
    """A form from its fields, by their paths. Central sends no labels: a question's name is its text.

    Raises:
        PermanentSourceError: the fields cannot be read.
    """
    if not isinstance(fields, list) or not all(isinstance(one, dict) for one in fields):
        raise PermanentSourceError(f"ODK form {name}: its fields cannot be read. Check MEL_ODK_FORMS.")
    questions = [Question(key, key, builtin=builtin) for key, builtin in _BUILTINS.items()]
    groups = [str(one["path"]) for one in fields if one.get("type") == "repeat"]
    repeats: dict[str, list[Question]] = {path[1:]: [] for path in groups}
    for one in fields:
        path, kind = str(one.get("path")), str(one.get("type"))
        if kind in ("structure", "repeat"):
            continue  # a container, not a question
        inside = max((group for group in groups if path.startswith(f"{group}/")), key=len, default=None)
        if inside:
            key = path.removeprefix(f"{inside}/")
            repeats[inside[1:]].append(_question(key, path, kind, one))
        else:
            questions.append(_question(path[1:], path, kind, one))
    layout = Layout(NAME, questions, zone="UTC", notes=("ODK Central: by the form's fields.",))
    return Form(name, layout, repeats)


def page_of(data: Record) -> tuple[list[Record], int, str | None]:
    """Submissions, how many there are in all, and the token of the next page."""
    link = str(data.get("@odata.nextLink") or "")
    token = parse_qs(urlsplit(link).query).get("$skiptoken", [None])[0]
    what = "ODK Central submissions"
    return promised_list(data, "value", what), promised_number(data, "@odata.count", what), token


def rejected_in_review(record: Record) -> bool:
    """Whether staff rejected a submission."""
    system = record.get("__system")
    return isinstance(system, dict) and system.get("reviewState") == "rejected"


def _question(key: str, path: str, kind: str, field: Record) -> Question:
    text = key.rsplit("/", 1)[-1]
    if path in _STARTED:
        return Question(key, text, builtin="started_at")
    if path in _PERSONAL or kind in _PLACES:
        return Question(key, text, builtin="personal")
    if path in _IGNORED:
        return Question(key, text, builtin="ignored")
    return Question(key, text, separator=" " if field.get("selectMultiple") else None)
