"""Zoho sign-in, CRM and People against a loopback server that fails in the ways Zoho does."""

from __future__ import annotations

import json
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mel_pipeline.contracts import Column, EntityContract, contract_of
from mel_pipeline.errors import ContractError, PermanentSourceError, SettingsError, TransientSourceError
from mel_pipeline.settings import Settings, with_sample_values
from mel_pipeline.sources import open_source
from mel_pipeline.sources.base import Batch, Pull
from mel_pipeline.sources.http import Http, Policy
from mel_pipeline.sources.zoho_crm import client as crm
from mel_pipeline.sources.zoho_oauth import API_HOSTS, ZohoAuth
from mel_pipeline.sources.zoho_people import client as people
from mel_pipeline_tests.fixtures.loopback import Reply, Request, Service, serving

QUICK = Policy(connect=2, read=2, answer=1.0, attempts=3, backoff=0.001, longest_wait=0.2, throttled=0.01)
SECRETS = ("sample-client-secret", "sample-refresh-token", "access-1", "access-2")
FIELDS = contract_of("zoho_crm").entities["deals"].columns


def deal(number: int, modified: str = "2024-05-01T10:00:00+02:00") -> dict[str, Any]:
    record: dict[str, Any] = dict.fromkeys(FIELDS)
    return record | {"id": str(10**17 + number), "Deal_Name": f"Deal {number}", "Modified_Time": modified}


class Zoho:
    """The least of Zoho: a token endpoint and one module, both to be bent by a test."""

    def __init__(self) -> None:
        self.url = ""
        self.valid = {f"access-{number}" for number in range(1, 20)}
        self.issued = 0
        self.api_domain: str | None = None
        self.token: Callable[[Request], Reply] = self.issue
        self.module: Callable[[Request], Reply] = lambda request: Reply(status=204)
        self.deleted: Callable[[Request], Reply] = lambda request: Reply(status=204)

    def issue(self, request: Request) -> Reply:
        self.issued += 1
        domain = self.api_domain or self.url
        return Reply({"access_token": f"access-{self.issued}", "api_domain": domain, "expires_in": 3600})

    def answer(self, request: Request) -> Reply:
        if request.path == "/oauth/v2/token":
            return self.token(request)
        if request.headers["Authorization"].removeprefix("Zoho-oauthtoken ") not in self.valid:
            return Reply({"code": "INVALID_TOKEN", "status": "error"}, 401)
        return self.deleted(request) if request.path.endswith("/deleted") else self.module(request)


@contextmanager
def zoho() -> Iterator[tuple[Zoho, Service]]:
    service = Zoho()
    with serving(service.answer) as server:
        service.url = server.url
        yield service, server


def settings_for(server: Service, home: Path, **more: object) -> Settings:
    base = with_sample_values(Settings(home=home, _env_file=None), 1)
    urls = {"zoho_accounts_url": server.url, "zoho_api_url": server.url, "zoho_people_url": server.url}
    return base.model_copy(update=urls | more)


def read(pull: Pull) -> tuple[list[str], list[Batch]]:
    batches = list(pull.batches)
    return [key for batch in batches for key in batch.frame["id"]], batches


def deals(server: Service, home: Path, cursor: str | None = None) -> Pull:
    return crm.open(settings_for(server, home), QUICK).pull("deals", cursor=cursor)


def has_no_secret(error: BaseException) -> bool:
    told = f"{error} {error!r} {error.__cause__}"
    return not any(secret in told for secret in SECRETS)


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
def test_a_throttled_sign_in_waits_and_goes_on_in_whatever_language_it_is_told(
    tmp_path: Path, status: int
) -> None:
    with zoho() as (service, server):
        told = {
            "error": "Acceso denegado",
            "error_description": "Demasiadas solicitudes",
            "status": "failure",
        }

        def throttled_once(request: Request) -> Reply:
            return Reply(told, status) if server.count("/oauth") == 1 else service.issue(request)

        service.token = throttled_once
        read(deals(server, tmp_path))
        assert server.count("/oauth") == 2


def test_a_sign_in_throttled_for_good_is_bounded_and_transient(tmp_path: Path) -> None:
    with zoho() as (service, server):
        service.token = lambda request: Reply({"error": "Access Denied", "status": "failure"}, 400)
        with pytest.raises(TransientSourceError, match="ten minutes"):
            read(deals(server, tmp_path))
        assert server.count("/oauth") == QUICK.attempts


