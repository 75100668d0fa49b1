"""The page of the workbook in a real browser, as a new MEL lead uses it, and what foreign pages may try."""

from __future__ import annotations

import http.client
import io
import re
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from mel_pipeline.core.settings import Settings
from mel_pipeline.defs.serving.guard import Guard
from mel_pipeline.defs.serving.workbook_desk import desk_of
from mel_pipeline.defs.serving.workbook_page import LARGEST, with_workbook
from mel_pipeline.sources.workbook.versions import current, history
from mel_pipeline_tests.browser.looks import CONTRAST, issues
from mel_pipeline_tests.browser.test_reports_under_guard import served

pytestmark = pytest.mark.slow  # a browser


@dataclass
class Ui:
    """The page at an address, and the workbook behind it."""

    host: str
    settings: Settings

    @property
    def url(self) -> str:
        return f"http://{self.host}/workbook"


@contextmanager
def page_over(home: Path) -> Iterator[Ui]:
    settings = Settings(home=home, sample=True, _env_file=None)

    async def dagster(_: Request) -> PlainTextResponse:
        return PlainTextResponse("Dagster")

    app = Starlette(routes=[Route("/{rest:path}", dagster)])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host = f"127.0.0.1:{listening.getsockname()[1]}"
        with served(Guard(with_workbook(app, desk_of(settings))), listening):
            yield Ui(host, settings)


@pytest.fixture
def ui(tmp_path: Path) -> Iterator[Ui]:
    with page_over(tmp_path / "home") as made:
        yield made


def edited(content: bytes, folder: Path, **cells: object) -> Path:
    """The form with values written into the first free row of its sheet of targets."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = next(page for page in book if str(page["A1"].value).startswith("mel:targets:"))
    keys = [cell.value for cell in sheet[1]]
    row = next(number for number in range(3, 500) if not sheet.cell(number, 2).value)
    for key, value in cells.items():
        sheet.cell(row, keys.index(key) + 1).value = value
    path = folder / "../edited <b>.xlsx".replace("../", "")
    book.save(path)
    return path


def downloaded(page, ui: Ui, language: str = "en") -> bytes:
    page.goto(f"{ui.url}?language={language}")
    with page.expect_download() as waiting:
        page.click(f'a[href="/workbook/download?language={language}"]')
    return Path(waiting.value.path()).read_bytes()


GOOD = {
    "indicator": "MEM-01",
    "period": "2027",
    "value": 190,
    "kind": "target",
    "reason_en": "Board, 3 March",
}


def test_a_target_is_stated_in_the_browser_from_download_to_acceptance(
    browser, ui: Ui, tmp_path: Path
) -> None:
    page = browser.new_page()
    content = downloaded(page, ui)
    page.set_input_files("#file", edited(content, tmp_path, **GOOD))
    page.click("main form button")
    assert "MEM-01" in page.inner_text("#new")
    assert not history(ui.settings)[0].accepted_at, "nothing counts yet"
    page.fill("#role", "MEL lead")
    page.fill("#note", "Targets of the board")
    page.click("#accept form button")
    assert page.url.startswith(f"{ui.url}?accepted=1")
    assert "Version 1 is accepted" in page.inner_text("[role=status]")
    version = current(ui.settings)
    assert (version.role, version.note) == ("MEL lead", "Targets of the board")
    assert [row["value"] for row in version.rows["targets"] if row["period"] == "2027"] == ["190"]
    page.close()


def test_a_refused_cell_is_named_and_what_comes_back_unchanged_changes_nothing(
    browser, ui: Ui, tmp_path: Path
) -> None:
    page = browser.new_page()
    content = downloaded(page, ui)
    page.set_input_files("#file", edited(content, tmp_path, **{**GOOD, "value": "about <script>190"}))
    page.click("main form button")
    words = page.inner_text("#refused")
    assert "about <script>190" in words, "as text"
    assert re.fullmatch(r"F\d+", page.locator("#refused strong").first.inner_text()), "sheet and cell"
    (tmp_path / "same.xlsx").write_bytes(content)
    page.set_input_files("#file", tmp_path / "same.xlsx")
    page.click("#again form button")
    assert page.locator("#accept form").count() == 0
    page.close()


MANUAL = {
    "code": "HND-01", "name_en": "Women trained", "definition_en": "Women who completed a training.", "unit": "people",
    "aggregation": "flow", "direction": "increase", "level": "output", "line": 2, "owner_role": "Programmes",
    "about_people": "yes", "numerator": "Women with a certificate", "limitations_en": "Partners count themselves.",
}  # fmt: skip


def written(content: bytes, folder: Path, name: str, row: int, **cells: object) -> Path:
    """The form with values in a row of a sheet."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = next(page for page in book if str(page["A1"].value).startswith(f"mel:{name}:"))
    keys = [cell.value for cell in sheet[1]]
    for key, value in cells.items():
        sheet.cell(row, keys.index(key) + 1).value = value
    path = folder / f"{name}.xlsx"
    book.save(path)
    return path


