"""What two periods have in common, and what changed there: like for like. Pure functions.

A figure covers its parts (accounts, sites, tools: the cells of ``Measure.parts``) and the days, issues or agreements
that each of them has (``expected`` and ``covered``). Both come from the SQL models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.core.statistics import is_covered, wilson
from mel_pipeline.reporting.figures.lookup import Figures, Reading, beyond_chance
from mel_pipeline.reporting.text.texts import rounded

if TYPE_CHECKING:
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.text.texts import Texts


@dataclass(frozen=True)
class Comparison:
    """A figure beside that of an earlier period, both of what the two periods have in common.

    ``joined`` and ``left``: parts that only the later or the earlier one covers whole; they are in neither side.
    ``has_gap``: some days are missing, few enough to compare.
    """

    now: Reading
    then: Reading
    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    has_gap: bool = False

    @property
    def is_whole(self) -> bool:
        """Both sides are the printed totals."""
        return not (self.joined or self.left)

    @property
    def is_chance(self) -> bool:
        """A share or mean that chance explains."""
        return beyond_chance(self.now, self.then) is False

    def moved(self, decimals: int) -> float:
        """Difference of the two sides as printed, so that a reader who subtracts gets the same."""
        return float(rounded(self.now.value or 0.0, decimals) - rounded(self.then.value or 0.0, decimals))


def compared(measure: Measure, figures: Figures, period: str, earlier: str) -> Comparison | None:
    """The totals of two periods like for like; None where one has no figure or they have nothing in common."""
    now, then = figures.total(measure.id, period), figures.total(measure.id, earlier)
    if now is None or then is None or now.value is None or then.value is None:
        return None
    if measure.parts:
        cells = [figures.cells(measure.id, when, measure.parts) for when in (period, earlier)]
        if cells[0] and cells[1]:
            return _of_parts(measure, now, then, cells[0], cells[1])
    if not (_is_covered(now) and _is_covered(then)):
        return None
    return Comparison(now, then, has_gap=_has_gap(now) or _has_gap(then))


def _of_parts(
    measure: Measure, now: Reading, then: Reading, cells: Mapping[str, Reading], before: Mapping[str, Reading]
) -> Comparison | None:
    mine, theirs = ({name for name in side if _is_covered(side[name])} for side in (cells, before))
    counted = {name for name in cells if cells[name].value is not None}
    counted_before = {name for name in before if before[name].value is not None}
    common = sorted(mine & theirs)
    joined = counted - set(common) - theirs
    left = counted_before - set(common) - joined
    gap = any(_has_gap(side[name]) for side in (cells, before) for name in common)
    if not joined and not left:
        return Comparison(now, then, has_gap=gap)
    if not common or measure.aggregation == "distinct":
        return None
    return Comparison(
        _together(measure, [cells[name] for name in common]),
        _together(measure, [before[name] for name in common]),
        tuple(sorted(joined)),
        tuple(sorted(left)),
        gap,
    )


def _together(measure: Measure, cells: list[Reading]) -> Reading:
    """The parts as one figure: the sum, or the ratio of the sums."""
    if measure.unit != "percent":
        return Reading("ok", value=sum(cell.value or 0.0 for cell in cells))
    above = sum(cell.numerator or 0.0 for cell in cells)
    below = sum(cell.denominator or 0.0 for cell in cells)
    found = wilson(above, below)
    return Reading("ok", value=100 * above / below, interval=(found.low, found.high))


def _is_covered(reading: Reading) -> bool:
    return reading.value is not None and is_covered(reading.expected, reading.covered)


def _has_gap(reading: Reading) -> bool:
    return bool(reading.expected and reading.covered is not None and reading.covered < reading.expected)


def parts_in_words(found: Comparison, texts: Texts) -> str:
    """What joined and what left: ``joined: A, B; left: C``."""
    words = [
        texts(f"coverage.{name}", parts=texts.listed([texts.named("category", part) for part in parts]))
        for name, parts in (("joined", found.joined), ("left", found.left))
        if parts
    ]
    return "; ".join(words)


def change_in_words(measure: Measure, found: Comparison, texts: Texts) -> str:
    """``+120``, with what must be said beside it: like for like, or small gaps."""
    change = texts.change(measure, found.moved(measure.decimals))
    if not found.is_whole:
        change = texts("coverage.like_for_like", change=change)
    return texts("coverage.small_gaps", change=change) if found.has_gap else change
