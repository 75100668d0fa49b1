"""Whether a withheld figure can be inferred, evaluated repeatedly while figures are withheld and shown.

Gives the same answer as ``attack.intervals``, mostly without a linear program: alternative values of the withheld
numbers are reused from earlier programs, and a few additions often bound a quantity closely enough.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from mel_pipeline.publication.disclosure.attack import MOST, Point, connected, extremes
from mel_pipeline.publication.disclosure.structure import Figures, Quantity, Relation

ROUNDS = 4  # of additions; the linear program decides the rest
SAME = 1e-9


class Attacker:
    """Knows the relations between figures; ``figures`` holds what is printed and changes over time.

    Args:
        complete: every number; missing ones were withheld before.
        links: relations between these numbers.
    """

    def __init__(
        self, figures: Figures, complete: Mapping[Quantity, float], links: Sequence[Relation]
    ) -> None:
        self.figures, self.complete = figures, complete
        self._links: dict[Quantity, list[Relation]] = defaultdict(list)
        for link in links:
            for quantity in link.weights:
                self._links[quantity].append(link)
        self._answers: dict[tuple[Quantity, frozenset[Quantity]], bool] = {}
        self._points: list[tuple[set[Quantity], Point]] = []

    def can_infer(self, wanted: Quantity, limit: float) -> bool:
        """Whether the possible values of ``wanted`` are closer together than ``limit``."""
        links, unknown = connected(wanted, self.figures, self._links)
        question = (wanted, frozenset(unknown))
        if question not in self._answers:
            self._answers[question] = self._can_infer(wanted, limit, links, unknown)
        return self._answers[question]

    def _can_infer(
        self, wanted: Quantity, limit: float, links: list[Relation], unknown: set[Quantity]
    ) -> bool:
        is_complete = self.complete.keys() >= unknown
        if is_complete and self._spread(wanted) >= limit:
            return False
        if is_complete and _bounded(wanted, limit, links, unknown, self.figures.known):
            return True
        found = extremes(wanted, self.figures, links)
        if found is None:
            return False
        low, high = found
        for point in found if is_complete else ():
            moved = {name for name, value in point.items() if abs(value - self.complete[name]) > SAME}
            self._points.append((moved, point))
        return high[wanted] - low[wanted] < limit

    def _spread(self, wanted: Quantity) -> float:
        """Spread of ``wanted`` over the known alternatives that are still possible.

        An alternative stays possible as long as everything it changes is withheld.
        """
        values = [self.complete[wanted]]
        values += [
            point[wanted]
            for moved, point in self._points
            if wanted in moved and moved.isdisjoint(self.figures.known)
        ]
        return max(values) - min(values)


def _bounded(
    wanted: Quantity,
    limit: float,
    links: Sequence[Relation],
    unknown: set[Quantity],
    known: Mapping[Quantity, float],
) -> bool:
    """Whether applying each relation repeatedly bounds ``wanted`` within ``limit``."""
    low, high = dict.fromkeys(unknown, 0.0), dict.fromkeys(unknown, MOST)
    lines = []
    for link in links:
        right = -sum(weight * known[name] for name, weight in link.weights.items() if name not in unknown)
        left = [(name, weight) for name, weight in link.weights.items() if name in unknown]
        lines.append((left, right))
        if not link.is_bound:
            lines.append(([(name, -weight) for name, weight in left], -right))
    for _ in range(ROUNDS):
        before = high[wanted] - low[wanted]
        for left, right in lines:
            _tighten(left, right, low, high)
        width = high[wanted] - low[wanted]
        if width < limit:
            return True
        if width == before and before < MOST:
            return False
    return False


def _tighten(
    left: Sequence[tuple[Quantity, float]],
    right: float,
    low: dict[Quantity, float],
    high: dict[Quantity, float],
) -> None:
    """``sum(weight * quantity) <= right`` bounds each quantity by the minimum of the others."""
    least = [weight * (low[name] if weight > 0 else high[name]) for name, weight in left]
    together = sum(least)
    for (name, weight), mine in zip(left, least, strict=True):
        bound = (right - (together - mine)) / weight
        if weight > 0:
            high[name] = min(high[name], bound)
        else:
            low[name] = max(low[name], bound)
