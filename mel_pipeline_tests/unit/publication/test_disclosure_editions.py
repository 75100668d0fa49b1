"""An attack on all published editions together: quarters one after the other, late answers, new versions, years.

It shares no code with the protection. The attacker knows every number ever printed, the sums that hold at the time of each
edition, and which figures had changed by then. Nothing that was withheld, and no change by few people, may follow.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from mel_pipeline.publication.disclosure import Visible, newly_exposed, visible
from mel_pipeline.publication.publishing import exposures
from mel_pipeline.publication.release import Candidate
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.unit.publication.test_disclosure import QUARTERS, SURVEY, answers

KINDS = ("lab", "panel", "talk", "tour")
PEOPLE = {"SAT-01": "denominator", "SAT-04": "numerator"}
RULES = {indicator: SURVEY[indicator] for indicator in PEOPLE}
FEW = 5
PARTS = 4
HISTORIES = examples(24, 200)

Quantity = tuple[str, str, str, str]  # indicator, period, category ("" for the total), part


def figures(counts: dict[str, dict[str, int]]) -> pd.DataFrame:
    """Figures of the quarters in ``counts`` (quarter → kind → answers), and of the year after the fourth."""
    rows = [line for quarter, kinds in counts.items() for line in answers(quarter, **kinds)]
    if QUARTERS[3] in counts:
        kinds = dict.fromkeys(KINDS, 0)
        for mine in counts.values():
            for kind, number in mine.items():
                kinds[kind] += number
        rows += answers("2024", **{kind: kinds[kind] for kind in counts[QUARTERS[3]]})
    frame = pd.DataFrame([line for line in rows if line["indicator_id"] in RULES])
    quarter = frame["period"].where(frame["period"] != "2024", QUARTERS[3])
    return frame.assign(quarter=quarter, version=None, people=None, members=None)


@dataclass
class House:
    """An organisation and everything it has published. ``forgetful``: protects each edition on its own."""

    forgetful: bool = False

    public: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=[*figures({QUARTERS[0]: {"lab": 1}}).columns, "shown"])
    )
    states: list[pd.DataFrame] = field(default_factory=list)
    editions: list[tuple[int, str, pd.DataFrame, Visible]] = field(default_factory=list)

    def publish(self, counts: dict[str, dict[str, int]], quarter: str) -> None:
        current = figures(counts)
        if self.forgetful:
            self.public = self.public.iloc[:0]
        again = quarter if quarter in set(self.public["quarter"]) else None
        found = visible(current, self.public, RULES, republish=again)
        assert newly_exposed(found, quarter, self.public, RULES, FEW) == []
        mine = found.frame["quarter"] == quarter
        self.states.append(current)
        self.editions.append((len(self.states) - 1, quarter, found.frame[mine], found))
        behind = found.numbers[mine].assign(version=1, shown=found.frame[mine]["status"] != "suppressed")
        rest = self.public[self.public["quarter"] != quarter]
        self.public = pd.concat([rest, behind], ignore_index=True) if len(rest) else behind


def number(frame: pd.DataFrame) -> dict[Quantity, float]:
    found: dict[Quantity, float] = {}
    for record in frame.to_dict("records"):
        category = "" if record["category"] is None or pd.isna(record["category"]) else record["category"]
        for part in ("numerator", "denominator"):
            if not pd.isna(record[part]):
                found[record["indicator_id"], record["period"], category, part] = float(record[part])
    return found


def cells(frame: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Answers by period and cell, as printed."""
    mine = frame[frame["indicator_id"] == "SAT-01"]
    return dict(
        zip(zip(mine["period"], mine["disaggregation"], strict=True), mine["denominator"], strict=True)
    )


