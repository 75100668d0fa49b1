"""The languages of drafts: a file of words each, in ``words/``. A draft in one also uses words of English.

A further language is a file beside ``en.yml``, which explains the entries; it changes no verdict on drafts in others.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.languages import BASE, CODE
from mel_pipeline.core.yaml_io import from_yaml, yaml_file

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).with_name("words")
OWN = "factcheck.yml"


class OwnWords(BaseModel):
    """Words of an organisation in one language: for concepts and categories of figures, and without meaning."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    concepts: dict[str, list[str]] = {}
    neutral: list[str] = []
    categories: dict[str, dict[str, list[str]]] = {}


@dataclass(frozen=True)
class Language:
    """The words of a language, and those of English beside them."""

    code: str
    entries: Mapping[str, Any]
    english: Mapping[str, Any]

    def with_own(self, words: Mapping[str, OwnWords]) -> Language:
        """The same language and the organisation's own words beside it."""
        return replace(
            self,
            entries=_joined(self.entries, words.get(self.code)),
            english=_joined(self.english, words.get(BASE)),
        )

    def of(self, key: str, default: Any = None) -> Any:
        """An entry of this language alone."""
        return self.entries.get(key, default)

    def both(self, *path: str) -> list[str]:
        """A list of words: its own, then those of English."""
        return list(dict.fromkeys([*_at(self.entries, path), *_at(self.english, path)]))

    def merged(self, *path: str) -> dict[str, Any]:
        """A mapping: that of English, changed by its own."""
        return {**dict(_at(self.english, path)), **dict(_at(self.entries, path))}

    def either(self, *path: str, space: str = r"\s") -> str:
        """A regular expression for any of a list; one that matches nothing for an empty list."""
        listed = sorted(self.both(*path), key=len, reverse=True)
        return "|".join(word.replace("{s}", space) for word in listed) or r"(?!)"


def own_words(place: Path) -> dict[str, OwnWords]:
    """``factcheck.yml`` of an organisation's folder, by language; nothing without the file.

    Raises:
        SettingsError: it cannot be read; the message names the file and the entry.
    """
    path = place / OWN
    try:
        written = (yaml_file(path) if path.is_file() else {}) or {}
        return {str(code): OwnWords.model_validate(words or {}) for code, words in written.items()}
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise SettingsError(f"Reading {path}: {wrong}. Correct it, then try again.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError) as error:
        raise SettingsError(f"Reading {path}: {error}") from None


def _joined(entries: Mapping[str, Any], own: OwnWords | None) -> Mapping[str, Any]:
    if own is None:
        return entries
    categories = dict(entries.get("categories") or {})
    for dimension, named in own.categories.items():
        categories[dimension] = _longer(categories.get(dimension) or {}, named)
    return {
        **entries,
        "concepts": _longer(entries.get("concepts") or {}, own.concepts),
        "neutral": [*entries.get("neutral", ()), *own.neutral],
        "categories": categories,
    }


def _longer(words: Mapping[str, list[str]], more: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {**words, **{name: [*words.get(name, ()), *added] for name, added in more.items()}}


def _at(entries: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = entries
    for key in path:
        found = found.get(key) or ()
        if not found:
            return ()
    return found


@cache
def known_languages() -> tuple[str, ...]:
    """The languages drafts can be in, English first."""
    codes = {path.stem for path in FOLDER.glob("*.yml") if CODE.fullmatch(path.stem)}
    return tuple(sorted(codes, key=lambda code: (code != BASE, code)))


@cache
def language(code: str) -> Language:
    """The words of a language.

    Raises:
        SettingsError: there is no such file, or YAML reads one of its words as something else.
    """
    if code not in known_languages():
        raise SettingsError(
            f"Checking a draft in '{code}': its words are not known. There are: {', '.join(known_languages())}."
            f" Add factcheck/words/{code}.yml to check drafts in it."
        )
    return Language(code, _entries(code), _entries(BASE))


@cache
def _entries(code: str) -> Mapping[str, Any]:
    entries: Mapping[str, Any] = from_yaml((FOLDER / f"{code}.yml").read_text("utf-8"))
    for key, value in entries.items():
        if isinstance(value, list) and (wrong := [word for word in value if not isinstance(word, str)]):
            raise SettingsError(
                f"Reading factcheck/words/{code}.yml: put {key}: {wrong[0]} in quotes, as a word."
            )
    return entries


def language_of(text: str) -> str:
    """The language whose most common words occur most often; English by default."""
    words = Counter(re.findall(r"[^\W\d_]+", text.lower()))
    return max(known_languages(), key=lambda code: sum(words[word] for word in _entries(code)["common"]))
