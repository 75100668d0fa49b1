"""Consent in a browser: what is asked, which answers are believed, and where credentials are kept."""

from __future__ import annotations

import stat
from datetime import date, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from pydantic import SecretStr

from mel_pipeline.cli import connect, doctor
from mel_pipeline.cli.doctor.finding import WorthALookError
from mel_pipeline.core import connected
from mel_pipeline.core.contracts import Consent, contract_of, source_names
from mel_pipeline.core.errors import PermanentSourceError, SettingsError
from mel_pipeline.core.settings import Settings, load_settings
from mel_pipeline.core.source_settings import declared
from mel_pipeline.sources.shared.oauth.consent import Request, Return, code_of

BY_SOURCE = {name: consent for name in source_names() if (consent := contract_of(name).consent)}


def request_for(consent: Consent, token: str = "https://accounts.zoho.eu/oauth/v2/token") -> Request:
    back = "http://127.0.0.1:8765/callback"
    return Request("Zoho CRM", consent, "https://accounts.zoho.eu/oauth/v2/auth", token, "me", "hidden", back)


@pytest.mark.parametrize("source", BY_SOURCE)
def test_each_request_asks_for_its_scopes_and_never_sends_a_secret(source: str) -> None:
    consent = BY_SOURCE[source]
    request = request_for(consent)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(request.address).query).items()}
    assert asked["scope"].split(consent.separator) == consent.scopes
    assert asked["response_type"] == "code" and asked["state"] == request.state
    assert ("code_challenge" in asked) is consent.pkce
    assert request.verifier not in request.address and "hidden" not in request.address
    assert "hidden" not in repr(request) and request.state not in repr(request)
    if consent.keeps == "refresh_token":
        assert asked["access_type"] == "offline", "without it there is no refresh token"
    assert not any("write" in scope.lower() or scope.endswith(".ALL") for scope in consent.scopes)


@pytest.mark.parametrize("source", BY_SOURCE)
def test_every_setting_that_consent_needs_exists_and_an_empty_one_is_named(source: str) -> None:
    consent = BY_SOURCE[source]
    known = declared() | {f"MEL_{name.upper()}" for name in Settings.model_fields}
    prefix = f"MEL_{consent.settings or source}_".upper()
    for name in ("client_id", "client_secret", consent.keeps):
        assert prefix + name.upper() in known
    empty = Settings(_env_file=None, sample=False)
    with pytest.raises(SettingsError, match=rf"{prefix}\w+ is empty. Set it in .env"):
        connect._request(source, consent, empty, "http://127.0.0.1:8765/callback")


def test_addresses_and_client_come_from_the_settings_that_the_contract_names() -> None:
    settings = Settings(
        _env_file=None,
        sample=False,
        zoho_accounts_url="https://accounts.zoho.in/",
        zoho_client_id="1000.client",
        zoho_client_secret=SecretStr("hidden"),
    )
    request = connect._request("zoho_crm", BY_SOURCE["zoho_crm"], settings, "http://127.0.0.1:8765/callback")
    assert request.authorize == "https://accounts.zoho.in/oauth/v2/auth"
    assert request.token == "https://accounts.zoho.in/oauth/v2/token"
    assert (request.client_id, request.client_secret) == ("1000.client", "hidden")


def test_two_requests_share_neither_state_nor_verifier() -> None:
    one, other = (request_for(BY_SOURCE["youtube"]) for _ in range(2))
    assert one.state != other.state and one.verifier != other.verifier


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("code=1", "not the answer to this request"),
        ("code=1&state=forged", "not the answer to this request"),
        ("error=access_denied&state={state}", r"consent was not given \(access_denied\). Nothing was stored"),
        ("state={state}", "holds no code"),
        (
            "code=1&state={state}&accounts-server=https%3A%2F%2Faccounts.zoho.com",
            "another data centre. Set MEL_ZOHO_ACCOUNTS_URL=https://accounts.zoho.com",
        ),
    ],
)
def test_an_answer_that_is_not_consent_is_refused_in_words(query: str, words: str) -> None:
    request = request_for(BY_SOURCE["zoho_crm"])
    with pytest.raises(PermanentSourceError, match=words):
        code_of(request, f"{request.redirect}?{query.format(state=request.state)}")


