"""What changed: all movements by size, each with one baseline, its place or cause, and no clause that contradicts it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mel_pipeline.reporting.edition import Edition
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.figures.movements import movements
from mel_pipeline.reporting.page.changes import changes
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.golden.sample_edition import REPORTS, cell, sample_edition, with_cells, with_figure

NOW, BEFORE = "2024-Q4", "2024-Q3"
REGIONS = ("Asia", "Africa", "Europe", "North America")
LANGUAGES = ("en", "fr", "es", "ca")
TEXTS = {language: load_texts(REPORTS, language) for language in LANGUAGES}


def sentences(edition: Edition, language: str = "en") -> list[str]:
    known = measures(edition, language)
    return changes(edition, known, Figures(edition, known), TEXTS[language])


def of(edition: Edition, name: str) -> str:
    return next(line for line in sentences(edition) if line.startswith(name))


def members(now: dict[str, int], before: dict[str, int]) -> Edition:
    """The edition with member cities by region at two moments, and totals that they add up to."""
    edition = sample_edition()
    mine = edition.figures["indicator_id"] == "MEM-01"
    edition = replace(edition, figures=edition.figures[~mine])
    rows = []
    for period, cells in ((NOW, now), (BEFORE, before)):
        rows += [cell("MEM-01", period, "total", None, sum(cells.values()))]
        rows += [cell("MEM-01", period, "region", region, value) for region, value in cells.items()]
    return with_cells(edition, rows)


def test_a_fall_that_is_no_headline_surfaces_when_it_is_unusual():
    edition = sample_edition()
    edition = replace(edition, indicators=edition.indicators.assign(headline=False))
    assert not any(line.startswith("Social media followers") for line in sentences(edition))
    fallen = with_figure(edition, "RCH-02", NOW, value=9_000.0, status="ok", note=None)
    fallen = with_figure(fallen, "RCH-02", "2024-Q3", note=None)
    assert "Social media followers: \N{MINUS SIGN}3,480 since 2024-Q3." in sentences(fallen)


def test_movements_rank_by_what_is_usual_for_each_and_not_by_their_unit():
    edition = sample_edition()
    known = measures(edition, "en")
    found = movements(known, Figures(edition, known))
    assert [item.size for item in found] == sorted((item.size for item in found), reverse=True)
    assert [item.measure.id for item in found[:2]] == ["RCH-01", "FND-01"]  # a campaign, and the first money
    few = {item.measure.id for item in found if not item.measure.headline}
    assert all(item.size >= 1 for item in found if item.measure.id in few)


def test_one_direction_names_the_largest_part_and_one_place_all_of_it():
    edition = members({"Asia": 64, "Africa": 103}, {"Asia": 63, "Africa": 100})
    assert of(edition, "Member cities:") == "Member cities: +4 since 2024-Q3, mostly in Africa (+3)."
    edition = members({"Asia": 64, "Africa": 100}, {"Asia": 63, "Africa": 100})
    assert of(edition, "Member cities:") == "Member cities: +1 since 2024-Q3, all in Asia."


def test_opposite_movements_are_listed_so_that_they_add_up():
    edition = members({"Asia": 61, "Africa": 103}, {"Asia": 63, "Africa": 100})
    assert of(edition, "Member cities:") == (
        "Member cities: +1 since 2024-Q3 (Africa +3 and Asia \N{MINUS SIGN}2)."
    )
    edition = members(
        {"Asia": 61, "Africa": 100, "Europe": 12, "North America": 8},
        {"Asia": 63, "Africa": 101, "Europe": 11, "North America": 7},
    )
    assert of(edition, "Member cities:") == (
        "Member cities: \N{MINUS SIGN}1 since 2024-Q3 (Asia \N{MINUS SIGN}2, Africa \N{MINUS SIGN}1 and elsewhere +2)."
    )


def test_a_campaign_behind_the_views_is_named_as_their_cause():
    campaign = cell("RCH-01", NOW, "campaign", "AVANTIA campaign", 450_000.0)
    edition = with_cells(sample_edition(), [campaign])
    assert of(edition, "Digital views:") == (
        "Digital views: +498,262 compared with 2023-Q4, mostly from AVANTIA campaign (+450,000)."
    )
    for other in (100_000.0, 600_000.0):  # a small part; more than there is to explain
        small = with_cells(sample_edition(), [{**campaign, "value": other}])
        assert of(small, "Digital views:") == "Digital views: +498,262 compared with 2023-Q4."


def test_a_share_that_moved_within_chance_is_no_news():
    edition = sample_edition()
    for value, there in ((86.5, False), (60.0, True)):
        moved = with_figure(edition, "SAT-02", NOW, value=value, low=value - 9, high=value + 9)
        assert any(line.startswith("Satisfied participants") for line in sentences(moved)) is there


def test_a_share_of_cities_does_not_repeat_what_their_number_says():
    edition = with_figure(sample_edition(), "MEM-05", NOW, value=12.8, numerator=21.0)
    edition = with_figure(edition, "MEM-05", "2023-Q4", value=10.9, numerator=17.0)
    edition = with_figure(edition, "MEM-05", "2024-Q3", value=10.9, numerator=17.0)
    assert not any(line.startswith("Active member rate") for line in sentences(edition))


def test_an_amount_of_a_quarter_is_compared_and_a_level_has_moved_since():
    lines = sentences(sample_edition())
    assert any("Digital views: +498,262 compared with 2023-Q4" in line for line in lines)
    assert any("International Fund: resources secured: +€300,000 since 2024-Q3" in line for line in lines)


def test_what_changed_shows_which_part_is_only_in_the_data():
    edition = sample_edition(movements={"MEM-01": {"real_change": 3.0, "late_data": -2.0}})
    assert of(edition, "Member cities:").endswith("; of which \N{MINUS SIGN}2 by late data.")


def test_different_coverage_is_said_after_what_moved():
    edition = with_figure(sample_edition(), "MEM-01", BEFORE, expected=92, covered=80)
    assert sentences(edition)[-1] == (
        "Member cities cannot be compared with 2024-Q3: other accounts or events are counted."
    )


counts = st.fixed_dictionaries(dict.fromkeys(REGIONS, st.integers(0, 9)))


@pytest.mark.slow
@pytest.mark.deep
@settings(max_examples=examples(10, 300), deadline=None)
@given(counts, counts)
def test_no_clause_contradicts_its_sentence_and_each_has_one_baseline(now, before):
    edition = members(now, before)
    moved = sum(now.values()) - sum(before.values())
    line = next((line for line in sentences(edition) if line.startswith("Member cities:")), "")
    assert bool(line) == bool(moved)
    assert len(re.findall(r"20\d\d-Q\d", line)) <= 1
    parts = [int(part.replace("\N{MINUS SIGN}", "-")) for part in re.findall(r"[+\N{MINUS SIGN}]\d+", line)][
        1:
    ]
    if "(" in line and "mostly" not in line:
        assert sum(parts) == moved
    elif parts:
        assert parts[0] * moved > 0 and abs(parts[0]) <= abs(moved)


def test_every_language_says_the_same_numbers():
    edition = with_cells(
        members({"Asia": 61, "Africa": 103}, {"Asia": 63, "Africa": 100}),
        [cell("RCH-01", NOW, "campaign", "AVANTIA campaign", 450_000.0)],
    )
    for language in LANGUAGES:
        lines = sentences(edition, language)
        assert len(lines) == len(sentences(edition))
        assert any(re.search(r"450.000", line) for line in lines)
        assert not any("story." in line for line in lines)
