"""Choices that several indicators share stand in the limitations of each, in every language."""

from __future__ import annotations

import re

import pytest

from mel_pipeline.core.settings import PROJECT
from mel_pipeline.transform import SqlProject
from mel_pipeline.transform.catalogue import Catalogue, load_catalogue
from mel_pipeline.transform.catalogue.choices import choices

FOLDER = PROJECT / "dbt_like_sql"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(FOLDER)


def saying(catalogue: Catalogue, words: str) -> set[str]:
    return {item.id for item in catalogue.indicators if words in item.limitations.en}


def test_every_indicator_of_events_says_which_period_an_event_belongs_to(catalogue: Catalogue) -> None:
    project = SqlProject.load(
        FOLDER, {"quarter": "2024-Q4", "today": "2025-01-01", "first_quarter": "2023-Q1"}
    )
    of_events = {item.id for item in catalogue.indicators if "dim_event" in project.upstream(item.model)}
    assert saying(catalogue, "in the period of its first day alone") == of_events


def test_every_share_mean_and_amount_of_money_says_when_it_is_rounded(catalogue: Catalogue) -> None:
    rounded = {item.id for item in catalogue.indicators if item.unit in ("percent", "score", "money")}
    assert saying(catalogue, "rounded half up when it is printed") == rounded


def test_indicators_of_distinct_people_say_what_two_records_of_one_person_do(catalogue: Catalogue) -> None:
    found = saying(catalogue, "Two records of one person")
    assert {"GEN-01", "GEN-03", "GEN-04"} <= found and "GEN-02" not in found  # slots, not people
    assert saying(catalogue, "exchange rate stated on its record") == {"FND-01"}


def test_every_choice_is_said_in_every_language_of_its_indicators(catalogue: Catalogue) -> None:
    for choice in choices():
        concerned = [item for item in catalogue.indicators if choice.text.en in item.limitations.en]
        assert concerned, f"nobody says: {choice.text.en}"
        for item in concerned:
            for language, words in item.limitations.by_language.items():
                assert choice.text.by_language[language] in words
                assert not re.search(r"\d", choice.text.by_language[language])