def test_the_answer_of_the_own_data_centre_gives_the_code() -> None:
    request = request_for(BY_SOURCE["zoho_crm"])
    server = "accounts-server=https%3A%2F%2Faccounts.zoho.eu"
    assert code_of(request, f" {request.redirect}?state={request.state}&code=1000.ab&{server}\n") == "1000.ab"


def test_the_listener_waits_for_the_answer_and_for_nothing_else() -> None:
    from threading import Thread

    with Return(0) as back:
        got: list[int] = []
        base = back.redirect.rpartition("/")[0]

        def browse() -> None:
            for path in ("/favicon.ico", "/callback?code=1&state=2"):
                got.append(requests.get(base + path, timeout=10).status_code)

        browser = Thread(target=browse)
        browser.start()
        assert back.wait(20) == "/callback?code=1&state=2"
        browser.join()
    assert got == [404, 200]


def test_a_port_in_use_is_named_with_what_to_do() -> None:
    with Return(0) as back:
        port = int(back.redirect.split(":")[2].partition("/")[0])
        with pytest.raises(SettingsError, match=rf"127.0.0.1:{port}: .* Choose another --port"):
            Return(port)


def test_nobody_comes_and_the_wait_ends() -> None:
    with Return(0) as back:
        assert back.wait(0) == ""


def test_kept_credentials_are_for_the_owner_alone_and_used_where_none_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEL_HOME", str(tmp_path))
    monkeypatch.setenv("MEL_SAMPLE", "false")
    connected.keep(tmp_path / "secrets", {"MEL_ZOHO_REFRESH_TOKEN": "kept-zoho"})
    connected.keep(tmp_path / "secrets", {"MEL_LINKEDIN_ACCESS_TOKEN": "kept-linkedin"})
    assert stat.S_IMODE((tmp_path / "secrets" / connected.FILE).stat().st_mode) == 0o600
    settings = load_settings()
    assert settings.zoho_refresh_token.get_secret_value() == "kept-zoho"
    assert settings.source("linkedin").text("access_token") == "kept-linkedin"
    assert "kept-" not in repr(settings)

    monkeypatch.setenv("MEL_ZOHO_REFRESH_TOKEN", "written")
    monkeypatch.setenv("MEL_LINKEDIN_ACCESS_TOKEN", "written")
    settings = load_settings()
    assert settings.zoho_refresh_token.get_secret_value() == "written"
    assert settings.source("linkedin").text("access_token") == "written"


def test_the_sample_organisation_never_gets_a_real_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEL_HOME", str(tmp_path))
    connected.keep(tmp_path / "secrets", {"MEL_ZOHO_REFRESH_TOKEN": "kept-zoho"})
    assert load_settings().zoho_refresh_token.get_secret_value() == "sample-refresh-token"


def test_a_damaged_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEL_HOME", str(tmp_path))
    monkeypatch.setenv("MEL_SAMPLE", "false")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / connected.FILE).write_text("{", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"connected.json: .* run `mel connect` again"):
        load_settings()


@pytest.mark.parametrize(
    ("source", "day", "words"),
    [
        ("facebook", date(2028, 5, 2), r"version v25.0 of the API may end from 2028-07-29 on. Upgrade."),
        ("linkedin", date(2027, 7, 20), "version 202610 .* 2027-10-15 on. Set MEL_LINKEDIN_API_VERSION"),
    ],
)
def test_a_version_that_ends_is_warned_of_ninety_days_before(
    monkeypatch: pytest.MonkeyPatch, source: str, day: date, words: str
) -> None:
    settings = Settings(_env_file=None, sample=False, source_values={"linkedin": {"api_version": "202610"}})
    monkeypatch.setattr(doctor, "utc_now", lambda: datetime(day.year, day.month, day.day))
    with pytest.raises(WorthALookError, match=words):
        doctor._require_lasting(source, settings)
    monkeypatch.setattr(doctor, "utc_now", lambda: datetime(day.year, day.month - 2, 1))
    doctor._require_lasting(source, settings)
