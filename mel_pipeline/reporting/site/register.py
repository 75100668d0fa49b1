"""Projects, outcomes and partnerships as the site shows them. Reads nothing and draws nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True)
class Outcome:
    """An outcome whose organisation agrees that it is printed. Texts by language; English where another is missing."""

    id: str
    organisation: str
    happened_on: date
    change: dict[str, str]
    significance: dict[str, str]
    contribution: dict[str, str]
    evidence: tuple[str, ...]
    is_substantiated: bool
    line: str  # its number; empty: across the lines
    indicator: str
    project: str
    stated_in: str


@dataclass(frozen=True)
class Register:
    """``projects``, ``finances``, ``logframe`` and ``partnerships`` have the columns of their marts.

    ``unprinted``: outcomes without consent, counted only; ``withheld``: rows with consent whose texts may name a person.
    """

    projects: pd.DataFrame = field(default_factory=pd.DataFrame)
    finances: pd.DataFrame = field(default_factory=pd.DataFrame)
    logframe: pd.DataFrame = field(default_factory=pd.DataFrame)
    partnerships: pd.DataFrame = field(default_factory=pd.DataFrame)
    outcomes: tuple[Outcome, ...] = ()
    unprinted: int = 0
    withheld: int = 0

    @property
    def has_projects(self) -> bool:
        return bool(len(self.projects) or len(self.partnerships))

    @property
    def has_outcomes(self) -> bool:
        return bool(self.outcomes or self.unprinted or self.withheld)
