"""The languages of drafts: a file of words each, in ``words/``. A draft in one also uses words of English.

A further language is a file beside ``en.yml``, which explains the entries; it changes no verdict on drafts in others.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.languages import BASE, CODE
from mel_pipeline.core.yaml_io import from_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).with_name("words")


@dataclass(frozen=True)
class Language:
    """The words of a language, and those of English beside them."""

    code: str
    entries: Mapping[str, Any]
    english: Mapping[str, Any]

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
