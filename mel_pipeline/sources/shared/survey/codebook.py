"""The codebook: which question means what. Shipped wordings, and codebooks of the organisation's own surveys.

Texts are compared without case, accents and punctuation; otherwise exactly, never by similarity.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.core.yaml_io import from_yaml
from mel_pipeline.sources.shared.survey.model import Question

FILE = Path(__file__).parent / "codebook.yml"

Role = Literal[
    "overall_satisfaction", "recommendation", "gender", "city", "country", "event_code", "language",
    "open_comment",
]  # fmt: skip
ROLES: tuple[Role, ...] = get_args(Role)
Score = float | Literal["non_answer"]


class Codebook(BaseModel):
    """A codebook as written in YAML.

    ``surveys`` names the surveys it applies to, with `*` as a wildcard; empty: all. ``questions`` names
    the question of a role by its text or by the tool's key. ``scale`` says what the labels of the overall
    question mean, from 1 to 5, where the organisation's scales.yml does not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    surveys: list[str] = []
    questions: dict[Role, list[str]] = {}
    scale: dict[str, Score] = {}
    languages: dict[str, list[str]] = {}
    personal: list[str] = []  # questions that are never read
    ignored: list[str] = []  # harmless and not needed
    missing: list[str] = []  # texts that mean: not answered
    event_code: str | None = None  # where the survey does not ask: the CRM's code of its event
    language: str | None = None
    date_order: Literal["day_first", "month_first"] | None = None
    zone: str | None = Field(None, description="IANA name, where times carry no UTC offset.")

    @field_validator("scale")
    @classmethod
    def _within_five(cls, scale: dict[str, Score]) -> dict[str, Score]:
        if wrong := [
            label for label, score in scale.items() if score != "non_answer" and not 1 <= score <= 5
        ]:
            raise ValueError(f"'{wrong[0]}' has a score outside 1 to 5")
        return scale

    def fits(self, survey: str) -> bool:
        """Whether it applies to this survey."""
        return not self.surveys or any(
            fnmatchcase(survey.casefold(), pattern.casefold()) for pattern in self.surveys
        )

    def role(self, question: Question) -> Role | Literal["personal", "ignored"] | None:
        """What a question means; None when the codebook does not know it."""
        return self._roles.get(normalize_text(question.text)) or self._roles.get(normalize_text(question.key))

    def language_of(self, text: str) -> str:
        """Its ISO code; an unlisted language stays as written."""
        return self._languages.get(normalize_text(text)) or text

    def score(self, answer: str) -> Score | None:
        """What a label of the overall question means; None: the common scale decides."""
        return self._scores.get(normalize_text(answer))

    @cached_property
    def _roles(self) -> dict[str, Role | Literal["personal", "ignored"]]:
        found: dict[str, Role | Literal["personal", "ignored"]] = {}
        for role, texts in [*self.questions.items(), ("personal", self.personal), ("ignored", self.ignored)]:
            for text in texts:
                if found.setdefault(normalize_text(text), role) != role:  # type: ignore[arg-type]
                    raise ContractError(
                        f"Reading the codebook: '{text}' is listed under {found[normalize_text(text)]} and under {role}."
                        " Remove one."
                    )
        return found

    @cached_property
    def _languages(self) -> dict[str, str]:
        return {normalize_text(text): code for code, texts in self.languages.items() for text in texts}

    @cached_property
    def _scores(self) -> dict[str, Score]:
        return {normalize_text(label): score for label, score in self.scale.items()}

    @cached_property
    def fingerprint(self) -> str:
        """Changes with the codebook, so that files still in the folder are read again."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


@lru_cache
def common_codebook() -> Codebook:
    """Wordings that are the same in every survey."""
    return load_codebook(FILE)


def load_codebook(path: Path) -> Codebook:
    """Read one codebook.

    Raises:
        ContractError: it is not valid; the message names the file and the field.
    """
    try:
        book = Codebook.model_validate(from_yaml(path.read_text(encoding="utf-8")))
        _ = book._roles  # fails now if a wording has two roles
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ContractError(f"Reading the codebook {path.name}: {faults}. Fix it.") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ContractError(
            f"Reading the codebook {path.name}: it is not readable YAML. Fix it, or remove it."
        ) from error
    return book


def codebooks_in(folder: Path) -> list[Codebook]:
    """Every codebook of a folder (``*.yml``), by name; none if there is no folder."""
    return [load_codebook(path) for path in sorted(folder.glob("*.yml"))]


def codebook_for(survey: str, own: Sequence[Codebook]) -> Codebook:
    """The shipped codebook, overridden by the organisation's own codebooks for this survey.

    Raises:
        ContractError: two of them contradict each other about one survey.
    """
    book = common_codebook()
    for more in own:
        if more.fits(survey):
            book = _merged(book, more)
    return book


def _merged(common: Codebook, more: Codebook) -> Codebook:
    """What ``more`` says about a question replaces what ``common`` says."""
    own = {
        normalize_text(text)
        for texts in [*more.questions.values(), more.personal, more.ignored]
        for text in texts
    }

    def remaining(texts: Sequence[str]) -> list[str]:
        return [text for text in texts if normalize_text(text) not in own]

    questions = {
        role: texts
        for role in ROLES
        if (texts := remaining(common.questions.get(role, [])) + more.questions.get(role, []))
    }
    codes = dict.fromkeys([*common.languages, *more.languages])
    return Codebook(
        questions=questions,
        scale={**common.scale, **more.scale},
        languages={code: [*common.languages.get(code, []), *more.languages.get(code, [])] for code in codes},
        personal=[*remaining(common.personal), *more.personal],
        ignored=[*remaining(common.ignored), *more.ignored],
        missing=[*common.missing, *more.missing],
        event_code=more.event_code or common.event_code,
        language=more.language or common.language,
        date_order=more.date_order or common.date_order,
        zone=more.zone or common.zone,
    )
