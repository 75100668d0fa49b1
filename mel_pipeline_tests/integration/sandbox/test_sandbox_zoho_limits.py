"""Credits and concurrency of the simulated Zoho CRM over real HTTP."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from mel_pipeline.sandbox.zoho import Account, Field
from mel_pipeline_tests.fixtures.zoho_client import JOBS, Client, asking, reason

DAY = 86_400
HEADER = "X-API-CREDITS-REMAINING"


def contacts(account: Account) -> Account:
    account.add_module("Contacts", [Field("Last_Name", "text")]).fill(3)
    return account


def spent(account: Account) -> list[tuple[str, int]]:
    """Last part of the path, and what the call cost."""
    return [(call.path.rsplit("/", 1)[1], call.credits) for call in account.calls]


@pytest.mark.slow
def test_calls_cost_what_zoho_says() -> None:
    account = contacts(Account())
    ada = account.modules["Contacts"].ids()[0]
    with asking(account) as zoho:
        zoho.get("Contacts", fields="id")
        zoho.get(f"Contacts/{ada}")
        zoho.get("Contacts/actions/count")
        zoho.get("Contacts/deleted")
        zoho.get("settings/modules")
        job = zoho.start_job()
        zoho.finished(job)
        zoho.ask(f"{JOBS}/{job}/result")
        for limit in (200, 201, 1_000, 1_001):
            zoho.coql(f"select id from Contacts where id is not null limit {limit}")
    expected = [
        ("token", 0),
        ("Contacts", 1),
        (ada, 1),
        ("count", 1),
        ("deleted", 2),
        ("modules", 1),
        ("read", 50),
    ]
    expected += [(job, 1)] * 3 + [("result", 1), ("coql", 1), ("coql", 2), ("coql", 2), ("coql", 3)]
    assert spent(account) == expected
    assert account.credits_used == sum(credits for _, credits in expected)


@pytest.mark.slow
def test_credits_run_out_and_come_back_one_day_after_they_were_spent() -> None:
    account = contacts(Account(credits=4))
    with asking(account) as zoho:
        for _ in range(2):
            assert zoho.get("Contacts", fields="id").status_code == 200
            account.clock.advance(3_000)
        zoho.sign_in()
        assert zoho.get("Contacts/deleted").status_code == 204  # costs two: four in all
        exhausted = zoho.get("Contacts", fields="id")
        assert reason(exhausted) == (429, "TOO_MANY_REQUESTS")
        assert "Retry-After" not in exhausted.headers
        assert account.credits_used == 4
        account.clock.advance(DAY - 6_000)
        zoho.sign_in()
        assert account.credits_used == 3
        assert zoho.refused("Contacts/deleted") == (429, "TOO_MANY_REQUESTS")
        assert zoho.get("Contacts", fields="id").status_code == 200


@pytest.mark.slow
def test_remaining_credits_are_sent_only_above_half_of_the_limit() -> None:
    account = contacts(Account(credits=10))
    with asking(account) as zoho:
        remaining = [zoho.get("Contacts", fields="id").headers.get(HEADER) for _ in range(8)]
    assert remaining == [None] * 5 + ["4", "3", "2"]


@pytest.mark.slow
def test_a_refused_sign_in_costs_nothing_but_a_bad_request_does() -> None:
    account = contacts(Account())
    with asking(account) as zoho:
        assert zoho.refused("Contacts") == (400, "REQUIRED_PARAM_MISSING")
        zoho.token = "wrong"
        assert zoho.refused("Contacts", fields="id") == (401, "INVALID_TOKEN")
    assert spent(account) == [("token", 0), ("Contacts", 1), ("Contacts", 0)]


def statuses(zoho: Client, calls: int, query: bool = False) -> Counter[int]:
    """Responses to concurrent calls, slow enough to overlap on a busy machine."""

    def one(_: int) -> int:
        if query:
            return zoho.coql("select id from Contacts where id is not null").status_code
        return zoho.get("Contacts", fields="id").status_code

    with ThreadPoolExecutor(calls) as pool:
        return Counter(pool.map(one, range(calls)))


@pytest.mark.slow
def test_more_concurrent_calls_than_the_edition_allows_are_refused() -> None:
    account = contacts(Account(concurrency=3, pages_delay=1))
    with asking(account) as zoho:
        assert statuses(zoho, 5) == {200: 3, 429: 2}
        assert account.highest_concurrency > 3
        assert zoho.get("Contacts", fields="id").status_code == 200


@pytest.mark.slow
def test_ten_queries_at_once_are_the_most_of_any_edition() -> None:
    account = contacts(Account(concurrency=25, pages_delay=2))
    with asking(account) as zoho:
        assert statuses(zoho, 12, query=True) == {200: 10, 429: 2}


@pytest.mark.slow
def test_calls_one_after_another_are_never_in_flight_together() -> None:
    account = contacts(Account(concurrency=1))
    with asking(account) as zoho:
        assert {zoho.get("Contacts", fields="id").status_code for _ in range(20)} == {200}
    assert account.highest_concurrency == 1
