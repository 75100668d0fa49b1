"""The codebook: which question means what. Shipped wordings, and codebooks of the organisation's own surveys.

Texts are compared without case, accents and punctuation; otherwise exactly, never by similarity.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.normalize_text import normalize_answer, normalize_text
from mel_pipeline.core.yaml_io import from_yaml
from mel_pipeline.sources.shared.files import FileRefusedError
from mel_pipeline.sources.shared.survey.binding import is_named, likeness
from mel_pipeline.sources.shared.survey.model import Question
from mel_pipeline.sources.shared.zones import zone_of

FILE = Path(__file__).parent / "codebook.yml"

Role = Literal[
    "overall_satisfaction", "recommendation", "gender", "city", "country", "event_code", "language",
    "open_comment", "consent",
]  # fmt: skip
ROLES: tuple[Role, ...] = get_args(Role)
_IN_GRIDS = ("overall_satisfaction", "recommendation", "personal", "ignored")
Meaning = Role | Literal["personal", "ignored"]
Score = float | Literal["non_answer"]
_TO_WRITE = "?"  # in proposed lines
UNANSWERED = "unanswered"  # key of ``consent``: responses that leave the question empty
T = TypeVar("T")


class Codebook(BaseModel):
    """A codebook as written in YAML.

    ``surveys`` names the surveys it applies to, with `*` as a wildcard; ``form`` lists the questions of the form it
    was written for, so that it follows the form under any name. With neither it applies to all. ``questions`` names
    the question of a role by its text or by the tool's key. ``scale`` says what the labels of the overall
    question mean, from 1 to 5, where the organisation's common scale does not. ``consent`` says which answers to the
    question of consent are a yes, where that is not plain.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    surveys: list[str] = []
    form: list[str] = []
    questions: dict[Role, list[str]] = {}
    scale: dict[str, Score] = {}
    consent: dict[str, bool] = {}
    languages: dict[str, list[str]] = {}
    personal: list[str] = []  # questions that are never read
    ignored: list[str] = []  # harmless and not needed
    missing: list[str] = []  # texts that mean: not answered
    event_code: str | None = None  # where the survey does not ask: the CRM's code of its event
    language: str | None = None
    date_order: Literal["day_first", "month_first"] | None = None
    zone: str | None = Field(None, description="IANA name, where times carry no UTC offset.")
    name: str = Field(
        default="", exclude=True, description="In the workbook; empty for those that are not in it."
    )
    common: dict[str, Score] | None = Field(
        default=None, exclude=True, description="Normalised labels that mean the same in every survey."
    )

    @field_validator("scale", "consent", mode="before")
    @classmethod
    def _as_written(cls, scale: object) -> object:
        """YAML reads `1: 5` as a number and `yes: 5` as true: the first is what people mean, the second is a guess."""
        if not isinstance(scale, dict):
            return scale
        if any(isinstance(label, bool) for label in scale):
            raise ValueError("YAML reads yes, no, on and off as true and false; write the label in quotes")
        labels = [str(label) for label in scale]
        if twice := next((label for label in labels if labels.count(label) > 1), None):
            raise ValueError(f"'{twice}' has two scores; remove one")
        if open_ := next(
            (label for label, value in zip(labels, scale.values(), strict=True) if value == _TO_WRITE), None
        ):
            raise ValueError(
                f"'{open_}' still has a {_TO_WRITE}; write what it means, or put the # back before the line"
            )
        return dict(zip(labels, scale.values(), strict=True))

    @field_validator("event_code")
    @classmethod
    def _is_written(cls, code: str | None) -> str | None:
        if code is not None and code.strip() in ("", _TO_WRITE):
            raise ValueError("write the CRM's code of the event, or put the # back before the line")
        return code

    @field_validator("missing", mode="before")
    @classmethod
    def _codes_as_text(cls, missing: object) -> object:
        return (
            [str(one) if isinstance(one, int) else one for one in missing]
            if isinstance(missing, list)
            else missing
        )

    @field_validator("scale", "consent", "questions", "languages", "personal", "ignored")
    @classmethod
    def _says_something(cls, value: T) -> T:
        texts = [str(one) for one in value] if isinstance(value, dict | list) else []
        for inside in value.values() if isinstance(value, dict) else ():
            texts += inside if isinstance(inside, list) else []
        if not all(map(normalize_answer, texts)):
            raise ValueError(
                "a text is empty, and would match whatever is left empty; write what the export shows"
            )
        return value

    @field_validator("scale")
    @classmethod
    def _within_five(cls, scale: dict[str, Score]) -> dict[str, Score]:
        if wrong := [
            label for label, score in scale.items() if score != "non_answer" and not 1 <= score <= 5
        ]:
            raise ValueError(f"'{wrong[0]}' has a score outside 1 to 5")
        return scale

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, zone: str | None) -> str | None:
        if zone is not None:
            zone_of(zone)
        return zone

    def is_named(self, survey: str) -> bool:
        """Whether it names this survey, or what it was downloaded as before."""
        return is_named(survey, self.surveys)

    def fits(self, survey: str) -> bool:
        """Whether it applies to this survey, by its name alone."""
        return self.fit(survey) > 0

    def fit(self, survey: str, questions: Sequence[str] | None = None) -> float:
        """How far it belongs to a survey, from 0 (not at all) to 1.

        Args:
            questions: of the export; None where they are not known, and its name alone decides.
        """
        named = self.is_named(survey)
        if not self.form or questions is None:
            return float(named or not (self.surveys or self.form))
        return likeness(self.form, questions, named=named, usual=usual_questions())

    def role(self, question: Question) -> Meaning | None:
        """What a question means, by its text, its key, or either without its number; None when it is not known.

        A row of a grid has a role by what the row says, where it has the same answers in any grid.
        """
        roles = self._roles
        by_key = roles.get(_key(question.key))
        if by_key in ("ignored", "personal"):
            return by_key  # one of two questions with the same text
        found = roles.get(_key(question.text)) or by_key
        if found is None:
            found = self._unnumbered.get(_key(question.unnumbered))
        if found is None and question.choice is None and question.row_of_grid:
            row = roles.get(_key(question.row_of_grid))
            found = row if row in _IN_GRIDS else None
        return found

    def language_of(self, text: str) -> str:
        """Its ISO code; an unlisted language stays as written."""
        return self._languages.get(normalize_text(text)) or text

    def score(self, answer: str) -> Score | None:
        """What a label of the overall question means; None: the common scale decides."""
        return self._scores.get(normalize_answer(answer))

    def agreement(self, answer: str) -> bool | None:
        """Whether an answer to the question of consent agrees; None where the codebook does not say."""
        return self._agreements.get(normalize_answer(answer))

    @cached_property
    def _agreements(self) -> dict[str, bool]:
        return {
            normalize_answer(label): agrees for label, agrees in self.consent.items() if label != UNANSWERED
        }

    @property
    def _wordings(self) -> list[tuple[Meaning, list[str]]]:
        """What questions mean, with the texts of each."""
        return [*self.questions.items(), ("personal", self.personal), ("ignored", self.ignored)]

    @cached_property
    def _roles(self) -> dict[str, Meaning]:
        found: dict[str, Meaning] = {}
        for role, texts in self._wordings:
            for text in texts:
                if found.setdefault(_key(text), role) != role:
                    raise ContractError(
                        f"Reading the codebook: '{text}' is listed under {found[_key(text)]} and under {role}."
                        " Remove one."
                    )
        return found

    @cached_property
    def _unnumbered(self) -> dict[str, Meaning]:
        """As ``_roles``, without the numbers of questions; what would then mean two things is left out."""
        found: dict[str, set[Meaning]] = {}
        for role, texts in self._wordings:
            for text in texts:
                found.setdefault(_key(Question(text, text).unnumbered), set()).add(role)
        return {text: roles.pop() for text, roles in found.items() if len(roles) == 1}

    @cached_property
    def _languages(self) -> dict[str, str]:
        return {normalize_text(text): code for code, texts in self.languages.items() for text in texts}

    @cached_property
    def _scores(self) -> dict[str, Score]:
        found: dict[str, Score] = {}
        for label, score in self.scale.items():
            if found.setdefault(normalize_answer(label), score) != score:
                raise ContractError(f"Reading the codebook: '{label}' has two scores. Remove one.")
        return found

    @cached_property
    def fingerprint(self) -> str:
        """Changes with the codebook, so that files still in the folder are read again."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


def _key(text: str) -> str:
    """A question for comparison; one of symbols alone is compared as it is."""
    return normalize_text(text) or normalize_answer(text)


class BrokenCodebook(Codebook):
    """A codebook that cannot be used. Read without it, its surveys would lose answers: their files wait for it."""

    fault: str


def checked(book: Codebook) -> Codebook:
    """The same codebook.

    Raises:
        ContractError: a wording has two roles, or a label two scores.
    """
    _ = book._roles, book._scores
    return book


@lru_cache
def common_codebook() -> Codebook:
    """Wordings that are the same in every survey."""
    return load_codebook(FILE)


@lru_cache
def usual_questions() -> frozenset[str]:
    """Wordings of what many forms ask beside their own questions: who answers, where, and comments."""
    own = ("overall_satisfaction", "recommendation")
    return frozenset(
        text for role, texts in common_codebook().questions.items() if role not in own for text in texts
    )


def load_codebook(path: Path) -> Codebook:
    """Read one codebook.

    Raises:
        ContractError: it is not valid; the message names the file and the field.
    """
    try:
        book = checked(Codebook.model_validate(from_yaml(path.read_text(encoding="utf-8"))))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors()
        )
        raise ContractError(f"Reading the codebook {path.name}: {faults}. Fix it.") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" Line {mark.line + 1} is at fault, or the one before." if mark else ""
        raise ContractError(
            f"Reading the codebook {path.name}: it is not readable YAML.{where} Fix it, or remove it."
        ) from error
    return book


def codebooks_in(folder: Path) -> list[Codebook]:
    """Every codebook of a folder (``*.yml``), by name; none if there is no folder.

    One that is not valid is a ``BrokenCodebook`` of the surveys it names, or else of the one it is called after.
    """
    found: list[Codebook] = []
    for path in sorted(folder.glob("*.yml")):
        try:
            found.append(load_codebook(path))
        except ContractError as error:
            found.append(
                BrokenCodebook(
                    surveys=_surveys_named(path) or [path.stem], zone=None, fault=_naming(path, error)
                )
            )
    return found


def _naming(path: Path, error: ContractError) -> str:
    return str(error).replace("Reading the codebook:", f"Reading the codebook {path.name}:")


def _surveys_named(path: Path) -> list[str]:
    """What a codebook that is not valid names under ``surveys``, if that part can be read."""
    with suppress(OSError, yaml.YAMLError):
        text = path.read_text(encoding="utf-8", errors="replace")
        if match := re.search(r"^surveys:.*\n?(?:[ \t-].*\n?)*", text, re.MULTILINE):
            named = yaml.safe_load(match[0])["surveys"]
            return [str(name) for name in (named if isinstance(named, list) else [named]) if name]
    return []


def codebook_for(survey: str, own: Sequence[Codebook], questions: Sequence[str] | None = None) -> Codebook:
    """The shipped codebook, overridden by the organisation's own codebooks for this survey.

    A codebook that knows the form, but not the file's name, does not say which event it was.

    Args:
        questions: of the export, for codebooks that are bound to a form.

    Raises:
        ContractError: two of them contradict each other about one survey.
        FileRefusedError: one of them cannot be used, or two for this survey disagree.
    """
    book = common_codebook()
    listed = applying(survey, own, questions)
    _require_agreement(survey, [one for one in listed if one.surveys or one.form])
    for more in listed:
        if isinstance(more, BrokenCodebook):
            raise FileRefusedError(f"{more.fault} Until then the file waits, and what was read of it stays.")
        nameless = more.form and not more.is_named(survey)
        book = _merged(book, more.model_copy(update={"event_code": None}) if nameless else more)
    return book


def _require_agreement(survey: str, books: Sequence[Codebook]) -> None:
    """Refuse a survey about which two of its codebooks disagree: which one counts would be a matter of their names.

    Raises:
        FileRefusedError: they do.
    """
    said: dict[tuple[str, str], object] = {}
    for book in books:
        event = book.event_code if not book.form or book.is_named(survey) else None
        single = {
            "language": book.language,
            "date_order": book.date_order,
            "zone": book.zone,
            "event_code": event,
        }
        told: dict[tuple[str, str], object] = {
            (name, ""): value for name, value in single.items() if value is not None
        }
        told |= {("scale", label): score for label, score in book._scores.items()}
        told |= {("consent", label): agrees for label, agrees in book._agreements.items()}
        for (name, label), value in told.items():
            before = said.setdefault((name, label), value)
            if before != value:
                of = f" of '{label}'" if label else ""
                raise FileRefusedError(
                    f"Two codebooks apply to this survey and disagree: {name}{of} is {before} in one and {value} in"
                    " the other. Correct one, or remove it. Until then the file waits, and what was read of it stays."
                )


def applying(survey: str, own: Sequence[Codebook], questions: Sequence[str] | None) -> list[Codebook]:
    """The organisation's codebooks that apply: of those bound to a form, the one of this name, or the most alike."""
    fits = {place: fit for place, book in enumerate(own) if (fit := book.fit(survey, questions))}
    bound = {place: fit for place, fit in fits.items() if own[place].form}
    named = {place for place in bound if own[place].is_named(survey)}
    best = named or {place for place, fit in bound.items() if fit == max(bound.values())}
    return [own[place] for place in fits if place in best or place not in bound]


