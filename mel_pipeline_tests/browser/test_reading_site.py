"""The reading site in a real browser, from a file share and from a web server: no outside requests, accessible."""

from __future__ import annotations

import functools
import http.server
import itertools
import shutil
import threading
from pathlib import Path

import pytest

from mel_pipeline.reporting.site import build_site
from mel_pipeline_tests.browser.looks import CUT_OFF, looks_right
from mel_pipeline_tests.fixtures.shared import made_once
from mel_pipeline_tests.fixtures.site import sample_site, sources_in

pytestmark = pytest.mark.slow

IN_ENGLISH = ("-en.html", "index.html")
PAGES = [
    "index.html",
    "indicators/index-fr.html",
    "indicators/GEN-01-en.html",
    "cities/index-es.html",
    "cities/sao-paulo-br-fr.html",
    "cities/asian-city-0-in-en.html",
]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    def make(share: Path) -> None:
        _build(share / "published", tmp_path_factory.mktemp("sources"))

    share = tmp_path_factory.mktemp("share with spaces")
    shutil.copytree(made_once(tmp_path_factory, "sample-site", make), share, dirs_exist_ok=True)
    return share / "published"


def _build(folder: Path, sources: Path) -> None:
    for period, name in (
        ("2024-Q4", "report-en.html"),
        ("2024-Q4", "report-fr.html"),
        ("2024-Q3", "report-en.html"),
    ):
        (folder / period / "charts").mkdir(parents=True, exist_ok=True)
        (folder / period / name).write_text("<title>Report</title><main id='sheet-GEN-01'></main>")
        (folder / period / "charts" / "GEN-01.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    build_site(sample_site(), folder, sources_in(sources))


@pytest.fixture(scope="module")
def roots(site: Path):
    handler = functools.partial(Quiet, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"file": site.as_uri(), "http": f"http://127.0.0.1:{server.server_port}"}
    server.shutdown()
    server.server_close()


def opened(browser, address: str, width=1280, scheme="light", **more):
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme, **more)
    page.goto(address)
    return page


def at_rest(page):
    """Loaded with its fonts, and half a second for what a script might still ask for."""
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready.then(() => null)")
    page.wait_for_timeout(500)


@pytest.mark.parametrize(
    "address",
    [pytest.param(one, marks=() if one.endswith(IN_ENGLISH) else pytest.mark.long) for one in PAGES],
)
def test_no_accessibility_issue_is_found_on_any_kind_of_page(browser, roots, address):
    page = opened(browser, f"{roots['file']}/{address}")
    page.evaluate("document.querySelectorAll('details').forEach(node => node.open = true)")
    if address == "index.html":
        page.fill("#q", "asia")
    looks_right(page)
    page.close()


@pytest.mark.parametrize("address", PAGES)
def test_no_page_scrolls_sideways(browser, roots, address):
    page = opened(browser, f"{roots['file']}/{address}")
    page.evaluate("document.querySelectorAll('details').forEach(node => node.open = true)")
    for width in (320, 390, 768, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CUT_OFF) == [], width
    page.close()


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_the_search_finds_cities_indicators_and_editions_without_accents(browser, roots, scheme):
    page = opened(browser, f"{roots[scheme]}/index.html")
    names = page.locator("#found a")
    for typed, wanted in (
        ("sao paulo", "São Paulo"),
        ("LODZ", "Łódź"),
        ("cordoba arg", "Córdoba"),
        ("women lab", "Women among Solutions Labs participants"),
        ("gen-01", "Women among Solutions Labs participants"),
        ("third quarter", "2024, third quarter: Report (web page)"),
    ):
        page.fill("#q", typed)
        assert wanted in [
            text.rsplit("  ", 1)[0]
            for text in [link.evaluate("node => node.firstChild.textContent") for link in names.all()]
        ]
    page.fill("#q", "sao paulo")
    assert page.inner_text("#said") == "1 result"
    page.fill("#q", "zzzz")
    assert page.inner_text("#said") == "Nothing found. Try fewer letters." and names.count() == 0
    page.fill("#q", "")
    assert page.inner_text("#said") == "" and page.is_hidden("#found")
    page.close()


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_no_request_leaves_the_site(browser, roots, scheme):
    requested, messages = [], []
    page = browser.new_page()
    page.on("request", lambda request: requested.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    for address in PAGES:
        page.goto(f"{roots[scheme]}/{address}")
        at_rest(page)
        assert page.evaluate("document.fonts.check('600 16px Inter')")
        assert page.evaluate("[...document.fonts].every(font => font.status === 'loaded')")
        assert page.evaluate("getComputedStyle(document.querySelector('.bar')).display") == "flex"
    assert messages == []
    assert all(url.startswith((roots[scheme], "data:")) for url in requested)
    page.close()


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_the_content_security_policy_blocks_an_injected_script(browser, roots, site, scheme):
    text = (site / "index.html").read_text(encoding="utf-8")
    planted = "<script>window.ran = 1</script><img src='x' onerror='window.ran = 2'><script src='evil.js'></script></main>"
    (site / "evil.js").write_text("window.ran = 3")
    (site / "attacked.html").write_text(text.replace("</main>", planted), encoding="utf-8")
    page = opened(browser, f"{roots[scheme]}/attacked.html")
    at_rest(page)
    assert page.evaluate("window.ran === undefined")
    page.fill("#q", "lodz")
    assert page.locator("#found a").count() == 1  # our own script still runs
    page.close()


def test_the_keyboard_alone_gets_from_the_first_page_to_a_city_and_back(browser, roots):
    page = opened(browser, f"{roots['file']}/index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("asian city")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert "Asian city 1" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("Enter")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.inner_text("h1").startswith("Asian city 0")
    page.go_back()
    assert "index.html" in page.url
    page.close()


def test_escape_empties_the_search(browser, roots):
    page = opened(browser, f"{roots['file']}/index.html")
    page.fill("#q", "asia")
    page.keyboard.press("Escape")
    assert page.input_value("#q") == "" and page.is_hidden("#found")
    page.close()


def test_without_scripts_everything_is_still_listed(browser, roots):
    page = opened(browser, f"{roots['file']}/index.html", java_script_enabled=False)
    assert page.locator("#search").is_hidden()
    for text in ("São Paulo", "Łódź", "Women among Solutions Labs participants", "2024, fourth quarter"):
        assert page.get_by_text(text, exact=False).first.is_visible(), text
    page.close()


def test_headings_landmarks_and_languages_are_in_order(browser, roots):
    for address in PAGES:
        page = opened(browser, f"{roots['file']}/{address}")
        levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(node => +node.tagName[1])")
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
        assert (
            page.locator("main").count()
            == page.locator("header").count()
            == page.locator("footer").count()
            == 1
        )
        named = page.evaluate("[...document.querySelectorAll('link[hreflang]')].map(link => link.hreflang)")
        assert named == ["en", "es", "fr"]
        language = "fr" if "-fr." in address else "es" if "-es." in address else "en"
        assert page.get_attribute("html", "lang") == language
        page.click(".tongues a[hreflang=es]")
        assert page.get_attribute("html", "lang") == "es"
        page.close()


def test_reduced_motion_is_respected_and_print_has_no_navigation(browser, roots):
    page = opened(browser, f"{roots['file']}/index.html", reduced_motion="reduce")
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    page.emulate_media(media="print", color_scheme="dark")
    assert page.is_hidden(".bar nav") and page.is_hidden("#search")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.close()
