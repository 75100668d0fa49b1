"""What the MEL lead writes for an edition: main points, lessons, themes of comments, decisions. One YAML file each.

``MEL_HOME/narrative/2024-Q4.yml``. Numbers are written as ``{MEM-01}`` and filled in from the figures.
"""

from __future__ import annotations

import logging
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.languages import Text, Words, split_languages
from mel_pipeline.core.yaml_io import from_yaml
from mel_pipeline.reporting.edition import Decision, Narrative, Theme, Wording

if TYPE_CHECKING:
    from pathlib import Path

    from mel_pipeline.core.settings import Settings

FOLDER, OLD_FOLDER = "narrative", "learning"  # the old one is read for one more version
_log = logging.getLogger(__name__)

TEMPLATE = """\
# The text of edition {period} beside its figures. Every part may stay empty; the report is written anyway.
# Texts by language: en always, others beside it (English where one is missing). Never a person's name or address.

# At most six, each under 25 words, most important first. They replace the drafted ones.
# Write figures as {{MEM-01}} (this period), {{MEM-01 previous}}, {{MEM-01 year before}} or {{MEM-01 target}}: numbers
# typed by hand are rejected, so that a sentence cannot drift from its figure.
main_points: []
#  - en: "The network has {{MEM-01}} member cities."
#    fr: "Le réseau compte {{MEM-01}} villes membres."
#    es: "La red tiene {{MEM-01}} ciudades miembro."

lessons: []
#  - en: "Labs that began with a call before the session had fewer dropouts."

# Open comments by theme only, with how many people mentioned it; themes below the minimum group size are merged.
comments: []
#  - theme: {{en: "More time for exchange", fr: "Plus de temps d'échange", es: "Más tiempo de intercambio"}}
#    people: 12

decisions: []
#  - en: "Offer every lab in two languages."
#    owner_role: Programmes
#    due: 2025-03-31
#    open: true
"""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Theme(_Strict):
    theme: Text
    people: int = Field(ge=1)


class _Decision(_Strict):
    """Its text by language stands beside the other entries."""

    text: Text
    owner_role: Words
    due: date | None = None
    open: bool = True

    @model_validator(mode="before")
    @classmethod
    def _texts_apart(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        texts, others = split_languages(content)
        return {**others, "text": texts}


class _File(_Strict):
    main_points: list[Text] = Field([], max_length=6)
    lessons: list[Text] = []
    comments: list[_Theme] = []
    decisions: list[_Decision] = []


def narrative_path(settings: Settings, period: str) -> Path:
    """The file of an edition, whether or not it exists; one still in the old folder is used there."""
    path = settings.home / FOLDER / f"{period}.yml"
    old = settings.home / OLD_FOLDER / f"{period}.yml"
    if not path.exists() and old.exists():
        _warn_of_old_folder(old.parent, path.parent)
        return old
    return path


@cache
def _warn_of_old_folder(old: Path, new: Path) -> None:
    _log.warning(
        "The folder %s is now called %s. Rename it; the next version reads only the new one.", old, new
    )


def start_narrative(settings: Settings, period: str) -> Path:
    """Write an empty form unless the file exists; an existing file is never changed."""
    path = narrative_path(settings, period)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TEMPLATE.format(period=period), encoding="utf-8")
    return path


def read_narrative(settings: Settings, period: str) -> Narrative | None:
    """The narrative of an edition, or None; the sample organisation falls back to the one shipped with it.

    Raises:
        ReportError: the file is not valid YAML or does not fit the form. The message gives the place, never the text.
    """
    path = narrative_path(settings, period)
    if not path.exists() and settings.sample:
        path = settings.organisation / "narrative" / f"{period}.yml"
    if not path.exists():
        return None
    try:
        text = path.read_text(encoding="utf-8")
        content: Any = from_yaml(text)
        file = _File.model_validate(content or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        where = getattr(error, "problem_mark", None)
        # What is missing at the end is reported behind the last line.
        line = f", line {min(where.line + 1, len(text.splitlines()))}" if where else ""
        raise ReportError(
            f"Reading {path}{line}: not valid YAML. Correct the line, then write the report again."
        ) from None
    except ValidationError as error:
        problems = "; ".join(
            f"{' '.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_input=False)
        )
        raise ReportError(f"Reading {path}: {problems}. Correct it, then write the report again.") from None
    return Narrative(
        [Wording(item.by_language) for item in file.main_points],
        [Wording(item.by_language) for item in file.lessons],
        [Theme(Wording(item.theme.by_language), item.people) for item in file.comments],
        [
            Decision(Wording(item.text.by_language), item.owner_role, item.due, item.open)
            for item in file.decisions
        ],
    )