def unused_event_codes(survey: str, own: Sequence[Codebook], questions: Sequence[str]) -> list[str]:
    """Event codes of codebooks that apply by their form alone: which event a file of another name is about is unknown."""
    return [
        f"its questions are those of the codebook for {', '.join(book.surveys)}, which is used. Its event {book.event_code}"
        f" is not, as the file has another name. If it is the same event, add `{survey}` to `surveys:` of that codebook;"
        " if not, copy the codebook for this file."
        for book in applying(survey, own, questions)
        if book.form and book.event_code and not book.is_named(survey)
    ]


def _merged(common: Codebook, more: Codebook) -> Codebook:
    """What ``more`` says about a question replaces what ``common`` says."""
    own = {_key(text) for texts in [*more.questions.values(), more.personal, more.ignored] for text in texts}

    def remaining(texts: Sequence[str]) -> list[str]:
        return [text for text in texts if _key(text) not in own]

    questions = {
        role: texts
        for role in ROLES
        if (texts := remaining(common.questions.get(role, [])) + more.questions.get(role, []))
    }
    codes = dict.fromkeys([*common.languages, *more.languages])
    return Codebook(
        questions=questions,
        scale={**common.scale, **more.scale},
        consent={**common.consent, **more.consent},
        languages={code: [*common.languages.get(code, []), *more.languages.get(code, [])] for code in codes},
        personal=[*remaining(common.personal), *more.personal],
        ignored=[*remaining(common.ignored), *more.ignored],
        missing=[*common.missing, *more.missing],
        event_code=more.event_code or common.event_code,
        language=more.language or common.language,
        date_order=more.date_order or common.date_order,
        zone=more.zone or common.zone,
        name=more.name or common.name,
        common=common.common if more.common is None else more.common,
    )
