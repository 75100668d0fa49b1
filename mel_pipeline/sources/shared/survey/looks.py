"""What a question looks like, by its words and its answers. Shown and warned about; never used to read it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mel_pipeline.core.normalize_text import normalize_answer, normalize_text
from mel_pipeline.sources.shared.survey.codebook import Codebook, Role
from mel_pipeline.sources.shared.survey.consent import says_no
from mel_pipeline.sources.shared.survey.model import Answers, Question
from mel_pipeline.sources.shared.survey.plan import Plan

Looks = Role
Asked = Mapping[int, Counter[str]]  # answers by column
Scales = Mapping[
    str, frozenset[str]
]  # "satisfaction", "gender" -> labels without case, accents and punctuation

WORDS: dict[Looks, str] = {  # on normalised text, in English, French, Spanish and Catalan
    "recommendation": r"recom|\bnps\b|net promoter"
    r"|\b(friends?|colleagues?|amigos?|amigas?|colegas?|collegues?|companys?)\b",
    "overall_satisfaction": r"satisf|content\b|contento"
    r"|how (would you )?rate (the|this) (event|session|training|workshop|course)"
    r"|(note|nota|valoracio\w*|evaluation|avaluacio|rating) (global|general\w*|overall)"
    r"|overall (rating|experience|impression|evaluation)",
    "gender": r"\b(gender|genero|genre|genere|sexo?|sexe|pronouns)\b"
    r"|identify as|vous identifiez|se identifica|t identifiques",
    "city": r"\b(city|ciudad|ville|ciutat|town|commune|localidad|localite|localitat)\b|\bmunicip(ality|io|i|alite)\b",
    "country": r"\b(country|pais|pays)\b",
    "event_code": r"\b(event|evento|evenement|esdeveniment|activity|actividad|activite|session|sesion)\b"
    r".*\b(code|codigo|codi)\b"
    r"|\bcode\b",
    "language": r"\b(language|idioma|langue|llengua)\b",
    "consent": r"\bconsent\w*|\b(agree|accept) (to|that|the)\b|\b(acepto|accepto|autorizo|autoritzo|autorise|rgpd|gdpr)\b"
    r"|privacy|proteccion de datos|protection des donnees|proteccio de dades",
    "open_comment": r"\b(comments?|comentarios?|commentaires?|comentaris?|suggestions?|sugerencias?|suggeriments?)\b"
    r"|\b(improve|mejorar|ameliorer|millorar)\b",
}
_GENDERS = {
    "woman", "women", "female", "f", "man", "men", "male", "m", "femme", "homme", "mujer", "hombre", "femenino",
    "masculino", "feminin", "masculin", "dona", "home", "non", "binary", "nonbinary", "no", "binario", "binaria",
    "binaire", "binari", "other", "otro", "otra", "autre", "altre", "prefer", "not", "to", "say", "x",
}  # fmt: skip
_FEW = 12  # most distinct answers of a question with a scale
_ENOUGH, _NEARLY_ALL = (
    0.6,
    0.9,
)  # share of the answers that must fit, where the words agree and where they do not
_LONG, _LONGEST = (
    30,
    60,
)  # characters; a longer text is free text, and a label of a scale is no longer than the second
_STRONG = {
    "woman", "women", "female", "man", "men", "male", "femme", "homme", "mujer", "hombre", "femenino", "masculino",
    "feminin", "masculin", "dona", "home",
}  # fmt: skip
_CLOSED = {"overall_satisfaction", "recommendation", "gender", "language", "consent"}
_KINDS: dict[Looks, str] = {
    "overall_satisfaction": "labels of the scale, or 1 to 5",
    "recommendation": "whole numbers from 0 to 10",
    "gender": "labels of the scale",
    "city": "short and without figures",
    "country": "short and without figures",
    "event_code": "codes",
    "language": "languages",
    "consent": "one of few",
    "open_comment": "texts",
}


@dataclass(frozen=True)
class Guess:
    """A role that a question may have, and why. ``fitting`` of its ``answers`` are as the role's are."""

    role: Looks
    why: str
    fitting: int
    answers: int


def looks_like(question: Question, counted: Counter[str], book: Codebook, scales: Scales) -> Guess | None:
    """What a question looks like: its words and its answers must agree; None if nothing does.

    Args:
        counted: its answers, and how often each was given.
        scales: labels that are known; gender has some of its own.
    """
    words = f"{normalize_text(question.text)} {normalize_text(question.key)}"
    answers = counted.total()
    if not any(re.search(pattern, words) for pattern in WORDS.values()):
        return _by_answers(counted, book, scales)
    different = len({normalize_text(text) for text in counted})
    for role, pattern in WORDS.items():
        match = re.search(pattern, words)
        if match is None or not answers or (role in _CLOSED and different > _FEW):
            continue
        fitting = _fitting(role, counted, book, scales)
        if fitting / answers >= _ENOUGH:
            why = f"'{match[0]}' in the question, and {fitting} of {answers} answers are {_KINDS[role]}"
            return Guess(role, why, fitting, answers)
        if role == "overall_satisfaction" and is_closed(counted):
            why = f"'{match[0]}' in the question, and {different} different answers that no scale knows"
            return Guess(role, why, fitting, answers)
    return _by_answers(counted, book, scales)


