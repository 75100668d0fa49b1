"""Figures are protected in parts, each solved once: the result is that of all figures protected together."""

from __future__ import annotations

import random

import pandas as pd
import pytest

from mel_pipeline.publication.disclosure import protect
from mel_pipeline.publication.disclosure.choice import Choice
from mel_pipeline.publication.disclosure.parts import parts_of
from mel_pipeline.publication.disclosure.protection import _exposed, _protected, exposed
from mel_pipeline.publication.disclosure.structure import Row, read_figures, relations, row_of
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.unit.publication.test_disclosure import GENDER, SURVEY
from mel_pipeline_tests.unit.publication.test_disclosure_attack import gender_table, names, survey_table

RULES = {**SURVEY, **GENDER}
TABLES = examples(4, 120)


def years(chance: random.Random, count: int = 2) -> pd.DataFrame:
    """Survey answers and genders of several years, small groups everywhere."""
    parts = []
    for year in range(2024, 2024 - count, -1):
        for frame in (survey_table(chance), gender_table(chance, distinct=True)):
            parts.append(frame.assign(period=frame["period"].str.replace("2024", str(year))))
    return pd.concat(parts, ignore_index=True)


def some(frame: pd.DataFrame, chance: random.Random) -> pd.DataFrame:
    return frame[[chance.random() < 0.3 for _ in frame.index]]


def together(frame: pd.DataFrame, frozen: set[Row], withheld: set[Row]) -> Choice:
    """The same choice without parts."""
    choice = Choice(read_figures(frame, RULES), RULES, 5)
    choice.frozen = {choice.cell(row) for row in frozen}
    choice.hide({choice.cell(row) for row in withheld} - choice.frozen)
    choice.run()
    return choice


def rows(frame: pd.DataFrame) -> set[Row]:
    return {row_of(record) for record in frame.to_dict("records")}


@pytest.fixture(autouse=True)
def _nothing_solved() -> None:
    forget()


def forget() -> None:
    _protected.cache_clear()
    _exposed.cache_clear()


@pytest.mark.deep
def test_no_relation_joins_figures_of_two_parts() -> None:
    chance = random.Random(19)
    for _ in range(TABLES):
        frame = years(chance)
        place = {
            record.row: number
            for number, part in enumerate(parts_of(frame, RULES, (), ()))
            for record in part.records
        }
        assert place.keys() == rows(frame)
        for link in relations(read_figures(frame, RULES), RULES):
            assert len({place[quantity.row] for quantity in link.weights}) == 1, link


@pytest.mark.slow
@pytest.mark.deep
def test_parts_are_protected_as_all_figures_together() -> None:
    chance = random.Random(5)
    for _ in range(TABLES):
        frame = years(chance)
        shown, withheld = some(frame, chance), some(frame, chance)
        done = protect(frame, RULES, frozen=names(shown), withheld=names(withheld))
        whole = together(frame, rows(shown), rows(withheld))
        assert rows(done.frame[done.frame["status"] == "suppressed"]) == whole.figures.hidden
        assert sorted(done.exposed) == sorted(row for *_, row in whole.given_up)
        assert len(done.unprotected) == len(whole.given_up) + len(whole.published_small)


@pytest.mark.slow
@pytest.mark.deep
def test_an_answer_is_used_again_only_for_the_same_question() -> None:
    """Figures change one by one, as do those shown and withheld, and the smallest group."""
    chance = random.Random(2)
    frame = years(chance, 1)
    for number in range(TABLES):
        shown, withheld = some(frame, chance), some(frame, chance)
        smallest = chance.choice([3, 5])
        asked = []
        for again in (False, True):
            if again:
                forget()
            done = protect(frame, RULES, min_cell=smallest, frozen=names(shown), withheld=names(withheld))
            revealed = exposed(frame, RULES, rows(shown), rows(withheld), min_cell=smallest)
            asked.append((done.frame, done.unprotected, sorted(done.exposed), sorted(revealed)))
        pd.testing.assert_frame_equal(asked[0][0], asked[1][0])
        assert asked[0][1:] == asked[1][1:]
        changed = chance.choice(list(frame.index))
        column = ("numerator", "denominator")[number % 2]
        frame.loc[changed, column] += chance.choice([1, 2, 30])


def test_a_quarter_that_joins_leaves_the_years_before_as_they_were_solved() -> None:
    frame = years(random.Random(8))
    assert set(frame.loc[frame["indicator_id"] == "SAT-01", "period"]) >= {"2024-Q4", "2024"}
    protect(frame[~frame["period"].isin(["2024-Q4", "2024"])], RULES)
    before = _protected.cache_info()
    protect(frame, RULES)
    after = _protected.cache_info()
    assert after.hits - before.hits == 2 and after.misses - before.misses == 2
    protect(frame.sample(frac=1, random_state=3), RULES)
    assert _protected.cache_info().misses == after.misses, "the order of the rows does not matter"