class Attacker:
    """Unknowns are the true numbers, one for each time a number changed; equations are sums and printed numbers."""

    def __init__(self, house: House) -> None:
        self.truth = [number(state) for state in house.states]
        self.place: dict[tuple[Quantity, int], int] = {}
        self.lines: list[dict[int, float]] = []
        self.printed: set[int] = set()
        self.seen: dict[Quantity, list[int]] = {}  # states in which a number was published, or withheld
        self.withheld: set[tuple[Quantity, int]] = set()
        for state, _ in enumerate(self.truth):
            self._sums(state)
        for state, _, frame, found in house.editions:
            self._read(state, frame, found)

    def unknown(self, quantity: Quantity, state: int) -> int:
        """The same unknown while the number stays the same."""
        while state and self.truth[state - 1].get(quantity) == self.truth[state][quantity]:
            state -= 1
        return self.place.setdefault((quantity, state), len(self.place))

    def _equation(self, state: int, weights: dict[Quantity, float]) -> None:
        truth = self.truth[state]
        assert abs(sum(weight * truth[quantity] for quantity, weight in weights.items())) < 1e-9
        line: Counter[int] = Counter()
        for quantity, weight in weights.items():
            line[self.unknown(quantity, state)] += weight  # type: ignore[assignment]
        self.lines.append(dict(line))

    def _sums(self, state: int) -> None:
        truth = self.truth[state]
        places = {(indicator, period) for indicator, period, _, _ in truth}
        for indicator, period in places:
            for part in ("numerator", "denominator"):
                cells = [q for q in truth if q[:2] == (indicator, period) and q[2] and q[3] == part]
                self._equation(state, {**dict.fromkeys(cells, 1.0), (indicator, period, "", part): -1.0})
        for indicator, category in {(q[0], q[2]) for q in truth if q[1] == "2024"}:
            if all((indicator, quarter) in places for quarter in QUARTERS):
                for part in ("numerator", "denominator"):
                    parts = [(indicator, quarter, category, part) for quarter in QUARTERS]
                    year = (indicator, "2024", category, part)
                    self._equation(state, {**{q: 1.0 for q in parts if q in truth}, year: -1.0})
        for period, category in {(q[1], q[2]) for q in truth}:
            same = [(name, period, category, part) for name, part in PEOPLE.items()]
            for first, second in pairwise([quantity for quantity in same if quantity in truth]):
                self._equation(state, {first: 1.0, second: -1.0})

    def _read(self, state: int, frame: pd.DataFrame, found: Visible) -> None:
        """A printed number that equals the true one reveals it; one carried over, or a sum, reveals what it came from."""
        truth, told = self.truth[state], number(frame)
        behind = number(found.numbers)
        is_sum = "2024" not in {block.period for block in found.held}
        # Quarters before their year, which may be the sum of them.
        order = sorted(truth, key=lambda quantity: quantity[1] == "2024")
        for quantity in order:
            value = truth[quantity]
            if quantity[1] not in set(frame["period"]):
                continue
            is_true = behind.get(quantity) == value
            if not is_true and quantity[1] == "2024" and is_sum and quantity in told:
                parts = [(quantity[0], quarter, *quantity[2:]) for quarter in QUARTERS]
                line = Counter(self.unknown(part, self.seen[part][-1]) for part in parts if part in self.seen)
                self.lines.append(dict(line))
            if not is_true:
                continue
            self.seen.setdefault(quantity, []).append(state)
            if quantity in told:
                self.printed.add(self.unknown(quantity, state))
            else:
                self.withheld.add((quantity, state))

    def recovered(self) -> list[object]:
        """Withheld numbers, and changes by few people, that follow from everything printed."""
        open_ = [unknown for unknown in range(len(self.place)) if unknown not in self.printed]
        column = {unknown: index for index, unknown in enumerate(open_)}
        matrix = np.zeros((len(self.lines) + 1, len(open_)))
        for index, line in enumerate(self.lines):
            for unknown, weight in line.items():
                if unknown in column:
                    matrix[index, column[unknown]] += weight
        sizes, base = np.linalg.eigh(matrix.T @ matrix)
        free = base[:, sizes < 1e-8].T  # what the equations leave open

        def follows(weights: dict[int, float]) -> bool:
            target = np.zeros(len(open_))
            for unknown, weight in weights.items():
                if unknown in column:
                    target[column[unknown]] += weight
            return bool(np.abs(free @ target).max(initial=0.0) < 1e-7)

        found: list[object] = [
            (quantity, state)
            for quantity, state in sorted(self.withheld)
            if quantity[3] == "numerator" and follows({self.unknown(quantity, state): 1.0})
        ]
        for quantity, states in self.seen.items():
            if quantity[3] != PEOPLE[quantity[0]]:
                continue
            for first in dict.fromkeys(states):
                for later in range(len(self.truth)):
                    change = abs(self.truth[later].get(quantity, 0.0) - self.truth[first][quantity])
                    if quantity in self.truth[later] and 0 < change < FEW:
                        now, then = self.unknown(quantity, later), self.unknown(quantity, first)
                        if follows({now: 1.0, then: -1.0}):
                            found.append((quantity, first, later, change))
        return found


def history(chance: random.Random, *, forgetful: bool = False) -> House:
    """Quarters are published in order; answers come late, few or many; some quarters get new versions."""
    kinds = KINDS[: chance.randint(2, 4)]
    counts: dict[str, dict[str, int]] = {}
    house = House(forgetful)
    for quarter in QUARTERS:
        counts[quarter] = {kind: _small(chance) for kind in kinds}
        house.publish(counts, quarter)
        while chance.random() < 0.5:
            late = chance.choice(sorted(counts))
            for kind in chance.sample(kinds, chance.randint(1, len(kinds))):
                counts[late] = counts[late] | {
                    kind: counts[late][kind] + chance.choice([1, 1, 2, 4, 5, 9, 30])
                }
            out = sorted(set(house.public["quarter"]))
            if chance.random() < 0.6:
                house.publish(counts, chance.choice([late if late in out else out[-1], out[-1]]))
    return house


