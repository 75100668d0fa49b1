"""Outcome of one rule, in the terms data quality is assessed in (validity, integrity, precision, ...)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Dimension = Literal["validity", "integrity", "precision", "reliability", "timeliness"]
DIMENSIONS: tuple[Dimension, ...] = ("validity", "integrity", "precision", "reliability", "timeliness")


@dataclass(frozen=True)
class RuleResult:
    """One rule and how it came out. ``severity`` error stops what is made from the data, warn tells."""

    name: str
    dimension: Dimension
    severity: Literal["error", "warn"]
    passed: bool
    sentence: str
