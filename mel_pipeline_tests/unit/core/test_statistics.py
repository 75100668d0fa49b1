"""Intervals and outliers: published values, and what must hold for any numbers (hypothesis)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mel_pipeline.core.statistics import robust_z, wilson


def test_wilson_gives_the_values_of_the_literature() -> None:
    """Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263 and 0 of 20."""
    found = wilson(81, 263)
    assert (round(found.low, 2), round(found.high, 2)) == (25.53, 36.62)
    found = wilson(0, 20)
    assert (round(found.low, 2), round(found.high, 2)) == (0.0, 16.11)


shares = st.integers(1, 2_000).flatmap(
    lambda n: st.tuples(st.integers(0, n), st.just(n), st.integers(n, 10_000))
)


@given(shares)
def test_an_interval_holds_its_share_and_stays_between_none_and_all(numbers: tuple[int, int, int]) -> None:
    successes, n, population = numbers
    for found in (wilson(successes, n), wilson(successes, n, population)):
        assert 0 <= found.low <= 100 * successes / n + 1e-9
        assert 100 * successes / n - 1e-9 <= found.high <= 100


@given(shares)
def test_a_known_population_never_widens_the_interval_and_a_full_answer_closes_it(
    numbers: tuple[int, int, int],
) -> None:
    successes, n, population = numbers
    plain, corrected, everybody = (
        wilson(successes, n),
        wilson(successes, n, population),
        wilson(successes, n, n),
    )
    assert corrected.high - corrected.low <= plain.high - plain.low + 1e-9
    assert everybody.low == everybody.high


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
