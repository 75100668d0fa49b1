"""Deletions of the simulated Zoho CRM over real HTTP: bin, permanent, restored, and how long they are listed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mel_pipeline.sandbox.zoho import Account, Clock, Field, Module
from mel_pipeline_tests.fixtures.zoho_client import Client, asking

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = 86_400


@pytest.fixture
def account() -> Account:
    return Account(Clock(NOON))


@pytest.fixture
def people(account: Account) -> Module:
    module = account.add_module("Contacts", [Field("Last_Name", "text")])
    for name in ("Ada", "Ben", "Cleo"):
        module.insert({"Last_Name": name})
    return module


def deletions(zoho: Client, **query: Any) -> dict[str, str]:
    """Kind of deletion by id."""
    return {row["id"]: row["type"] for row in zoho.rows("Contacts/deleted", **query)}


@pytest.mark.slow
def test_a_deleted_record_is_listed_and_no_longer_served(account: Account, people: Module) -> None:
    ada, ben, cleo = people.ids()
    people.delete(ada)
    account.clock.advance(60)
    people.delete(ben, permanent=True)
    with asking(account) as zoho:
        rows = zoho.rows("Contacts/deleted", type="all")
        assert [row["id"] for row in zoho.rows("Contacts", fields="id")] == [cleo]
        assert zoho.get(f"Contacts/{ada}").status_code == 204
        assert zoho.get("Contacts/actions/count").json() == {"count": 1}
    permanent, recycled = rows
    user = {"name": "Sample user", "id": "546000000000000001"}
    assert recycled == {
        "id": ada,
        "type": "recycle",
        "display_name": "Ada",
        "deleted_by": user,
        "created_by": user,
        "deleted_time": "2026-01-05T13:00:00+01:00",
    }
    assert permanent == {
        "id": ben,
        "type": "permanent",
        "display_name": None,
        "deleted_by": None,
        "created_by": None,
        "deleted_time": "2026-01-05T13:01:00+01:00",
    }


@pytest.mark.slow
def test_deletions_are_chosen_by_kind_and_by_the_instant_of_deletion(
    account: Account, people: Module
) -> None:
    ada, ben, _ = people.ids()
    people.delete(ada)
    account.clock.advance(60)
    people.delete(ben, permanent=True)
    with asking(account) as zoho:
        assert deletions(zoho, type="recycle") == {ada: "recycle"}
        assert deletions(zoho, type="permanent") == {ben: "permanent"}
        assert deletions(zoho, since="2026-01-05T12:00:30+00:00") == {ben: "permanent"}
        assert zoho.get("Contacts/deleted", since="2026-01-05T12:02:00+00:00").status_code == 304
        assert zoho.refused("Contacts/deleted", type="gone") == (400, "PATTERN_NOT_MATCHED")


@pytest.mark.slow
def test_a_module_without_deletions_is_no_content(account: Account, people: Module) -> None:
    with asking(account) as zoho:
        assert zoho.get("Contacts/deleted", type="all").status_code == 204


@pytest.mark.slow
def test_the_bin_goes_back_sixty_days_and_permanent_deletions_a_hundred_and_twenty(
    account: Account, people: Module
) -> None:
    ada, ben, _ = people.ids()
    people.delete(ada)
    people.delete(ben, permanent=True)
    with asking(account) as zoho:
        account.clock.advance(60 * DAY - 60)
        zoho.sign_in()
        assert deletions(zoho) == {ada: "recycle", ben: "permanent"}
        account.clock.advance(120)
        assert deletions(zoho) == {ben: "permanent"}
        with pytest.raises(KeyError):
            people.restore(ada)
        account.clock.advance(60 * DAY)
        zoho.sign_in()
        assert deletions(zoho) == {}


@pytest.mark.slow
def test_a_restored_record_leaves_the_list_and_counts_as_changed(account: Account, people: Module) -> None:
    ada = people.ids()[0]
    people.delete(ada)
    account.clock.advance(DAY)
    people.restore(ada)
    with asking(account) as zoho:
        assert deletions(zoho) == {}
        (row,) = zoho.rows("Contacts", since=NOON.isoformat(), fields="Last_Name,Modified_Time")
    assert (row["id"], row["Last_Name"]) == (ada, "Ada")
    assert datetime.fromisoformat(row["Modified_Time"]) == NOON + timedelta(days=1)


def test_a_permanent_deletion_cannot_be_undone(account: Account, people: Module) -> None:
    ada = people.ids()[0]
    people.delete(ada, permanent=True)
    with pytest.raises(KeyError):
        people.restore(ada)


@pytest.mark.slow
def test_deletions_come_in_pages_by_number_and_cost_two_credits_a_page(
    account: Account, people: Module
) -> None:
    for id in people.ids():
        people.delete(id)
    with asking(account) as zoho:
        first = zoho.get("Contacts/deleted", per_page=2).json()
        second = zoho.get("Contacts/deleted", per_page=2, page=2).json()
        assert first["info"] == {"per_page": 2, "count": 2, "page": 1, "more_records": True}
        assert second["info"] == {"per_page": 2, "count": 1, "page": 2, "more_records": False}
        assert zoho.get("Contacts/deleted", per_page=2, page=3).status_code == 204
        assert zoho.refused("Contacts/deleted", per_page=201) == (400, "INVALID_DATA")
    assert [call.credits for call in account.calls if call.path.endswith("/deleted")][:3] == [2, 2, 2]
