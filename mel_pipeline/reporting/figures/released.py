"""Every released figure of an edition in a fixed order, and its progress from the baseline. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.core.periods import closing_quarter
from mel_pipeline.reporting.figures.lookup import Figures, Reading
from mel_pipeline.reporting.figures.measures import Measure, measures, words

if TYPE_CHECKING:
    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.reporting.figures.targets import Target

TOTAL = "total"


@dataclass(frozen=True)
class Released:
    """One figure: a total (``dimension`` and ``category`` are ``total``) or a part of one."""

    measure: Measure
    period: str
    dimension: str
    category: str
    reading: Reading
    version: int | None  # of the publication it is frozen in; None while it is provisional


def released(edition: Edition, language: str) -> list[Released]:
    """All figures up to the edition's period, by indicator in report order, period, totals first.

    Later periods are left out: rebuilding a past edition must not change it.
    """
    known = measures(edition, language)
    figures = Figures(edition, known)
    by_id = {measure.id: (place, measure) for place, measure in enumerate(known)}
    last = closing_quarter(edition.period)
    found = []
    for row in edition.figures.to_dict("records"):
        period = words(row["period"])
        if closing_quarter(period) > last:
            continue
        place, measure = by_id[words(row["indicator_id"])]
        dimension, category = words(row["dimension"]) or TOTAL, words(row["category"])
        reading = figures.cells(measure.id, period, dimension)[category]
        version = words(row.get("version"))
        one = Released(
            measure, period, dimension, category or TOTAL, reading, int(float(version)) if version else None
        )
        found.append(((place, period, dimension != TOTAL, dimension, category), one))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def progress(measure: Measure, reading: Reading, target: Target | None) -> float | None:
    """(actual − baseline) / (target − baseline), 1.0 when the target is reached, in either direction.

    None where one of the three is missing, and where target and baseline are the same.
    """
    if reading.value is None or measure.baseline_value is None or target is None:
        return None
    way = target.value - measure.baseline_value
    return None if way == 0 else (reading.value - measure.baseline_value) / way
