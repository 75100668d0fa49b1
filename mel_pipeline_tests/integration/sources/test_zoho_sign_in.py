"""Signing in to Zoho: one renewal, cached, sent only to Zoho; against a server that fails as Zoho does."""

from __future__ import annotations

import json
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mel_pipeline.core.errors import PermanentSourceError, SettingsError, TransientSourceError
from mel_pipeline.core.settings import Settings, with_sample_values
from mel_pipeline.sources import open_source
from mel_pipeline.sources.shared.http import Http
from mel_pipeline.sources.shared.oauth.zoho import API_HOSTS, ZohoAuth
from mel_pipeline.sources.zoho_crm import client as crm
from mel_pipeline_tests.fixtures.loopback import Reply, Request
from mel_pipeline_tests.fixtures.zoho_stub import QUICK, deal, deals, has_no_secret, read, settings_for, zoho


def test_a_rejected_refresh_token_fails_after_one_call_and_says_what_to_renew(tmp_path: Path) -> None:
    with zoho() as (service, server):
        service.token = lambda request: Reply({"error": "invalid_code"})
        with pytest.raises(PermanentSourceError, match="MEL_ZOHO_REFRESH_TOKEN") as caught:
            read(deals(server, tmp_path))
        assert server.count("/oauth") == 1
        assert has_no_secret(caught.value)


@pytest.mark.parametrize("code", ["invalid_client", "invalid_client_secret", "something_new"])
def test_every_refusal_inside_a_200_is_permanent(tmp_path: Path, code: str) -> None:
    with zoho() as (service, server):
        service.token = lambda request: Reply({"error": code})
        with pytest.raises(PermanentSourceError, match=code):
            read(deals(server, tmp_path))


@pytest.mark.parametrize("status", [200, 400])
def test_a_throttled_sign_in_waits_and_goes_on_in_whatever_language_zoho_reports_it(
    tmp_path: Path, status: int
) -> None:
    with zoho() as (service, server):
        body = {
            "error": "Acceso denegado",
            "error_description": "Demasiadas solicitudes",
            "status": "failure",
        }

        def throttled_once(request: Request) -> Reply:
            return Reply(body, status) if server.count("/oauth") == 1 else service.issue(request)

        service.token = throttled_once
        read(deals(server, tmp_path))
        assert server.count("/oauth") == 2


def test_a_sign_in_throttled_for_good_is_bounded_and_transient(tmp_path: Path) -> None:
    with zoho() as (service, server):
        service.token = lambda request: Reply({"error": "Access Denied", "status": "failure"}, 400)
        with pytest.raises(TransientSourceError, match="ten minutes"):
            read(deals(server, tmp_path))
        assert server.count("/oauth") == QUICK.attempts


def test_an_eleventh_token_within_ten_minutes_is_not_even_requested(tmp_path: Path) -> None:
    with zoho() as (service, server):
        service.valid = set()
        service.issue(Request("POST", "", {}, {}, {}))
        auth = ZohoAuth(settings_for(server, tmp_path), Http(QUICK))
        for _ in range(10):
            auth.renew(auth.headers()) if auth._session._read() else auth.headers()
        with pytest.raises(TransientSourceError, match="Zoho allows no more"):
            auth.renew(auth.headers())
        assert server.count("/oauth") == 10


def test_a_valid_cached_token_is_used_by_the_next_process_and_only_its_owner_can_read_it(
    tmp_path: Path,
) -> None:
    with zoho() as (_, server):
        read(deals(server, tmp_path))
        read(deals(server, tmp_path))
        assert server.count("/oauth") == 1
        (cache,) = (tmp_path / "secrets").iterdir()
        assert stat.S_IMODE(cache.stat().st_mode) == 0o600
        assert stat.S_IMODE(cache.parent.stat().st_mode) == 0o700


def test_an_expired_or_broken_cache_means_a_new_token(tmp_path: Path) -> None:
    with zoho() as (_, server):
        read(deals(server, tmp_path))
        (cache,) = (tmp_path / "secrets").iterdir()
        cache.write_text(json.dumps(json.loads(cache.read_text()) | {"expires_at": time.time() - 1}))
        read(deals(server, tmp_path))
        cache.write_text("{ broken")
        read(deals(server, tmp_path))
        assert server.count("/oauth") == 3


def test_threads_that_meet_an_expired_token_share_one_renewal(tmp_path: Path) -> None:
    with zoho() as (service, server):
        service.valid = {"access-2"}
        together = threading.Barrier(4)
        clients = [crm.open(settings_for(server, tmp_path), QUICK) for _ in range(4)]
        ZohoAuth(settings_for(server, tmp_path), Http(QUICK)).headers()

        def work(client: crm.ZohoCrm) -> None:
            together.wait()
            list(client.pull("deals").batches)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, clients))
        assert server.count("/oauth") == 2  # the first sign-in and one renewal


def test_a_token_that_expires_mid_run_is_renewed_once_and_the_page_requested_again(tmp_path: Path) -> None:
    with zoho() as (service, server):

        def dies_on_page_two(request: Request) -> Reply:
            if "page_token" in request.query:
                service.valid = {"access-2"}
                if request.headers["Authorization"].endswith("access-1"):
                    return Reply({"code": "INVALID_TOKEN"}, 401)
                return Reply({"data": [deal(2)], "info": {"more_records": False}})
            return Reply({"data": [deal(1)], "info": {"more_records": True, "next_page_token": "t"}})

        service.module = dies_on_page_two
        ids, _ = read(deals(server, tmp_path))
        assert len(ids) == len(set(ids)) == 2
        assert server.count("/oauth") == 2


def test_a_second_401_fails_instead_of_requesting_tokens_forever(tmp_path: Path) -> None:
    with zoho() as (service, server):
        service.module = lambda request: Reply({"code": "INVALID_TOKEN"}, 401)
        with pytest.raises(PermanentSourceError, match="also with a new token") as caught:
            read(deals(server, tmp_path))
        assert server.count("/oauth") == 2
        assert has_no_secret(caught.value)


@pytest.mark.parametrize("domain", sorted(API_HOSTS))
def test_every_data_centre_of_zoho_is_trusted(tmp_path: Path, domain: str) -> None:
    with zoho() as (service, server):
        service.api_domain = domain
        auth = ZohoAuth(settings_for(server, tmp_path, zoho_api_url=""), Http(QUICK))
        assert auth.api_url() == domain


@pytest.mark.parametrize(
    "domain",
    ["https://www.zohoapis.evil.example", "http://www.zohoapis.com", "https://www.zohoapis.com.evil.example",
     "https://www.zohoapis.com@evil.example", "https://evil.example/www.zohoapis.com"],
)  # fmt: skip
def test_a_forged_api_host_never_sees_the_token(tmp_path: Path, domain: str) -> None:
    with zoho() as (service, server):
        service.api_domain = domain
        with pytest.raises(PermanentSourceError, match="not Zoho's") as caught:
            read(deals(server, tmp_path))
        assert server.count("/crm") == 0
        assert has_no_secret(caught.value)
        assert not list(tmp_path.rglob("*.json"))


def test_secrets_are_not_sent_over_plain_http_to_another_machine(tmp_path: Path) -> None:
    settings = with_sample_values(Settings(home=tmp_path, _env_file=None), 1)
    for name in ("zoho_accounts_url", "zoho_api_url"):
        with pytest.raises(SettingsError, match="https"):
            open_source("zoho_crm", settings.model_copy(update={name: "http://crm.example.org"}))
