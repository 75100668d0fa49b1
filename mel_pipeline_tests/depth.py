"""How many examples property tests try: few in `make test`, many in `make test-deep`.

A test that makes use of it is marked `deep`, so that `make test-deep` finds it:

    @pytest.mark.deep
    @settings(max_examples=examples(15, 200), deadline=None)
    def test_...
"""

from __future__ import annotations

import os

SMALL, DEEP = "small", "deep"


def depth_of(written: str) -> str:
    """The depth that `MEL_TEST_DEPTH` asks for; empty is small.

    Raises:
        ValueError: neither of the two, so that a mistyped depth does not pass as a deep run.
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
