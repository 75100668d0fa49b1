"""The chart of an indicator in a real browser, from a file share: pointed at, by keyboard, other views, table, download."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from mel_pipeline.reporting.site import build_site
from mel_pipeline_tests.browser.looks import looks_right
from mel_pipeline_tests.fixtures.site import sample_site, sources_in
from mel_pipeline_tests.golden.sample_edition import cell, with_cells, with_figure

pytestmark = pytest.mark.slow

PAGES = ["MEM-01", "GEN-01", "RCH-01"]
NASTY = "=1+1 <b>"


def open_rows(page) -> None:
    """Opens the table below the chart. The browser reports a `details` that opened later, and only then is it filled."""
    page.click("#chart-rows summary")
    expect(page.locator("#chart-table tbody tr").first).to_be_visible()


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    share = tmp_path_factory.mktemp("share with spaces")
    made = sample_site()
    edition = with_figure(made.edition, "GEN-01", "2024-Q3", status="suppressed", value=55.2)
    edition = with_cells(
        edition,
        [
            *(
                cell("MEM-01", "2024-Q3", "region", name, value)
                for name, value in (("Asia", 60), ("Africa", 26))
            ),
            cell("MEM-01", "2024-Q4", "theme", NASTY, 3.0),
        ],
    )
    months = [
        {"indicator_id": "RCH-01", "period": f"2024-{month:02d}", "category": None, "value": value,
         "expected": None, "covered": None}
        for month, value in ((9, 12_000.0), (10, 98_500.0), (11, 300_000.0), (12, 259_882.0))
    ]  # fmt: skip
    few = edition.indicators[edition.indicators["indicator_id"].isin(PAGES)]
    figures = edition.figures[edition.figures["indicator_id"].isin(PAGES)]
    made = replace(made, edition=replace(edition, indicators=few, figures=figures, months=months))
    build_site(made, share / "published", sources_in(share, ("en", "fr")), ["en", "fr"])
    return share / "published"


@pytest.fixture
def show(browser, site):
    opened = []

    def on(indicator: str, language: str = "en", width: int = 1280, part: str = "", **more):
        page = browser.new_page(viewport={"width": width, "height": 900}, **more)
        page.goto(f"{site.as_uri()}/indicators/{indicator}-{language}.html{part}")
        opened.append(page)
        return page

    yield on
    for page in opened:
        page.close()


def said(page) -> str:
    return " ".join(page.inner_text("#chart-said").split())


def shapes(page) -> list:
    return page.eval_on_selector_all(
        "svg.chart path:not(.at), svg.chart text",
        "nodes => nodes.map(node => [...node.attributes].map(item => `${item.name}=${item.value}`).sort().join() + node.textContent)",
    )


@pytest.mark.parametrize("indicator", PAGES)
def test_the_script_draws_the_first_view_exactly_as_the_page_has_it(show, indicator):
    assert shapes(show(indicator, java_script_enabled=False)) == shapes(show(indicator))


def test_the_keyboard_moves_through_the_figures_and_they_are_said(show):
    page = show("MEM-01")
    assert said(page) == "2024-Q4 164 Provisional"
    page.focus("#chart-cursor")
    page.keyboard.press("ArrowLeft")
    assert said(page) == "2024-Q3 163"
    assert page.get_attribute("#chart-cursor", "aria-valuetext") == "2024-Q3"
    page.keyboard.press("Home")
    assert said(page).startswith("2023-Q1 152")
    page.keyboard.press("ArrowLeft")
    assert said(page).startswith("2023-Q1 152")
    page.keyboard.press("End")
    assert said(page).startswith("2024-Q4 164")
    assert page.get_attribute("#chart-value", "aria-live") == "polite"


def test_pointing_at_a_period_shows_its_figure_with_n(show):
    page = show("GEN-01")
    box = page.locator("#chart-cursor").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5 / 8, box["y"] + 60)
    assert said(page).startswith("2023-Q1 47% 55 / 116")
    page.mouse.move(box["x"] + box["width"] * 6.5 / 8, box["y"] + 60)
    assert said(page) == (
        "2024-Q3 not shown Withheld: it is about fewer than 5 people, or would betray a figure that is. Not a zero."
    )


def test_another_grain_and_another_part_are_drawn_and_said(show):
    page = show("MEM-01")
    first = shapes(page)
    page.select_option("#chart-grain", "year")
    assert said(page).startswith("2024 164") and shapes(page) != first
    page.select_option("#chart-grain", "quarter")
    page.select_option("#chart-by", "region")
    assert page.inner_text("#chart-title") == "Member cities: Asia" and said(page).startswith("2024-Q4 64")
    page.select_option("#chart-part", "Africa")
    assert page.text_content("svg.chart title") == "Member cities: Africa"
    assert "2024-Q3: 26" in page.text_content("svg.chart desc")
    page.focus("#chart-cursor")
    page.keyboard.press("Home")
    assert said(page) == "2023-Q1 not available There is no figure. Not a zero."
    page.select_option("#chart-by", "total")
    assert page.is_hidden("#chart-part") and shapes(page) == first


def test_months_have_their_own_axis(show):
    page = show("RCH-01")
    page.select_option("#chart-grain", "month")
    assert page.eval_on_selector_all("svg.chart .periods text", "nodes => nodes.map(node => node.textContent)") == [
        "Sept", "2024", "Oct", "Nov", "Dec",
    ]  # fmt: skip
    assert said(page).startswith("Dec 2024 259,882")


def test_the_table_is_filtered_and_what_is_shown_is_saved_as_released(show, site):
    page = show("MEM-01", accept_downloads=True)
    open_rows(page)
    assert page.inner_text("#chart-count") == "8 figures"
    page.select_option("#chart-by", "region")
    page.fill("#chart-words", "2024 asia")
    assert page.locator("#chart-table tbody tr").count() == 4
    assert page.locator("#chart-table tbody tr").first.inner_text().split()[:3] == ["2024-Q4", "Asia", "64"]
    with page.expect_download() as waiting:
        page.click("#chart-save")
    assert waiting.value.suggested_filename == "MEM-01-quarter-region.csv"
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text("utf-8-sig"))))
    whole = list(csv.DictReader(io.StringIO((site / "indicators/MEM-01.csv").read_text("utf-8-sig"))))
    assert list(rows[0]) == list(whole[0])
    keys = ("period", "dimension", "category", "value", "status")
    there = {tuple(row[key] for key in keys) for row in whole}
    assert {tuple(row[key] for key in keys) for row in rows if row["status"] == "ok"} <= there
    assert [row["value"] for row in rows] == ["64", "60", "", ""]
    page.fill("#chart-words", "zzz")
    assert page.inner_text("#chart-count") == "Nothing found. Try fewer letters."


def test_a_name_that_a_spreadsheet_would_run_is_saved_as_text_and_shown_as_it_is(show):
    page = show("MEM-01", accept_downloads=True)
    page.select_option("#chart-by", "theme")
    open_rows(page)
    assert NASTY in page.inner_text("#chart-table")
    with page.expect_download() as waiting:
        page.click("#chart-save")
    assert f"'{NASTY}" in Path(waiting.value.path()).read_text("utf-8-sig")


def test_a_link_to_a_period_puts_the_cursor_there(show):
    assert said(show("MEM-01", part="#p-2023-Q2")).startswith("2023-Q2 153")
    assert said(show("MEM-01", part="#p-2023")).startswith("2023 156")


def test_without_scripts_picture_and_tables_stand_and_no_control_does(show):
    page = show("GEN-01", java_script_enabled=False)
    assert page.locator("svg.chart").is_visible() and page.locator("svg.chart .band").count() == 1
    assert page.locator("#by-quarter").is_visible() and page.locator("#p-2024-Q4").is_visible()
    for control in ("#chart-form", "#chart-cursor", "#chart-said", "#chart-rows"):
        assert page.is_hidden(control), control


def test_print_has_the_picture_and_no_control(show):
    page = show("MEM-01")
    page.select_option("#chart-grain", "year")
    page.emulate_media(media="print")
    assert page.locator("svg.chart").is_visible()
    for control in ("#chart-form", "#chart-cursor", "#chart-said", "#chart-rows", "svg.chart .at"):
        assert page.is_hidden(control), control


def test_nothing_is_loaded_refused_or_logged(show, browser, site):
    page = browser.new_page()
    messages, asked = [], []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site.as_uri()}/indicators/MEM-01-en.html")
    page.select_option("#chart-by", "region")
    page.focus("#chart-cursor")
    page.keyboard.press("Home")
    open_rows(page)
    assert messages == []
    assert all(url.startswith(("file:", "data:")) for url in asked)
    page.close()


@pytest.mark.parametrize(
    "indicator", [PAGES[0], *(pytest.param(other, marks=pytest.mark.long) for other in PAGES[1:])]
)
def test_no_accessibility_issue_is_found_and_nothing_is_cut_off(show, indicator):
    page = show(indicator, "fr")
    if indicator != "RCH-01":
        page.select_option("#chart-by", index=1)
    open_rows(page)
    page.focus("#chart-cursor")
    looks_right(page)


def test_colours_follow_a_dark_screen(show):
    page = show("MEM-01")
    colour = "getComputedStyle(document.querySelector('.dot-now, .dot-before, .dot-hollow')).stroke"
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(colour) != light
