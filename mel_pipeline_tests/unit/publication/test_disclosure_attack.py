"""An attack on printed figures, over hundreds or thousands of random tables. It shares no code with the protection.

The attacker writes down every sum that is known to hold, puts in what is printed and solves: a withheld number
is recovered when the equations allow only one value (its unit vector is in their row space).
"""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mel_pipeline.publication.disclosure import Sensitivity, protect
from mel_pipeline.publication.disclosure.attack import intervals
from mel_pipeline.publication.disclosure.attacker import Attacker
from mel_pipeline.publication.disclosure.structure import Quantity
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.unit.publication.test_disclosure import (
    GENDER,
    QUARTERS,
    SURVEY,
    answers,
    genders,
    row,
)

FLOW_GENDER = {"GEN-01": Sensitivity("people", "denominator", "ratio", "percent")}
PARTS = 6
TABLES = examples(300, 1_200)


def recovered(frame: pd.DataFrame, kind: str) -> list[tuple[str, str, str]]:
    """Withheld figures whose numerator is exactly known from what is printed."""
    records = {
        (r["indicator_id"], r["period"], "" if pd.isna(r["category"]) else r["category"]): r
        for r in frame.to_dict("records")
    }
    equations = list(_sums(records, kind))
    unknown = sorted({q for e in equations for q in e if records[q[0]]["status"] == "suppressed"})
    place = {quantity: number for number, quantity in enumerate(unknown)}
    lines = []
    for equation in equations:
        line = np.zeros(len(unknown))
        for quantity, weight in equation.items():
            if quantity in place:
                line[place[quantity]] += weight
        if line.any():
            lines.append(line)
    if not lines:
        return []
    matrix = np.array(lines)
    rank = np.linalg.matrix_rank(matrix)
    found = []
    for quantity, number in place.items():
        if quantity[1] != "numerator":
            continue
        unit = np.zeros(len(unknown))
        unit[number] = 1
        if np.linalg.matrix_rank(np.vstack([matrix, unit])) == rank:
            found.append(quantity[0])
    return found


def _sums(records: dict[Any, Any], kind: str) -> Any:
    """Every equation between numerators and denominators that holds in such a table."""
    names = list(records)
    for indicator, period in sorted({(i, p) for i, p, _ in names}):
        cells = [name for name in names if name[:2] == (indicator, period) and name[2]]
        total = (indicator, period, "")
        if total not in records or not cells:
            continue
        if kind == "survey":
            for part in ("numerator", "denominator"):
                yield {**{(cell, part): 1.0 for cell in cells}, (total, part): -1.0}
        else:
            by = {cell[2]: cell for cell in cells}
            yield {(by["Woman"], "numerator"): 1.0, (total, "numerator"): -1.0}
            stated = ("Woman", "Man", "Non-binary")
            yield {(total, "denominator"): -1.0, **{(by[g], "numerator"): 1.0 for g in stated}}
            for one in stated:
                yield {(by[one], "denominator"): 1.0, (total, "denominator"): -1.0}
            silent = by["Undisclosed"]
            yield {(silent, "denominator"): 1.0, (silent, "numerator"): -1.0, (total, "denominator"): -1.0}
    if kind != "distinct":
        for indicator, category in sorted({(i, c) for i, _, c in names}):
            parts = [(indicator, quarter, category) for quarter in QUARTERS]
            whole = (indicator, "2024", category)
            calculated = all((indicator, quarter, "") in records for quarter in QUARTERS)
            parts = [part for part in parts if part in records]  # unlisted categories had nobody in them
            if whole in records and calculated:
                for side in ("numerator", "denominator"):
                    yield {**{(part, side): 1.0 for part in parts}, (whole, side): -1.0}
    if kind == "survey":
        for period, category in sorted({(p, c) for _, p, c in names}):
            same = [
                (i, side)
                for i, side in (("SAT-01", "denominator"), ("SAT-02", "denominator"), ("SAT-04", "numerator"))
            ]
            there = [((i, period, category), side) for i, side in same if (i, period, category) in records]
            for first, second in pairwise(there):
                yield {first: 1.0, second: -1.0}


def small_number(chance: random.Random) -> int:
    """Mostly few people, sometimes none, sometimes many."""
    return chance.choice([0, 1, 2, 3, 4, 4, 5, 6, 8, 12, 20, 45, 130])


def survey_table(chance: random.Random) -> pd.DataFrame:
    kinds = ["lab", "panel", "talk", "tour", "board", "class"][: chance.randint(1, 6)]
    counts = {kind: [small_number(chance) for _ in QUARTERS] for kind in kinds}
    rows = [
        line
        for number, quarter in enumerate(QUARTERS)
        for line in answers(quarter, **{kind: counts[kind][number] for kind in kinds})
    ]
    rows += answers("2024", **{kind: sum(numbers) for kind, numbers in counts.items()})
    if chance.random() < 0.5:  # as in the models: a kind without answers is not listed
        rows = [line for line in rows if line["status"] == "ok" or line["category"] is None]
    if chance.random() < 0.6:  # one quarter alone
        rows = [line for line in rows if line["period"] == QUARTERS[0]]
    elif chance.random() < 0.3:  # a quarter that was never calculated
        gone = chance.choice(QUARTERS)
        rows = [line for line in rows if line["period"] != gone]
    return pd.DataFrame(rows)