@pytest.mark.fault(137)
@pytest.mark.fault(145)
def test_every_row_says_which_one_it_is_and_no_table_is_wider_than_the_page(
    browser, ui: Ui, tmp_path: Path
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    content = downloaded(page, ui)
    page.set_input_files("#file", written(content, tmp_path, "targets", 3, value=171))
    page.click("main form button")
    words = page.inner_text("#changed")
    assert "MEM-01 Member cities · 2024 · baseline" in words and "164" in words and "171" in words

    page.set_input_files("#file", written(content, tmp_path, "targets", 3, value="about 171"))
    page.click("#again form button")
    assert "MEM-01 Member cities" in page.inner_text("#refused td.about")
    assert page.inner_text("#refused td.place") == "F3 Value"

    both = written(content, tmp_path, "manual_indicators", 40, **MANUAL)
    page.set_input_files("#file", both)
    page.click("#again form button")
    assert "Women who completed a training." in page.inner_text("#new")
    inner = page.evaluate(
        "[...document.querySelectorAll('.scroll')].every(one => one.scrollWidth <= one.clientWidth)"
    )
    assert inner and page.evaluate("document.documentElement.scrollWidth") <= 1280
    page.close()


def test_both_pages_fit_a_phone_speak_the_browser_s_language_and_pass_axe(
    browser, ui: Ui, tmp_path: Path
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844}, locale="fr-CA")
    content = downloaded(page, ui, "fr")
    page.goto(ui.url)
    assert page.locator("html").get_attribute("lang") == "fr"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert issues(page) == [], scheme
    wrong = edited(content, tmp_path, **{**GOOD, "value": "beaucoup", "reason_en": "x" * 480})
    page.set_input_files("#file", wrong)
    page.click("main form button")
    page.wait_for_load_state("load")  # a page that is still being laid out may be two pixels wider
    assert page.locator("html").get_attribute("lang") == "fr"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert issues(page) == [], scheme
    page.close()


def posted(ui: Ui, path: str, body: bytes, content_type: str, **headers: str) -> tuple[int, str]:
    """A request that no browser limits."""
    sent = {"content-type": content_type, "origin": f"http://{ui.host}", **headers}
    with closing(http.client.HTTPConnection(ui.host, timeout=20)) as connection:
        connection.request("POST", path, body, sent)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")


def upload(token: str, content: bytes, name: str = "a.xlsx") -> tuple[bytes, str]:
    parts = (
        f'--b\r\ncontent-disposition: form-data; name="token"\r\n\r\n{token}\r\n--b\r\ncontent-disposition: form-data;'
        f' name="file"; filename="{name}"\r\ncontent-type: application/x\r\n\r\n'
    )
    return parts.encode() + content + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"


def token_of(ui: Ui) -> str:
    with closing(http.client.HTTPConnection(ui.host, timeout=20)) as connection:
        connection.request("GET", "/workbook")
        text = connection.getresponse().read().decode()
    return text.split('name="token" value="')[1].split('"')[0]


