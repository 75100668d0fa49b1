"""The guard before the Dagster UI, on a bare application."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from mel_pipeline.defs.serving.guard import Guard
from mel_pipeline.defs.serving.report_files import with_reports
from mel_pipeline_tests.golden.sample_edition import REPORTS as SOURCES

HOST = "127.0.0.1:3000"
JSON = {"content-type": "application/json"}


async def _page(_: object) -> PlainTextResponse:
    return PlainTextResponse("reached")


async def _socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("reached")
    await socket.close()


@pytest.fixture
def client() -> TestClient:
    methods = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
    routes = [Route("/{path:path}", _page, methods=methods), WebSocketRoute("/graphql", _socket)]
    return TestClient(Guard(Starlette(routes=routes)), base_url=f"http://{HOST}")


def test_the_ui_and_its_json_commands_pass(client: TestClient) -> None:
    assert client.get("/assets").text == "reached"
    assert (
        client.post("/graphql", headers={**JSON, "origin": f"http://{HOST}"}, content="{}").text == "reached"
    )


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:9"])
def test_a_tunnel_may_begin_at_any_port_of_this_machine(client: TestClient, host: str) -> None:
    headers = {**JSON, "host": host}
    assert (
        client.post("/graphql", headers={**headers, "origin": f"http://{host}"}, content="{}").text
        == "reached"
    )
    for origin in ("http://localhost:3000", "http://127.0.0.1:3001", "https://evil.example"):
        assert client.post("/graphql", headers={**headers, "origin": origin}, content="{}").status_code == 403


def test_the_outer_address_is_held_to_its_scheme_name_and_port() -> None:
    app = Starlette(routes=[Route("/{path:path}", _page, methods=["GET", "POST"])])
    client = TestClient(Guard(app, "https://mel.example.org"), base_url="http://mel.example.org")
    assert (
        client.post("/graphql", headers={**JSON, "origin": "https://mel.example.org"}, content="{}").text
        == "reached"
    )
    for origin in (
        "http://mel.example.org",
        "https://mel.example.org:444",
        "https://x.mel.example.org",
        "null",
    ):
        assert client.post("/graphql", headers={**JSON, "origin": origin}, content="{}").status_code == 403
    assert client.get("/", headers={"host": "mel.example.org:444"}).status_code == 403


def test_a_mutation_in_the_address_is_refused(client: TestClient) -> None:
    assert client.get("/graphql", params={"query": "mutation{launchRun}"}).status_code == 403


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_a_form_from_another_site_cannot_command(client: TestClient, kind: str) -> None:
    answer = client.post(
        "/graphql", headers={"content-type": kind, "origin": "https://evil.example"}, content="{}"
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_a_post_that_is_not_json_is_refused_even_without_an_origin(client: TestClient, kind: str) -> None:
    assert client.post("/graphql", headers={"content-type": kind}, content="{}").status_code == 403


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:3001", "http://127.0.0.1"]
)
def test_json_from_another_site_is_refused(client: TestClient, origin: str) -> None:
    assert client.post("/graphql", headers={**JSON, "origin": origin}, content="{}").status_code == 403


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3000",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "127.0.0.2",
        "",
    ],
)
def test_a_foreign_host_is_refused_so_dns_rebinding_fails(client: TestClient, host: str) -> None:
    assert client.get("/assets", headers={"host": host}).status_code == 403


@pytest.mark.parametrize(
    "path", ["/report_asset_materialization/a", "/report_asset_check", "/REPORT_asset_check", "/GraphQL"]
)
def test_reporting_a_materialization_takes_json_as_well(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 403
    assert client.post(path, headers={"content-type": "text/plain"}).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(client: TestClient, method: str) -> None:
    assert client.request(method, "/assets").status_code == 403


def test_our_own_websocket_passes(client: TestClient) -> None:
    with client.websocket_connect("/graphql", headers={"origin": f"http://{HOST}", "host": HOST}) as socket:
        assert socket.receive_text() == "reached"


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {}])
def test_a_websocket_from_another_site_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/graphql", headers={"host": HOST, **headers}),
    ):
        pass


def test_drafts_are_served_to_the_mel_lead_and_not_where_readers_look(tmp_path) -> None:
    for folder in ("out", "drafts"):
        (tmp_path / folder / "2024-Q4").mkdir(parents=True)
    (tmp_path / "drafts" / "2024-Q4" / "report-en.html").write_text("<main>draft</main>")
    ui = Starlette(routes=[Route("/{rest:path}", lambda _: PlainTextResponse("the UI"))])
    for drafts, shown in ((tmp_path / "drafts", "<main>draft</main>"), (None, "Not Found")):
        with TestClient(
            Guard(with_reports(ui, tmp_path / "out", SOURCES, drafts), "http://testserver")
        ) as client:
            assert client.get("/drafts/2024-Q4/report-en.html").text == shown
            assert client.get("/reports/2024-Q4/report-en.html").status_code == 404


def test_finished_reports_are_served_with_the_ui_and_nothing_above_their_folder(tmp_path) -> None:
    (tmp_path / "out" / "2024-Q4").mkdir(parents=True)
    (tmp_path / "out" / "2024-Q4" / "report-en.html").write_text("<main>figures</main>")
    (tmp_path / "secret.txt").write_text("secret")
    app = with_reports(
        Starlette(routes=[Route("/{rest:path}", lambda _: PlainTextResponse("the UI"))]),
        tmp_path / "out",
        SOURCES,
    )
    with TestClient(Guard(app, "http://testserver")) as client:
        assert "figures" in client.get("/reports/2024-Q4/report-en.html").text
        assert client.get("/reports/2023-Q1/report-en.html").status_code == 404
        assert client.get("/reports/%2e%2e/secret.txt").status_code == 404
        assert client.post("/reports/2024-Q4/report-en.html", json={}).status_code == 405
        assert client.get("/runs").text == "the UI"
        assert (
            client.get("/reports/2024-Q4/report-en.html", headers={"host": "evil.example"}).status_code == 403
        )


@pytest.mark.parametrize("path", ["/assets", "/graphql"])
def test_no_answer_may_be_framed_or_taken_for_another_type(client: TestClient, path: str) -> None:
    headers = client.get(path).headers  # the second is refused
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("DENY", "nosniff")


@pytest.mark.parametrize("path", ["/notebook", "/dagit/notebook", "/Notebook/"])
def test_no_notebook_is_shown_as_a_page_of_our_origin(client: TestClient, path: str) -> None:
    assert client.get(path, params={"path": "planted.ipynb"}).status_code == 403


@pytest.fixture
def reports(tmp_path: Path) -> TestClient:
    """A folder of reports with one file of every kind and two foreign ones."""
    (tmp_path / "assets").mkdir()
    for name in ("page.html", "chart.svg", "chart.png", "report.pdf", "data.csv", "data.json", "book.xlsx",
                 "assets/font.woff2", "assets/site.css", "404.html", "planted.xhtml", "planted"):  # fmt: skip
        (tmp_path / name).write_text("<script>1</script>")
    ui = Starlette(routes=[Route("/{rest:path}", _page)])
    return TestClient(Guard(with_reports(ui, tmp_path, SOURCES)), base_url=f"http://{HOST}/reports/")


@pytest.mark.parametrize(
    ("name", "kind", "downloads"),
    [
        ("page.html", "text/html; charset=utf-8", False),
        ("chart.svg", "image/svg+xml", False),
        ("chart.png", "image/png", False),
        ("data.csv", "text/csv; charset=utf-8", True),
        ("book.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", True),
        ("planted.xhtml", "application/octet-stream", True),
        ("planted", "application/octet-stream", True),
        ("nothing.html", "text/html; charset=utf-8", False),  # 404.html of the folder
    ],
)
def test_every_file_of_the_reports_has_a_fixed_type_and_no_origin_of_ours(
    reports: TestClient, name: str, kind: str, downloads: bool
) -> None:
    for again in ({}, {"if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT", "if-none-match": "*"}):
        headers = reports.get(name, headers=again).headers
        assert headers["content-type"] == kind
        assert ("content-disposition" in headers) is downloads
        assert headers["content-security-policy"].startswith("sandbox allow-scripts allow-downloads; default")
        assert "allow-same-origin" not in headers["content-security-policy"]


def test_a_pdf_has_its_type_and_no_sandbox_because_browsers_block_sandboxed_pdfs(reports: TestClient) -> None:
    headers = reports.get("report.pdf").headers
    assert headers["content-type"] == "application/pdf" and headers["x-content-type-options"] == "nosniff"
    assert "sandbox" not in headers["content-security-policy"]


def test_a_page_without_origin_gets_its_fonts_and_nothing_else(reports: TestClient) -> None:
    nobody = {"origin": "null"}
    font = reports.get("assets/font.woff2", headers=nobody)
    assert (font.status_code, font.headers["access-control-allow-origin"]) == (200, "null")
    assert reports.get("data.csv", headers=nobody).status_code == 403
    assert reports.get("/runs", headers=nobody).status_code == 403
    assert reports.post("assets/font.woff2", headers={**nobody, **JSON}).status_code == 403