def test_an_eleventh_token_within_ten_minutes_is_not_even_asked_for(tmp_path: Path) -> None:
    with zoho() as (service, server):
        service.valid = set()
        service.issue(Request("POST", "", {}, {}, {}))
        auth = ZohoAuth(settings_for(server, tmp_path), Http(QUICK))
        for _ in range(10):
            auth.renew(auth.headers()) if auth._read() else auth.headers()
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
        clients[0]._auth.headers()

        def work(client: crm.ZohoCrm) -> None:
            together.wait()
            list(client.pull("deals").batches)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, clients))
        assert server.count("/oauth") == 2  # the first sign-in and one renewal


def test_a_token_that_dies_in_mid_run_is_renewed_once_and_the_page_asked_again(tmp_path: Path) -> None:
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


def test_a_second_401_fails_instead_of_asking_for_tokens_without_end(tmp_path: Path) -> None:
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


@pytest.mark.parametrize("total", [0, 1, 200, 2_001, 4_321])
def test_every_record_comes_exactly_once_whatever_their_number(tmp_path: Path, total: int) -> None:
    records = [deal(number) for number in range(total)]

    def page(request: Request) -> Reply:
        assert ("page" in request.query) != ("page_token" in request.query)
        start = int(request.query.get("page_token", 0))
        part = records[start : start + 200]
        if not part:
            return Reply(status=204)
        after = start + 200
        info = {"more_records": after < total, "next_page_token": str(after) if after < total else None}
        return Reply({"data": part, "info": info})

    with zoho() as (service, server):
        service.module = page
        ids, batches = read(deals(server, tmp_path))
    assert ids == [record["id"] for record in records]
    assert sum(batch.fetched for batch in batches) == total


def test_more_records_without_a_way_to_them_fail_loudly(tmp_path: Path) -> None:
    with zoho() as (service, server):
        info = {"more_records": True, "next_page_token": None}
        service.module = lambda request: Reply({"data": [deal(int(request.query["page"]))], "info": info})
        with pytest.raises(PermanentSourceError, match="no page token"):
            read(deals(server, tmp_path))
        assert server.count("/crm") == 10  # 2,000 records are what `page` reaches


def test_lookups_lists_booleans_and_numbers_land_as_plain_text(tmp_path: Path) -> None:
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
    assert row["Account_Name"] == "900000000000000001"
    assert (row["Amount"], row["Exchange_Rate"]) == ("700000", "1.0825")
    assert (row["Stage"], row["Pipeline"]) == ("Signed;Lost", "true")
    assert batches[0].frame["Edition"].isna().all()
    assert row["_source_ref"] == "page 1, row 1"


def test_the_next_pull_asks_from_ten_minutes_before_the_latest_change_as_an_instant(tmp_path: Path) -> None:
    with zoho() as (service, server):
        # 10:00 at +05:30 is earlier than 06:00 at UTC, though its text sorts after it.
        times = ["2024-05-01T10:00:00+05:30", "2024-05-01T06:00:00+00:00"]
        records = [deal(number, text) for number, text in enumerate(times)]
        service.module = lambda request: Reply({"data": records, "info": {"more_records": False}})
        first = deals(server, tmp_path)
        read(first)
        cursor = first.cursor()
        assert cursor and json.loads(cursor)["modified"] == "2024-05-01T06:00:00+00:00"
        read(deals(server, tmp_path, cursor))
        asked = next(r.headers["If-Modified-Since"] for r in server.asked if "If-Modified-Since" in r.headers)
        assert datetime.fromisoformat(asked) == datetime(2024, 5, 1, 5, 50, tzinfo=UTC)


@pytest.mark.parametrize("status", [204, 304])
def test_nothing_new_is_a_success_that_keeps_the_cursor(tmp_path: Path, status: int) -> None:
    with zoho() as (service, server):
        service.module = lambda request: Reply({"data": [deal(1)], "info": {"more_records": False}})
        first = deals(server, tmp_path)
        read(first)
        service.module = lambda request: Reply(status=status)
        second = deals(server, tmp_path, first.cursor())
        ids, _ = read(second)
        assert ids == []
        assert second.cursor() == first.cursor()