@pytest.mark.fault(120)
def test_forged_replayed_and_malformed_forms_are_refused(ui: Ui) -> None:
    body, kind = upload(token_of(ui), b"x")
    for origin in ("http://elsewhere.example", "null", ""):
        assert posted(ui, "/workbook/preview", body, kind, origin=origin)[0] == 403, origin
    assert posted(ui, "/workbook/preview", *upload("", b"x"))[0] == 403, "no token"
    assert posted(ui, "/workbook/preview", *upload("guessed", b"x"))[0] == 403
    assert posted(ui, "/workbook/preview", body, "text/plain")[0] == 403
    assert posted(ui, "/workbook/accept", body, kind)[0] == 403, "a form of the other address"
    assert posted(ui, "/workbook/accept", b"{}", "application/json")[0] == 403
    assert posted(ui, "/workbook", body, kind)[0] == 403
    assert posted(ui, "/graphql", body, kind)[0] == 403
    assert posted(ui, "/workbook/preview", body, kind, **{"sec-fetch-site": "cross-site"})[0] == 403
    first = posted(ui, "/workbook/preview", body, kind)
    assert first[0] == 422, first[1]  # the file is no workbook
    assert posted(ui, "/workbook/preview", body, kind)[0] == 403, "a token counts once"
    status, words = posted(ui, "/workbook/preview", b"--b\r\nnot a form", "multipart/form-data; boundary=b")
    assert status in (400, 403), words
    assert not (ui.settings.home / "workbook" / "versions").exists()


@pytest.mark.fault(121)
def test_a_body_of_two_gigabytes_is_refused_unread(ui: Ui) -> None:
    with socket.create_connection(ui.host.split(":"), timeout=20) as sent:
        head = (
            f"POST /workbook/preview HTTP/1.1\r\nhost: {ui.host}\r\norigin: http://{ui.host}\r\n"
            f"content-type: multipart/form-data; boundary=b\r\ncontent-length: {2 << 30}\r\n\r\n"
        )
        sent.sendall(head.encode())
        assert sent.recv(100).startswith(b"HTTP/1.1 413")
    with socket.create_connection(ui.host.split(":"), timeout=20) as sent:
        sent.sendall(head.replace(f"content-length: {2 << 30}", "transfer-encoding: chunked").encode())
        piece = b"x" * (1 << 20)
        answer = b""
        try:
            for _ in range((LARGEST >> 20) + 20):
                sent.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        except (BrokenPipeError, ConnectionResetError):
            pass
        else:
            answer = sent.recv(100)
        assert answer.startswith(b"HTTP/1.1 4") or not answer


@pytest.mark.fault(122)
def test_the_name_of_a_file_is_never_used(ui: Ui, tmp_path: Path) -> None:
    before = sorted(path for path in tmp_path.rglob("*") if "lock" not in path.name)
    for name in ("../../../evil.xlsx", "..\\..\\evil.xlsx", "/etc/passwd", "a\x00.xlsx", "CON", "x" * 5000):
        status, words = posted(ui, "/workbook/preview", *upload(token_of(ui), b"PK\x03\x04 no zip", name))
        assert status in (400, 422), words
        assert "evil" not in words
    assert sorted(path for path in tmp_path.rglob("*") if "lock" not in path.name) == before


@pytest.mark.fault(123)
def test_a_foreign_page_can_neither_frame_nor_send_the_form(browser, ui: Ui, tmp_path: Path) -> None:
    attack = f"""<!doctype html><iframe src="{ui.url}"></iframe><form method="post" action="{ui.url}/accept">
    <input name="token" value="guessed"><input name="role" value="MEL lead"></form>
    <script>fetch("{ui.url}", {{mode: "no-cors"}}).then(() => document.title = "read", () => 0);
    setTimeout(() => document.forms[0].submit(), 500)</script>"""
    (tmp_path / "attack.html").write_text(attack)
    page = browser.new_page()
    answers: list[tuple[str, int]] = []
    page.on("response", lambda answer: answers.append((answer.url, answer.status)))
    page.goto((tmp_path / "attack.html").as_uri())
    page.wait_for_url(f"{ui.url}/accept")
    assert (f"{ui.url}/accept", 403) in answers
    assert current(ui.settings).number == 0
    page.close()


def test_the_page_has_enough_contrast_in_both_schemes(browser, ui: Ui) -> None:
    page = browser.new_page()
    page.goto(ui.url)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(CONTRAST) == [], scheme
    page.close()
