"""A question as it is asked: how many women did AVANTIA train in 2025? From the start page, in the browser."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import expect

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.periods import Quarter
from mel_pipeline.ingest.city_names import match_cities
from mel_pipeline.ingest.raw_tables import ensure_empty, load_catalogue_tables
from mel_pipeline.publication.release import release
from mel_pipeline.reporting.inputs.site_data import write_site
from mel_pipeline.sources.workbook.versions import current
from mel_pipeline.transform import SqlProject
from mel_pipeline.transform.catalogue import catalogue_of
from mel_pipeline.transform.engines import runner_for
from mel_pipeline.transform.variables import sql_variables
from mel_pipeline_tests.browser.looks import CUT_OFF
from mel_pipeline_tests.conftest import Organisation, organisation_in
from mel_pipeline_tests.fixtures.shared import made_once

# Half a minute to collect and calculate what the site shows.
pytestmark = [pytest.mark.slow, pytest.mark.long]

USED = ("zoho_crm", "attendance_lists", "workbook")
QUARTER = Quarter(2025, 4)
WOMEN = "34"


@pytest.fixture(scope="module")
def start(tmp_path_factory, sandbox) -> str:
    """The start page of the site over the sample's CRM, lists and workbook, as of the end of 2025."""

    def make(home: Path) -> None:
        made = organisation_in(home, sandbox)
        _collect(made)
        _calculate(made)
        settings = made.settings.model_copy(update={"languages": "en"})
        write_site(made.warehouse, settings)

    return (made_once(tmp_path_factory, "women-trained", make) / "drafts" / "index.html").as_uri()


def _collect(made: Organisation) -> None:
    for source in source_names():
        for entity in contract_of(source).entities:
            if source in USED:
                made.load(source, entity, str(QUARTER))
            else:
                ensure_empty(contract_of(source), entity, made.warehouse)
    match_cities(made.warehouse, current(made.settings))
    load_catalogue_tables(catalogue_of(made.settings), made.warehouse)


def _calculate(made: Organisation) -> None:
    variables = sql_variables(made.settings, QUARTER)
    project = SqlProject.load(made.settings.sql_dir, variables)
    results = list(runner_for(made.warehouse, made.settings).run(project, variables=variables))
    assert [result.message for result in results if result.status != "ok"] == []
    release(made.warehouse, made.settings)


@pytest.fixture
def page(browser, start):
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    opened.goto(start)
    yield opened
    opened.close()


def test_the_project_is_found_by_its_name_and_says_it_beside_its_target(page):
    page.fill("#q", "avantia")
    page.click("#found a")
    row = page.locator("section.project", has=page.locator("#project-AVANTIA")).locator(
        "tr", has_text="Women trained"
    )
    assert row.locator("td.number").nth(1).inner_text().startswith("100")
    answer = row.locator("td.number").nth(2)
    assert answer.locator("a").inner_text() == WOMEN and "2025" in answer.inner_text()
    expect(page.locator("#project-AVANTIA")).to_be_in_viewport()


@pytest.mark.fault(185)
@pytest.mark.parametrize(
    "asked",
    [
        "women AVANTIA 2025",
        "2025 avantia women",
        "Wömen, avántia",
        "How many women did AVANTIA train in 2025?",
        "how many women were trained by avantia",
    ],
)
def test_a_question_in_any_order_lists_the_figure_and_leads_to_its_row(page, asked):
    page.fill("#q", asked)
    first = page.locator("#found a").first
    assert "AVANTIA: Women trained" in first.inner_text() and f"{WOMEN} (2025)" in first.inner_text()
    first.click()
    row = page.locator("tr:target")
    expect(row).to_be_in_viewport(ratio=1)
    assert WOMEN in row.inner_text() and page.evaluate("scrollY") > 0


def test_the_link_to_the_workbook_stays_on_the_address_of_a_served_page(browser, start):
    folder = Path(start.removeprefix("file://")).parent
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    opened = browser.new_page()
    opened.goto(start)
    assert opened.get_attribute("#workbook", "href").startswith("http://127.0.0.1:3000/workbook"), "of a file"
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        place = f"http://localhost:{server.server_port}"
        opened.goto(f"{place}/index.html")
        assert opened.evaluate("document.getElementById('workbook').href") == f"{place}/workbook?language=en"
        server.shutdown()
    opened.close()


def test_words_that_stand_nowhere_alone_find_nothing(page):
    for asked in ("zzzz", "zzzz avantia"):
        page.fill("#q", asked)
        assert page.locator("#found a").count() == 0, asked


@pytest.mark.parametrize("width", [1280, 390])
def test_a_link_to_a_project_lands_on_its_heading(browser, start, width):
    opened = browser.new_page(viewport={"width": width, "height": 800})
    for code in ("AVANTIA", "MGET"):
        opened.goto(start.replace("index.html", f"projects/index.html#project-{code}"))
        heading = opened.locator(f"#project-{code}")
        expect(heading).to_be_in_viewport(ratio=1)
        opened.wait_for_timeout(300)
        top = heading.bounding_box()["y"]
        at_the_end = opened.evaluate("scrollY + innerHeight >= document.documentElement.scrollHeight - 2")
        assert 0 <= top <= 40 or at_the_end, (code, top)
    opened.close()


def test_a_phone_shows_the_amount_of_every_agreement(browser, start):
    opened = browser.new_page(viewport={"width": 390, "height": 800})
    opened.goto(start.replace("index.html", "projects/index.html"))
    amounts = [cell for cell in opened.locator(".agreements td.number").all() if cell.inner_text()]
    assert amounts
    for cell in amounts:
        box = cell.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390, "without scrolling sideways"
    opened.close()


def test_the_indicator_says_it_by_programme(page):
    page.fill("#q", "women trained")
    page.click("#found a")
    assert page.inner_text("#d-2025") == "In detail, 2025"
    row = page.locator("section[aria-labelledby=d-2025] tr", has_text="AVANTIA")
    assert WOMEN in row.inner_text().split()


def test_the_figure_of_the_project_leads_to_its_row_by_programme(page, start):
    page.goto(start.replace("index.html", "projects/index.html"))
    page.locator("#project-AVANTIA ~ * tr", has_text="Women trained").locator("td.number a").click()
    assert page.url.endswith("indicators/TRN-03-en.html#d-2025")
    expect(page.locator("#d-2025")).to_be_in_viewport()


def test_nothing_of_the_project_page_is_cut_off(browser, start):
    opened = browser.new_page()
    opened.goto(start.replace("index.html", "projects/index.html"))
    for width in (1280, 390):
        opened.set_viewport_size({"width": width, "height": 800})
        assert opened.evaluate(CUT_OFF) == [], width
    opened.close()
