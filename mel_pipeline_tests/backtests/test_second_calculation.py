"""The figures of 2024 agree, cell by cell, with a second calculation by another hand."""

from __future__ import annotations

import ast
import math
from pathlib import Path
from typing import NamedTuple

import pytest

from mel_pipeline.sandbox.server import Sandbox
from mel_pipeline_tests.backtests.second_calculation.cells import Cell
from mel_pipeline_tests.backtests.second_calculation.year import calculate
from mel_pipeline_tests.conftest import TODAY, Organisation

FOLDER = Path(__file__).parent / "second_calculation"
MEASURES = {
    "value": 1e-9,
    "numerator": 1e-9,
    "denominator": 0,
    "n": 0,
    "low": 1e-4,
    "high": 1e-4,
}  # and how exact
REACH = 1e-3  # of the reach of an interval: how exact the models' quantile of Student's t is for few values
# Cells in which the models are known to be wrong, as (indicator, period, disaggregation); one that agrees leaves the set.
PENDING: set[tuple[str, str, str]] = set()


class Disagreement(NamedTuple):
    indicator: str
    period: str
    disaggregation: str
    theirs: object
    ours: object


@pytest.mark.slow  # reads a year of the sample from its services
def test_every_figure_of_2024_is_what_a_second_calculation_from_the_definitions_gives(
    year_2024: Organisation, sandbox: Sandbox
) -> None:
    given = year_2024.settings
    calculated = calculate(sandbox.url, given.survey_folder, given.attendance_folder, 2024, TODAY)
    found = _disagreements(_theirs(year_2024), {_key(cell): cell for cell in calculated})
    unexpected = [one for one in found if one[:3] not in PENDING]
    assert unexpected == [], "\n".join(map(str, unexpected))
    assert {one[:3] for one in found} == PENDING


def test_the_second_calculation_uses_nothing_of_the_first() -> None:
    own = "mel_pipeline_tests.backtests.second_calculation"
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert [name for name in names if name.startswith("mel_") and not name.startswith(own)] == [], (
                path
            )


def _theirs(year: Organisation) -> dict[tuple[str, str, str], Cell]:
    frame = year.warehouse.read(
        "select indicator_id, period, disaggregation, value, numerator, denominator, n, low, high from indicator_values"
        " where grain <> 'month'"
    )
    rows = frame.astype(object).where(frame.notna(), None).itertuples(index=False)
    return {_key(cell): cell for cell in (Cell(*row) for row in rows)}


def _key(cell: Cell) -> tuple[str, str, str]:
    return cell[:3]


def _disagreements(
    theirs: dict[tuple[str, str, str], Cell], ours: dict[tuple[str, str, str], Cell]
) -> list[Disagreement]:
    """Cells that only one side has, and those in which a measure differs; one that is not available has only this."""
    found = []
    for key in sorted(theirs.keys() | ours.keys()):
        one, other = theirs.get(key), ours.get(key)
        if (
            one is None
            or other is None
            or (one.value is None) != (other.value is None)
            or (
                one.value is not None
                and not all(
                    _same(getattr(one, measure), getattr(other, measure), exact, _room(other, measure))
                    for measure, exact in MEASURES.items()
                )
            )
        ):
            found.append(Disagreement(*key, one, other))
    return found


def _room(cell: Cell, measure: str) -> float:
    """A bound near zero has no relative size: it may be off by a part of its distance from the value."""
    bound = getattr(cell, measure)
    if measure not in ("low", "high") or bound is None or cell.value is None:
        return 1e-9
    return max(1e-9, REACH * abs(cell.value - bound))


def _same(one: float | None, other: float | None, exact: float, room: float) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=exact, abs_tol=room)
