"""A calculated quarter and year on paper: more charts and longer tables than the hand-made edition has."""

from __future__ import annotations

from pathlib import Path

import pytest

from mel_pipeline.reporting import build_editions
from mel_pipeline.reporting.inputs.editions import read_edition
from mel_pipeline_tests.conftest import Organisation
from mel_pipeline_tests.fixtures.paper import wasted


@pytest.mark.parametrize("period", ["2024-Q4", "2024"])
def test_no_printed_page_leaves_its_lower_third_empty_unless_a_chapter_ends(
    year_2024: Organisation, tmp_path: Path, period: str
) -> None:
    edition = read_edition(year_2024.warehouse, year_2024.settings, period)
    sources = year_2024.settings.report_sources
    made = build_editions(edition, tmp_path, sources, ["en"], with_pdf=True)["en"]
    assert made.pdf is not None
    assert wasted(made.pdf) == []
