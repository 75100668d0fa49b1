"""What reading a survey export costs, in calls of functions: they are counted, not timed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType

import pytest

from mel_pipeline.sources.survey_files.client import Rules, SurveyFiles
from mel_pipeline_tests.benchmarks.survey_import import fabricate

FEW, MANY = 300, 1_500
MOST_CALLS = 120  # a response of 60 columns; each different answer is read once, not each answer


def calls(folder: Path, responses: int) -> int:
    """How many functions of Python are called to read an export."""
    folder.mkdir()
    fabricate(folder / "export.csv", responses)
    os.utime(folder / "export.csv", (1_700_000_000,) * 2)
    counted = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event == "call"

    batches = SurveyFiles(folder, Rules()).pull("responses").batches
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        read = sum(len(batch.frame) for batch in batches)
    finally:
        sys.setprofile(before)
    assert read == responses
    return counted


@pytest.mark.slow
def test_a_response_more_costs_few_calls_however_many_questions_it_answers(tmp_path: Path) -> None:
    calls(tmp_path / "imports", 20)
    few, many = calls(tmp_path / "few", FEW), calls(tmp_path / "many", MANY)
    assert (many - few) / (MANY - FEW) < MOST_CALLS
