"""The list of all cities with what they joined: who came, who did not, and of whom it cannot be said."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from mel_pipeline.reporting.site import build_site
from mel_pipeline_tests.fixtures.site import attended, sample_site
from mel_pipeline_tests.golden.sample_edition import QUARTERS, REPORTS, fewer_charts

ROWS = [
    attended(account, quarter, f"lab {quarter}", "Solutions Lab")
    for quarter in QUARTERS
    for account in ("1", "3", "10", "11", "12")
]


def built(folder: Path, workbook: str, rows=None, left=date(2024, 2, 1)) -> str:
    site = sample_site(rows=rows)
    site.spells.loc[site.spells["account_id"] == "8", "ended_on"] = left
    site = replace(site, edition=fewer_charts(site.edition), workbook=workbook)
    few = site.edition.indicators["indicator_id"].isin(["GEN-01"])
    site = replace(site, edition=replace(site.edition, indicators=site.edition.indicators[few],
        figures=site.edition.figures[site.edition.figures["indicator_id"] == "GEN-01"]))  # fmt: skip
    build_site(site, folder, REPORTS, ["en"])
    return (folder / "cities" / "index.html").read_text("utf-8")


def row(page: str, city: str) -> str:
    found = re.search(rf'<tr data-key="[^"]*" data-name="{city}".*?</tr>', page, re.DOTALL)
    assert found is not None, city
    return found[0]


@pytest.mark.slow
def test_the_lead_finds_the_cities_that_joined_nothing_this_year(tmp_path):
    page = built(tmp_path, "http://127.0.0.1:3000/workbook", ROWS)
    assert 'data-active="yes"' in row(page, "São Paulo") and 'data-all="4"' in row(page, "São Paulo")
    assert 'data-active="no"' in row(page, "Gauteng") and 'data-all="0"' in row(page, "Gauteng")
    assert page.count('data-sort="') == 2 + 5 + 1 and '<option value="no">Joined none' in page


@pytest.mark.slow
def test_where_a_kind_is_withheld_nobody_is_called_inactive(tmp_path):
    page = built(tmp_path, "http://127.0.0.1:3000/workbook")  # a training of three is withheld
    assert 'data-active="unknown"' in row(page, "Gauteng") and 'data-all="-1"' in row(page, "Gauteng")
    assert 'data-active="yes"' in row(page, "São Paulo") and "not shown" in row(page, "São Paulo")
    inactive = re.findall(r'data-name="([^"]*)"[^>]*data-active="no"', page)
    assert inactive == ["Atlantis"]  # which left before that quarter


@pytest.mark.slow
def test_readers_can_neither_filter_nor_sort_by_what_was_not_joined(tmp_path):
    page = built(tmp_path, "", ROWS)
    assert "data-active" not in page and "Joined none" not in page
    assert re.findall(r'data-sort="(\w+)"', page) == ["name", "region"]
    assert "Gauteng" in row(page, "Gauteng")


@pytest.mark.slow
def test_a_city_that_left_before_the_year_is_not_on_the_list(tmp_path):
    assert 'data-name="Atlantis"' in built(tmp_path / "a", "", ROWS)  # a member until February 2024
    assert 'data-name="Atlantis"' not in built(tmp_path / "b", "", ROWS, left=date(2023, 6, 1))
