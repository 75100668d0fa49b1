"""Three people at work behind a real Caddy, in a real browser: what the lead does, and what the others cannot."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page

from mel_pipeline.core.logins import MARK, ROLE_TAG
from mel_pipeline.publication import store
from mel_pipeline.sources.workbook.versions import current
from mel_pipeline_tests.browser.test_workbook_page import GOOD, edited
from mel_pipeline_tests.fixtures.login_site import (
    LAUNCH,
    LEAD,
    OPERATOR,
    PASSWORD,
    READER,
    Site,
    forwarding,
    launch_params,
)
from mel_pipeline_tests.fixtures.organisation import organisation

pytestmark = pytest.mark.slow
JOB = "/locations/__repository__@mel/jobs"
FORM = """ops:
  publish_figures:
    config: {approver_role: Secretary General, note: Checked with the regions, without: ""}"""


@contextmanager
def signed_in(browser: Browser, team: Site, user: str) -> Iterator[Page]:
    credentials = {"username": user, "password": PASSWORD}
    context = browser.new_context(
        base_url=team.url,
        ignore_https_errors=True,
        http_credentials=credentials,
        viewport={"width": 1400, "height": 900},
    )
    context.set_default_timeout(120_000)  # on a busy machine
    yield context.new_page()
    context.close()


@pytest.mark.fault(154)
def test_a_lead_publishes_from_the_browser_and_the_ledger_says_who_it_was(
    browser: Browser, team: Site
) -> None:
    frames: list[str] = []
    with signed_in(browser, team, LEAD) as page:
        page.on("websocket", lambda opened: opened.on("framereceived", lambda data: frames.append(str(data))))
        forged = {
            "tags": [{"key": "dagster/partition", "value": "2024-Q4"}, {"key": MARK, "value": "forged"}]
        }
        page.goto("/runs")
        answer = page.evaluate(
            "body => fetch('/graphql', {method: 'POST', headers: {'content-type': 'application/json'}, body})"
            ".then(answer => answer.json())",
            json.dumps(
                {
                    "query": LAUNCH,
                    "variables": launch_params(
                        "publish_quarter", runConfigData=FORM, executionMetadata=forged
                    ),
                }
            ),
        )
        run = answer["data"]["launchRun"]["run"]["runId"]
        page.goto(f"/runs/{run}")
        page.get_by_text("RUN_SUCCESS").first.wait_for(timeout=300_000)
    assert any("RunSuccessEvent" in frame for frame in frames), "the log came over the websocket"
    tags = team.runs()[run]["tags"]
    assert tags[ROLE_TAG] == "lead" and tags[MARK] not in ("forged", LEAD), "a mark, no name"
    entry = store.last_publication(organisation(team.home).warehouse, "2024-Q4")
    assert entry is not None
    assert (entry.role, entry.details["by"]) == ("Secretary General", {"login": LEAD, "role": "lead"})
    log = "".join(path.read_text("utf-8", "replace") for path in team.home.parent.glob("*.log"))
    assert LEAD not in log and OPERATOR not in log


def test_an_operator_sees_who_may_publish_and_starts_other_runs(browser: Browser, team: Site) -> None:
    with signed_in(browser, team, OPERATOR) as page:
        page.goto(f"{JOB}/publish_quarter/playground")
        page.get_by_role("button", name="Launch run").first.wait_for(timeout=120_000)
    refused = team.graphql(OPERATOR, LAUNCH, launch_params("publish_quarter"))["errors"][0]["message"]
    assert refused == "Your role, operator, may not start publish_quarter: that takes the role lead."
    started = team.graphql(OPERATOR, LAUNCH, launch_params("preview_workbook"))["data"]["launchRun"]
    tags = team.runs()[started["run"]["runId"]]["tags"]
    assert tags[ROLE_TAG] == "operator"


def test_a_reader_sees_the_ui_without_anything_to_start(browser: Browser, team: Site) -> None:
    with signed_in(browser, team, READER) as page:
        page.goto("/assets")
        page.get_by_text("annual_report").first.wait_for(timeout=120_000)
        page.goto(f"{JOB}/preview_workbook")
        button = page.get_by_role("button", name="Materialize").first
        button.wait_for(timeout=120_000)
        assert button.is_disabled()


def test_the_workbook_of_an_operator_is_previewed_and_accepted_by_the_lead(
    browser: Browser, team: Site, tmp_path: Path
) -> None:
    for user in (OPERATOR, LEAD):
        with signed_in(browser, team, user) as page:
            page.goto("/workbook?language=en")
            with page.expect_download() as waiting:
                page.click('a[href="/workbook/download?language=en"]')
            changed = edited(Path(waiting.value.path()).read_bytes(), tmp_path, **GOOD)
            page.set_input_files("#file", changed)
            page.click("main form button")
            assert "MEM-01" in page.inner_text("#new")
            if user == OPERATOR:
                assert page.locator("#role").count() == 0
                assert "Send the file to the MEL lead" in page.inner_text("#accept")
                assert current(organisation(team.home).settings).number == 0
            else:
                page.fill("#role", "MEL lead")
                page.click("#accept form button")
                page.wait_for_url("**accepted=1*")
    version = current(organisation(team.home).settings)
    assert (version.role, version.by) == ("MEL lead", LEAD)
    assert LEAD not in team.ask("GET", "/workbook", LEAD).text


def test_reports_keep_their_style_and_fonts_behind_a_password(browser: Browser, team: Site) -> None:
    assets = team.home.parent / "published" / "assets"
    assets.mkdir(parents=True, exist_ok=True)
    font = next(iter((Path(__file__).parents[2] / "reports").rglob("*.woff2")), None)
    assert font is not None
    (assets / "f.woff2").write_bytes(font.read_bytes())
    (assets / "site.css").write_text(
        "@font-face {font-family: F; src: url(f.woff2)} body {font-family: F; color: rgb(1, 2, 3)}"
    )
    (assets.parent / "page.html").write_text(
        "<!doctype html><link rel=stylesheet href=assets/site.css><p>Figures"
    )
    with signed_in(browser, team, READER) as page:
        page.goto("/reports/page.html", wait_until="networkidle")
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(1, 2, 3)"
        assert page.evaluate(
            "document.fonts.check('16px F') && [...document.fonts].every(f => f.status == 'loaded')"
        )


def test_without_a_password_the_browser_shows_nothing(browser: Browser, team: Site) -> None:
    context = browser.new_context(base_url=team.url, ignore_https_errors=True)
    page = context.new_page()
    try:
        answer = page.goto("/runs")
        assert answer is not None and answer.status == 401 and not page.inner_text("body").strip()
    except Error as error:  # a browser with windows would ask for the password
        assert "ERR_INVALID_AUTH_CREDENTIALS" in str(error)
    context.close()


def test_a_tunnel_from_any_port_leads_to_the_same_login(browser: Browser, team: Site) -> None:
    with forwarding(team.tunnel) as near:
        context = browser.new_context(http_credentials={"username": LEAD, "password": PASSWORD})
        page = context.new_page()
        answer = page.goto(f"http://localhost:{near}/runs")
        assert answer is not None and answer.status == 200
        version = page.evaluate(
            "fetch('/graphql', {method: 'POST', headers: {'content-type': 'application/json'}, body: '{\"query\":\"{ version }\"}'})"
            ".then(answer => answer.json())"
        )
        assert version["data"]["version"]
        context.close()
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"http://localhost:{near}/runs", timeout=20)


def test_who_loses_the_role_loses_the_open_websocket_and_the_next_request(team: Site) -> None:
    users = team.home / "users.yml"
    before = users.read_text()
    run = next(iter(team.runs()), "x")
    with team.websocket(READER) as opened:
        try:
            users.write_text(json.dumps({"lead": [LEAD], "operator": [OPERATOR]}))
            query = f'subscription {{ pipelineRunLogs(runId: "{run}") {{ __typename }} }}'
            opened.send(json.dumps({"type": "start", "id": "1", "payload": {"query": query}}))
            with pytest.raises(Exception, match="role"):
                opened.recv(30)
            assert team.ask("GET", "/reports/", READER).status == 403
            users.write_text("lead: [anna")
            assert team.ask("GET", "/", LEAD).status == 503, "a file that cannot be read lets nobody in"
        finally:
            users.write_text(before)
    assert team.ask("GET", "/server_info", LEAD).status == 200


def test_anybody_may_ask_whether_it_works_and_learns_no_more(team: Site) -> None:
    for answer in (team.ask("GET", "/healthz"), team.ask_directly("GET", "/healthz", host="10.0.0.1")):
        assert (answer.status, answer.text) == (200, "ok")
    assert team.ask_directly("POST", "/healthz", body={}).status in (403, 405)