def _small(chance: random.Random) -> int:
    return chance.choice([0, 1, 2, 3, 4, 5, 6, 8, 12, 20, 45, 130])


def attacked(count: int, seed: int) -> tuple[int, int]:
    """How many editions there were, and how many figures they withheld; nothing may be recovered."""
    chance = random.Random(seed)
    editions = withheld = 0
    for _ in range(count):
        house = history(chance)
        attacker = Attacker(house)
        assert attacker.recovered() == [], [edition[:3] for edition in house.editions]
        editions += len(house.editions)
        withheld += len(attacker.withheld)
    return editions, withheld


@pytest.mark.long
def test_the_attack_succeeds_when_each_edition_is_protected_alone() -> None:
    """The attack is strong enough to matter: each of these editions is safe on its own."""
    chance = random.Random(1)
    assert sum(bool(Attacker(history(chance, forgetful=True)).recovered()) for _ in range(4)) >= 2


def test_a_late_answer_to_a_published_quarter_does_not_follow_from_the_year() -> None:
    counts = {quarter: {"lab": 20, "panel": 40, "talk": 30} for quarter in QUARTERS}
    house = House()
    for index, quarter in enumerate(QUARTERS[:3]):
        house.publish({name: counts[name] for name in QUARTERS[: index + 1]}, quarter)
    counts[QUARTERS[0]] = {"lab": 21, "panel": 40, "talk": 30}
    house.publish(counts, QUARTERS[3])
    year = cells(house.editions[-1][2])
    assert year["2024", "total"] == 360, "the sum of what was published"
    assert Attacker(house).recovered() == []


@pytest.mark.slow
def test_many_late_answers_change_a_new_version_of_the_quarter_and_then_of_the_year() -> None:
    counts = {quarter: {"lab": 20, "panel": 40, "talk": 30} for quarter in QUARTERS}
    house = House()
    for index, quarter in enumerate(QUARTERS[:3]):
        house.publish({name: counts[name] for name in QUARTERS[: index + 1]}, quarter)
    counts[QUARTERS[0]] = {"lab": 29, "panel": 40, "talk": 30}
    for quarter in (QUARTERS[3], QUARTERS[0], QUARTERS[3]):
        house.publish(counts, quarter)
    totals = [cells(edition[2]) for edition in house.editions[-3:]]
    assert totals[0]["2024", "total"] == 360
    assert totals[1][QUARTERS[0], "kind=lab"] == 29
    assert totals[2]["2024", "total"] == 369
    assert Attacker(house).recovered() == []


def test_a_kind_changed_by_one_answer_withholds_the_others_of_its_quarter() -> None:
    """Total and lab growing by thirteen and twelve would reveal one more for the panel."""
    house = House()
    house.publish({QUARTERS[0]: {"lab": 20, "panel": 40, "talk": 30}}, QUARTERS[0])
    house.publish({QUARTERS[0]: {"lab": 32, "panel": 41, "talk": 30}}, QUARTERS[0])
    first, second = (cells(edition[2]) for edition in house.editions)
    assert first == second
    assert {block.period for block in house.editions[-1][3].held} == {QUARTERS[0]}


def test_an_edition_that_would_reveal_a_withheld_figure_is_refused_with_a_list() -> None:
    """The protection never produces such an edition; the check catches its bugs."""
    public = House().public
    found = visible(figures({QUARTERS[0]: {"lab": 3, "panel": 40, "talk": 20}}), public, RULES)
    assert newly_exposed(found, QUARTERS[0], public, RULES, FEW) == []
    helper = found.frame["category"] == "talk"
    assert set(found.frame.loc[helper, "status"]) == {"suppressed"}
    wrong = replace(found, frame=found.frame.where(~helper, found.numbers[found.frame.columns]))
    listed = newly_exposed(wrong, QUARTERS[0], public, RULES, FEW)
    assert listed == ["answers 2024-Q1 kind=lab"]
    [obstacle] = exposures(Candidate(wrong.frame, wrong.numbers, frozenset(), (), tuple(listed)))
    assert "would give away withheld ones: answers 2024-Q1 kind=lab" in obstacle.sentence


@pytest.mark.slow
@pytest.mark.fault(61)
def test_the_attack_recovers_nothing_from_successive_editions() -> None:
    editions, withheld = attacked(4, seed=11)
    assert editions > 16 and withheld > 40


@pytest.mark.slow
@pytest.mark.deep
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.long
def test_the_attack_recovers_nothing_from_many_successive_editions(part: int) -> None:
    editions, withheld = attacked(HISTORIES // PARTS, seed=200 + part)
    assert editions > HISTORIES and withheld > HISTORIES  # four times as many as histories of a part


@pytest.mark.slow
def test_every_figure_of_a_history_is_one_the_attacker_can_use() -> None:
    house = history(random.Random(3))
    assert Attacker(house).lines
