"""The codebook: which header, status or language of an export means what. No files but codebook.yml."""

from __future__ import annotations

import hashlib
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from mel_pipeline.errors import ContractError

FILE = Path(__file__).parent / "codebook.yml"


def plain(text: str) -> str:
    """A text without case, accents, punctuation and doubled spaces, for exact comparison."""
    letters = "".join(
        c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c)
    )
    return " ".join("".join(c if c.isalnum() else " " for c in letters).split())


class Codebook(BaseModel):
    """codebook.yml as written there. Every text of a list belongs to one meaning."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[str, list[str]]
    questions: dict[str, list[str]]
    statuses: dict[str, list[str]]
    languages: dict[str, list[str]]
    personal: list[str]
    ignored: list[str]
    date_order: Literal["day_first", "month_first"] | None = None

    def role(self, header: str) -> str | None:
        """What a column means: a name of ``columns`` or ``questions``, "personal", "ignored", or None."""
        return _headers(self).get(plain(header))

    def status(self, text: str) -> str:
        """completed or partial; an unknown status as it is, for the contract to refuse."""
        return _meaning(self.statuses, text) or text

    def language(self, text: str) -> str:
        return _meaning(self.languages, text) or text

    @property
    def fingerprint(self) -> str:
        """Changes with the codebook: files that are still there are then read again."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    def __hash__(self) -> int:
        return hash(self.model_dump_json())


@lru_cache(maxsize=8)
def _headers(book: Codebook) -> dict[str, str]:
    groups = {**book.columns, **book.questions, "personal": book.personal, "ignored": book.ignored}
    found: dict[str, str] = {}
    for role, texts in groups.items():
        for text in texts:
            if found.setdefault(plain(text), role) != role:
                raise ContractError(f"Reading {FILE.name}: '{text}' stands under two meanings. Remove one.")
    return found


def _meaning(groups: dict[str, list[str]], text: str) -> str | None:
    return next((name for name, texts in groups.items() if plain(text) in map(plain, texts)), None)


@lru_cache
def load_codebook() -> Codebook:
    """Read codebook.yml.

    Raises:
        ContractError: it is not valid.
    """
    try:
        return Codebook.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise ContractError(f"Reading {FILE}: {error}") from error
