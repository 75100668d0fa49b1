"""Which totals are worth a second look, by kind of figure: real series first, then what must hold for any numbers."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mel_pipeline.core.settings import PROJECT
from mel_pipeline.quality.anomalies import LEAST, Total, _plain, flags
from mel_pipeline.transform.catalogue import load_catalogue
from mel_pipeline_tests.depth import examples

INDICATORS = {item.id: item for item in load_catalogue(PROJECT / "dbt_like_sql").indicators}
MEMBERS = [155, 156, 156, 156, 158, 159, 161, 164]  # 2023-Q1 to 2024-Q4
WOMEN = [(57.6, 85), (55.3, 47), (44.8, 145), (45.3, 139), (55.7, 106), (54.2, 155), (50.9, 161), (57.1, 154)]
ACTIVE = [
    (61.3, 155),
    (55.1, 156),
    (46.5, 157),
    (59.6, 156),
    (69.0, 158),
    (67.3, 159),
    (52.2, 161),
    (74.4, 164),
]
many = settings(max_examples=examples(60, 2000), deadline=None)


def series(values: list[float] | list[tuple[float, int]], first: int = 2023) -> dict[str, Total]:
    names = [f"{first + place // 4}-Q{place % 4 + 1}" for place in range(len(values))]
    totals = [Total(*value) if isinstance(value, tuple) else Total(value) for value in values]
    return dict(zip(names, totals, strict=True))


def rules(indicator: str, past: Mapping[str, Total], quarter: str = "2024-Q4") -> set[str]:
    return {flag.rule for flag in flags(INDICATORS[indicator], past, quarter)}


def test_one_city_more_is_no_news_in_a_series_that_hardly_moves() -> None:
    assert rules("MEM-01", series([*MEMBERS, 165]), "2025-Q1") == set()
    assert rules("MEM-01", series([*[164] * 8, 165]), "2025-Q1") == set()


def test_ten_points_fewer_women_are_worth_a_look() -> None:
    [flag] = flags(INDICATORS["GEN-01"], series(WOMEN[:3]), "2023-Q3")
    assert flag.sentence == (
        "GEN-01 Women among Solutions Labs participants: -10.5 points against 2023-Q2 (55.3 of 47 then, 44.8 of 145 in"
        " 2023-Q3). Check whether it is real."
    )
    assert rules("GEN-01", series(WOMEN), "2024-Q4") == {"same quarter last year"}
    assert rules("GEN-01", series(WOMEN[:7]), "2024-Q3") == set()


def test_a_few_speakers_more_or_less_are_chance() -> None:
    speakers = [(57.1, 7), (45.8, 24)]
    assert rules("GEN-02", series(speakers), "2023-Q2") == set()


def test_a_step_that_the_season_makes_every_year_is_not_flagged_again() -> None:
    assert rules("MEM-05", series(ACTIVE[:7]), "2024-Q3") == set()
    assert rules("MEM-05", series(ACTIVE[:3]), "2023-Q3") == set()  # 8.6 points of 157, within chance
    assert rules("MEM-05", series([*ACTIVE[:6], (30.0, 161)]), "2024-Q3") == {
        "previous quarter",
        "same quarter last year",
    }


def test_a_level_that_jumps_is_flagged_and_one_that_has_always_crept_earlier() -> None:
    assert rules("MEM-01", series([*MEMBERS[:7], 120])) == {"previous quarter"}
    assert rules("MEM-01", series([*MEMBERS[:7], 150])) == set()
    crept = [*range(150, 170, 2), 150]
    assert rules("MEM-01", series(crept), "2025-Q3") == {"series"}
    assert rules("FND-01", series([0, 0, 800_000]), "2023-Q3") == {"previous quarter"}


def test_amounts_are_compared_with_the_same_quarter_of_the_year_before() -> None:
    past = {"2023-Q4": Total(1_000.0), "2024-Q3": Total(100.0)}
    assert rules("RCH-01", {**past, "2024-Q4": Total(1_100.0)}) == set()
    assert rules("RCH-01", {**past, "2024-Q4": Total(2_500.0)}) == {"same quarter last year"}
    assert rules("RCH-01", {**past, "2024-Q4": Total(400.0)}) == {"same quarter last year"}


def test_few_cases_vary_by_chance() -> None:
    for before, now in ((1, 4), (0, 4), (2, 8)):
        assert rules("MEM-02", {"2023-Q4": Total(before), "2024-Q4": Total(now)}) == set()
    assert rules("MEM-02", {"2023-Q4": Total(2), "2024-Q4": Total(14)}) == {"same quarter last year"}


def test_a_campaign_is_out_of_line_with_its_own_history_and_later_quarters_are_ignored() -> None:
    quiet = series([100.0 + place % 4 for place in range(8)], 2022) | {"2024-Q3": Total(102)}
    assert "series" in rules("RCH-07", {**quiet, "2024-Q4": Total(390)})
    assert rules("RCH-07", {**quiet, "2024-Q4": Total(103), "2025-Q1": Total(900)}) == set()


def test_shares_and_means_have_bounds() -> None:
    assert rules("SAT-02", {"2024-Q4": Total(101.0, 20)}) == {"bounds"}
    assert rules("SAT-01", {"2024-Q4": Total(0.4, 20)}) == {"bounds"}
    assert rules("MEM-01", {"2024-Q3": Total(164)}) == set()


figures = st.integers(0, 400).map(lambda quarters: quarters / 4)  # exact, so that a difference is one
sizes = st.integers(1, 400)
shares = pytest.mark.parametrize("indicator", ["GEN-01", "SAT-02", "GEN-04"])


@pytest.mark.deep
@shares
@many
@given(before=figures, now=figures, sizes=st.tuples(sizes, sizes))
def test_a_small_change_of_a_share_is_never_flagged_and_both_ways_are_alike(
    indicator: str, before: float, now: float, sizes: tuple[int, int]
) -> None:
    there, back = (
        rules(indicator, series([(first, sizes[0]), (last, sizes[1])]), "2023-Q2")
        for first, last in ((before, now), (100 - before, 100 - now))
    )
    assert there == back
    if abs(now - before) < LEAST["percent"] - 1e-9:
        assert not there


@pytest.mark.deep
@shares
@many
@given(before=figures, now=figures, n=sizes, more=st.integers(1, 20))
def test_more_people_behind_the_same_change_never_make_it_less_worth_a_look(
    indicator: str, before: float, now: float, n: int, more: int
) -> None:
    few, several = (
        rules(indicator, series([(before, size), (now, size)]), "2023-Q2") for size in (n, n * more)
    )
    assert few <= several


@pytest.mark.deep
@many
@given(st.sampled_from(sorted(INDICATORS)), st.integers(0, 10_000), st.integers(1, 12))
def test_a_series_that_never_moves_is_never_flagged(indicator: str, value: int, length: int) -> None:
    if INDICATORS[indicator].unit in ("percent", "score", "points"):
        value = value % 5 + 1
    names = series([(float(value), 50)] * length)
    assert rules(indicator, names, list(names)[-1]) == set()


@pytest.mark.deep
@many
@given(st.sampled_from(["MEM-01", "MEM-02", "LAB-02"]), st.lists(st.integers(0, 300), min_size=9, max_size=9))
def test_fewer_than_five_members_are_never_worth_a_look(indicator: str, values: list[int]) -> None:
    crept = [300 + value % 5 for value in values]
    assert rules(indicator, series([float(value) for value in crept]), "2025-Q1") == set()


def test_large_numbers_are_written_out() -> None:
    assert [_plain(value) for value in (1_079_760.0, 800_000.0, 4.26, 0.0)] == [
        "1,079,760",
        "800,000",
        "4.26",
        "0",
    ]
