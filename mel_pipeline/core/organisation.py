"""The organisation's own folder, which ``MEL_ORGANISATION`` names: what is true of one network only. YAML alone.

Everything else of the project is the same for every network. Without the setting the shipped example is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from mel_pipeline.core import environment
from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.languages import Text
from mel_pipeline.core.yaml_io import yaml_file

Read = TypeVar("Read", bound=BaseModel)
SETTING = "MEL_ORGANISATION"
EXAMPLE = Path(__file__).parents[1] / "organisations" / "metropolis"
FILE = "organisation.yml"
PROGRAMMES = "programmes.yml"  # may be missing: not every organisation has programmes
OPTIONAL = {PROGRAMMES, "donors.yml", "release.yml"}
_TARGETS = re.compile(r"^targets:\n(?: .*\n)*", re.MULTILINE)  # the example's own, of workbook.yml

Licence = Literal["CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0"]


class Plan(BaseModel):
    """The strategic plan that lines of action and targets belong to. ``title``: by language, English always."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Text
    first_year: int = Field(ge=1950, le=2100)
    last_year: int = Field(ge=1950, le=2100)

    @model_validator(mode="after")
    def _years_in_order(self) -> Plan:
        if self.last_year < self.first_year:
            raise ValueError("last_year is before first_year")
        return self

    def by_language(self) -> dict[str, str]:
        """Title and years, by language."""
        years = f"{self.first_year}–{self.last_year}"
        return {language: f"{title}, {years}" for language, title in self.title.by_language.items()}


class Facts(BaseModel):
    """``organisation.yml``: defaults of the settings of the same names; the environment may override them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    plan: Plan | None = None
    licence: Licence | None = None
    languages: list[str] = []
    time_zone: str = "UTC"
    first_quarter: str = "2023-Q1"
    currency: str = Field(pattern="^[A-Z]{3}$")
    fund_pipeline: str = Field("Fund", max_length=120)
    other_pipelines: list[str] = ["Projects"]
    sign_off: bool = False
    fewest_rows: dict[str, Annotated[int, Field(ge=0)]] = {}
    minimum_attendance: str = Field("50 %", pattern=r"^(100|[1-9]?\d) ?%$|^\d{1,4} ?min$")

    def settings(self) -> dict[str, Any]:
        """As values of ``Settings``."""
        own = self.model_dump(include={"licence", "time_zone", "first_quarter"})
        return {**own, "organisation_name": self.name, "languages": ",".join(self.languages)}


def folder() -> Path:
    """Where the organisation's facts are.

    Raises:
        SettingsError: ``MEL_ORGANISATION`` names no such folder.
    """
    named = environment.value_of(SETTING).strip()
    if not named:
        return EXAMPLE
    path = Path(environment.absolute(named, SETTING))
    if not (path / FILE).is_file():
        raise SettingsError(
            f"Reading the settings: {SETTING} is {named}, and there is no {path / FILE}. It names the folder of your"
            f" organisation's facts: `mel init {path}` makes one from the example. The name printed on reports stands in"
            f" its {FILE}."
        )
    return path


@dataclass(frozen=True)
class Made:
    """A new folder. ``files``: name → what it holds, in a few words."""

    place: Path
    files: dict[str, str]
    env_file: Path


def start(place: Path) -> Made:
    """Copy the shipped example, without the sample's written parts, into a new or empty folder.

    Raises:
        SettingsError: there is something in it, or it cannot be written.
    """
    place = place.expanduser().absolute()
    try:
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise SettingsError(
                f"Making {place}: there is something already, and nothing was changed. Choose a new or an empty folder."
            )
        place.mkdir(parents=True, exist_ok=True)
        for path in sorted(EXAMPLE.glob("*.yml")):
            (place / path.name).write_text(_TARGETS.sub("", path.read_text("utf-8")), encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"Making {place}: {error.strerror}. Choose a folder that you may write."
        ) from None
    files = {path.name: _about(path) for path in sorted(place.glob("*.yml"))}
    return Made(place, files, environment.env_file())


def missing_files(place: Path) -> list[str]:
    """Files that this version reads and the folder does not have, in order."""
    names = {path.name for path in EXAMPLE.glob("*.yml")} - OPTIONAL
    return sorted(name for name in names if not (place / name).is_file())


def _about(path: Path) -> str:
    """The first sentence of the comment at the head of a file."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return " ".join(lines).split(". ")[0].rstrip(".") + "."


def facts(place: Path) -> Facts:
    """``organisation.yml`` of a folder.

    Raises:
        SettingsError: it cannot be read; the message names the file and the field.
    """
    path = place / FILE
    return checked(Facts, path)


def checked(model: type[Read], path: Path) -> Read:
    """A YAML file as the model says; an empty one has its defaults.

    Raises:
        SettingsError: it cannot be read; the message names the file and the field.
    """
    try:
        return model.model_validate(yaml_file(path) or {})
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}"
            for item in error.errors(include_input=False)
        )
        raise SettingsError(f"Reading {path}: {wrong}. Correct it, then try again.") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SettingsError(f"Reading {path}: {error}") from None


def missing_keys(place: Path) -> dict[str, Any]:
    """Keys of ``organisation.yml`` that this version reads and the file does not have, with what counts instead."""
    given = facts(place).model_fields_set
    return {
        name: field.get_default(call_default_factory=True)
        for name, field in Facts.model_fields.items()
        if name not in given
    }


def region_names(place: Path) -> list[str]:
    """Values of a region in the CRM, in the organisation's order.

    Raises:
        SettingsError: ``regions.yml`` cannot be read.
    """
    return _english_names(place / "regions.yml", "regions")


def programme_names(place: Path) -> list[str]:
    """Values of a programme in the CRM, in the organisation's order; none without ``programmes.yml``.

    Raises:
        SettingsError: ``programmes.yml`` cannot be read.
    """
    path = place / PROGRAMMES
    return _english_names(path, "programmes") if path.is_file() else []


def _english_names(path: Path, key: str) -> list[str]:
    try:
        return [item["name"]["en"] for item in yaml_file(path)[key]]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        raise SettingsError(f"Reading {path}: it needs a list of {key} with names ({error!r}).") from None