def test_a_server_that_ignores_if_modified_since_gives_the_same_rows(tmp_path: Path) -> None:
    with zoho() as (service, server):
        old, edge, new = (deal(n, f"2024-05-0{n}T12:00:00+00:00") for n in (1, 2, 3))
        service.module = lambda request: Reply({"data": [old, edge], "info": {"more_records": False}})
        first = deals(server, tmp_path)
        read(first)
        service.module = lambda request: Reply({"data": [old, edge, new], "info": {"more_records": False}})
        ids, _ = read(deals(server, tmp_path, first.cursor()))
        assert ids == [edge["id"], new["id"]]  # the edge again: two changes can share a second


def test_a_changed_contract_reads_everything_again(tmp_path: Path) -> None:
    with zoho() as (_, server):
        stale = json.dumps({"modified": "2024-05-01T00:00:00+00:00", "contract": "of another version"})
        read(deals(server, tmp_path, stale))
        assert not any("If-Modified-Since" in request.headers for request in server.asked)


def test_deleted_records_come_as_keys_and_older_deletions_are_left_alone(tmp_path: Path) -> None:
    now = datetime.now(UTC)

    def gone(request: Request) -> Reply:
        page = int(request.query["page"])
        moment = (now if page == 1 else now - timedelta(days=30)).isoformat()
        return Reply({"data": [{"id": f"{page}", "deleted_time": moment, "display_name": None}],
                      "info": {"more_records": page == 1}})  # fmt: skip

    with zoho() as (service, server):
        service.module = lambda request: Reply({"data": [deal(1, now.isoformat())], "info": {}})
        service.deleted = gone
        first = deals(server, tmp_path)
        assert [key for batch in read(first)[1] for key in batch.deleted_keys] == ["1", "2"]
        _, batches = read(deals(server, tmp_path, first.cursor()))
        assert [key for batch in batches for key in batch.deleted_keys] == ["1"]


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [(401, "OAUTH_SCOPE_MISMATCH", "ZohoCRM.modules.deals.READ"), (403, "NO_PERMISSION", "module Deals"),
     (400, "INVALID_MODULE", "no module Deals"), (400, "PAGINATION_LIMIT_EXCEEDED", "100,000"),
     (400, "SOMETHING_NEW", "SOMETHING_NEW")],
)  # fmt: skip
def test_a_refused_module_fails_by_name_and_never_as_an_empty_success(
    tmp_path: Path, status: int, code: str, told: str
) -> None:
    with zoho() as (service, server):
        service.module = lambda request: Reply({"code": code, "message": "no", "status": "error"}, status)
        with pytest.raises(PermanentSourceError, match=told) as caught:
            read(deals(server, tmp_path))
        assert "Deals" in str(caught.value)
        assert server.count("/oauth") == 1
        assert has_no_secret(caught.value)


def test_a_custom_module_names_the_scope_for_custom_modules(tmp_path: Path) -> None:
    with zoho() as (service, server):
        service.module = lambda request: Reply({"code": "OAUTH_SCOPE_MISMATCH"}, 401)
        with pytest.raises(PermanentSourceError, match=r"ZohoCRM\.modules\.custom\.READ"):
            list(crm.open(settings_for(server, tmp_path), QUICK).pull("events").batches)


def test_a_renamed_field_stops_the_load_and_names_the_field(tmp_path: Path) -> None:
    with zoho() as (service, server):
        record = {name: value for name, value in deal(1).items() if name != "Stage"}
        service.module = lambda request: Reply({"data": [record], "info": {"more_records": False}})
        with pytest.raises(ContractError, match="Stage"):
            read(deals(server, tmp_path))


def test_a_record_without_an_id_is_put_aside_with_its_place(tmp_path: Path) -> None:
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
def test_a_passing_fault_is_asked_again(tmp_path: Path, bad: Reply) -> None:
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
        assert elsewhere.asked == []


def test_a_host_that_is_not_there_is_named_without_its_query(tmp_path: Path) -> None:
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


def wide_contract() -> EntityContract:
    names = ["id", "Modified_Time", *(f"Field_{number:03}" for number in range(118))]
    columns = {name: Column(type="text") for name in names}
    return EntityContract(title="Wide", description="", grain="", row_key=["id"], load="incremental",
                          object="Deals", columns=columns)  # fmt: skip


