"""The totals of a series that one quarter can be compared with: of the same accounts, sites or tools, without long gaps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.statistics import is_covered
from mel_pipeline.quality.anomalies import Total

Cells = Mapping[str, "Cell"]


@dataclass(frozen=True)
class Cell:
    """A figure, or a part of it; ``expected`` and ``covered`` count the days (or issues) that it should and does rest on."""

    value: float | None
    numerator: float | None = None
    denominator: float | None = None
    n: int | None = None
    expected: float | None = None
    covered: float | None = None

    @property
    def counts(self) -> bool:
        return self.value is not None and is_covered(self.expected, self.covered)


def comparable(
    totals: Cells, parts: Mapping[str, Cells], quarter: str, *, unit: str, can_be_added: bool
) -> dict[str, Total]:
    """Quarter → total of what this quarter has in common with the year before, or with the quarter before.

    Args:
        totals: by quarter.
        parts: by quarter and part; empty for a figure without parts.
        can_be_added: whether parts add up; otherwise only quarters of the same parts are compared.
    """
    now = totals.get(quarter)
    if now is None or now.value is None:
        return {}
    alone = {quarter: Total(now.value, now.n)}
    mine = _counted(parts.get(quarter, {}))
    if not mine:
        whole = {
            name: Total(cell.value, cell.n)
            for name, cell in totals.items()
            if cell.counts and cell.value is not None
        }
        return whole | alone if now.counts else alone
    scope = _scope(mine, parts, quarter) if can_be_added else mine
    found = {}
    for name, cells in parts.items():
        theirs, total = _counted(cells), totals.get(name)
        if theirs == scope and total is not None and total.value is not None:
            found[name] = Total(total.value, total.n)
        elif can_be_added and scope <= theirs:
            found[name] = _together([cells[part] for part in sorted(scope)], unit)
    return found if quarter in found else alone


def _counted(cells: Cells) -> frozenset[str]:
    return frozenset(name for name, cell in cells.items() if cell.counts)


def _scope(mine: frozenset[str], parts: Mapping[str, Cells], quarter: str) -> frozenset[str]:
    here = Quarter.parse(quarter)
    for other in (here.year_before(), here.previous()):
        if common := mine & _counted(parts.get(str(other), {})):
            return common
    return mine


def _together(cells: Collection[Cell], unit: str) -> Total:
    """The sum of the parts, or the ratio of their sums."""
    n = sum(cell.n or 0 for cell in cells) or None
    if unit != "percent":
        return Total(sum(cell.value or 0.0 for cell in cells), n)
    below = sum(cell.denominator or 0.0 for cell in cells)
    return Total(100 * sum(cell.numerator or 0.0 for cell in cells) / below if below else 0.0, n)
