"""The examples for oauth2-proxy and Authelia: a real Caddy runs them, a stand-in answers for the other program."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from mel_pipeline.core.logins import LOGIN
from mel_pipeline_tests.fixtures.login_site import CADDYFILE, SECRET
from mel_pipeline_tests.fixtures.loopback import Reply, Request, Service, serving

pytestmark = pytest.mark.slow
NAMES = {"authelia.caddy": "Remote-User", "oauth2-proxy.caddy": "X-Auth-Request-Email"}


def sign_in(request: Request) -> Reply:
    """Knows one cookie; with another it lets in without saying whom."""
    cookie = {name.lower(): value for name, value in request.headers.items()}.get("cookie", "")
    named = dict.fromkeys(NAMES.values(), "anna")
    return {"session=anna": Reply({}, 200, named), "session=nameless": Reply({}, 200)}.get(
        cookie, Reply({}, 401)
    )


@contextmanager
def proxy(example: str, service: Service, behind: Service, place: Path) -> Iterator[int]:
    caddy = shutil.which("caddy")
    assert caddy, "Install it: apt-get install caddy"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = {
        name: one.url.removeprefix("http://") for name, one in (("service", service), ("behind", behind))
    }
    settings = {
        "MEL_HOST": f"http://localhost:{port}", "AUTHELIA_HOST": f"http://auth.localhost:{port}", "HOME": str(place),
        "AUTHELIA": address["service"], "OAUTH2_PROXY": address["service"], "MEL_UPSTREAM": address["behind"],
        "MEL_PROXY_SECRET": SECRET,
    }  # fmt: skip
    (place / "Caddyfile").write_text(f"{{\n admin off\n}}\nimport {CADDYFILE.with_name(example)}\n")
    command = [caddy, "run", "--config", str(place / "Caddyfile")]
    with subprocess.Popen(command, env={**os.environ, **settings}, stderr=subprocess.DEVNULL) as child:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        yield port
        child.terminate()


def asked(port: int, path: str = "/runs", **headers: str) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers={"host": f"localhost:{port}", **given})
        return connection.getresponse().status


@pytest.mark.fault(153)
@pytest.mark.parametrize("example", NAMES)
def test_an_example_hands_on_the_name_of_the_service_and_none_that_a_client_writes(
    example: str, tmp_path: Path
) -> None:
    forged = {"X_Mel_User": "mallory", "X_Mel_Proxy": SECRET, NAMES[example].replace("-", "_"): "mallory"}
    with (
        serving(sign_in) as service,
        serving(lambda _: Reply({}, 200)) as behind,
        proxy(example, service, behind, tmp_path) as port,
    ):
        assert asked(port, cookie="session=stolen", **forged) in (302, 401)
        assert behind.requests == [], "nothing comes past the login"
        assert asked(port, cookie="session=nameless", **forged) == 200
        assert asked(port, cookie="session=anna", **forged) == 200
        assert asked(port, "/healthz") == 200
    nameless, named, health = (
        {name.lower(): value for name, value in seen.headers.items()} for seen in behind.requests
    )
    assert not LOGIN.fullmatch(nameless.get("x-mel-user", "")), "no name that anybody could have"
    assert (named["x-mel-user"], named["x-mel-proxy"]) == ("anna", SECRET)
    assert not health.get("x-mel-user") and not health.get("x-mel-proxy")
