"""Which forms a codebook belongs to: by the questions it was written for, and by the name of a download. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.survey.model import Question

_COPY = re.compile(  # what browsers and people add to a file they have already
    r"(\s*\(\d+\)|\s*[-_]?\s*\b(copy|copia|copie|còpia)\b(\s*\(?\d+\)?)?)$", re.IGNORECASE
)
_OF_FORM, _OF_FORM_NAMED = 2 / 3, 1 / 3  # share of a codebook's questions that an export has
_OF_EXPORT = 1 / 2  # share of an export's questions that the codebook knows


def first_download(survey: str) -> str:
    """The name that a file had before it was downloaded again: `Feedback (1)` is `Feedback`."""
    name = survey.strip()
    while (shorter := _COPY.sub("", name).strip()) and shorter != name:
        name = shorter
    return name


def is_named(survey: str, patterns: Iterable[str]) -> bool:
    """Whether a survey, or what it was downloaded as first, has one of these names; `*` stands for anything."""
    names = {survey.casefold(), first_download(survey).casefold()}
    return any(
        name == pattern.casefold() or fnmatchcase(name, pattern.casefold())
        for pattern in patterns
        for name in names
    )


def questions_of_form(questions: Iterable[Question]) -> list[str]:
    """The questions of an export as a codebook lists them: once each, without what the tool itself writes."""
    return list(
        dict.fromkeys(question.text for question in questions if question.builtin is None and question.text)
    )


def likeness(
    form: Collection[str], questions: Collection[str], *, named: bool, usual: Collection[str] = ()
) -> float:
    """How far an export has the questions of a form, from 0 (another form) to 1; a live form may gain or lose some.

    Args:
        named: the export also has the name of the form's.
        usual: what many forms ask in the same words, such as gender and city: alone it is no likeness.
    """
    own, found = set(map(_bare, form)), set(map(_bare, questions))
    distinctive = own - set(map(_bare, usual))
    if not named and len(distinctive & found) < _OF_FORM * len(distinctive):
        return 0.0
    common = len(own & found)
    if not common or common < (_OF_FORM_NAMED if named else _OF_FORM) * len(own):
        return 0.0
    if not named and common < _OF_EXPORT * len(found):
        return 0.0
    return common / len(own | found)


def _bare(text: str) -> str:
    return normalize_text(Question(text, text).unnumbered)
