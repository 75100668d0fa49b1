"""Facts about donors and projects that no figure holds: references of agreements, identifiers of IATI. YAML alone.

``donors.yml`` of the organisation's folder; the sample has its own, so that a new organisation inherits nothing made up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.organisation import checked

if TYPE_CHECKING:
    from pathlib import Path

FILE = "donors.yml"
SAMPLE = "sample"

Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}$")]
Code = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]
Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]


class Donor(BaseModel):
    """A funder. ``name``: as the workbook writes it; ``projects``: codes beside those whose donor has this name.

    ``references``: project → number of the agreement. ``iati`` and ``type``: identifier and kind of organisation in IATI.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Key
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    short: Code = ""
    iati: Code = ""
    type: Code = ""
    languages: list[Annotated[str, StringConstraints(pattern="^[a-z]{2}$")]] = Field(["en"], min_length=1)
    projects: list[str] = []
    references: dict[str, Code] = {}


class ProjectFacts(BaseModel):
    """What IATI asks of a project. ``countries``: two letters → per cent, 100 together; ``sector``: a code of OECD DAC."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    identifier: Code = ""
    sector: Code = ""
    countries: dict[Country, Annotated[float, Field(gt=0, le=100)]] = {}
    region: Code = ""


class Reporting(BaseModel):
    """The organisation itself in IATI: its identifier, and its kind, a code of the list OrganisationType."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    iati: Code = ""
    type: Code = ""


class Donors(BaseModel):
    """``donors.yml``. Empty: no donor report and no IATI file is made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reporting: Reporting = Reporting()
    donors: list[Donor] = []
    projects: dict[str, ProjectFacts] = {}


def donors_of(folder: Path, *, is_sample: bool = False) -> Donors:
    """The facts of an organisation's folder; none where it has no ``donors.yml``.

    Args:
        is_sample: read those made up for the sample, where the folder has some.

    Raises:
        SettingsError: the file cannot be read, or two donors have the same key.
    """
    own = folder / SAMPLE / FILE
    path = own if is_sample and own.is_file() else folder / FILE
    if not path.is_file():
        return Donors()
    found = checked(Donors, path)
    keys = [donor.key for donor in found.donors]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise SettingsError(f"Reading {path}: two donors have the key {twice[0]}. Give each its own.")
    return found
