"""Plan, projects and outcomes in a real browser, from a file share: filter, sort, export, accessible."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from mel_pipeline.reporting.site import build_site
from mel_pipeline_tests.browser.looks import CUT_OFF, looks_right
from mel_pipeline_tests.fixtures.register import register
from mel_pipeline_tests.fixtures.site import attended, sample_site, sources_in
from mel_pipeline_tests.golden.sample_edition import QUARTERS, fewer_charts

pytestmark = pytest.mark.slow

PAGES = ["plan/index.html", "projects/index.html", "outcomes/index.html"]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    share = tmp_path_factory.mktemp("share with spaces")
    made = sample_site()
    made = replace(made, edition=fewer_charts(made.edition), register=register(outcomes=300, unprinted=2))
    build_site(made, share / "published", sources_in(share, ("en",)), ["en"])
    return share / "published"


@pytest.fixture
def outcomes(browser, site):
    page = browser.new_page(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    page.goto(f"{site.as_uri()}/outcomes/index.html")
    yield page
    page.close()


def shown(page) -> int:
    return page.locator("#outcomes tbody tr:visible").count()


def first(page) -> str:
    return page.locator("#outcomes tbody tr:visible").first.get_attribute("id")


def test_three_hundred_outcomes_are_searched_and_filtered_at_once(outcomes):
    assert shown(outcomes) == 300
    outcomes.fill("#words", "LODZ rule")
    assert shown(outcomes) == 60
    outcomes.select_option("[data-by=evidence]", "yes")
    assert shown(outcomes) == 30
    assert outcomes.locator("#count").inner_text() == "30 outcomes"
    outcomes.select_option("[data-by=project]", "COMANAGE")
    assert (shown(outcomes), outcomes.locator("#count").inner_text()) == (
        0,
        "Nothing found. Try fewer letters.",
    )
    outcomes.click("#clear")
    outcomes.wait_for_function("document.querySelector('#count').textContent === '300 outcomes'")
    assert shown(outcomes) == 300


def test_a_column_sorts_up_and_down_and_says_so(outcomes):
    assert first(outcomes) == "O-0300"
    outcomes.click("[data-sort=day]")
    assert first(outcomes) == "O-0001"
    outcomes.click("[data-sort=organisation]")
    assert outcomes.locator("#outcomes tbody th").first.inner_text() == "Córdoba"
    assert outcomes.locator("th[aria-sort]").count() == 1


def test_what_is_shown_is_exported(outcomes):
    outcomes.select_option("[data-by=line]", "2")
    with outcomes.expect_download() as waiting:
        outcomes.click("#export")
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text("utf-8-sig"))))
    assert len(rows) == shown(outcomes) == 100
    assert {row["line_of_action"] for row in rows} == {"2"}
    assert rows[0]["contribution"] == "A lab"


def test_a_link_from_a_project_shows_its_outcomes(browser, site):
    page = browser.new_page()
    page.goto(f"{site.as_uri()}/projects/index.html")
    page.click("text=outcomes in the register")
    page.wait_for_load_state()
    assert page.locator("#count").inner_text() == "75 outcomes"
    page.close()


def test_nothing_is_loaded_and_nothing_is_refused(browser, site):
    page = browser.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site.as_uri()}/outcomes/index.html")
    assert said == []
    assert all(url.startswith("file:") for url in asked)
    page.close()


@pytest.mark.parametrize("address", PAGES)
def test_no_accessibility_issue_is_found_and_no_page_scrolls_sideways(browser, site, address):
    page = browser.new_page()
    page.goto(f"{site.as_uri()}/{address}")
    page.evaluate("[...document.querySelectorAll('tbody tr')].slice(20).forEach(row => row.remove())")
    page.evaluate("document.querySelectorAll('details').forEach(node => node.open = true)")
    looks_right(page)
    page.close()


@pytest.mark.parametrize("address", ["projects/index.html", "outcomes/index.html"])
def test_on_a_phone_every_cell_of_a_row_is_seen_without_moving_sideways(browser, site, address):
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(f"{site.as_uri()}/{address}")
    hidden = """() => [...document.querySelectorAll('.stacked tbody td, .stacked tbody th')]
        .filter(cell => cell.getBoundingClientRect().right > innerWidth + 1).length"""
    assert page.locator(".stacked tbody td").count() > 0 and page.evaluate(hidden) == 0
    page.close()


def test_the_lead_lists_the_cities_that_joined_nothing_and_saves_them(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("drafts")
    made = sample_site(rows=[
        attended(account, quarter, f"lab {quarter}", "Solutions Lab")
        for quarter in QUARTERS
        for account in ("1", "3", "10", "11", "12")
    ])  # fmt: skip
    made = replace(made, edition=fewer_charts(made.edition), workbook="http://127.0.0.1:3000/workbook")
    build_site(made, folder / "drafts", sources_in(folder, ("en",)), ["en"])
    page = browser.new_page(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    page.goto(f"{(folder / 'drafts').as_uri()}/cities/index.html")
    names = page.locator("#cities tbody tr:visible th a")
    page.click("[data-sort=all]")
    page.click("[data-sort=all]")
    assert set(names.all_inner_texts()[:5]) == {
        "São Paulo",
        "Córdoba",
        "Asian city 0",
        "Asian city 1",
        "Asian city 2",
    }
    page.select_option("[data-by=active]", "no")
    assert "Gauteng" in names.all_inner_texts() and "São Paulo" not in names.all_inner_texts()
    with page.expect_download() as waiting:
        page.click("#export")
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text("utf-8-sig"))))
    assert len(rows) == names.count() and {row["active"] for row in rows} == {"no"}
    assert {row["all_events"] for row in rows} == {"0"} and rows[0]["Solutions Lab"] == "0"
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CUT_OFF) == [], width
    page.close()
