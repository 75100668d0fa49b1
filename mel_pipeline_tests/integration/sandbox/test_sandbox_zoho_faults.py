"""Failures of the simulated Zoho that a test switches on, seen over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from mel_pipeline.sandbox.zoho import Account, Call, Field
from mel_pipeline_tests.fixtures.zoho_client import Client, asking, reason


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Account, Client]]:
    account = Account()
    for name in ("Contacts", "Deals"):
        account.add_module(name, [Field("Last_Name", "text")]).fill(5)
    with asking(account) as zoho:
        yield account, zoho


@pytest.fixture
def account(served: tuple[Account, Client]) -> Iterator[Account]:
    """The account of this file; its faults are cleared afterwards."""
    account = served[0]
    account.calls.clear()
    yield account
    account.faults.clear()
    account.faults.revoked.clear()
    account.faults.denied.clear()
    account.faults.on_call = None


@pytest.fixture
def zoho(served: tuple[Account, Client]) -> Client:
    return served[1]


def contacts(zoho: Client, **query: Any) -> requests.Response:
    return zoho.get("Contacts", fields="Last_Name", **query)


def test_a_status_is_returned_once_by_default_with_zohos_body(account: Account, zoho: Client) -> None:
    account.faults.add("Contacts", status=500)
    assert reason(contacts(zoho)) == (500, "INTERNAL_ERROR")
    assert contacts(zoho).status_code == 200
    account.faults.add("Contacts", status=503, times=None)
    assert {contacts(zoho).status_code for _ in range(3)} == {503}
    assert contacts(zoho).headers["Content-Type"].startswith("text/html")


def test_a_fault_waits_for_its_turn_and_hits_only_matching_calls(account: Account, zoho: Client) -> None:
    account.faults.add(r"/Contacts(\?|$)", after=2, times=2, status=429)
    assert [contacts(zoho).status_code for _ in range(5)] == [200, 200, 429, 429, 200]
    account.faults.add("/crm/v8/Contacts?fields=Last_Name&page=2", status=500)
    assert [contacts(zoho, page=page).status_code for page in (1, 2)] == [200, 500]
    account.faults.add("Contacts", method="post", status=500, times=None)
    assert contacts(zoho).status_code == 200


def test_a_fault_can_set_its_body_and_headers(account: Account, zoho: Client) -> None:
    body = {"code": "TOO_MANY_REQUESTS", "details": {"retry_after": 7}, "status": "error"}
    account.faults.add("Contacts", status=429, body=body, headers={"Retry-After": "7"})
    answer = contacts(zoho)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json() == body
    account.faults.add("Contacts", body=b"{broken")
    assert contacts(zoho).content == b"{broken"
    account.faults.add("Contacts", headers={"X-Extra": "yes"})
    answer = contacts(zoho)
    assert (answer.headers["X-Extra"], len(answer.json()["data"])) == ("yes", 5)


def test_a_connection_can_be_dropped_without_a_response(account: Account, zoho: Client) -> None:
    account.faults.add("Contacts", reset=True)
    with pytest.raises(requests.ConnectionError):
        contacts(zoho)
    assert account.calls[-1].status == 0
    assert contacts(zoho).status_code == 200


def test_a_body_can_be_truncated(account: Account, zoho: Client) -> None:
    account.faults.add("Contacts", truncate=True)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        contacts(zoho)
    assert contacts(zoho).status_code == 200


@pytest.mark.slow
def test_a_response_can_be_delayed(account: Account, zoho: Client) -> None:
    account.faults.add("Contacts", delay=0.15)
    start = time.perf_counter()
    assert contacts(zoho).status_code == 200
    assert 0.15 <= time.perf_counter() - start < 2


def test_a_sign_in_can_fail_too(account: Account, zoho: Client) -> None:
    account.faults.add("/oauth/", status=503)
    assert [zoho.refresh().status_code for _ in range(2)] == [503, 200]


def test_a_lost_scope_and_a_missing_permission_affect_one_module_only(account: Account, zoho: Client) -> None:
    account.faults.revoke_scope("Contacts")
    assert reason(contacts(zoho)) == (401, "OAUTH_SCOPE_MISMATCH")
    assert zoho.refused("Contacts/deleted") == (401, "OAUTH_SCOPE_MISMATCH")
    assert reason(zoho.coql("select id from Contacts where id is not null")) == (401, "OAUTH_SCOPE_MISMATCH")
    account.faults.revoked.clear()
    account.faults.deny("Contacts")
    denied = contacts(zoho)
    assert reason(denied) == (403, "NO_PERMISSION")
    assert denied.json()["details"] == {"permissions": ["Crm_Implied_View_Contacts"]}
    assert zoho.get("Deals", fields="Last_Name").status_code == 200


def test_a_hook_runs_as_a_call_arrives_and_may_change_records(account: Account, zoho: Client) -> None:
    module = account.modules["Contacts"]
    id = module.ids()[-1]
    seen: list[Call] = []

    def hook(call: Call) -> None:
        seen.append(call)
        module.update(id, {"Last_Name": f"changed {len(seen)}"})

    account.faults.on_call = hook
    assert contacts(zoho, per_page=1).json()["data"][0]["Last_Name"] == "changed 1"
    assert contacts(zoho, per_page=1).json()["data"][0]["Last_Name"] == "changed 2"
    assert [(call.method, call.path) for call in seen] == [("GET", "/crm/v8/Contacts")] * 2
    assert seen == account.calls


def test_every_call_is_logged_with_its_request_and_response(account: Account, zoho: Client) -> None:
    contacts(zoho, page=1)
    zoho.refused("Nothing", fields="id")
    zoho.coql("select id from Deals where id is not null")
    first, second, third = account.calls
    assert (first.method, first.path, first.status) == ("GET", "/crm/v8/Contacts", 200)
    assert first.query == {"fields": "Last_Name", "page": "1"}
    assert (second.path, second.status) == ("/crm/v8/Nothing", 400)
    assert (third.method, third.body) == (
        "POST",
        {"select_query": "select id from Deals where id is not null"},
    )
    assert first.at <= second.at <= third.at
