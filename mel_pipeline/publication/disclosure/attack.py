"""What a reader of everything published can infer about a withheld figure (linear programming).

The attacker knows every printed number exactly, the rule, and the relations between figures; counts are not
negative. The smallest and largest values consistent with all of this bound the withheld figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.publication.disclosure.structure import (
    Figures,
    Quantity,
    Relation,
    Sensitivity,
    counts_of,
    read_figures,
    relations,
)

if TYPE_CHECKING:
    import pandas as pd

MOST = 1e9  # people: upper bound for unbounded quantities
Point = dict[Quantity, float]


@dataclass(frozen=True)
class Interval:
    """What can be inferred about a quantity: it is between ``low`` and ``high``."""

    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low


def audit(frame: pd.DataFrame, rules: Mapping[str, Sensitivity]) -> dict[Quantity, Interval]:
    """What the printed figures reveal about each withheld one: its numerator, and the people behind it.

    Args:
        frame: figures as printed; withheld ones have the status ``suppressed`` and no numbers.
    """
    figures = read_figures(frame, rules)
    links = relations(figures, rules)
    wanted = [
        quantity
        for row in sorted(figures.hidden)
        for quantity in dict.fromkeys((Quantity(row, "numerator"), *counts_of(row, rules[row.indicator])))
    ]
    return intervals(figures, links, wanted)


def intervals(
    figures: Figures, links: Sequence[Relation], wanted: Iterable[Quantity]
) -> dict[Quantity, Interval]:
    """The interval of each wanted quantity; where the relations contradict the numbers, nothing can be inferred."""
    by_quantity: dict[Quantity, list[Relation]] = {}
    for link in links:
        for quantity in link.weights:
            by_quantity.setdefault(quantity, []).append(link)
    found: dict[Quantity, Interval] = {}
    for quantity in wanted:
        if quantity in found:
            continue
        together, _ = connected(quantity, figures, by_quantity)
        points = extremes(quantity, figures, together)
        found[quantity] = (
            Interval(points[0][quantity], points[1][quantity]) if points else Interval(0.0, MOST)
        )
    return found


def connected(
    start: Quantity, figures: Figures, links: Mapping[Quantity, Sequence[Relation]]
) -> tuple[list[Relation], set[Quantity]]:
    """The relations connected with a quantity through unknown ones, and these unknown ones.

    Args:
        links: the relations of each quantity.
    """
    seen: dict[int, Relation] = {}
    waiting, met = [start], {start}
    while waiting:
        for link in links.get(waiting.pop(), ()):
            if id(link) not in seen:
                seen[id(link)] = link
                fresh = {q for q in link.weights if q not in figures.known and q not in met}
                met |= fresh
                waiting += fresh
    return list(seen.values()), met


def extremes(wanted: Quantity, figures: Figures, links: Sequence[Relation]) -> tuple[Point, Point] | None:
    """The unknowns where ``wanted`` is smallest and where it is largest; None where no solution exists.

    Both come from one linear program: two copies of the unknowns, one minimised and one maximised.
    """
    import numpy as np
    from scipy.optimize import linprog

    unknown = sorted({q for link in links for q in link.weights if q not in figures.known} | {wanted})
    place = {quantity: number for number, quantity in enumerate(unknown)}
    tables: dict[bool, tuple[list[list[float]], list[float]]] = {True: ([], []), False: ([], [])}
    for link in links:
        line, right = [0.0] * len(unknown), 0.0
        for quantity, weight in link.weights.items():
            if quantity in place:
                line[place[quantity]] += weight
            else:
                right -= weight * figures.known[quantity]
        tables[link.is_bound][0].append(line)
        tables[link.is_bound][1].append(right)
    aim = np.zeros(2 * len(unknown))
    aim[place[wanted]], aim[len(unknown) + place[wanted]] = 1.0, -1.0
    (at_most, most), (equal, values) = tables[True], tables[False]
    result = linprog(
        aim,
        A_ub=np.kron(np.eye(2), at_most) if at_most else None,
        b_ub=[*most, *most] or None,
        A_eq=np.kron(np.eye(2), equal) if equal else None,
        b_eq=[*values, *values] or None,
        bounds=[(0.0, MOST)] * (2 * len(unknown)),
        method="highs",
    )
    if result.status != 0:
        return None
    values = result.x.tolist()
    return dict(zip(unknown, values, strict=False)), dict(zip(unknown, values[len(unknown) :], strict=True))
