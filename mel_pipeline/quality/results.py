"""Outcome of one rule, by dimension of data quality.

Names and meanings are those of DAMA UK's six primary dimensions (2013); ISO/IEC 25012 has completeness, consistency and, as
currentness, timeliness alike. Accuracy, the sixth, needs a second source and is no rule: restatements show it afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Dimension = Literal["completeness", "uniqueness", "consistency", "validity", "timeliness", "plausibility"]
# What a rule may promise. Plausibility (ISO/IEC 25012: credibility) asks a person to look: nothing is broken by it.
DIMENSIONS: tuple[Dimension, ...] = ("completeness", "uniqueness", "consistency", "validity", "timeliness")
PLAUSIBILITY: Dimension = "plausibility"
RENAMED: dict[str, Dimension] = {  # of results stored by an earlier version
    "integrity": "consistency",
    "reliability": "completeness",
    "precision": "plausibility",
}


@dataclass(frozen=True)
class RuleResult:
    """One rule and its outcome. ``severity`` error stops calculations from the data, warn only reports."""

    name: str
    dimension: Dimension
    severity: Literal["error", "warn"]
    passed: bool
    sentence: str
