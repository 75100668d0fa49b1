"""A profile: a few lines of YAML that describe the layout of a file from an unknown tool."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.core.yaml_io import from_yaml
from mel_pipeline.sources.shared.files import FileRefusedError
from mel_pipeline.sources.shared.survey.headers import in_words, unique_names
from mel_pipeline.sources.shared.survey.model import Builtin, Layout, Question, Sheet
from mel_pipeline.sources.shared.zones import zone_of

Header = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_ROLES: tuple[Builtin, ...] = (
    "response_id", "status", "started_at", "completed_at", "language", "recommendation",
)  # fmt: skip


class Profile(BaseModel):
    """A profile as written. Headers are compared without case, accents and punctuation.

    ``tool`` names it in the rows and must not be a known tool. The profile is used for files whose header has
    all ``headers`` and all named columns. Header rows below the first continue its texts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tool: str = Field(pattern=r"[a-z][a-z0-9_]*")
    header_rows: int = Field(default=1, ge=1, le=5)
    headers: list[Header] = []
    response_id: Header | None = None
    status: Header | None = None
    started_at: Header | None = None
    completed_at: Header | None = None
    language: Header | None = None
    recommendation: Header | None = None
    personal: list[Header] = []
    ignored: list[Header] = []
    completed: list[Header] = []
    partial: list[Header] = []
    date_order: Literal["day_first", "month_first"] | None = None
    zone: str | None = None
    decimal_comma: bool = False
    separators: dict[Header, str] = {}  # question -> what joins its choices in a cell
    missing: list[Header] = []
    ids_within_survey: bool = True

    @model_validator(mode="after")
    def _can_be_used(self) -> Profile:
        from mel_pipeline.sources.shared.survey.layouts import tools

        if self.tool in tools() or self.tool == "zoho_survey":
            raise ValueError(f"{self.tool} is a known tool; give the profile another name")
        if self.zone is not None:
            zone_of(self.zone)
        if not self.headers and len(self._named()) < 2:
            raise ValueError("name at least two columns, or files of other tools would match")
        if self.status and not self.completed:
            raise ValueError("completed is empty: say which values of the status mean a finished response")
        if empty := next((name for name, separator in self.separators.items() if not separator), None):
            raise ValueError(f"the separator of '{empty}' is empty")
        named = [normalize_text(name) for name in self._named()]
        if twice := next((name for name in named if named.count(name) > 1), None):
            raise ValueError(f"'{twice}' is named for two purposes")
        return self

    def layout(self, sheet: Sheet) -> Layout | None:
        """The layout of a file whose header has every column named here; else None.

        Raises:
            FileRefusedError: a column named here occurs twice.
        """
        header = [in_words(name) for name in sheet.first_rows[0]] if sheet.first_rows else []
        places: dict[str, list[int]] = {}
        for column, name in enumerate(header):
            places.setdefault(normalize_text(name), []).append(column)
        wanted = {normalize_text(name) for name in (*self.headers, *self._named(), *self.separators)}
        if not wanted <= places.keys() or len(sheet.first_rows) < self.header_rows:
            return None
        if twice := next((name for name in wanted if len(places[name]) > 1), None):
            raise FileRefusedError(
                f"Columns {' and '.join(str(column + 1) for column in places[twice])} have the same header,"
                f" and the profile {self.tool} names it. Give them different headers, or fix the profile."
            )
        return Layout(
            self.tool,
            self._questions(sheet),
            header_rows=self.header_rows,
            completed=frozenset(self.completed),
            partial=frozenset(self.partial),
            missing=frozenset(self.missing),
            zone=self.zone,
            date_order=self.date_order,
            decimal_comma=self.decimal_comma,
            ids_within_survey=self.ids_within_survey,
            notes=(f"By the profile {self.tool}.",),
        )

    def _questions(self, sheet: Sheet) -> list[Question]:
        rows = sheet.first_rows[: self.header_rows]
        texts = [
            in_words(" ".join(dict.fromkeys(cell.strip() for cell in cells)))
            for cells in zip(*rows, strict=True)
        ]
        roles = self._roles()
        separators = {normalize_text(name): separator for name, separator in self.separators.items()}
        return [
            Question(key, text or key, builtin=roles.get(name), separator=separators.get(name))
            for key, text, name in zip(
                unique_names(texts),
                texts,
                (normalize_text(in_words(first)) for first in rows[0]),
                strict=True,
            )
        ]

    def _named(self) -> list[str]:
        return [name for role in _ROLES if (name := getattr(self, role))] + self.personal + self.ignored

    def _roles(self) -> Mapping[str, Builtin]:
        roles: dict[str, Builtin] = {normalize_text(name): "personal" for name in self.personal}
        roles |= {normalize_text(name): "ignored" for name in self.ignored}
        return roles | {normalize_text(name): role for role in _ROLES if (name := getattr(self, role))}


def load_profile(path: Path) -> Profile:
    """Read one profile.

    Raises:
        ContractError: it cannot be read or is not valid; the message names the file and the field.
    """
    try:
        written = from_yaml(path.read_text(encoding="utf-8"))
        return Profile.model_validate(written)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ContractError(
            f"Reading the profile {path.name}: it is not readable YAML ({type(error).__name__})."
            " Fix it, or remove it from the folder."
        ) from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'profile'}: {fault['msg']}" for fault in error.errors()
        )
        raise ContractError(f"Reading the profile {path.name}: {faults}. Fix it.") from error


def profiles_in(folder: Path) -> tuple[list[Profile], list[str]]:
    """Every profile of a folder (``*.yml``), by name, and why others cannot be used; none if there is no folder."""
    profiles: list[Profile] = []
    faults: list[str] = []
    for path in sorted(folder.glob("*.yml")):
        try:
            profiles.append(load_profile(path))
        except ContractError as error:
            faults.append(str(error))
    names = [profile.tool for profile in profiles]
    faults += [
        f"Two profiles in {folder.name} are called {name}, and neither is used. Rename one."
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    return [profile for profile in profiles if names.count(profile.tool) == 1], faults
