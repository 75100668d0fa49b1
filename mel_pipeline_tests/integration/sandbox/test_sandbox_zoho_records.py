"""Records of the simulated Zoho CRM over real HTTP: pages, positions, order, and what a record shows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from mel_pipeline.sandbox.zoho import Account, Clock, Field
from mel_pipeline_tests.fixtures.zoho_client import Client, asking

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = 86_400


@pytest.fixture(scope="module")
def zoho() -> Iterator[Client]:
    """4,321 people that no test changes."""
    account = Account()
    account.add_module("Contacts", [Field("Last_Name", "text"), Field("Age", "integer")]).fill(4_321)
    account.add_module("Deals", [Field("Deal_Name", "text")])
    with asking(account) as client:
        yield client


@pytest.fixture
def account() -> Account:
    return Account(Clock(NOON))


# Pages


def test_fields_are_required_and_at_most_fifty(zoho: Client) -> None:
    missing = zoho.get("Contacts")
    assert (missing.status_code, missing.json()["code"]) == (400, "REQUIRED_PARAM_MISSING")
    assert missing.json()["details"] == {"param_name": "fields"}
    many = ",".join(f"Field_{n}" for n in range(51))
    assert zoho.refused("Contacts", fields=many) == (400, "LIMIT_EXCEEDED")
    assert zoho.get("Contacts", fields=many.removesuffix(",Field_50")).status_code == 200


def test_a_page_holds_at_most_two_hundred_records(zoho: Client) -> None:
    assert zoho.refused("Contacts", fields="Age", per_page=201) == (400, "INVALID_DATA")
    answer = zoho.get("Contacts", fields="Age").json()
    assert len(answer["data"]) == answer["info"]["count"] == 200


@pytest.mark.parametrize("name", ["page", "per_page"])
@pytest.mark.parametrize("value", ["x", "0", "-1", "²"])
def test_a_page_that_is_not_a_number_is_refused_without_a_crash(zoho: Client, name: str, value: str) -> None:
    assert zoho.refused("Contacts", fields="Age", **{name: value}) == (400, "INVALID_DATA")


@pytest.mark.parametrize("path", ["Nothing", "Nothing/deleted", "Nothing/1", "Nothing/actions/count"])
def test_an_unknown_module_is_refused_with_its_error_code(zoho: Client, path: str) -> None:
    assert zoho.refused(path, fields="id") == (400, "INVALID_MODULE")


def test_pages_by_number_reach_two_thousand_records_and_no_further(zoho: Client) -> None:
    assert zoho.get("Contacts", fields="Age", page=10).json()["info"]["count"] == 200
    assert zoho.refused("Contacts", fields="Age", page=11) == (400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED")


def test_page_tokens_give_each_of_4321_people_exactly_once(zoho: Client) -> None:
    ids = [row["id"] for row in zoho.scan("Contacts", fields="Age")]
    assert len(ids) == len(set(ids)) == 4_321


@pytest.mark.slow
def test_the_info_of_first_middle_and_last_page(account: Account) -> None:
    account.add_module("Contacts", [Field("Last_Name", "text")]).fill(5)
    with asking(account) as zoho:
        first = zoho.get("Contacts", fields="id", per_page=2).json()["info"]
        middle = zoho.get("Contacts", fields="id", per_page=2, page_token=first["next_page_token"]).json()
        token = middle["info"]["next_page_token"]
        last = zoho.get("Contacts", fields="id", per_page=2, page_token=token).json()
    token, expiry = first.pop("next_page_token"), first.pop("page_token_expiry")
    assert token
    assert datetime.fromisoformat(expiry) == NOON + timedelta(days=1)
    order = {"sort_by": "id", "sort_order": "desc"}
    assert first == {
        "per_page": 2,
        "count": 2,
        "page": 1,
        "more_records": True,
        "previous_page_token": None,
        **order,
    }
    assert middle["info"]["previous_page_token"]
    assert (last["info"]["count"], last["info"]["page"], last["info"]["more_records"]) == (1, 3, False)
    assert last["info"]["next_page_token"] is None


def test_a_page_beyond_the_last_record_and_an_empty_module_are_204(zoho: Client) -> None:
    assert zoho.get("Deals", fields="Deal_Name").status_code == 204
    assert zoho.get("Contacts", fields="Age", ids="1").status_code == 204


def test_a_page_token_is_bound_to_its_parameters_and_excludes_a_page_number(zoho: Client) -> None:
    token = zoho.get("Contacts", fields="Age").json()["info"]["next_page_token"]
    for changed in (
        {"fields": "id"},
        {"fields": "Age", "sort_order": "asc"},
        {"fields": "Age", "per_page": 9},
    ):
        assert zoho.refused("Contacts", page_token=token, **changed) == (400, "TOKEN_BOUND_DATA_MISMATCH")
    assert zoho.refused("Deals", fields="Age", page_token=token) == (400, "TOKEN_BOUND_DATA_MISMATCH")
    both = zoho.refused("Contacts", fields="Age", page_token=token, page=2)
    assert both == (400, "AMBIGUITY_DURING_PROCESSING")
    made_up = zoho.refused("Contacts", fields="Age", page_token="made-up")
    assert made_up == (400, "TOKEN_BOUND_DATA_MISMATCH")


@pytest.mark.slow
def test_a_page_token_is_valid_for_a_day_or_until_it_is_revoked(account: Account) -> None:
    account.add_module("Contacts", [Field("Last_Name", "text")]).fill(9)
    with asking(account) as zoho:
        old = zoho.get("Contacts", fields="id", per_page=2).json()["info"]["next_page_token"]
        account.clock.advance(DAY - 60)
        zoho.sign_in()
        assert zoho.get("Contacts", fields="id", per_page=2, page_token=old).status_code == 200
        new = zoho.get("Contacts", fields="id", per_page=2).json()["info"]["next_page_token"]
        account.clock.advance(61)
        assert zoho.refused("Contacts", fields="id", per_page=2, page_token=old) == (400, "EXPIRED_VALUE")
        account.faults.expire_page_tokens()
        assert zoho.refused("Contacts", fields="id", per_page=2, page_token=new) == (400, "EXPIRED_VALUE")
        later = zoho.get("Contacts", fields="id", per_page=2).json()["info"]["next_page_token"]
        assert zoho.get("Contacts", fields="id", per_page=2, page_token=later).status_code == 200


@pytest.mark.slow
@pytest.mark.long
def test_page_tokens_reach_a_hundred_thousand_records_and_no_further(account: Account) -> None:
    account.add_module("Contacts", [Field("Last_Name", "text")]).fill(100_001)
    with asking(account) as zoho:
        answer = zoho.get("Contacts", fields="id").json()
        pages = 1
        while answer["info"]["more_records"] and pages < 500:
            token = answer["info"]["next_page_token"]
            answer = zoho.get("Contacts", fields="id", page_token=token).json()
            pages += 1
        assert answer["info"]["more_records"] is True
        token = answer["info"]["next_page_token"]
        beyond = zoho.refused("Contacts", fields="id", page_token=token)
        assert beyond == (400, "PAGINATION_LIMIT_EXCEEDED")


@pytest.mark.slow
def test_positions_shift_when_records_move_between_two_pages(account: Account) -> None:
    module = account.add_module("Contacts", [Field("Last_Name", "text")])
    module.fill(6)
    ids = module.ids()
    order: dict[str, Any] = {
        "sort_by": "Modified_Time",
        "sort_order": "asc",
        "fields": "Last_Name",
        "per_page": 2,
    }
    with asking(account) as zoho:
        first = zoho.get("Contacts", **order).json()
        assert [row["id"] for row in first["data"]] == ids[:2]
        module.update(ids[0], {"Last_Name": "changed"})  # moves to the end
        second = zoho.get("Contacts", page_token=first["info"]["next_page_token"], **order).json()
        assert [row["id"] for row in second["data"]] == ids[3:5]  # ids[2] was skipped
        by_number = zoho.get("Contacts", page=2, **order).json()
        assert by_number["data"] == second["data"]


@pytest.mark.long
def test_a_page_of_a_large_module_is_fast_once_it_is_sorted(account: Account) -> None:
    """Not a benchmark: sorting 100,000 records for every page would take a multiple of this."""
    account.add_module("Contacts", [Field("Last_Name", "text")]).fill(100_000)
    with asking(account) as zoho:
        zoho.get("Contacts", fields="Last_Name", sort_by="Modified_Time")
        start = time.perf_counter()
        for page in range(1, 11):
            zoho.get("Contacts", fields="Last_Name", sort_by="Modified_Time", page=page)
        assert time.perf_counter() - start < 0.5


# Order and choice


def test_records_come_by_descending_id_unless_sorted_otherwise(zoho: Client) -> None:
    ids = [row["id"] for row in zoho.rows("Contacts", fields="Age")]
    assert ids == sorted(ids, key=int, reverse=True)
    rising = [row["id"] for row in zoho.rows("Contacts", fields="Age", sort_order="asc")]
    assert rising == sorted(rising, key=int)
    assert int(rising[0]) < int(ids[-1])
    wrong = zoho.get("Contacts", fields="id", sort_by="Age").json()
    assert wrong["details"]["supported_values"] == ["id", "Created_Time", "Modified_Time"]


@pytest.mark.parametrize("key", ["Created_Time", "Modified_Time"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_records_can_be_sorted_by_a_timestamp(zoho: Client, key: str, order: str) -> None:
    rows = zoho.scan("Contacts", fields=key, sort_by=key, sort_order=order)
    moments = [datetime.fromisoformat(row[key]) for row in rows]
    assert moments == sorted(moments, reverse=order == "desc")


@pytest.mark.slow
def test_ids_choose_records_a_hundred_at_a_time(account: Account) -> None:
    module = account.add_module("Contacts", [Field("Last_Name", "text")])
    module.fill(150)
    ids = module.ids()
    with asking(account) as zoho:
        chosen = zoho.rows("Contacts", fields="Last_Name", ids=",".join([*ids[:99], "1"]))
        assert {row["id"] for row in chosen} == set(ids[:99])
        assert zoho.refused("Contacts", fields="id", ids=",".join(ids[:101])) == (400, "LIMIT_EXCEEDED")


@pytest.mark.slow
def test_only_records_changed_after_the_instant_come_and_304_when_there_are_none(account: Account) -> None:
    module = account.add_module("Contacts", [Field("Last_Name", "text")])
    for hour in range(3):
        module.insert({"Last_Name": str(hour)}, modified=NOON - timedelta(hours=hour))
    with asking(account) as zoho:
        for since in ("2026-01-05T12:00:00+02:00", "Mon, 05 Jan 2026 10:00:00 GMT", "2026-01-05T10:00:00"):
            names = {row["Last_Name"] for row in zoho.rows("Contacts", since, fields="Last_Name")}
            assert names == {"0", "1"}, since
        nothing = zoho.get("Contacts", since=NOON.isoformat(), fields="Last_Name")
        assert (nothing.status_code, nothing.content) == (304, b"")
        account.faults.ignore_if_modified_since = True
        assert len(zoho.rows("Contacts", NOON.isoformat(), fields="Last_Name")) == 3


def test_an_unreadable_if_modified_since_is_refused_and_not_a_crash(zoho: Client) -> None:
    assert zoho.refused("Contacts", since="yesterday", fields="id") == (400, "INVALID_DATA")


@pytest.mark.slow
def test_two_records_changed_in_the_same_second_are_returned_together_or_not_at_all(account: Account) -> None:
    module = account.add_module("Contacts", [Field("Last_Name", "text")])
    for name in ("a", "b"):
        module.insert({"Last_Name": name}, modified=NOON)
    with asking(account) as zoho:
        before = (NOON - timedelta(seconds=1)).isoformat()
        assert len(zoho.rows("Contacts", before, fields="id")) == 2
        assert zoho.rows("Contacts", NOON.isoformat(), fields="id") == []


@pytest.mark.slow
def test_converted_leads_are_left_out_unless_requested(account: Account) -> None:
    leads = account.add_module("Leads", [Field("Last_Name", "text")])
    kept, gone = leads.insert({"Last_Name": "kept"}), leads.insert({"Last_Name": "gone"})
    account.clock.advance(60)
    leads.convert(gone)
    assert leads.count == 2
    with asking(account) as zoho:
        ids = {
            converted: {row["id"] for row in zoho.rows("Leads", fields="id", converted=converted)}
            for converted in ("false", "true", "both")
        }
        assert ids == {"false": {kept}, "true": {gone}, "both": {kept, gone}}
        assert [row["id"] for row in zoho.rows("Leads", fields="id")] == [kept]
        assert zoho.refused("Leads", fields="id", converted="maybe") == (400, "INVALID_DATA")
        (lead,) = zoho.rows(f"Leads/{gone}")
        assert lead["$converted"] is lead["Converted__s"] is True
        moments = {datetime.fromisoformat(lead[name]) for name in ("Modified_Time", "Converted_Date_Time")}
        assert moments == {NOON + timedelta(seconds=60)}
        assert zoho.get("Leads/actions/count").json() == {"count": 1}
    with pytest.raises(ValueError, match="leads"):
        account.add_module("Contacts", []).convert(kept)


# What a record shows


FIELDS = [
    Field("Last_Name", "text"),
    Field("Owner", "ownerlookup"),
    Field("Account_Name", "lookup"),
    Field("Themes", "multiselectpicklist"),
    Field("Story", "textarea", length=32_000),
    Field("Note", "textarea", length=500),
    Field("Visits", "subform"),
    Field("Languages", "multiselectlookup"),
    Field("Helpers", "multiuserlookup"),
    Field("Hidden", "text", visible=False),
]
WHOLE = {
    "Last_Name": "Ada",
    "Account_Name": {"name": "Dakar", "id": "77"},
    "Themes": ["a", "b"],
    "Story": "s" * 900,
    "Note": "n" * 500,
    "Visits": [{"City": "Dakar"}, {"City": "Praia"}],
    "Languages": [{"name": "French", "id": "5"}],
    "Helpers": [{"name": "Sample user", "id": "9"}],
    "Hidden": "there",
}


@pytest.mark.slow
def test_lists_show_lookups_as_objects_and_never_rows_or_several_lookups(account: Account) -> None:
    account.add_module("Contacts", FIELDS).insert(WHOLE)
    names = ",".join([*(field.api_name for field in FIELDS), "No_Such_Field"])
    with asking(account) as zoho:
        (row,) = zoho.rows("Contacts", fields=names)
    assert set(row) == {"id", "Last_Name", "Owner", "Account_Name", "Themes", "Story", "Note", "Hidden"}
    assert row["id"].isdecimal()
    assert 18 <= len(row["id"]) <= 19
    assert row["Account_Name"] == {"name": "Dakar", "id": "77"}
    assert set(row["Owner"]) == {"name", "id", "email"}
    assert row["Themes"] == ["a", "b"]
    assert (row["Story"], row["Note"]) == ("s" * 500, "n" * 500)
    assert row["Hidden"] == "there"


@pytest.mark.slow
def test_one_record_is_returned_whole_with_the_ids_of_its_rows_and_links(account: Account) -> None:
    module = account.add_module("Contacts", FIELDS)
    ada = module.insert(WHOLE)
    with asking(account) as zoho:
        (row,) = zoho.rows(f"Contacts/{ada}", fields="Story,Visits,Languages,Helpers")
        everything = zoho.rows(f"Contacts/{ada}")[0]
        (full,) = zoho.rows("Contacts/actions/fetch_full_data", ids=ada, fields="Story")
        assert zoho.refused("Contacts/actions/fetch_full_data", ids=ada, fields="Visits") == (
            400,
            "INVALID_DATA",
        )
        assert zoho.refused("Contacts/actions/fetch_full_data", ids=ada) == (400, "REQUIRED_PARAM_MISSING")
        assert zoho.get("Contacts/1").status_code == 204
        assert zoho.refused("Contacts/ada") == (400, "INVALID_DATA")
    assert everything == {**module.get(ada), "Story": "s" * 500}
    assert row["Story"] == "s" * 500
    assert full == {"id": ada, "Story": "s" * 900}
    assert [visit["City"] for visit in row["Visits"]] == ["Dakar", "Praia"]
    assert len({ada, *(visit["id"] for visit in row["Visits"])}) == 3
    (language,) = row["Languages"]
    assert language["Languages"] == {"name": "French", "id": "5"}
    assert language["id"] not in ("5", ada)


@pytest.mark.slow
def test_a_formula_changes_and_the_time_of_change_does_not(account: Account) -> None:
    rate = {"eur": 2}
    fields = [
        Field("Amount", "currency"),
        Field("Euro", "formula", formula=lambda r: r["Amount"] * rate["eur"]),
    ]
    deals = account.add_module("Deals", fields)
    deals.insert({"Amount": 10})
    with asking(account) as zoho:
        before = zoho.rows("Deals", fields="Euro,Modified_Time")[0]
        account.clock.advance(DAY)
        zoho.sign_in()
        rate["eur"] = 3
        after = zoho.rows("Deals", fields="Euro,Modified_Time")[0]
    assert (before["Euro"], after["Euro"]) == (20, 30)
    assert before["Modified_Time"] == after["Modified_Time"]


def test_a_change_moves_the_time_of_change_and_keeps_what_was_not_touched(account: Account) -> None:
    module = account.add_module("Contacts", FIELDS)
    ada = module.insert(WHOLE)
    account.clock.advance(3_600)
    before = module.get(ada)
    module.update(ada, {"Last_Name": "Ada L."})
    after = module.get(ada)
    assert {name for name in before if before[name] != after[name]} == {"Last_Name", "Modified_Time"}
    assert datetime.fromisoformat(after["Modified_Time"]) == NOON + timedelta(hours=1)


@pytest.mark.slow
def test_timestamps_carry_the_offset_of_their_author(account: Account) -> None:
    module = account.add_module("Contacts", [Field("Last_Name", "text")])
    module.fill(50)
    mine = module.insert({}, modified=NOON.astimezone(timezone(timedelta(hours=5, minutes=45))))
    with asking(account) as zoho:
        rows = zoho.rows("Contacts", fields="Modified_Time")
    assert {"+01:00", "+05:30", "-11:00"} <= {row["Modified_Time"][-6:] for row in rows}
    assert module.get(mine)["Modified_Time"] == "2026-01-05T17:45:00+05:45"


@pytest.mark.slow
def test_every_response_carries_the_time_of_the_accounts_clock(account: Account) -> None:
    account.add_module("Contacts", [])
    with asking(account) as zoho:
        account.clock.advance(600)
        assert zoho.get("Contacts", fields="id").headers["Date"].startswith("Mon, 05 Jan 2026 12:10:0")
        assert zoho.ask("/nowhere").headers["Date"].startswith("Mon, 05 Jan 2026 12:10:0")


def test_a_record_is_inserted_once_and_a_timestamp_needs_an_offset(account: Account) -> None:
    module = account.add_module("Contacts", [Field("Born", "date")])
    id = module.insert({"Born": NOON.date()}, id="546000000000000123")
    assert module.get(id)["Born"] == "2026-01-05"
    with pytest.raises(ValueError, match="already exists"):
        module.insert({}, id=id)
    with pytest.raises(ValueError, match="offset"):
        module.insert({}, modified=datetime(2026, 1, 1))
