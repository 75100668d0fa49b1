"""Days that SQL wrote are read as words; names keep theirs."""

from __future__ import annotations

import pytest

from mel_pipeline.reporting.text.days import days_in_words
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline_tests.golden.sample_edition import REPORTS


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "3 November 2024"),
        ("fr", "3 novembre 2024"),
        ("es", "3 de noviembre de 2024"),
        ("ca", "3 de novembre del 2024"),
    ],
)
def test_a_day_is_in_words_and_the_name_of_a_file_is_not(language: str, words: str) -> None:
    texts = load_texts(REPORTS, language)
    said = "2024-11-03 list.csv: the list is of another day (the list is of 2024-11-03; EV is on 2024-11-03)."
    assert days_in_words(said, texts) == (
        f"2024-11-03 list.csv: the list is of another day (the list is of {words}; EV is on {words})."
    )


def test_what_is_no_day_stays() -> None:
    texts = load_texts(REPORTS, "en")
    for said in ("2024-13-45", "TRN-2024-11-03", "2024-11-03.csv", "12024-11-03", "2024-11-031"):
        assert days_in_words(said, texts) == said
