"""The organisation's codebooks and its common scale, from the workbook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.normalize_text import is_bare, normalize_answer
from mel_pipeline.sources.shared.survey.codebook import (
    ROLES,
    BrokenCodebook,
    Codebook,
    Score,
    checked,
    codebooks_in,
)
from mel_pipeline.sources.workbook import versions

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.sources.workbook.model import Row, Rows

_LISTS = {
    "survey_name": "surveys",
    "form_question": "form",
    "personal": "personal",
    "ignored": "ignored",
    "not_answered": "missing",
}
_CONSENT = {"consents": True, "does_not_consent": False}
_SETTINGS = {
    "fixed_event": "event_code",
    "fixed_language": "language",
    "date_order": "date_order",
    "time_zone": "zone",
}


def codebooks_of(settings: Settings) -> list[Codebook]:
    """Every codebook by name, and one that knows the organisation's common scale alone.

    One that is not valid is a ``BrokenCodebook``. Before the workbook is in use they are the files of the drop folder.
    """
    version = versions.current(settings)
    if problem := version.problems.get("answer_scales"):
        raise ContractError(problem)
    books = books_in(version.rows) if version.kept else codebooks_in(settings.survey_folder / "codebooks")
    return [*books, Codebook(common=common_labels(version.rows["answer_scales"]), zone=None)]


def common_labels(rows: Iterable[Row]) -> dict[str, Score]:
    """Labels of satisfaction that mean the same in every survey. Bare figures are no evidence and left out."""
    return {
        normalize_answer(str(row["label"])): _score(row)
        for row in rows
        if row["scale"] == "satisfaction" and not row.get("codebook") and not is_bare(str(row["label"]))
    }


def gender_labels(rows: Iterable[Row]) -> frozenset[str]:
    """Labels of gender, as ``normalize_answer`` gives them."""
    return frozenset(normalize_answer(str(row["label"])) for row in rows if row["scale"] == "gender")


def books_in(rows: Rows) -> list[Codebook]:
    """The codebooks of a version, by name. One that names neither a survey nor a form is for the survey of its name."""
    written: dict[str, dict[str, Any]] = {}
    for row in rows.get("survey_questions", ()):
        book = written.setdefault(str(row["codebook"]), {})
        role, text = str(row["role"]), row["question"]
        if role in _LISTS:
            book.setdefault(_LISTS[role], []).append(text)
        elif role in _SETTINGS:
            book[_SETTINGS[role]] = text
        elif role == "language_name":
            book.setdefault("languages", {}).setdefault(row.get("code"), []).append(text)
        elif role in _CONSENT:
            book.setdefault("consent", {})[str(text)] = _CONSENT[role]
        elif role in ROLES:
            book.setdefault("questions", {}).setdefault(role, []).append(text)
    for row in rows.get("answer_scales", ()):
        if row.get("codebook"):
            book = written.setdefault(str(row["codebook"]), {})
            book.setdefault("scale", {})[str(row["label"])] = _score(row)
    return [_book(name, written[name]) for name in sorted(written)]


def _book(name: str, written: Mapping[str, Any]) -> Codebook:
    surveys = written.get("surveys", [] if written.get("form") else [name])
    try:
        return checked(Codebook.model_validate({**written, "surveys": surveys, "name": name}))
    except (ValidationError, ContractError) as error:
        why = (
            "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            if isinstance(error, ValidationError)
            else str(error).removeprefix("Reading the codebook: ")
        )
        fault = f"Reading the codebook {name} in the workbook: {why}. Correct it."
        return BrokenCodebook(surveys=surveys or [name], zone=None, fault=fault)


def _score(row: Row) -> Score:
    return "non_answer" if row.get("non_answer") == "yes" else float(row["score"] or 0)