def gender_table(chance: random.Random, *, distinct: bool) -> pd.DataFrame:
    counts = [[small_number(chance) for _ in range(4)] for _ in QUARTERS]
    rows = [
        line for quarter, numbers in zip(QUARTERS, counts, strict=True) for line in genders(quarter, *numbers)
    ]
    summed = [sum(numbers) for numbers in zip(*counts, strict=True)]
    highest = [max(numbers) for numbers in zip(*counts, strict=True)]
    of_year = (
        [chance.randint(low, high) for low, high in zip(highest, summed, strict=True)] if distinct else summed
    )
    rows += genders("2024", *of_year)
    alone = chance.random() < 0.6
    return pd.DataFrame([line for line in rows if line["period"] == QUARTERS[0]] if alone else rows)


def tables(seed: int, count: int) -> Any:
    chance = random.Random(seed)
    for number in range(count):
        kind = ("survey", "ratio", "distinct")[number % 3]
        if kind == "survey":
            yield kind, SURVEY, survey_table(chance), chance
        else:
            rules = GENDER if kind == "distinct" else FLOW_GENDER
            yield kind, rules, gender_table(chance, distinct=kind == "distinct"), chance


def names(rows: pd.DataFrame) -> set[tuple[str, str, str]]:
    return set(zip(rows["indicator_id"], rows["period"], rows["disaggregation"], strict=True))


def attacked(count: int, seed: int) -> int:
    """How many withheld figures there were; none of them may be recovered."""
    hidden = 0
    for kind, rules, frame, chance in tables(seed, count):
        done = protect(frame, rules)
        assert done.unprotected == []
        assert recovered(done.frame, kind) == [], done.frame.to_string()
        hidden += int((done.frame["status"] == "suppressed").sum())
        if chance.random() < 0.2:  # some quarters are already published, protected as of then
            early = frame[frame["period"].isin(QUARTERS[:3])]
            out = protect(early, rules).frame
            shown = out[out["status"] != "suppressed"]
            later = protect(
                frame, rules, frozen=names(shown), withheld=names(out[out["status"] == "suppressed"])
            )
            kept = later.frame[later.frame["period"].isin(QUARTERS[:3])]
            assert names(kept[kept["status"] == "suppressed"]) == names(out[out["status"] == "suppressed"])
            reported = " ".join(later.unprotected)
            for indicator, period, category in recovered(later.frame, kind):
                group = rules[indicator].group
                assert f"{group} {period} " in reported, (category, later.frame.to_string())
    return hidden


def test_the_attack_recovers_small_cells_where_only_they_are_withheld() -> None:
    """The attack is strong enough to matter: it succeeds without secondary suppression."""
    frame = pd.DataFrame(answers("2024-Q4", lab=3, panel=60))
    small = frame["disaggregation"] == "kind=lab"
    frame.loc[small, "status"] = "suppressed"
    frame.loc[small, ["value", "numerator", "denominator", "n"]] = None
    assert ("SAT-01", "2024-Q4", "lab") in recovered(frame, "survey")


@pytest.mark.slow
def test_the_attack_recovers_nothing_from_thirty_random_tables() -> None:
    assert attacked(30, seed=1) > 50


