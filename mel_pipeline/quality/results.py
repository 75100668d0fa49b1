"""Outcome of one rule, by dimension of data quality (validity, integrity, precision, ...)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Dimension = Literal["validity", "integrity", "precision", "reliability", "timeliness"]
DIMENSIONS: tuple[Dimension, ...] = ("validity", "integrity", "precision", "reliability", "timeliness")


@dataclass(frozen=True)
class RuleResult:
    """One rule and its outcome. ``severity`` error stops calculations from the data, warn only reports."""

    name: str
    dimension: Dimension
    severity: Literal["error", "warn"]
    passed: bool
    sentence: str
