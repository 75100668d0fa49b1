"""Zoho CRM when it responds wrongly, slowly, or not at all."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path

import pytest

from mel_pipeline.core.errors import ContractError, PermanentSourceError, TransientSourceError
from mel_pipeline.sources.shared.http import Http, Policy
from mel_pipeline.sources.zoho_crm import client as crm
from mel_pipeline_tests.fixtures.loopback import Reply, Service, serving
from mel_pipeline_tests.fixtures.zoho_stub import (
    QUICK,
    Zoho,
    deal,
    deals,
    has_no_secret,
    read,
    settings_for,
    zoho,
)


def test_more_records_without_a_way_to_fetch_them_fail_loudly(tmp_path: Path) -> None:
    with zoho() as (service, server):
        info = {"more_records": True, "next_page_token": None}
        service.module = lambda request: Reply({"data": [deal(int(request.query["page"]))], "info": info})
        with pytest.raises(PermanentSourceError, match="no page token"):
            read(deals(server, tmp_path))
        assert server.count("/crm/v8/Deals") == 11  # ten pages, which is what `page` reaches, and the count


def test_lookups_lists_booleans_and_numbers_are_stored_as_plain_text(tmp_path: Path) -> None:
    record = deal(1) | {
        "Account_Name": {"name": "Donor", "id": "900000000000000001"},
        "Amount": 700000.0,
        "Exchange_Rate": 1.0825,
        "Stage": ["Signed", "Lost"],
        "Edition": "",
        "Pipeline": True,
    }
    with zoho() as (service, server):
        raw = json.dumps({"data": [record], "info": {"more_records": False}}).encode()
        service.module = lambda request: Reply(raw=raw)
        _, batches = read(deals(server, tmp_path))
    row = batches[0].frame.iloc[0]
    assert row["account"] == "900000000000000001"
    assert (row["amount"], row["exchange_rate"]) == ("700000", "1.0825")
    assert (row["stage"], row["pipeline"]) == ("Signed;Lost", "true")
    assert batches[0].frame["edition"].isna().all()
    assert row["_source_ref"] == "page 1, row 1"


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [(401, "OAUTH_SCOPE_MISMATCH", "ZohoCRM.modules.deals.READ"), (403, "NO_PERMISSION", "module Deals"),
     (400, "INVALID_MODULE", "no module Deals"),
     (400, "SOMETHING_NEW", "SOMETHING_NEW")],
)  # fmt: skip
def test_a_refused_module_fails_by_name_and_never_as_an_empty_success(
    tmp_path: Path, status: int, code: str, message: str
) -> None:
    with zoho() as (service, server):
        service.module = lambda request: Reply({"code": code, "message": "no", "status": "error"}, status)
        with pytest.raises(PermanentSourceError, match=message) as caught:
            read(deals(server, tmp_path))
        assert "Deals" in str(caught.value)
        assert server.count("/oauth") == 1
        assert has_no_secret(caught.value)


def test_a_custom_module_names_the_scope_for_custom_modules(tmp_path: Path) -> None:
    with zoho() as (service, server):
        service.module = lambda request: Reply({"code": "OAUTH_SCOPE_MISMATCH"}, 401)
        with pytest.raises(PermanentSourceError, match=r"ZohoCRM\.modules\.custom\.READ"):
            list(crm.open(settings_for(server, tmp_path), QUICK).pull("events").batches)


@pytest.mark.fault(23)
def test_a_renamed_field_stops_the_load_and_names_the_field(tmp_path: Path) -> None:
    with zoho() as (service, server):
        record = {name: value for name, value in deal(1).items() if name != "Stage"}
        service.module = lambda request: Reply({"data": [record], "info": {"more_records": False}})
        with pytest.raises(ContractError, match="Stage"):
            read(deals(server, tmp_path))


def test_a_record_without_an_id_is_quarantined_with_its_location(tmp_path: Path) -> None:
    with zoho() as (service, server):
        records = [deal(1), deal(2) | {"id": None}]
        service.module = lambda request: Reply({"data": records, "info": {"more_records": False}})
        ids, batches = read(deals(server, tmp_path))
    assert len(ids) == 1
    assert batches[0].rejected[0].source_ref == "page 1, row 2"
    assert batches[0].fetched == 2


def flaky(server: Service, service: Zoho, bad: Reply, times: int) -> None:
    good = Reply({"data": [deal(1)], "info": {"more_records": False}})
    service.module = lambda request: bad if server.count("/crm/v8/Deals") <= times else good


@pytest.mark.parametrize(
    "bad",
    [Reply(status=503), Reply(status=500), Reply(status=429, headers={"Retry-After": "0"}), Reply({}, 429),
     Reply({"details": {"retry_after": "0"}}, 429), Reply(raw=b'{"data": [{"id"'),
     Reply(raw=b'{"data": []}', announce=500)],
    ids=["503", "500", "429 with Retry-After", "429", "429 in the body", "truncated JSON", "cut connection"],
)  # fmt: skip
@pytest.mark.fault(12, 13, 15)
def test_a_transient_fault_is_retried(tmp_path: Path, bad: Reply) -> None:
    with zoho() as (service, server):
        flaky(server, service, bad, 1)
        ids, _ = read(deals(server, tmp_path))
        assert len(ids) == 1


@pytest.mark.parametrize(
    "bad",
    [Reply(status=503), Reply({}, 429), Reply({"details": {"retry_after": "3600"}}, 429),
     Reply(raw=b'{"data": [{"id"'), Reply(raw=b'{"data": []}', announce=500)],
    ids=["503", "429", "an hour's wait", "truncated JSON", "cut connection"],
)  # fmt: skip
def test_a_lasting_fault_is_transient_bounded_and_keeps_its_secrets(tmp_path: Path, bad: Reply) -> None:
    with zoho() as (service, server):
        flaky(server, service, bad, 10**6)
        begun = time.monotonic()
        pull = deals(server, tmp_path)
        with pytest.raises(TransientSourceError) as caught:
            read(pull)
        assert time.monotonic() - begun < 3
        assert server.count("/crm/v8/Deals") <= 10
        assert pull.cursor() is None
        assert has_no_secret(caught.value)


def test_a_login_page_with_status_200_is_refused(tmp_path: Path) -> None:
    with zoho() as (service, server):
        service.module = lambda request: Reply(raw=b"<!DOCTYPE html><html>Sign in</html>")
        with pytest.raises(PermanentSourceError, match="web page"):
            read(deals(server, tmp_path))


def test_a_redirect_is_not_followed_with_the_token(tmp_path: Path) -> None:
    with serving(lambda request: Reply({"data": []})) as elsewhere, zoho() as (service, server):
        service.module = lambda request: Reply(status=302, headers={"Location": elsewhere.url})
        with pytest.raises(PermanentSourceError, match="not followed"):
            read(deals(server, tmp_path))
        assert elsewhere.requests == []


def test_an_unreachable_host_is_named_without_the_query(tmp_path: Path) -> None:
    with zoho() as (_, server):
        settings = settings_for(server, tmp_path)
        read(crm.open(settings, QUICK).pull("deals"))
        pull = crm.open(settings, QUICK).pull("deals")
    with pytest.raises(TransientSourceError, match=r"127\.0\.0\.1 cannot be reached") as caught:
        read(pull)
    assert "fields=" not in str(caught.value)
    assert has_no_secret(caught.value)


def test_a_proxy_named_in_the_environment_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    with zoho() as (_, server):
        read(deals(server, tmp_path))


@pytest.mark.slow
@pytest.mark.fault(14)
def test_a_slow_drip_hits_a_time_limit() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            try:
                while not stop.wait(0.05):
                    connection.sendall(b" ")
            except OSError:
                pass

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    http = Http(Policy(read=5, answer=0.3, attempts=1))
    try:
        with pytest.raises(TransientSourceError, match="too slowly"):
            http.call(
                "A slow service", f"http://127.0.0.1:{listener.getsockname()[1]}/", lambda answer: answer
            )
    finally:
        stop.set()
        thread.join()
        listener.close()
