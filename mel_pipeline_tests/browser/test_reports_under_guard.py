"""The reports at the UI's address, in a real browser: they can do nothing there, and everything in them works."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from mel_pipeline.defs.serving.guard import App, Guard
from mel_pipeline.defs.serving.report_files import with_reports
from mel_pipeline_tests.browser.looks import CONTRAST
from mel_pipeline_tests.browser.test_reading_site import site  # noqa: F401 - the same site
from mel_pipeline_tests.browser.test_report_page import pages  # noqa: F401 - the same pages
from mel_pipeline_tests.golden.sample_edition import REPORTS

pytestmark = pytest.mark.slow

# Every way a script in a file may try to command the UI. "tried" shows that the script ran.
ATTACK = """
const mutation = JSON.stringify({query: "mutation { launchRun }"});
const json = {method: "POST", headers: {"content-type": "application/json"}, body: mutation};
fetch("/graphql", json).catch(() => {});
fetch("/graphql", {...json, mode: "no-cors", headers: {"content-type": "text/plain"}}).catch(() => {});
fetch("/graphql?query=mutation{launchRun}").catch(() => {});
navigator.sendBeacon("/graphql", new Blob([mutation], {type: "text/plain"}));
try { const socket = new WebSocket(`ws://${location.host}/graphql`); socket.onopen = () => socket.send(mutation); } catch {}
const frame = document.createElementNS("http://www.w3.org/1999/xhtml", "iframe");
frame.src = "/runs";
frame.onload = () => { try { frame.contentWindow.fetch("/graphql", json); } catch {} };
document.documentElement.append(frame);
"""
FILES = {
    "planted.html": "<!doctype html><title>x</title><form action='/graphql' method='post' enctype='text/plain'><input name='q'></form><img src=x onerror='document.forms[0].submit()'><script>{}</script>",
    "planted.svg": "<svg xmlns='http://www.w3.org/2000/svg'><script><![CDATA[{}]]></script></svg>",
    "planted.xhtml": "<html xmlns='http://www.w3.org/1999/xhtml'><script><![CDATA[{}]]></script></html>",
    "planted.png": "<script>{}</script>",
    "404.html": "<script>{}</script>",
}


@dataclass
class Ui:
    """A fake Dagster UI that counts every command it receives."""

    url: str = ""
    commands: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        async def graphql(request: Request) -> PlainTextResponse:
            self.commands.append(f"{request.method} {request.url.query} {(await request.body()).decode()}")
            return PlainTextResponse("{}", media_type="application/json")

        async def websocket(opened: WebSocket) -> None:
            await opened.accept()
            self.commands.append(f"websocket {await opened.receive_text()}")

        page = HTMLResponse("<title>Dagster</title><button onclick='launch()'>Launch</button>")
        return Starlette(
            routes=[
                Route("/graphql", graphql, methods=["GET", "POST"]),
                WebSocketRoute("/graphql", websocket),
                Route("/{rest:path}", lambda _: page),
            ]
        )


@contextmanager
def served(app: App, listening: socket.socket) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield
    server.should_exit = True
    thread.join(10)


@contextmanager
def ui_over(folder: Path, *, guarded: bool, behind_login: bool = False) -> Iterator[Ui]:
    ui = Ui()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host = f"127.0.0.1:{listening.getsockname()[1]}"
        ui.url = f"http://{host}"
        unguarded = Starlette(
            routes=[Mount("/reports", StaticFiles(directory=folder, html=True)), Mount("/", ui.app())]
        )
        app: App = (
            Guard(with_reports(ui.app(), folder, REPORTS, behind_login=behind_login))
            if guarded
            else unguarded
        )
        with served(app, listening):
            yield ui


@pytest.fixture(scope="module")
def folder(site: Path, pages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    made = tmp_path_factory.mktemp("guarded") / "published"
    shutil.copytree(site, made)
    shutil.copytree(pages["2024-Q4"].parent, made / "2024-Q4", dirs_exist_ok=True)
    (made / "2024-Q4" / "figures.csv").write_text("indicator_id,value\nMEM-01,164\n")
    return made


@pytest.fixture(scope="module")
def ui(folder: Path) -> Iterator[Ui]:
    with ui_over(folder, guarded=True) as made:
        yield made


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text.replace("{}", ATTACK))
    return tmp_path


def attack(browser, ui: Ui, name: str) -> list[str]:
    """Open the file from a link and wait until its script has tried everything."""
    page = browser.new_page()
    try:
        page.goto(f"{ui.url}/reports/{name}", wait_until="load")
        page.wait_for_timeout(500)
    except Exception as error:
        assert "Download is starting" in str(error)
    page.close()
    return ui.commands


@pytest.mark.fault(51)
@pytest.mark.parametrize("behind_login", [False, True])
@pytest.mark.parametrize("name", [*FILES, "nowhere.html"])
def test_no_file_among_the_reports_can_command_the_ui(
    browser, planted: Path, name: str, behind_login: bool
) -> None:
    with ui_over(planted, guarded=True, behind_login=behind_login) as ui:
        assert attack(browser, ui, name) == []


def test_the_same_files_do_command_an_unguarded_ui(browser, planted: Path) -> None:
    for name in ("planted.html", "planted.svg", "planted.xhtml"):
        with ui_over(planted, guarded=False) as ui:
            assert len(attack(browser, ui, name)) >= 3, name


@pytest.mark.fault(51)
@pytest.mark.parametrize("address", ["runs", "reports/index.html", "reports/2024-Q4/report-en.html"])
def test_the_ui_and_the_reports_cannot_be_framed(browser, ui: Ui, tmp_path: Path, address: str) -> None:
    (tmp_path / "frames.html").write_text(f"<iframe src='{ui.url}/{address}'></iframe>")
    framed, refused = [], []
    with ui_over(tmp_path, guarded=False) as elsewhere:
        page = browser.new_page()
        page.on("console", lambda message: refused.append(message.text))
        page.goto(f"{elsewhere.url}/reports/frames.html")
        page.wait_for_timeout(300)
        framed = [frame for frame in page.frames[1:] if frame.url.startswith(ui.url)]
        page.close()
    assert framed == [] and "frame-ancestors" in json.dumps(refused)


def test_the_reading_site_searches_and_shows_its_style_and_fonts(browser, ui: Ui) -> None:
    said: list[str] = []
    page = browser.new_page()
    page.on("console", lambda message: said.append(message.text))
    for address in ("index.html", "indicators/GEN-01-en.html", "cities/sao-paulo-br-fr.html"):
        page.goto(f"{ui.url}/reports/{address}", wait_until="networkidle")
        assert page.evaluate("self.origin") == "null"
        assert page.evaluate("getComputedStyle(document.querySelector('.bar')).display") == "flex"
        assert page.evaluate("document.fonts.check('600 16px Inter')")
        assert page.evaluate("[...document.fonts].every(font => font.status === 'loaded')")
    page.goto(f"{ui.url}/reports/")
    page.fill("#q", "sao paulo")
    assert page.inner_text("#said") == "1 result"
    page.locator("#found a").first.click()
    page.wait_for_url("**/cities/sao-paulo-br-*.html")
    assert said == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_shows_its_charts_light_and_dark(browser, ui: Ui, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.goto(f"{ui.url}/reports/2024-Q4/report-en.html", wait_until="networkidle")
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 300)")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark is (scheme == "dark")
    assert page.evaluate(CONTRAST) == []
    chart = page.goto(f"{ui.url}/reports/2024-Q4/charts/GEN-01.svg")
    assert chart.ok and chart.headers["content-type"] == "image/svg+xml"
    page.close()


def test_files_linked_on_a_page_can_be_downloaded(browser, ui: Ui, folder: Path) -> None:
    text = (folder / "index.html").read_text(encoding="utf-8")
    link = "<a id='offered' href='2024-Q4/figures.csv'>Figures</a></main>"
    (folder / "offers.html").write_text(text.replace("</main>", link), encoding="utf-8")
    page = browser.new_page(accept_downloads=True)
    page.goto(f"{ui.url}/reports/offers.html")
    with page.expect_download() as started:
        page.click("#offered")
    assert Path(started.value.path()).read_bytes() == (folder / "2024-Q4" / "figures.csv").read_bytes()
    page.close()
