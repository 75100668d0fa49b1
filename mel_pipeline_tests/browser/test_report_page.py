"""The report in a real browser: nothing runs, nothing is fetched, nothing is cut off, everything can be read."""

from __future__ import annotations

import io
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from PIL import Image

from mel_pipeline.reporting import build_editions, build_report
from mel_pipeline.reporting.edition import Decision, Narrative, Publication, Wording
from mel_pipeline_tests.browser.looks import CONTRAST, CUT_OFF, LOOKS, looks_right
from mel_pipeline_tests.fixtures.shared import made_once
from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition

# Run by `make test` and CI; a browser is too slow for the fast tests.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    periods = ("2024-Q4", "2024")

    def make(folder: Path) -> None:
        for period in periods:
            build_report(sample_edition(period), folder, REPORTS, "en")

    folder = tmp_path_factory.mktemp("published")
    shutil.copytree(made_once(tmp_path_factory, "sample-pages", make), folder, dirs_exist_ok=True)
    return {period: folder / period / "report-en.html" for period in periods}


def opened(browser, path: Path, width=1280, height=800, scheme="light"):
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("period", ["2024-Q4", "2024"])
def test_the_page_never_scrolls_sideways(browser, pages, period):
    page = opened(browser, pages[period])
    for width in (320, 390, 768, 900, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CUT_OFF) == [], width
    page.close()


def test_all_text_has_enough_contrast_with_its_background(browser, pages):
    page = opened(browser, pages["2024-Q4"])
    page.evaluate("document.querySelectorAll('details').forEach(node => node.open = true)")
    for scheme, width, _ in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(CONTRAST) == [], (scheme, width)
    page.close()


def test_the_targets_are_on_the_first_screen(browser, pages):
    for path in pages.values():
        page = opened(browser, path)
        assert page.locator(".bars").bounding_box()["y"] < 440
        last = page.locator(".bars li").last.bounding_box()
        assert last["y"] + last["height"] <= 800
        page.close()


def test_nothing_is_fetched_from_anywhere(browser, pages):
    requested = []
    page = browser.new_page()
    page.on("request", lambda request: requested.append(request.url))
    page.goto(pages["2024-Q4"].as_uri())
    page.wait_for_load_state("networkidle")
    assert [address for address in requested if not address.startswith("data:")] == [
        pages["2024-Q4"].as_uri()
    ]
    assert page.evaluate("document.fonts.check('600 16px Inter')")
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 300)")
    page.close()


def test_the_content_security_policy_blocks_an_injected_script(browser, pages, tmp_path):
    html = pages["2024-Q4"].read_text(encoding="utf-8")
    planted = (
        "<script>window.ran = 1</script><img src='data:image/png,x' onerror='window.ran = 2'>"
        "<iframe srcdoc='<script>parent.ran = 3</script>'></iframe><img src='https://example.org/x.png'></main>"
    )
    attacked = tmp_path / "attacked.html"
    attacked.write_text(html.replace("</main>", planted), encoding="utf-8")
    refused, left = [], []
    page = browser.new_page()
    page.on("console", lambda message: refused.append(message.text))
    page.on("requestfinished", lambda request: left.append(request.url))
    page.goto(attacked.as_uri())
    assert page.evaluate("window.ran === undefined")
    assert sum("Content Security Policy" in text for text in refused) >= 3
    assert not any(address.startswith("http") for address in left)
    page.close()


def test_phones_get_the_narrow_drawing(browser, pages):
    for width, narrow in ((390, True), (1280, False)):
        page = opened(browser, pages["2024-Q4"], width)
        chosen = page.evaluate(
            "document.querySelector('picture img').currentSrc === document.querySelector('picture source').srcset"
        )
        assert chosen is narrow
        page.close()


def test_a_phone_shows_one_picture_of_reach_until_all_is_asked_for(browser, pages):
    page = opened(browser, pages["2024"], 390)
    part = page.locator("section[aria-labelledby=topic-reach]")
    charts = part.locator("figure").all()
    assert len(charts) > 1
    assert [chart.is_visible() for chart in charts] == [True] + [False] * (len(charts) - 1)
    part.locator(".unfold input").check()
    assert all(chart.is_visible() for chart in charts)
    page.close()


def test_the_keyboard_reaches_the_main_points_first_and_shows_where_it_is(browser, pages):
    page = opened(browser, pages["2024-Q4"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "points"
    page.close()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_picture_of_the_page_is_not_blank(browser, pages, width, height):
    page = opened(browser, pages["2024-Q4"], width, height)
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        colours = picture.convert("RGB").getcolors(width * height)
    assert len(colours) > 100
    assert max(count for count, _ in colours) < 0.95 * width * height
    page.close()


def test_a4_pages_are_numbered_marked_and_none_is_blank(browser, pages, tmp_path):
    tool = shutil.which("pdftotext")
    if tool is None:
        pytest.fail(
            "Printed pages must be read and pdftotext is missing. Install it: apt-get install poppler-utils"
        )
    page = opened(browser, pages["2024-Q4"])
    target = tmp_path / "report.pdf"
    page.pdf(path=str(target), prefer_css_page_size=True, print_background=True)
    page.close()
    text = subprocess.run(
        [tool, "-layout", str(target), "-"], capture_output=True, text=True, check=True
    ).stdout
    sheets = text.split("\f")[:-1]
    assert 4 <= len(sheets) <= 13
    assert "On the way to the targets" in sheets[0]
    assert "€800,000" in sheets[0]
    for number, sheet in enumerate(sheets, start=1):
        assert f"{number}/{len(sheets)}" in sheet.replace(" ", "")
        assert "Sample data, do not quote" in sheet
    # A page of pictures has few words, so count ink instead.
    subprocess.run(
        ["pdftoppm", "-r", "40", "-gray", "-png", str(target), str(tmp_path / "sheet")], check=True
    )
    drawn = sorted(tmp_path.glob("sheet-*.png"))
    assert len(drawn) == len(sheets)
    for path in drawn:
        grey = Image.open(path).convert("L").histogram()
        assert sum(grey[:240]) / sum(grey) > 0.012, path.name


@pytest.fixture(scope="module")
def languages_built(tmp_path_factory) -> dict[str, Path]:
    narrative = Narrative(
        lessons=[
            Wording(
                {"en": "Call before the lab.", "fr": "Appeler avant le lab.", "es": "Llamar antes del lab."}
            )
        ],
        decisions=[Decision(Wording({"en": "Two languages."}), "Programmes", None, True)],
    )
    edition = sample_edition(
        narrative=narrative, publication=Publication(1, date(2025, 2, 3), "Secretary General", "")
    )
    built = build_editions(edition, tmp_path_factory.mktemp("languages"), REPORTS, ["en", "es", "fr"])
    return {language: report.page for language, report in built.items()}


@pytest.mark.parametrize(
    "language", ["en", *(pytest.param(other, marks=pytest.mark.long) for other in ("es", "fr"))]
)
def test_no_accessibility_issue_is_found_in_any_language_theme_or_width(browser, languages_built, language):
    page = opened(browser, languages_built[language])
    page.evaluate("document.querySelectorAll('details').forEach(node => node.open = true)")
    looks_right(page)
    page.close()
