"""`mel connect` with a real browser: a person consents at the service, and the pipeline has credentials that work."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from mel_pipeline.core import connected
from mel_pipeline.sandbox.server import Sandbox
from mel_pipeline_tests.fixtures.forking import Forking

pytestmark = pytest.mark.slow
SERVICES = {
    "zoho": "MEL_ZOHO_REFRESH_TOKEN",
    "youtube": "MEL_YOUTUBE_REFRESH_TOKEN",
    "linkedin": "MEL_LINKEDIN_ACCESS_TOKEN",
}


def free_port(sandbox: Sandbox) -> int:
    """A port whose address is registered at the services, as an application's is."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = int(taken.getsockname()[1])
    back = f"http://127.0.0.1:{port}/callback"
    sandbox.zoho.oauth.redirect_uris.add(back)
    sandbox.platforms["linkedin"].oauth.redirect_uris.add(back)
    return port


def settings(sandbox: Sandbox, home: Path) -> dict[str, str]:
    """Of an organisation with accounts of its own, which are the sandbox's; no token is written."""
    url = sandbox.url
    return {
        **{name: value for name, value in os.environ.items() if name != "DISPLAY"},
        "BROWSER": "true",  # the test opens the address itself
        "MEL_HOME": str(home),
        "MEL_SAMPLE": "false",
        "MEL_ZOHO_ACCOUNTS_URL": url,
        "MEL_ZOHO_API_URL": url,
        "MEL_ZOHO_CLIENT_ID": "sample-client",
        "MEL_ZOHO_CLIENT_SECRET": "sample-client-secret",
        "MEL_YOUTUBE_API_URL": f"{url}/youtube/youtube/v3",
        "MEL_YOUTUBE_ANALYTICS_URL": f"{url}/youtube/v2",
        "MEL_YOUTUBE_TOKEN_URL": f"{url}/youtube/token",
        "MEL_YOUTUBE_AUTHORIZE_URL": f"{url}/youtube/o/oauth2/v2/auth",
        "MEL_YOUTUBE_CLIENT_ID": "sample-google-client",
        "MEL_YOUTUBE_CLIENT_SECRET": "sample-google-client-secret",
        "MEL_YOUTUBE_CHANNEL_IDS": "UCmetropolisSample00000001",
        "MEL_LINKEDIN_API_URL": f"{url}/linkedin",
        "MEL_LINKEDIN_AUTHORIZE_URL": f"{url}/linkedin/oauth/v2/authorization",
        "MEL_LINKEDIN_TOKEN_URL": f"{url}/linkedin/oauth/v2/accessToken",
        "MEL_LINKEDIN_INTROSPECT_URL": f"{url}/linkedin/oauth/v2/introspectToken",
        "MEL_LINKEDIN_CLIENT_ID": "sample-linkedin-client",
        "MEL_LINKEDIN_CLIENT_SECRET": "sample-linkedin-client-secret",
        "MEL_LINKEDIN_ORGANIZATION_IDS": "90000001",
    }


@dataclass
class Connecting:
    """`mel connect` as it runs. ``code``: its exit code, once it has ended."""

    process: Forking
    code: int | None = None

    def address(self) -> str:
        said = []
        for line in self.process.lines():
            said.append(line)
            if re.match(r"http://127\.0\.0\.1:\d+/.*code", line):
                return line.strip()
        raise AssertionError("".join(said))

    def ended(self) -> str:
        """Wait for its end; what it has said since the address."""
        said, self.code = self.process.rest()
        return said


@contextmanager
def connecting(service: str, sandbox: Sandbox, home: Path, forked: Forking) -> Iterator[Connecting]:
    arguments = ("connect", service, "--port", str(free_port(sandbox)))
    program = "from mel_pipeline.cli.main import main; main()"
    forked.start(program, *arguments, said=home / "said", environment=settings(sandbox, home))
    running = Connecting(forked)
    try:
        yield running
    finally:
        if running.code is None:
            forked.kill()
            running.ended()


@pytest.mark.parametrize("service", SERVICES)
def test_consent_in_the_browser_gives_credentials_that_the_service_takes(
    browser: Browser, sandbox: Sandbox, forked: Forking, tmp_path: Path, service: str
) -> None:
    with connecting(service, sandbox, tmp_path, forked) as process:
        page = browser.new_page()
        page.goto(process.address())
        page.click("#accept")
        page.wait_for_url("**/callback?**")
        assert "Go back to the terminal" in page.inner_text("body")
        said = process.ended()
        page.close()
    assert process.code == 0, said
    assert "It may: Read" in said or "It may: See" in said
    assert "It ends:" in said and "It answers." in said
    assert ("Ends on" in said) is (service == "linkedin")
    kept = tmp_path / "secrets" / connected.FILE
    values = json.loads(kept.read_text(encoding="utf-8"))
    assert list(values) == [SERVICES[service]]
    assert values[SERVICES[service]] not in said
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_person_who_refuses_leaves_nothing_behind(
    browser: Browser, sandbox: Sandbox, forked: Forking, tmp_path: Path
) -> None:
    with connecting("zoho", sandbox, tmp_path, forked) as process:
        page = browser.new_page()
        page.goto(process.address())
        page.click("#reject")
        said = process.ended()
        page.close()
    assert process.code == 1
    assert "consent was not given (access_denied). Nothing was stored." in said
    assert not (tmp_path / "secrets" / connected.FILE).exists()


def test_a_scope_that_is_unticked_is_named(
    browser: Browser, sandbox: Sandbox, forked: Forking, tmp_path: Path
) -> None:
    with connecting("youtube", sandbox, tmp_path, forked) as process:
        page = browser.new_page()
        page.goto(process.address())
        page.uncheck('input[name$="yt-analytics.readonly"]')
        page.click("#accept")
        said = process.ended()
        page.close()
    assert "Not granted: https://www.googleapis.com/auth/yt-analytics.readonly." in said