def _by_answers(counted: Counter[str], book: Codebook, scales: Scales) -> Guess | None:
    """A question whose answers alone say what it is: genders are, whatever the question is called."""
    if len({normalize_text(text) for text in counted} & _STRONG) < 2:
        return None
    count, fitting = counted.total(), _fitting("gender", counted, book, scales)
    if fitting / count < _NEARLY_ALL:
        return None
    return Guess("gender", f"{fitting} of {count} answers are genders", fitting, count)


def _fitting(role: Looks, counted: Counter[str], book: Codebook, scales: Scales) -> int:
    """How many answers are as the role's are; each different one is looked at once."""
    return sum(times for text, times in counted.items() if _fits(role, text, book, scales))


def is_closed(counted: Counter[str]) -> bool:
    """Whether a question has few, short answers that recur: nothing that people wrote in their own words."""
    longest = max(map(len, counted), default=0)
    times = 2 if longest > _LONG else 1  # long labels of a scale, each given twice on average
    return (
        len(counted) <= _FEW
        and times * len(counted) <= counted.total() - (times == 1)
        and longest <= _LONGEST
    )


def _fits(role: Looks, text: str, book: Codebook, scales: Scales) -> bool:  # noqa: PLR0911 - one return a role
    plain = normalize_text(text)
    match role:
        case "overall_satisfaction":
            return normalize_answer(text) in scales.get("satisfaction", ()) or (
                len(text) == 1 and text in "12345"
            )
        case "recommendation":
            number = re.search(r"\d+", text)
            return number is not None and int(number[0][:3]) <= 10 and len(re.findall(r"\d+", text)) == 1
        case "gender":
            return normalize_answer(text) in scales.get("gender", ()) or (
                bool(plain) and set(plain.split()) <= _GENDERS
            )
        case "city" | "country":
            return len(text) <= _LONG * 2 and not any(c.isdigit() for c in text)
        case "event_code":
            return re.fullmatch(r"[A-Z]{2,}[-_ ]?[\w-]*\d[\w-]*", text) is not None
        case "language":
            return book.language_of(text) in book.languages
        case _:
            return True


_WARNED: dict[Looks, str] = {
    "recommendation": "the likelihood to recommend",
    "gender": "gender",
    "city": "the city",
    "consent": "consent",
}


def unread_looks(
    first: Answers, unread: Asked, plan: Plan, book: Codebook, first_step: str = ""
) -> list[str]:
    """Warnings about questions that look like a figure's and are not read, by the first answers.

    Args:
        unread: what was ``asked`` in the first answers.
        first_step: what shows the questions, where a command does.
    """
    found: dict[Looks, list[str]] = {}
    said_no = 0
    for column, counted in unread.items():
        question = first.layout.questions[column]
        guess = looks_like(question, counted, book, {})
        if guess and guess.role in _WARNED and (guess.role == "consent" or guess.role not in plan.roles):
            found.setdefault(guess.role, []).append(question.text)
            if guess.role == "consent":
                said_no += sum(times for text, times in counted.items() if says_no(text))
    consents = found.pop("consent", [])
    warnings = []
    if found:
        listed = "; ".join(f"{_WARNED[role]} ({_quoted(texts)})" for role, texts in found.items())
        warnings.append(
            f"these look asked and are not read: {listed}. {f'{first_step}. Or write' if first_step else 'Write'} the"
            " questions into a codebook: under `questions:`, or under `ignored:` where they mean something else."
        )
    if consents:
        answers = f"{said_no} of the first answers are no. " if said_no else ""
        warnings.append(
            f"{_quoted(consents)} looks like consent. {answers}Every response is loaded, whatever it says. Write the question"
            " under `consent:` among the `questions:` of a codebook, to leave out who did not agree, or under `ignored:`"
            " if it is about something else."
        )
    return warnings


def asked(first: Answers, plan: Plan) -> Asked:
    """The answers to each question that has no role, by its column, or the first one of its choices."""
    found = {column: answers_in(first, column) for column in plan.others}
    for group in plan.choices.values():
        chosen: Counter[str] = Counter()
        for column, label in group:
            for text, times in answers_in(first, column).items():
                if text.casefold() not in first.layout.not_chosen:
                    chosen[label] += times
        found[group[0][0]] = chosen
    return found


def answers_in(answers: Answers, column: int) -> Counter[str]:
    """The different answers of a column and how often each was given, without what means that nothing was."""
    found: Counter[str] = Counter()
    for cell, times in Counter(answers.frame[column].dropna().tolist()).items():
        if (text := str(cell).strip()) and text not in answers.layout.missing:
            found[text] += times
    return found


def _quoted(texts: Sequence[str]) -> str:
    return ", ".join(f"'{text[:80]}'" for text in texts)
