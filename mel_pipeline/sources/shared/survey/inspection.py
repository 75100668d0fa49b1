"""What an export holds, for the person who writes its codebook: columns, guesses with their evidence, personal data.

A guess is only shown. It takes effect once it is written into a codebook.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import yaml

from mel_pipeline.core.normalize_text import normalize_answer, normalize_text
from mel_pipeline.sources.shared.survey.codebook import Codebook, Role
from mel_pipeline.sources.shared.survey.joining import joined
from mel_pipeline.sources.shared.survey.model import Answers, Question
from mel_pipeline.sources.shared.survey.personal import without_personal
from mel_pipeline.sources.shared.survey.plan import Plan, others_in, plan_of
from mel_pipeline.sources.shared.survey.scale import NO_SCALE, Scale, scale_of

Scales = Mapping[
    str, frozenset[str]
]  # of the catalogue: "satisfaction", "gender" -> labels, as `plain` gives them

_WORDS: dict[Role, str] = {  # on plain text
    "overall_satisfaction": r"satisf",
    "recommendation": r"recom",
    "gender": r"\b(gender|genero|genre|sexo?|sexe)\b",
    "city": r"\b(city|ciudad|ville|municipality|municipio|commune)\b",
    "country": r"\b(country|pais|pays)\b",
    "event_code": r"\b(event|evento|evenement|activity|actividad|activite|session|sesion)\b.*\b(code|codigo)\b|\bcode\b",
    "language": r"\b(language|idioma|langue)\b",
    "open_comment": r"\b(comments?|comentarios?|commentaires?|suggestions?|sugerencias?|improve|mejorar|ameliorer)\b",
}
_FEW = 12  # most distinct answers of a question with a scale
_ENOUGH = 0.6  # share of the answers that must fit, for a guess
_SHOWN = 6
_LONG = 30  # characters; a longer text is free text


@dataclass(frozen=True)
class Column:
    """One column: what it is, or may be, and why."""

    number: int
    header: str
    what: str
    why: str
    guess: Role | None = None
    answered: int = 0
    answers: Sequence[str] = ()  # of a closed question, the most frequent first


@dataclass(frozen=True)
class Inspection:
    """What was found in an export. ``scale``: of the overall question, by the answers inspected."""

    survey: str
    tool: str
    how: Sequence[str]
    responses: int
    columns: Sequence[Column]
    scale: Scale = NO_SCALE
    removed: Mapping[str, int] = field(default_factory=dict)  # header -> answers with an address in them
    asks_no_event: bool = False

    @property
    def guesses(self) -> list[Column]:
        return [column for column in self.columns if column.guess]

    def codebook(self) -> str:
        """A codebook to review: guesses are commented out, unmapped labels still need a score."""
        lines = [
            f"# Codebook of the survey {self.survey}, proposed by `mel survey inspect`.",
            "# Lines that begin with # are guesses: check them, and remove the # where they are right.",
            _yaml({"surveys": [self.survey]}),
        ]
        if self.guesses:
            lines.append("#questions:")
            for column in self.guesses:
                lines.append(f"#  {column.guess}:  # {column.why}")
                lines.append(f"#    - {_quoted(column.header)}")
        if self.scale.unknown:
            lines += self.scale.proposed()
        if self.asks_no_event:
            lines.append('#event_code: "?"  # the CRM\'s code of the event: the survey does not ask')
        return "\n".join(lines) + "\n"


def inspect(first: Answers, responses: int, how: Sequence[str], book: Codebook, scales: Scales) -> Inspection:
    """Inspect the first answers of an export.

    Args:
        responses: how many there are in all.
        how: how it was read, for people.
        scales: labels the catalogue knows.
    """
    plan = plan_of(first, book)
    whole = joined(first, plan.joins, first.layout.missing | frozenset(book.missing))
    columns = [
        _inspect_column(number, question, first, plan, book, scales)
        for number, question in enumerate(first.layout.questions)
    ]
    found = _drop_repeated_guesses(columns, plan)
    role = plan.roles.get("overall_satisfaction")
    if role is None:
        role = next((column.number - 1 for column in found if column.guess == "overall_satisfaction"), None)
    scale = NO_SCALE
    if role is not None:
        scale = scale_of(dict(_answers(whole, role).most_common()), others_in(whole, plan, role), book)
    removed = {
        question.text: count
        for number, question in enumerate(first.layout.questions)
        if number in plan.columns
        and (count := sum(without_personal(text) != text for text in _texts(first, number)))
    }
    asks_no_event = "event_code" not in plan.roles and not book.event_code
    return Inspection(first.survey, first.layout.tool, how, responses, found, scale, removed, asks_no_event)


def _inspect_column(
    number: int, question: Question, answers: Answers, plan: Plan, book: Codebook, scales: Scales
) -> Column:
    header = question.text if question.choice is None else f"{question.text} [{question.choice}]"
    if number in plan.personal:
        return Column(number + 1, header, "personal, never read", plan.personal[number])
    texts = _texts(answers, number)
    if question.builtin:
        what = "not needed" if question.builtin == "ignored" else question.builtin.replace("_", " ")
        return Column(number + 1, header, what, "the tool writes it", answered=len(texts))
    role = plan.role_of(number) or book.role(question)
    if question.choice is not None or question.is_summary:
        what = "a choice of its question" if question.choice is not None else "its choices in one cell"
        what = f"{role.replace('_', ' ')}: {what}" if role else what
        return Column(number + 1, header, what, "its choices have columns of their own", answered=len(texts))
    shown = _closed(texts)
    if role:
        what = "not needed" if role == "ignored" else role.replace("_", " ")
        if number not in plan.roles.values() and number in {
            one for join in plan.joins for one in join.columns
        }:
            what += ", joined with others"
        return Column(number + 1, header, what, "the codebook knows it", answered=len(texts), answers=shown)
    guess, why = _guess(question, texts, book, scales)
    return Column(number + 1, header, "another question", why, guess, len(texts), shown)


def _guess(
    question: Question, texts: Sequence[str], book: Codebook, scales: Scales
) -> tuple[Role | None, str]:
    """The role a question may have, and the evidence: its words and its answers must agree."""
    words = f"{normalize_text(question.text)} {normalize_text(question.key)}"
    for role, pattern in _WORDS.items():
        match = re.search(pattern, words)
        if match is None:
            continue
        fitting = sum(_fits(role, text, book, scales) for text in texts)
        different = len(set(texts))
        if not texts or fitting / len(texts) < _ENOUGH or (role in _CLOSED and different > _FEW):
            continue
        return role, f"'{match[0]}' in the question, and {fitting} of {len(texts)} answers are {_KINDS[role]}"
    return None, ""


_CLOSED = {"overall_satisfaction", "recommendation", "gender", "language"}
_KINDS: dict[Role, str] = {
    "overall_satisfaction": "labels of the scale, or 1 to 5",
    "recommendation": "whole numbers from 0 to 10",
    "gender": "labels of the scale",
    "city": "short and without figures",
    "country": "short and without figures",
    "event_code": "codes",
    "language": "languages",
    "open_comment": "texts",
}


def _fits(role: Role, text: str, book: Codebook, scales: Scales) -> bool:  # noqa: PLR0911 - one return a role
    match role:
        case "overall_satisfaction":
            return normalize_answer(text) in scales["satisfaction"] or text in {"1", "2", "3", "4", "5"}
        case "recommendation":
            return text.isdigit() and int(text) <= 10
        case "gender":
            return normalize_answer(text) in scales["gender"]
        case "city" | "country":
            return len(text) <= _LONG * 2 and not any(c.isdigit() for c in text)
        case "event_code":
            return re.fullmatch(r"[A-Z]{2,}[-_ ]?[\w-]*\d[\w-]*", text) is not None
        case "language":
            return book.language_of(text) in book.languages
        case _:
            return True


def _drop_repeated_guesses(columns: Sequence[Column], plan: Plan) -> list[Column]:
    """Guess each role once: not if it is already assigned, and only for the first column that may have it."""
    taken: set[str] = set(plan.roles)
    found = []
    for column in columns:
        again = column.guess is not None and column.guess in taken
        taken |= {column.guess} if column.guess else set()
        found.append(replace(column, guess=None, why="") if again else column)
    return found


def _texts(answers: Answers, number: int) -> list[str]:
    cells = answers.frame[number].dropna()
    return [text for cell in cells if (text := str(cell).strip()) and text not in answers.layout.missing]


def _answers(answers: Answers, number: int) -> Counter[str]:
    labels = dict(answers.layout.questions[number].labels)
    return Counter(without_personal(labels.get(text, text)) for text in _texts(answers, number))


def _closed(texts: Sequence[str]) -> list[str]:
    """The answers of a question with few, short ones; nothing that people wrote in their own words."""
    counted = Counter(texts)
    if len(texts) < 2 or len(counted) > _FEW or len(counted) == len(texts) or max(map(len, counted)) > _LONG:
        return []
    return [without_personal(text) for text, _ in counted.most_common(_SHOWN)]


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, allow_unicode=True, default_flow_style=False).strip()


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # valid in YAML, and emoji stay readable
