"""What gets past the login: nothing. A table of attacks on a real installation behind a real Caddy."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from mel_pipeline_tests.fixtures.login_site import (
    LAUNCH,
    LEAD,
    SECRET,
    Answer,
    Site,
    launch_params,
)

pytestmark = pytest.mark.slow
COMMAND = {"query": LAUNCH, "variables": launch_params("preview_workbook")}
GIVEN_AWAY = ("__NEXT_DATA__", "dagster_version", "runId", "repositoryName", "reached", "initialization-data")


def raw(port: Callable[[Site], int], text: str) -> Callable[[Site], Answer]:
    """Bytes that no client library sends."""

    def attack(site: Site) -> Answer:
        with socket.create_connection(("127.0.0.1", port(site)), timeout=20) as opened:
            opened.sendall(text.replace("{inner}", str(site.inner)).replace("\n", "\r\n").encode())
            opened.shutdown(socket.SHUT_WR)
            answer = b""
            while part := opened.recv(65536):
                answer += part
        statuses = [
            int(line.split()[1])
            for line in answer.decode("latin-1").split("\r\n")
            if line.startswith("HTTP/1.1 ")
        ]
        return Answer(min(statuses, default=400), answer.decode("latin-1"), {})

    return attack


def proxy(method: str, path: str, user: str = "", **given: Any) -> Callable[[Site], Answer]:
    return lambda site: site.ask(method, path, user, **given)


def direct(method: str, path: str, **given: Any) -> Callable[[Site], Answer]:
    return lambda site: site.ask_directly(method, path, **given)


UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-protocol": "graphql-ws",
}


def socket_without(site: Site, direct: bool, **headers: str) -> Answer:
    try:
        if direct:
            address = f"ws://127.0.0.1:{site.inner}/graphql"
            with connect(address, origin=f"http://127.0.0.1:{site.inner}", additional_headers=headers):  # type: ignore[arg-type]
                return Answer(101, "opened", {})
        # Asked for without a client of its own thread: Python's TLS sockets may hang when two threads use one.
        return site.ask("GET", "/graphql", origin=site.url, **UPGRADE, **headers)
    except InvalidStatus as refused:
        return Answer(refused.response.status_code, "", {})


FORGED = {
    "x-mel-user": LEAD,
    "remote-user": LEAD,
    "x-forwarded-user": LEAD,
    "x-auth-request-user": LEAD,
    "x-webauth-user": LEAD,
}
SMUGGLED = """POST /healthz HTTP/1.1
Host: 127.0.0.1:{inner}
Content-Length: 6
Transfer-Encoding: chunked

0

GET /server_info HTTP/1.1
Host: 127.0.0.1:{inner}
X-Mel-User: anna

