"""Read Kobo's form definitions and submissions, and map its errors to exceptions. Pure: no HTTP, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mel_pipeline.core.errors import PermanentSourceError, ReauthoriseError, SourceError
from mel_pipeline.sources.shared.http import Answer, clean
from mel_pipeline.sources.shared.survey.headers import in_words
from mel_pipeline.sources.shared.survey.model import Builtin, Layout, Question
from mel_pipeline.sources.shared.survey.submissions import Form, Record
from mel_pipeline.sources.shared.values import promised_list, promised_number

NAME = "kobo"
KEY = "_id"
REJECTED = "validation_status_not_approved"
_BUILTINS: Mapping[str, Builtin] = {
    KEY: "response_id",  # stays when a submission is edited; _uuid does not
    "_submission_time": "completed_at",  # UTC, without an offset
    "_submitted_by": "personal",
    "_geolocation": "personal",
    "_notes": "personal",
    "_attachments": "personal",
}
_STARTED = {"start"}  # with the device's UTC offset
_IGNORED = {"end", "today", "note"}
_PERSONAL = {
    "deviceid", "username", "phonenumber", "email", "simserial", "subscriberid", "audit", "geopoint", "geotrace", "geoshape",
    "start-geopoint", "image", "audio", "background-audio", "video", "file",
}  # fmt: skip


def explain(answer: Answer, token: str) -> SourceError:
    """Map an error response to an exception."""
    words = clean(answer.record().get("detail", ""), [token])
    if answer.status == 401:
        return ReauthoriseError(
            f"{answer.what}: the token was rejected ('{words}')."
            " Copy the API key again (Account settings → Security) and set MEL_KOBO_TOKEN."
        )
    return PermanentSourceError(
        f"{answer.what}: Kobo answered HTTP {answer.status}: '{words}'."
        " Check MEL_KOBO_ASSET_UIDS, and that the account may view the submissions."
    )


def form_of(asset: Record) -> Form:
    """A form from its definition: questions by their paths, with labels of the first language.

    Raises:
        PermanentSourceError: it has no questions because it is not a survey or was never deployed.
    """
    content = asset.get("content")
    survey = _records(content, "survey")
    if not survey:
        raise PermanentSourceError(
            f"Kobo form {asset.get('uid')}: it has no questions. Check MEL_KOBO_ASSET_UIDS."
        )
    choices = _choices(_records(content, "choices"))
    questions = [Question(name, name, builtin=builtin) for name, builtin in _BUILTINS.items()]
    repeats: dict[str, list[Question]] = {}
    path: list[str] = []
    inside: list[str] = []  # paths of repeated groups that are open
    for row in survey:
        kind, name = str(row.get("type", "")), str(row.get("name") or row.get("$autoname") or "")
        if kind in ("begin_group", "begin_repeat"):
            path.append(name)
            if kind == "begin_repeat":
                inside.append("/".join(path))
                repeats[inside[-1]] = []
        elif kind in ("end_group", "end_repeat"):
            if kind == "end_repeat" and inside:
                inside.pop()
            if path:
                path.pop()
        else:
            whole = "/".join([*path, name])
            if inside:
                repeats[inside[-1]].append(
                    _question(row, kind, whole.removeprefix(f"{inside[-1]}/"), choices)
                )
            else:
                questions.append(_question(row, kind, whole, choices))
    layout = Layout(NAME, questions, zone="UTC", notes=("Kobo: by the form's definition.",))
    return Form(str(asset.get("uid")), layout, repeats)


def rejected_in_review(record: Record) -> bool:
    """Whether staff did not approve a submission."""
    status = record.get("_validation_status")
    return isinstance(status, dict) and status.get("uid") == REJECTED


def results_of(data: Record) -> tuple[list[Record], int]:
    """A page of submissions, and how many there are in all."""
    what = "KoBoToolbox submissions"
    return promised_list(data, "results", what), promised_number(data, "count", what)


def _question(
    row: Record, kind: str, key: str, choices: Mapping[str, tuple[tuple[str, str], ...]]
) -> Question:
    text = in_words(_first_label(row.get("label")) or "") or key
    if kind in _STARTED:
        return Question(key, text, builtin="started_at")
    if kind in _IGNORED or kind in _PERSONAL:
        return Question(key, text, builtin="ignored" if kind in _IGNORED else "personal")
    listed = choices.get(str(row.get("select_from_list_name") or ""), ())
    separator = " " if kind == "select_multiple" else None
    return Question(key, text, separator=separator, labels=listed)


def _choices(rows: Iterable[Record]) -> dict[str, tuple[tuple[str, str], ...]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        name = str(row.get("name") or row.get("$autovalue") or "")
        found.setdefault(str(row.get("list_name")), []).append((name, _first_label(row.get("label")) or name))
    return {name: tuple(pairs) for name, pairs in found.items()}


def _first_label(labels: object) -> str | None:
    """The label in the form's first language."""
    if isinstance(labels, list):
        return next((str(label) for label in labels if label), None)
    return str(labels) if labels else None


def _records(data: object, name: str) -> Sequence[Record]:
    found = data.get(name) if isinstance(data, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
