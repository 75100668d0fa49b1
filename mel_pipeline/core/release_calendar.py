"""When editions are due and how published figures may change: ``release.yml`` of the organisation's folder. YAML alone."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, field_validator

from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.languages import Text
from mel_pipeline.core.yaml_io import yaml_file

if TYPE_CHECKING:
    from pathlib import Path

FILE = "release.yml"
PERIOD = re.compile(r"^\d{4}(-Q[1-4])?$")


class Release(BaseModel):
    """``days``: period (``2024-Q4``, ``2024``) → the day its edition is due. ``policy``: on revisions, by language."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: dict[Annotated[str, StringConstraints(pattern=PERIOD.pattern)], date] = {}
    policy: Text | None = None

    @field_validator("days", mode="before")
    @classmethod
    def _years_are_texts(cls, days: Any) -> Any:
        """YAML reads 2024 as a number."""
        return {str(period): day for period, day in days.items()} if isinstance(days, dict) else days

    def policy_in(self, language: str) -> str:
        """In this language, else in English; empty without a policy."""
        if self.policy is None:
            return ""
        return self.policy.by_language.get(language, self.policy.en)


def release_of(folder: Path) -> Release:
    """The calendar and policy of an organisation's folder; empty where it has no ``release.yml``.

    Raises:
        SettingsError: the file cannot be read; the message names the entry.
    """
    path = folder / FILE
    if not path.is_file():
        return Release()
    try:
        return Release.model_validate(yaml_file(path) or {})
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}"
            for item in error.errors(include_input=False)
        )
        raise SettingsError(
            f"Reading {path}: {wrong}. A day is written 2025-02-14, a period 2024-Q4 or 2024."
        ) from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SettingsError(f"Reading {path}: {error}") from None
