"""How many examples property tests try: few in `make test`, many in `make test-deep`.

Mark a test that uses it `deep`, so that `make test-deep` finds it:

    @pytest.mark.deep
    @settings(max_examples=examples(15, 200), deadline=None)
    def test_...
"""

from __future__ import annotations

import os

SMALL, DEEP = "small", "deep"


def depth_of(written: str) -> str:
    """The depth set by `MEL_TEST_DEPTH`; empty means small.

    Raises:
        ValueError: for any other value, so that a mistyped depth does not pass as a deep run.
    """
    if written not in ("", SMALL, DEEP):
        raise ValueError(f"MEL_TEST_DEPTH={written!r}: only {SMALL!r} and {DEEP!r} exist.")
    return written or SMALL


IS_DEEP = depth_of(os.environ.get("MEL_TEST_DEPTH", "")) == DEEP


def examples(small: int, deep: int) -> int:
    """How many examples to try.

    Args:
        small: in `make test` and `make test-fast`.
        deep: in `make test-deep`.
    """
    return deep if IS_DEEP else small
