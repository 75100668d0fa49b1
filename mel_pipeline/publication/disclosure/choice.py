"""The choice of what to withhold among figures that are related.

The others are chosen one by one, the cheapest that helps, until the attack (see ``attack``) fails; then those not
needed after all are shown again. Already published figures can no longer be withheld.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mel_pipeline.publication.disclosure.attacker import Attacker
from mel_pipeline.publication.disclosure.structure import (
    TOTAL,
    Figures,
    Quantity,
    Relation,
    Row,
    Sensitivity,
    counts_of,
    overlaps,
    relations,
)

TOLERANCE = 1e-6
OVERLAP = "overlap"  # a number beside figures: how many more the cells hold than their total
TOTAL_COSTS, YEAR_COSTS = 1e6, 1e3  # losing a total costs the reader most, then a year
Cell = tuple[str, str, str, str]  # group, period, dimension, category


class Choice:
    """The choice in progress. ``complete`` holds every number, ``figures`` what is printed."""

    def __init__(self, complete: Figures, rules: Mapping[str, Sensitivity], min_cell: int) -> None:
        self.rules, self.min_cell = rules, min_cell
        self.complete, self.people = dict(complete.known), complete.people
        self.figures = Figures(dict(complete.known), set(complete.hidden), complete.blank)
        rows = complete.rows
        self.members: dict[Cell, list[Row]] = {}
        for row in sorted(rows):
            self.members.setdefault(self.cell(row), []).append(row)
        self.links = [link for link in relations(complete, rules) if self._holds(link)]
        self.links += self._small_overlaps(complete)
        self.attacker = Attacker(self.figures, self.complete, self.links)
        self.frozen: set[Cell] = set()
        self.published_small: list[Cell] = []
        self.given_up: list[tuple[bool, bool, Row]] = []

    def _small_overlaps(self, complete: Figures) -> list[Relation]:
        """Where nobody, or few, stand in several cells, readers are taken to know how many.

        The heads of each programme, which are printed, add up to all heads if nobody is in two: then women and those who
        stated a gender add up as well, and with few in two they nearly do. How many more the cells hold than the total is a
        known number beside them. Of heads themselves, it is known only that nobody is in two.
        """
        found = []
        for whole, cases in overlaps(complete, self.rules):
            if whole not in self.complete or any(quantity not in self.complete for quantity in cases):
                continue
            more = sum(self.complete[quantity] for quantity in cases) - self.complete[whole]
            is_subset = self.rules[whole.row.indicator].people == "denominator"
            if -TOLERANCE <= more < (self.min_cell if is_subset else 1):
                known = Quantity(cases[0].row._replace(category=whole.part), OVERLAP)
                self.complete[known] = self.figures.known[known] = more
                found.append(Relation({whole: -1.0, known: -1.0, **dict.fromkeys(cases, 1.0)}))
        return found

    def cell(self, row: Row) -> Cell:
        return cell_of(row, self.rules)

    def hide(self, cells: Iterable[Cell]) -> None:
        for cell in cells:
            for row in self.members.get(cell, []):
                self.figures.hidden.add(row)
                self.figures.known.pop(Quantity(row, "numerator"), None)
                self.figures.known.pop(Quantity(row, "denominator"), None)

    def show(self, cell: Cell) -> None:
        for row in self.members[cell]:
            self.figures.hidden.discard(row)
            for part in ("numerator", "denominator"):
                if (quantity := Quantity(row, part)) in self.complete:
                    self.figures.known[quantity] = self.complete[quantity]

    def run(self) -> None:
        """Primary suppression, secondary suppression, then show again what was not needed."""
        already = {self.cell(row) for row in self.figures.hidden}
        primary = {self.cell(quantity.row) for quantity in self.complete if self.is_small(quantity)}
        self.published_small += primary & self.frozen
        self.hide(primary - self.frozen)
        added, given_up = self._protect_all()
        for cell in sorted(added, key=self._cost, reverse=True):
            if cell in already:
                continue
            self.show(cell)
            if any(self.is_exposed(quantity) for quantity in self.guarded() if quantity not in given_up):
                self.hide([cell])

    def _protect_all(self) -> tuple[list[Cell], set[Quantity]]:
        """Withhold others until nothing is exposed. Safe figures stay safe: withholding only widens intervals."""
        added: list[Cell] = []
        safe: set[Quantity] = set()
        given_up: set[Quantity] = set()
        while waiting := [item for item in self.guarded() if item not in safe and item not in given_up]:
            first = waiting[0]
            if not self.is_exposed(first):
                safe.add(first)
                continue
            helper = self._helper(first)
            if helper is None:
                given_up.add(first)
                self.given_up.append((*self._last(first), first.row))
                continue
            self.hide([helper])
            added.append(helper)
        return added, given_up

    def is_small(self, quantity: Quantity) -> bool:
        counted = counts_of(quantity.row, self.rules[quantity.row.indicator])
        people = self.people.get(quantity, self.complete[quantity])
        return quantity in counted and 0 < people < self.min_cell

    def _holds(self, link: Relation) -> bool:
        """Relations that the numbers contradict (an answer that belongs to no kind of event) mislead an attacker."""
        if any(quantity not in self.complete for quantity in link.weights):
            return all(quantity.row in self.figures.rows for quantity in link.weights)
        total = sum(weight * self.complete[quantity] for quantity, weight in link.weights.items())
        return total <= TOLERANCE if link.is_bound else abs(total) <= TOLERANCE

    def guarded(self) -> list[Quantity]:
        """What must not be inferred: small counts of people, and the numerators of all withheld figures.

        Small ones first, and quarters before years: a year is often safe once its quarters are.
        """
        hidden = sorted(self.figures.hidden)
        counted = [quantity for row in hidden for quantity in counts_of(row, self.rules[row.indicator])]
        guarded = [quantity for quantity in counted if quantity in self.complete and self.is_small(quantity)]
        guarded += [Quantity(row, "numerator") for row in hidden]
        known = dict.fromkeys(quantity for quantity in guarded if quantity in self.complete)
        return sorted(known, key=self._last)

    def _last(self, quantity: Quantity) -> tuple[bool, bool]:
        return not self.is_small(quantity), "-" not in quantity.row.period

    def is_exposed(self, quantity: Quantity) -> bool:
        """Whether it can be inferred: a small count too narrowly, anything else exactly."""
        return self.attacker.can_infer(
            quantity, (self.min_cell if self.is_small(quantity) else 1) - TOLERANCE
        )

    def _helper(self, exposed: Quantity) -> Cell | None:
        """The cheapest figure that protects when withheld; if none does alone, the cheapest connected one."""
        mine = self.cell(exposed.row)
        candidates = sorted(
            self._connected(exposed), key=lambda cell: (self._cost(cell), cell[1] != mine[1], cell)
        )
        for cell in candidates:
            self.hide([cell])
            protects = not self.is_exposed(exposed)
            self.show(cell)
            if protects:
                return cell
        return candidates[0] if candidates else None

    def _connected(self, exposed: Quantity) -> set[Cell]:
        """Printed figures related to the exposed one, through withheld ones."""
        met, waiting = {exposed}, [exposed]
        cells: set[Cell] = set()
        while waiting:
            quantity = waiting.pop()
            for link in self._links_of(quantity):
                for other in link.weights:
                    if other in met:
                        continue
                    met.add(other)
                    if other in self.figures.known:
                        cells.add(self.cell(other.row))
                    else:
                        waiting.append(other)
        return (cells & self.members.keys()) - self.frozen

    def _links_of(self, quantity: Quantity) -> list[Relation]:
        return [link for link in self.links if quantity in link.weights]

    def _cost(self, cell: Cell) -> float:
        people = max(
            self.complete.get(
                Quantity(row, "numerator" if cell[2] == "gender" else self.rules[row.indicator].people), 0.0
            )
            for row in self.members[cell]
        )
        is_total = cell[2] == TOTAL or (cell[2], cell[3]) == (
            "gender",
            "Woman",
        )  # the share of women is the total
        return (
            (people + 1.0) * (TOTAL_COSTS if is_total else 1.0) * (YEAR_COSTS if "-" not in cell[1] else 1.0)
        )


def cell_of(row: Row, rules: Mapping[str, Sensitivity]) -> Cell:
    return rules[row.indicator].group, row.period, row.dimension, row.category


def named(cell: Cell) -> str:
    group, period, dimension, category = cell
    return f"{group} {period} {dimension if dimension == TOTAL else f'{dimension}={category}'}"
