"""Intervals and outliers: published values, and what must hold for any numbers (hypothesis)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mel_pipeline.core.settings import PROJECT
from mel_pipeline.core.statistics import Range, differs, robust_z, wilson
from mel_pipeline.quality.anomalies import flags
from mel_pipeline.transform.catalogue import load_catalogue

INDICATORS = {item.id: item for item in load_catalogue(PROJECT / "dbt_like_sql").indicators}


def test_wilson_gives_the_values_of_the_literature() -> None:
    """Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263 and 0 of 20."""
    found = wilson(81, 263)
    assert (round(found.low, 2), round(found.high, 2)) == (25.53, 36.62)
    found = wilson(0, 20)
    assert (round(found.low, 2), round(found.high, 2)) == (0.0, 16.11)


shares = st.integers(1, 2_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(shares)
def test_an_interval_holds_its_share_and_stays_between_none_and_all(numbers: tuple[int, int]) -> None:
    successes, n = numbers
    found = wilson(successes, n)
    assert 0 <= found.low <= 100 * successes / n + 1e-9
    assert 100 * successes / n - 1e-9 <= found.high <= 100


@given(shares, shares)
def test_two_shares_differ_in_either_order_and_never_from_themselves(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    first, second = (Range(*vars(wilson(*numbers)).values()) for numbers in (one, other))
    values = [100 * successes / n for successes, n in (one, other)]
    assert differs(values[0], first, values[1], second) == differs(values[1], second, values[0], first)
    assert not differs(values[0], first, values[0], first)


def test_the_difference_of_two_shares_has_the_interval_of_the_literature() -> None:
    """Newcombe (1998), Statistics in Medicine 17, table II: 56/70 less 48/80 is 0.0524 to 0.3339 by method 10."""
    now, then = wilson(56, 70), wilson(48, 80)
    assert differs(80.0, now, 60.0, then)
    assert differs(80.0 - 5.2, Range(now.low - 5.2, now.high - 5.2), 60.0, then)
    assert not differs(80.0 - 5.3, Range(now.low - 5.3, now.high - 5.3), 60.0, then)


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (5, 4), (-1, 4)])
def test_numbers_that_are_not_a_share_are_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="is no share"):
        wilson(successes, n)


def test_a_robust_z_score_is_not_fooled_by_an_earlier_outlier() -> None:
    earlier = [10, 11, 9, 10, 12, 9, 11, 500]
    found = robust_z(40, earlier)
    assert found is not None
    assert found > 10


def test_a_short_series_or_one_that_never_moved_has_no_score() -> None:
    assert robust_z(40, [10, 11, 9]) is None
    assert robust_z(40, [10] * 12) is None


def rules(indicator: str, series: dict[str, float], quarter: str = "2024-Q4") -> set[str]:
    return {flag.rule for flag in flags(INDICATORS[indicator], series, quarter)}


def test_a_level_that_jumps_from_one_quarter_to_the_next_is_flagged() -> None:
    assert rules("MEM-01", {"2024-Q3": 164, "2024-Q4": 120}) == {"previous quarter"}
    assert rules("MEM-01", {"2024-Q3": 164, "2024-Q4": 150}) == set()


def test_amounts_are_compared_with_the_same_quarter_of_the_year_before() -> None:
    series = {"2023-Q4": 1_000.0, "2024-Q3": 100.0, "2024-Q4": 1_100.0}
    assert rules("RCH-01", series) == set()
    assert rules("RCH-01", {**series, "2024-Q4": 2_500.0}) == {"same quarter last year"}
    assert rules("RCH-01", {**series, "2024-Q4": 400.0}) == {"same quarter last year"}


def test_a_share_moves_by_points_and_has_bounds() -> None:
    assert rules("SAT-02", {"2024-Q3": 88.0, "2024-Q4": 60.0}) == {"previous quarter"}
    assert rules("SAT-02", {"2024-Q4": 101.0}) == {"bounds"}
    assert rules("SAT-01", {"2024-Q4": 0.4}) == {"bounds"}


def test_a_small_base_is_not_compared_in_per_cent() -> None:
    assert rules("MEM-02", {"2023-Q4": 1.0, "2024-Q4": 4.0}) == set()


def test_a_long_series_is_compared_with_its_own_history_and_ignores_later_quarters() -> None:
    series = {f"{year}-Q{number}": 100.0 + number for year in (2022, 2023) for number in (1, 2, 3, 4)}
    assert "series" in rules("RCH-07", {**series, "2024-Q4": 190.0})
    assert rules("RCH-07", {**series, "2024-Q4": 103.0, "2025-Q1": 900.0}) == set()


def test_a_figure_that_is_missing_is_not_flagged() -> None:
    assert rules("MEM-01", {"2024-Q3": 164}) == set()
    flag = flags(INDICATORS["MEM-01"], {"2024-Q3": 164, "2024-Q4": 120}, "2024-Q4")[0]
    assert flag.sentence == (
        "MEM-01 Member cities: -27 % against 2024-Q3 (164 then, 120 in 2024-Q4). Check whether it is real."
    )