"""
ABSOLUTE = "GET http://127.0.0.1:{inner}/server_info HTTP/1.1\nHost: 127.0.0.1:{inner}\nConnection: close\n\n"
TWO_HOSTS = "GET /server_info HTTP/1.1\nHost: 127.0.0.1:{inner}\nHost: mel.localhost\nConnection: close\n\n"
FOLDED = "GET /server_info HTTP/1.1\nHost: 127.0.0.1:{inner}\nX-Mel-User: anna\n X-Mel-Proxy: x\nConnection: close\n\n"
FORM = {"content-type": "multipart/form-data; boundary=b"}
MULTIPART = (
    b'--b\r\ncontent-disposition: form-data; name="operations"\r\n\r\n'
    + json.dumps(COMMAND).encode()
    + b"\r\n--b--\r\n"
)

WITHOUT_LOGIN: dict[str, Callable[[Site], Answer]] = {
    "the UI without a password": proxy("GET", "/"),
    "the versions without a password": proxy("GET", "/server_info"),
    "reports without a password": proxy("GET", "/reports/"),
    "drafts without a password": proxy("GET", "/drafts/2024-Q4/report-en.html"),
    "the workbook without a password": proxy("GET", "/workbook/download"),
    "a command without a password": proxy("POST", "/graphql", body=COMMAND),
    "a wrong password": proxy("GET", "/", LEAD, password="wrong"),
    "an empty password": proxy("GET", "/", LEAD, password=""),
    "a name that has no password": proxy("GET", "/", "mallory"),
    "headers of five proxies, through ours": proxy("GET", "/", **FORGED),
    "our headers with a guessed secret, through the proxy": proxy("GET", "/", **{"x-mel-user": LEAD, "x-mel-proxy": "x" * 48}),
    "our headers with the right secret, through the proxy": proxy("GET", "/", **{"x-mel-user": LEAD, "x-mel-proxy": SECRET}),
    "another method by a header": proxy("GET", "/healthz", **{"x-http-method-override": "POST", "x-original-url": "/server_info"}),
    "a path behind the open one": proxy("GET", "/healthz/../server_info"),
    "the open path with a dot, encoded": proxy("GET", "/healthz%2f..%2fserver_info"),
    "a draft by a font of the reports": proxy("GET", "/reports/assets/..%2f..%2f..%2fdrafts/2024-Q4/report.woff2"),
    "a draft by a font, plainly": proxy("GET", "/reports/assets/../../drafts/x.woff2"),
    "a command to a font": proxy("POST", "/reports/assets/inter.woff2", body=COMMAND),
    "the port behind the proxy": direct("GET", "/server_info"),
    "the port, with a name": direct("GET", "/server_info", **FORGED),
    "the port, with a wrong secret": direct("GET", "/server_info", **{"x-mel-user": LEAD, "x-mel-proxy": "x" * 48}),
    "the port, with an empty secret": direct("GET", "/server_info", **{"x-mel-user": LEAD, "x-mel-proxy": ""}),
    "the port, with the beginning of the secret": direct("GET", "/", **{"x-mel-user": LEAD, "x-mel-proxy": SECRET[:-1]}),
    "the port, with the secret in the address": direct("GET", f"/server_info?x-mel-proxy={SECRET}&x-mel-user={LEAD}"),
    "the port, with underscores": direct("GET", "/server_info", x_mel_user=LEAD, x_mel_proxy=SECRET),
    "the port, with the secret and nobody": direct("GET", "/server_info", **{"x-mel-proxy": SECRET}),
    "the port, as if from elsewhere": direct("GET", "/server_info", **{"x-forwarded-for": "127.0.0.1", "x-forwarded-host": "localhost", "forwarded": "for=127.0.0.1;host=localhost"}),
    "a foreign host": direct("GET", "/server_info", host="evil.example"),
    "a command in the address": direct("GET", "/graphql?query=mutation%7BreloadWorkspace%7B__typename%7D%7D"),
    "a command as text": direct("POST", "/graphql", body=json.dumps(COMMAND).encode(), **{"content-type": "text/plain"}),
    "a command as a form": direct("POST", "/graphql", body=MULTIPART, **FORM),
    "a command as JSON": direct("POST", "/graphql", body=COMMAND),
    "a path with two slashes": direct("POST", "//graphql", body=COMMAND),
    "a path in capitals": direct("POST", "/GraphQL", body=COMMAND),
    "an encoded path": direct("POST", "/%67raphql", body=COMMAND),
    "a materialization reported": direct("POST", "/report_asset_materialization/workbook_preview", body={}),
    "a notebook": direct("GET", "/notebook?path=/etc/x.ipynb&repoLocName=mel"),
    "a log": direct("GET", "/logs/%2e%2e/%2e%2e/%2e%2e/warehouse.duckdb"),
    "a debug file": direct("GET", "/download_debug/0000"),
    "the workbook accepted": direct("POST", "/workbook/accept", body=b"token=x&role=lead", origin="http://localhost", host="localhost", **{"content-type": "application/x-www-form-urlencoded"}),
    "TRACE": direct("TRACE", "/"),
    "an absolute address": raw(lambda site: site.inner, ABSOLUTE),
    "two hosts": raw(lambda site: site.inner, TWO_HOSTS),
    "a folded header": raw(lambda site: site.inner, FOLDED),
    "a second request in the first": raw(lambda site: site.inner, SMUGGLED),
    "a websocket without a password": lambda site: socket_without(site, direct=False),
    "a websocket past the proxy": lambda site: socket_without(site, direct=True, **{"x-mel-user": LEAD}),
}  # fmt: skip


@pytest.mark.fault(150)
@pytest.mark.parametrize("name", WITHOUT_LOGIN)
def test_without_a_login_an_attack_gets_nothing(team: Site, name: str) -> None:
    answer = WITHOUT_LOGIN[name](team)
    if name == "another method by a header":
        assert (answer.status, answer.text) == (200, "ok"), "no more than anybody may know"
        return
    assert 400 <= answer.status < 500, answer
    assert not [words for words in GIVEN_AWAY if words in answer.text], answer.text[:300]
    assert SECRET not in answer.text


@pytest.mark.fault(150)
def test_the_attacks_without_a_login_started_nothing(team: Site) -> None:
    before = team.runs()
    for attack in WITHOUT_LOGIN.values():
        attack(team)
    assert team.runs() == before


@pytest.mark.fault(151)
@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        ("POST", "/graphql", {"origin": "https://evil.example"}, COMMAND),
        ("POST", "/graphql", {"origin": "null"}, COMMAND),
        ("POST", "/graphql", {"origin": "http://mel.localhost"}, COMMAND),
        ("POST", "/graphql", {"origin": "https://mel.localhost.evil.example"}, COMMAND),
        ("POST", "/graphql", {"content-type": "text/plain"}, json.dumps(COMMAND).encode()),
        ("POST", "/graphql", FORM, MULTIPART),
        ("GET", "/graphql?query=mutation%7BreloadWorkspace%7B__typename%7D%7D", {}, None),
        ("GET", "/", {"host": "evil.example"}, None),
        ("POST", "/workbook/accept", {"origin": "https://evil.example", "content-type": "application/x-www-form-urlencoded"}, b"token=x"),
    ],
)  # fmt: skip
def test_another_site_gets_nothing_with_the_password_of_a_lead(
    team: Site, method: str, path: str, headers: dict[str, str], body: Any
) -> None:
    before = team.runs()
    answer = team.ask(method, path, LEAD, body=body, **headers)
    assert 400 <= answer.status < 500 or not answer.text, answer
    assert team.runs() == before


@pytest.mark.fault(151)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://localhost:3000"])
def test_a_websocket_of_another_site_is_refused(team: Site, origin: str) -> None:
    assert team.ask("GET", "/graphql", LEAD, origin=origin, **UPGRADE).status == 403
    assert team.ask("GET", "/graphql", LEAD, origin=team.url, **UPGRADE).status == 101


def test_no_page_behind_the_login_may_be_framed(team: Site) -> None:
    for path in ("/runs", "/workbook", "/reports/"):
        headers = team.ask("GET", path, LEAD).headers
        assert (
            "frame-ancestors 'none'" in headers["content-security-policy"]
            and headers["x-frame-options"] == "DENY"
        )
