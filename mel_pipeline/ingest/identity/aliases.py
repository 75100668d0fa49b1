"""city_aliases.yml: other names of member cities, names shared by several places, names of countries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mel_pipeline.core import organisation
from mel_pipeline.core.errors import CatalogueError
from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.core.yaml_io import from_yaml
from mel_pipeline.ingest.identity.keys import city_key, country_names

FILE = "city_aliases.yml"


class _Names(BaseModel):
    model_config = ConfigDict(extra="forbid")

    country: str = Field(pattern="^[A-Z]{2}$")
    also: list[str] = []


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    homonyms: list[str]
    members: dict[str, _Names]
    countries: dict[str, list[str]]
    languages: list[str]


@dataclass(frozen=True)
class Known:
    """A member in city_aliases.yml. ``keys`` are its name and its other names, normalised for comparison."""

    name: str
    country: str
    keys: frozenset[str]


@dataclass(frozen=True)
class Aliases:
    """Other names of cities.

    ``by_key`` maps a name to its members. ``homonyms`` are names that are ambiguous without a country.
    ``countries`` maps the normalised name of a country to its code.
    """

    by_key: Mapping[str, tuple[Known, ...]]
    homonyms: frozenset[str]
    countries: Mapping[str, str]

    def country_code(self, text: str) -> str | None:
        """ISO code of a country as answered: its name in one of the languages, or the code itself."""
        code = text.strip().upper()
        return code if code in self.countries.values() else self.countries.get(normalize_text(text))


def read_aliases(path: Path) -> Aliases:
    """Read a file laid out like city_aliases.yml.

    Raises:
        CatalogueError: it is not valid, or a name belongs to two members and is not a declared homonym.
    """
    try:
        written = _File.model_validate(from_yaml(path.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise CatalogueError(f"Reading {path}: {error}") from error
    homonyms = frozenset(map(city_key, written.homonyms))
    by_key: dict[str, tuple[Known, ...]] = {}
    for name, names in written.members.items():
        known = Known(name, names.country, frozenset(map(city_key, [name, *names.also])))
        for key in known.keys:
            others = by_key.get(key, ())
            if others and (key not in homonyms or names.country in {other.country for other in others}):
                raise CatalogueError(
                    f"Reading {path}: '{key}' means both {others[0].name} and {name}. Remove one, or list it"
                    " under homonyms if the country distinguishes them."
                )
            by_key[key] = (*others, known)
    return Aliases(by_key, homonyms, country_names(written.countries, written.languages))


def load_aliases() -> Aliases:
    """``city_aliases.yml`` of the organisation. Errors as ``read_aliases``."""
    return _aliases(organisation.folder() / FILE)


@lru_cache(maxsize=4)
def _aliases(path: Path) -> Aliases:
    return read_aliases(path)
