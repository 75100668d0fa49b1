"""Sentences derived from figures: chart titles and main points. Pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.core.periods import previous_period, year_before
from mel_pipeline.reporting.figures.coverage import (
    Comparison,
    change_in_words,
    compared,
    parts_in_words,
)
from mel_pipeline.reporting.figures.lookup import SUPPRESSED, Figures, Reading, beyond_chance
from mel_pipeline.reporting.text.texts import rounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.text.texts import Texts

UNSTATED = ("Not stated", "Undisclosed", "Unknown")
MAIN_POINTS_MOST, MAIN_POINTS_LEAST = 6, 3
SMALL_BASE = 30  # a share or mean of fewer cases is printed with their number


def compared_period(measure: Measure, period: str) -> str:
    """Amounts are seasonal: a quarter is compared with the same quarter a year before; levels with the last one."""
    if "-" in period and measure.aggregation in ("flow", "distinct") and not measure.is_line:
        return year_before(period)
    return previous_period(period)


def finding(measure: Measure, figures: Figures, period: str, texts: Texts) -> str:
    """The title of a trend, also used as a main point. A published edition keeps its titles."""
    if published := figures.published_finding(measure, period, texts.language):
        return published
    reading = figures.total(measure.id, period)
    if reading is None or reading.value is None:
        key = "finding.suppressed" if reading and reading.status == SUPPRESSED else "finding.not_available"
        return texts(key, name=measure.name, period=period)
    shown = texts.value_with_unit(measure, reading.value)
    if measure.direction == "in_band" and measure.band:
        return _with_base(_band_finding(measure, reading.value, texts), measure, reading, texts)
    earlier, found = comparison(measure, figures, period)
    if found is None:
        key = "finding.level" if measure.aggregation == "stock" else "finding.amount"
        return _with_base(texts(key, name=measure.name, value=shown, period=period), measure, reading, texts)
    if not found.is_whole:
        change = texts("coverage.about") if found.is_chance else change_in_words(measure, found, texts)
        parts = parts_in_words(found, texts)
        sentence = texts(
            "finding.like_for_like",
            name=measure.name,
            value=shown,
            change=change,
            earlier=earlier,
            parts=parts,
        )
        return _with_base(sentence, measure, reading, texts)
    word, before = movement_word(measure, found.now, found.then), texts.value(measure, found.then.value)
    sentence = texts(f"finding.{word}", name=measure.name, value=shown, before=before, earlier=earlier)
    if found.has_gap:
        sentence = texts("coverage.small_gaps", change=sentence)
    return _with_base(sentence, measure, reading, texts)


def movement_word(measure: Measure, now: Reading, then: Reading) -> str:
    """``same``, ``rose`` or ``fell``; of a share or mean ``about`` where chance explains the difference.

    ``beside`` where nothing says how far chance reaches: the two figures then stand side by side.
    """
    assert now.value is not None and then.value is not None  # noqa: S101 - callers have looked
    difference = rounded(now.value, measure.decimals) - rounded(then.value, measure.decimals)
    if difference == 0:
        return "same"
    if measure.is_estimate:
        beyond = beyond_chance(now, then)
        if not beyond:
            return "beside" if beyond is None else "about"
    return "rose" if difference > 0 else "fell"


def _with_base(sentence: str, measure: Measure, reading: Reading, texts: Texts) -> str:
    """The sentence; of a share or mean of few cases with their number."""
    if not measure.is_estimate or reading.n is None or reading.n >= SMALL_BASE:
        return sentence
    return texts("finding.small_base", sentence=sentence, count=texts.number(reading.n))


def comparison(measure: Measure, figures: Figures, period: str) -> tuple[str, Comparison | None]:
    """The usual earlier period, or the previous one where that has no figure, and both like for like."""
    for earlier in (compared_period(measure, period), previous_period(period)):
        then = figures.total(measure.id, earlier)
        if then is not None and then.value is not None:
            return earlier, compared(measure, figures, period, earlier)
    return "", None


def _band_finding(measure: Measure, value: float, texts: Texts) -> str:
    low, high = measure.band or (0.0, 0.0)
    place = "below" if value < low else "above" if value > high else "inside"
    return texts(
        f"finding.band_{place}",
        name=measure.name,
        value=texts.value(measure, value),
        low=texts.number(low),
        high=texts("format.percent", number=texts.number(high)),
    )


def breakdown_finding(
    measure: Measure, total: Reading | None, cells: Mapping[str, Reading], texts: Texts
) -> str:
    """Which category leads: ``Asia leads with 64 of 164``; "of" only where the cells add up to the total."""
    known = {
        name: cell.value for name, cell in cells.items() if cell.value is not None and name not in UNSTATED
    }
    if not known or max(known.values()) == 0:
        return texts("finding.no_breakdown", name=measure.name)
    most = max(known.values())
    leaders = [
        texts.category(measure.chart_dimension or "", name) for name, value in known.items() if value == most
    ]
    amount = texts.value(measure, most)
    if adds_up(total, list(cells.values())) and total is not None and not measure.is_estimate:
        amount = texts("finding.of_total", part=amount, total=texts.value(measure, total.value))
    if len(leaders) == 1:
        return texts("finding.leads", leader=leaders[0], amount=amount)
    return texts("finding.lead_together", count=len(leaders), amount=amount)


def adds_up(total: Reading | None, cells: Sequence[Reading]) -> bool:
    """True when no cell is missing and they sum to the total (themes overlap, regions do not)."""
    values = [cell.value for cell in cells if cell.value is not None]
    if total is None or total.value is None or len(values) != len(cells) or not values:
        return False
    return abs(sum(values) - total.value) < 1e-6 * max(1.0, abs(total.value))


def main_points(known: Sequence[Measure], figures: Figures, period: str, texts: Texts) -> list[str]:
    """Three to six sentences, most important first. Missing figures are used only if there are too few others."""
    there: list[Measure] = []
    absent: list[Measure] = []
    for measure in known:
        reading = figures.total(measure.id, period)
        if measure.headline:
            (there if reading and reading.value is not None else absent).append(measure)
    chosen = there[:MAIN_POINTS_MOST]
    chosen += absent[: max(0, MAIN_POINTS_LEAST - len(chosen))]
    return [finding(measure, figures, period, texts) + "." for measure in chosen]
