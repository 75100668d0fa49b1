"""Intervals and outliers: published values, and what must hold for any numbers (hypothesis)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mel_pipeline.core.statistics import Range, differs, robust_z, wilson


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


@pytest.mark.slow
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
