"""Results of a run, by model. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class TestResult:
    """One rule and how many rows break it. ``sentence`` is for a reader who does not write SQL."""

    __test__ = False  # not a pytest class

    name: str
    passed: bool
    failures: int
    severity: Literal["error", "warn"]
    sentence: str
    dimension: str = "consistency"  # of data quality


@dataclass(frozen=True)
class ModelResult:
    """The outcome of one model. ``failed`` and ``skipped`` leave the table as it was before the run.

    ``is_unchanged``: none of its inputs has changed, so its rows were not rebuilt.
    """

    name: str
    status: Literal["ok", "failed", "skipped"]
    rows: int = 0
    seconds: float = 0.0
    tests: list[TestResult] = field(default_factory=list)
    sql: str = ""
    message: str = ""
    is_unchanged: bool = False