@pytest.mark.slow
@pytest.mark.deep
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.long  # thirty tables are the test before
def test_the_attack_recovers_nothing_from_hundreds_of_random_tables_or_thousands(part: int) -> None:
    assert attacked(TABLES // PARTS, seed=100 + part) > TABLES // PARTS * 4


@pytest.mark.exhaustive
@pytest.mark.deep
def test_shortcuts_give_the_same_answer_as_the_linear_program(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = Attacker.can_infer
    answers: Counter[bool] = Counter()

    def both(self: Attacker, wanted: Quantity, limit: float) -> bool:
        links = list({id(link): link for found in self._links.values() for link in found}.values())
        slow = intervals(self.figures, links, [wanted])[wanted].width < limit
        answers[slow] += 1
        assert quick(self, wanted, limit) == slow, (wanted, limit, self.figures)
        return slow

    monkeypatch.setattr(Attacker, "can_infer", both)
    attacked(examples(15, 100), seed=7)
    assert answers[True] > 100 and answers[False] > 100


# Intervals of means: each gives the variance, so the sum of the squared scores.


def score_table(chance: random.Random) -> pd.DataFrame:
    """Mean, share of satisfied and answers by score, by kind of activity, for the quarters and the year."""
    kinds = ["lab", "panel", "talk", "tour"][: chance.randint(1, 4)]
    given = {
        (kind, quarter): [chance.choice([0, 0, 1, 2, 3, 5, 9, 20]) for _ in range(5)]
        for kind in kinds
        for quarter in QUARTERS
    }
    rows: list[dict[str, Any]] = []
    for period in [*QUARTERS, "2024"]:
        mine = {
            kind: [
                sum(column)
                for column in zip(*(given[kind, q] for q in QUARTERS if period in (q, "2024")), strict=True)
            ]
            for kind in kinds
        }
        whole = [sum(column) for column in zip(*mine.values(), strict=True)]
        for kind, counts in {**mine, "": whole}.items():
            n, total = sum(counts), sum(score * count for score, count in zip(SCORES, counts, strict=True))
            squares = sum(score * score * count for score, count in zip(SCORES, counts, strict=True))
            rows.append(row("SAT-01", period, kind, total, n) | _interval(n, total, squares))
            rows.append(row("SAT-02", period, kind, counts[3] + counts[4], n))
        n = sum(whole)
        rows.append(row("SAT-05", period, "", n, n))
        rows += [
            row("SAT-05", period, str(score), count, n, "answer")
            for score, count in zip(SCORES, whole, strict=True)
        ]
    return pd.DataFrame(rows)


SCORES = (1, 2, 3, 4, 5)
SPREAD = {**{name: SURVEY[name] for name in ("SAT-01", "SAT-02")}, "SAT-05": SURVEY["SAT-02"]}
SPREAD["SAT-02"] = Sensitivity("answers", "denominator", "ratio", "percent", ("4", "5"))


def _interval(n: int, total: int, squares: int) -> dict[str, float | None]:
    """``low`` holds the sum of squares itself: the most that an attacker can work out from the bounds."""
    known = n >= 5 and n * squares > total * total
    return {"low": float(squares) if known else None, "high": float(squares) if known else None}


def known_by_squares(frame: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Withheld numerators that all equations of the group fix, those of the squares among them."""
    records = {
        (r["indicator_id"], r["period"], "" if pd.isna(r["category"]) else r["category"]): r
        for r in frame.to_dict("records")
    }
    # Unknowns: how many gave each score, by kind and quarter. Everything printed is a sum of them.
    kinds = sorted({c for i, _, c in records if i == "SAT-01" and c})
    place = {
        item: number for number, item in enumerate((k, q, s) for k in kinds for q in QUARTERS for s in SCORES)
    }

    def line(name: tuple[str, str, str], weight: Any) -> np.ndarray:
        found = np.zeros(len(place))
        for (kind, quarter, score), number in place.items():
            is_kind = name[0] == "SAT-05" or name[2] in ("", kind)
            if is_kind and name[1] in (quarter, "2024"):
                found[number] = weight(score)
        return found

    def counted(name: tuple[str, str, str]) -> Any:
        if name[0] == "SAT-01":
            return lambda score: score
        if name[0] == "SAT-02":
            return lambda score: score >= 4
        return lambda score: name[2] in ("", str(score))

    lines = [np.zeros(len(place))]
    for name, printed in records.items():
        if printed["status"] == "suppressed":
            continue
        lines += [line(name, counted(name)), line(name, lambda _: 1)]
        if name[0] == "SAT-01" and printed["low"] == printed["low"] and printed["low"] is not None:
            lines.append(line(name, lambda score: score * score))
    matrix = np.array(lines)
    rank = np.linalg.matrix_rank(matrix)
    return [
        name
        for name, printed in records.items()
        if printed["status"] == "suppressed"
        and np.linalg.matrix_rank(np.vstack([matrix, line(name, counted(name))])) == rank
    ]


def without_squares(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(low=None, high=None)


@pytest.mark.slow
def test_the_interval_of_a_mean_would_give_withheld_figures_away() -> None:
    """The attack is strong enough to matter: it succeeds where intervals are printed beside withheld figures."""
    chance = random.Random(1)
    for _ in range(40):
        frame = score_table(chance)
        hidden = protect(frame, SPREAD).frame
        careless = hidden.assign(low=frame["low"].where(hidden["status"] == "ok"))
        if len(known_by_squares(careless)) > len(known_by_squares(without_squares(hidden))):
            return
    pytest.fail("no table was given away: the attack proves nothing")


@pytest.mark.slow
@pytest.mark.deep
def test_intervals_that_are_printed_give_no_withheld_figure_away() -> None:
    chance = random.Random(4)
    hidden = printed = 0
    for _ in range(examples(6, 400)):
        done = protect(score_table(chance), SPREAD).frame
        assert known_by_squares(done) == known_by_squares(without_squares(done)), done.to_string()
        assert done.loc[done["status"] == "suppressed", ["low", "high"]].isna().all(axis=None)
        hidden += int((done["status"] == "suppressed").sum())
        printed += int(done["low"].notna().sum())
    assert hidden > 3 and printed > 10, (hidden, printed)


def test_every_random_table_holds_sums_the_attacker_can_use() -> None:
    assert row("SAT-01", "2024", "", 4, 1)["status"] == "ok"
    for kind, _, frame, _ in tables(5, 6):
        records = {
            (r["indicator_id"], r["period"], "" if pd.isna(r["category"]) else r["category"]): r
            for r in frame.to_dict("records")
        }
        for equation in _sums({**records}, kind):
            total = sum(weight * records[name][part] for (name, part), weight in equation.items())
            assert abs(total) < 1e-9