def test_120_fields_are_asked_in_slices_of_fifty_and_joined_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = wide_contract()
    changes = {"100000000000000003": 0}

    def page(request: Request) -> Reply:
        fields = request.query["fields"].split(",")
        assert len(fields) <= 50
        wanted = request.query.get("ids")
        start = int(request.query.get("page_token", 0))
        ids = wanted.split(",") if wanted else [str(10**17 + n) for n in range(start, min(start + 200, 450))]
        torn = "Field_117" in fields and not wanted  # a record changes before the last slice is read

        def value(identity: str, name: str) -> str:
            edition = "2" if identity in changes and (wanted or torn) else "1"
            if name == "Modified_Time":
                return f"2024-05-0{edition}T00:00:00+00:00"
            return identity if name == "id" else f"{name} edition {edition}"

        data = [{name: value(identity, name) for name in fields} for identity in ids]
        more = not wanted and start + 200 < 450
        return Reply({"data": data, "info": {"more_records": more, "next_page_token": str(start + 200)}})

    with zoho() as (service, server):
        service.module = page
        client = crm.open(settings_for(server, tmp_path), QUICK)
        pages = list(client._records(contract, None))
    records = [record for page in pages for record in page]
    assert len(records) == len({record["id"] for record in records}) == 450
    assert all(set(record) == set(contract.columns) for record in records)
    changed = next(record for record in records if record["id"] in changes)
    assert {str(value)[-1] for name, value in changed.items() if name.startswith("Field")} == {"2"}


def staff(number: int, **more: str) -> dict[str, list[dict[str, str]]]:
    fields = {"Zoho_ID": str(number), "Gender": "Female", "Employment_Type": "Staff",
              "Date_of_joining": "05-Mar-2021", "Date_of_exit": "", "First_Name": "Somebody"}  # fmt: skip
    return {str(number): [fields | more]}


def staff_page(request: Request, total: int, **more: str) -> Reply:
    first = int(request.query["sIndex"])
    assert int(request.query["limit"]) <= 200
    part = [staff(number, **more) for number in range(first, min(first + 200, total + 1))]
    if not part:
        none = {
            "message": "No records found",
            "status": 1,
            "errors": {"code": 7024, "message": "No records found"},
        }
        return Reply({"response": none})
    return Reply({"response": {"result": part, "message": "Data fetched successfully", "status": 0}})


@pytest.mark.parametrize("total", [0, 31, 200, 401])
def test_staff_come_page_by_page_until_none_are_left(tmp_path: Path, total: int) -> None:
    with zoho() as (service, server):
        service.module = lambda request: staff_page(request, total)
        batches = list(people.open(settings_for(server, tmp_path), QUICK).pull("employees").batches)
    ids = [key for batch in batches for key in batch.frame["Zoho_ID"]]
    assert ids == [str(number) for number in range(1, total + 1)]
    if total:
        assert set(batches[0].frame["Date_of_joining"]) == {"2021-03-05"}
        assert "First_Name" not in batches[0].frame.columns


def test_a_date_that_cannot_be_read_puts_the_row_aside_instead_of_guessing(tmp_path: Path) -> None:
    with zoho() as (service, server):
        service.module = lambda request: staff_page(request, 2, Date_of_joining="31-Feb-2021")
        (batch,) = people.open(settings_for(server, tmp_path), QUICK).pull("employees").batches
    assert len(batch.frame) == 0
    assert [(row.row_key, row.column) for row in batch.rejected] == [
        ("1", "Date_of_joining"),
        ("2", "Date_of_joining"),
    ]
    assert "Somebody" not in batch.rejected[0].payload


def test_an_error_of_zoho_people_inside_a_200_is_not_an_empty_staff_list(tmp_path: Path) -> None:
    with zoho() as (service, server):
        error = {
            "message": "Error occurred",
            "status": 1,
            "errors": {"code": 7021, "message": "Limit for x@y.org"},
        }
        service.module = lambda request: Reply({"response": error})
        with pytest.raises(PermanentSourceError, match="7021") as caught:
            list(people.open(settings_for(server, tmp_path), QUICK).pull("employees").batches)
        assert "@" not in str(caught.value)


def test_staff_survive_a_token_that_expires(tmp_path: Path) -> None:
    with zoho() as (service, server):
        service.valid = {"access-2"}
        service.module = lambda request: staff_page(request, 1)
        (batch,) = people.open(settings_for(server, tmp_path), QUICK).pull("employees").batches
        assert len(batch.frame) == 1
        assert server.count("/oauth") == 2


def test_a_slow_drip_meets_a_time_limit() -> None:
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
