"""The depth of property tests follows MEL_TEST_DEPTH."""

from __future__ import annotations

import pytest

from mel_pipeline_tests.depth import DEEP, IS_DEEP, SMALL, depth_of, examples


def test_the_default_depth_is_small() -> None:
    assert depth_of("") == depth_of("small") == SMALL
    assert depth_of("deep") == DEEP


def test_a_mistyped_depth_is_refused() -> None:
    with pytest.raises(ValueError, match="only 'small' and 'deep' exist"):
        depth_of("deeep")


def test_the_number_of_examples_depends_on_the_depth() -> None:
    assert examples(5, 500) == (500 if IS_DEEP else 5)
