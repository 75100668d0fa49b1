"""The marks of tests and the page made from them agree."""

from __future__ import annotations

import pytest

from mel_pipeline.core.settings import PROJECT
from mel_pipeline_tests import environment, faults
from mel_pipeline_tests.behaviours import NAMES, behaviours, marks, page


@pytest.mark.slow
def test_every_marker_names_a_known_behaviour_and_a_known_source() -> None:
    keys = {key for sentences in behaviours().values() for key in sentences}
    wrong = [mark for mark in marks() if mark.behaviour not in keys or mark.source not in NAMES]
    assert wrong == []


def test_the_page_of_sources_is_up_to_date_with_the_markers() -> None:
    assert (PROJECT / "docs" / "sources.md").read_text("utf-8") == page(), "run `make docs`"


def test_the_example_of_settings_names_every_setting_of_every_source() -> None:
    assert environment.FILE.read_text("utf-8") == environment.page(), "run `make docs`"


@pytest.mark.slow
def test_every_fault_is_shown_by_a_test_or_says_why_not() -> None:
    shown = faults.tests()
    assert set(shown) <= set(faults.faults())
    assert [n for n, told in faults.faults().items() if (n in shown) == ("not_yet" in told)] == []


def test_the_page_of_faults_is_up_to_date_with_the_markers() -> None:
    assert (PROJECT / "docs" / "faults.md").read_text("utf-8") == faults.page(), "run `make docs`"
