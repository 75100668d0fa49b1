"""Plan, projects and outcomes on the reading site."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest

from mel_pipeline.reporting.site import build_site
from mel_pipeline.reporting.site.register import Register
from mel_pipeline_tests.fixtures.register import outcome, register
from mel_pipeline_tests.fixtures.site import NASTY, sample_site, sources_in
from mel_pipeline_tests.golden.sample_edition import fewer_charts


def built(folder: Path, held: Register, **changes: object) -> Path:
    site = sample_site(**changes)
    site = replace(site, edition=fewer_charts(site.edition), register=held)
    build_site(site, folder / "site", sources_in(folder, ("en", "fr")), ["en", "fr"])
    return folder / "site"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("projects"), register(outcomes=5, unprinted=3, withheld=1))


def text_of(page: Path) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.read_text("utf-8")))


@pytest.mark.long
def test_a_project_shows_its_money_its_logframe_and_its_grants(pages):
    text = text_of(pages / "projects" / "index.html")
    assert "European Union" in text
    assert "Madrid, Rome" in text
    assert "120,000 EUR not available" in text
    assert "100,000 EUR" in text
    assert "20 November 2024" in text


@pytest.mark.slow
def test_the_actual_value_of_a_logframe_is_the_released_figure_and_leads_to_it(pages):
    page = (pages / "projects" / "index.html").read_text("utf-8")
    [period, value] = re.search(r'indicators/LAB-02-en\.html#p-([\dQ-]+)">([\d,]+)<', page).groups()
    indicator = (pages / "indicators" / "LAB-02-en.html").read_text("utf-8")
    row = indicator.split(f'id="p-{period}"')[1].split("</tr>")[0]
    assert f">{value}<" in row


def test_a_statement_without_an_indicator_says_so_and_keeps_its_target(pages):
    text = text_of(pages / "projects" / "index.html")
    assert "No indicator named yet" in text
    assert "90 (2025)" in text


def test_what_people_wrote_is_escaped(pages):
    page = (pages / "projects" / "index.html").read_text("utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_outcomes_are_printed_and_those_without_consent_are_a_number(pages):
    text = text_of(pages / "outcomes" / "index.html")
    assert "Rule 5 changed" in text
    assert "3 more are counted but not printed" in text
    assert "1 is withheld because its text may name a person" in text


def test_a_text_missing_in_a_language_is_shown_in_english(pages):
    assert "Rule 5 changed" in text_of(pages / "outcomes" / "index-fr.html")


@pytest.mark.long
def test_the_download_has_every_printed_outcome_and_no_formula(tmp_path):
    held = register(outcomes=0)
    held = replace(held, outcomes=(outcome(1, organisation=NASTY), outcome(2)))
    site = built(tmp_path, held)
    rows = list(csv.DictReader(io.StringIO((site / "outcomes" / "outcomes.csv").read_text("utf-8-sig"))))
    assert [row["id"] for row in rows] == ["O-0001", "O-0002"]
    assert rows[0]["organisation"] == f"'{NASTY}"
    assert rows[1]["stated_in"] == "workbook v3, Outcomes, O-0002"


@pytest.mark.long
def test_three_hundred_outcomes_are_one_page_of_less_than_half_a_megabyte(tmp_path):
    page = built(tmp_path, register(outcomes=300)) / "outcomes" / "index.html"
    assert page.read_text("utf-8").count("<tr id=") == 300
    assert page.stat().st_size < 500_000


@pytest.mark.long
def test_a_site_without_projects_has_neither_their_pages_nor_links_to_them(tmp_path):
    site = built(tmp_path, Register())
    assert not (site / "projects").exists()
    assert not (site / "outcomes").exists()
    assert "projects/index" not in (site / "index.html").read_text("utf-8")


@pytest.mark.fault(155)
@pytest.mark.long
def test_a_register_that_loses_its_last_outcome_leaves_no_download_behind(tmp_path):
    built(tmp_path, register(outcomes=1))
    site = sample_site()
    site = replace(site, edition=fewer_charts(site.edition), register=Register())
    build_site(site, tmp_path / "site", tmp_path / "reports", ["en"])
    assert not (tmp_path / "site" / "outcomes" / "outcomes.csv").exists()


def test_every_cell_of_the_plan_leads_to_a_row_of_its_indicator(pages):
    page = (pages / "plan" / "index.html").read_text("utf-8")
    links = set(re.findall(r'href="\.\./(indicators/[\w-]+\.html)#(p-[\w-]+)"', page))
    assert len(links) > 3
    for address, anchor in links:
        assert f'id="{anchor}"' in (pages / address).read_text("utf-8"), (address, anchor)


def test_a_year_of_the_plan_that_has_not_begun_shows_only_what_is_planned(pages):
    page = (pages / "plan" / "index.html").read_text("utf-8")
    assert "planned: " in page
    assert not re.search(r"#p-202[5-9]", page)
