"""The guard before the Dagster UI, on a bare application."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from mel_pipeline.defs.serving.guard import Guard
from mel_pipeline.defs.serving.webserver import with_reports

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
    return TestClient(Guard(Starlette(routes=routes), [HOST, "localhost:3000"]), base_url=f"http://{HOST}")


def test_the_ui_and_its_json_commands_pass(client: TestClient) -> None:
    assert client.get("/assets").text == "reached"
    assert (
        client.post("/graphql", headers={**JSON, "origin": f"http://{HOST}"}, content="{}").text == "reached"
    )


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


@pytest.mark.parametrize("host", ["evil.example", "evil.example:3000", "127.0.0.1", ""])
def test_a_foreign_host_is_refused_so_that_rebinding_a_name_is_no_use(client: TestClient, host: str) -> None:
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
        with TestClient(Guard(with_reports(ui, tmp_path / "out", drafts), ["testserver"])) as client:
            assert client.get("/drafts/2024-Q4/report-en.html").text == shown
            assert client.get("/reports/2024-Q4/report-en.html").status_code == 404


def test_finished_reports_are_served_beside_the_ui_and_nothing_above_their_folder(tmp_path) -> None:
    (tmp_path / "out" / "2024-Q4").mkdir(parents=True)
    (tmp_path / "out" / "2024-Q4" / "report-en.html").write_text("<main>figures</main>")
    (tmp_path / "secret.txt").write_text("secret")
    app = with_reports(
        Starlette(routes=[Route("/{rest:path}", lambda _: PlainTextResponse("the UI"))]), tmp_path / "out"
    )
    with TestClient(Guard(app, ["testserver"])) as client:
        assert "figures" in client.get("/reports/2024-Q4/report-en.html").text
        assert client.get("/reports/2023-Q1/report-en.html").status_code == 404
        assert client.get("/reports/%2e%2e/secret.txt").status_code == 404
        assert client.post("/reports/2024-Q4/report-en.html", json={}).status_code == 405
        assert client.get("/runs").text == "the UI"
        assert (
            client.get("/reports/2024-Q4/report-en.html", headers={"host": "evil.example"}).status_code == 403
        )
