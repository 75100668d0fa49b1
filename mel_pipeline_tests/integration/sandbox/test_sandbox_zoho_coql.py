"""Queries of the simulated Zoho CRM over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mel_pipeline.sandbox.zoho import Account, Clock, Field
from mel_pipeline_tests.fixtures.zoho_client import Client, asking, reason

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
FIELDS = [
    Field("Last_Name", "text"),
    Field("Age", "integer"),
    Field("Joined_On", "date"),
    Field("Met_At", "datetime"),
    Field("Is_Member", "boolean"),
    Field("Account_Name", "lookup"),
    Field("Themes", "multiselectpicklist"),
    Field("Story", "textarea", length=32_000),
    Field("Visits", "subform"),
    Field("Languages", "multiselectlookup"),
]
PEOPLE: list[dict[str, Any]] = [
    {"Last_Name": "Ada", "Age": 36, "Joined_On": "2024-03-01", "Met_At": "2026-01-01T10:00:00+01:00"},
    {"Last_Name": "Ben", "Age": 9, "Joined_On": "2025-03-01", "Met_At": "2026-01-01T09:30:00+00:00"},
    {"Last_Name": "O'Neil", "Age": 70, "Is_Member": True, "Account_Name": {"name": "Dakar", "id": "77"}},
    {"Last_Name": "Dora", "Themes": ["a", "b"], "Story": "s" * 900, "Is_Member": True},
]


@pytest.fixture(scope="module")
def zoho() -> Iterator[Client]:
    account = Account(Clock(NOON))
    module = account.add_module("Contacts", FIELDS)
    for number, person in enumerate(PEOPLE):
        module.insert({"Is_Member": False, **person}, modified=NOON - timedelta(hours=number // 2))
    account.add_module("Many", [Field("Name", "text")]).fill(4_500)
    leads = account.add_module("Leads", [Field("Last_Name", "text")])
    leads.convert(leads.insert({"Last_Name": "Converted"}))
    with asking(account) as client:
        yield client


def names(zoho: Client, where: str, rest: str = "") -> list[str]:
    answer = zoho.coql(f"select Last_Name from Contacts where {where} {rest}")
    assert answer.status_code in (200, 204), answer.text
    return [row["Last_Name"] for row in answer.json()["data"]] if answer.content else []


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Last_Name = 'Ada'", ["Ada"]),
        ('Last_Name = "Ada"', ["Ada"]),
        ("Last_Name = 'O''Neil'", ["O'Neil"]),
        ("Last_Name != 'Ada'", ["Ben", "O'Neil", "Dora"]),
        ("Last_Name in ('Ada', 'Dora', 'Zoe')", ["Ada", "Dora"]),
        ("Age > 9", ["Ada", "O'Neil"]),
        ("Age >= 9", ["Ada", "Ben", "O'Neil"]),
        ("Age < 36", ["Ben"]),
        ("Age <= 36", ["Ada", "Ben"]),
        ("Age is null", ["Dora"]),
        ("Age is not null", ["Ada", "Ben", "O'Neil"]),
        ("Joined_On > '2024-12-31'", ["Ben"]),
        ("Is_Member = 'true'", ["O'Neil", "Dora"]),
        ("Is_Member = false", ["Ada", "Ben"]),
        ("Account_Name = '77'", ["O'Neil"]),
        ("Themes = 'b'", ["Dora"]),
        ("(Age > 9 and Is_Member = false)", ["Ada"]),
        ("(Age > 36) or (Last_Name = 'Ben')", ["Ben", "O'Neil"]),
        ("((Age > 9 and Is_Member = false) or Last_Name = 'Dora')", ["Ada", "Dora"]),
        ("Age > 100", []),
    ],
)
def test_conditions_choose_records(zoho: Client, where: str, found: list[str]) -> None:
    assert names(zoho, where) == found


def test_timestamps_are_compared_as_instants_whatever_their_offset(zoho: Client) -> None:
    assert names(zoho, "Met_At < '2026-01-01T09:15:00+00:00'") == ["Ada"]
    assert names(zoho, "Met_At = '2026-01-01T14:30:00+05:00'") == ["Ben"]
    assert names(zoho, "Modified_Time >= '2026-01-05T13:00:00+01:00'") == ["Ada", "Ben"]


def test_rows_come_by_ascending_id_or_in_the_requested_order(zoho: Client) -> None:
    everyone = "id is not null"
    assert names(zoho, everyone) == ["Ada", "Ben", "O'Neil", "Dora"]
    assert names(zoho, everyone, "order by id desc") == ["Dora", "O'Neil", "Ben", "Ada"]
    assert names(zoho, everyone, "order by Age") == ["Dora", "Ben", "Ada", "O'Neil"]
    assert names(zoho, everyone, "order by Is_Member desc, Last_Name asc") == ["Dora", "O'Neil", "Ada", "Ben"]
    by_time = "order by Modified_Time asc, id asc"
    assert names(zoho, everyone, by_time) == ["O'Neil", "Dora", "Ada", "Ben"]
    assert names(zoho, everyone, "order by Modified_Time asc, id desc") == ["Dora", "O'Neil", "Ben", "Ada"]


def test_limits_and_offsets_in_either_form(zoho: Client) -> None:
    assert names(zoho, "id is not null", "limit 2") == ["Ada", "Ben"]
    assert names(zoho, "id is not null", "limit 1, 2") == ["Ben", "O'Neil"]
    assert names(zoho, "id is not null", "limit 2 offset 3") == ["Dora"]
    assert names(zoho, "id is not null", "limit 2 offset 4") == []


def test_two_hundred_rows_come_by_default_and_two_thousand_at_most(zoho: Client) -> None:
    for rest, count in (("", 200), ("limit 2000", 2_000), ("limit 4000, 2000", 500)):
        answer = zoho.coql(f"select id from Many where id is not null {rest}").json()
        assert len(answer["data"]) == answer["info"]["count"] == count
        assert answer["info"]["more_records"] is (count != 500)


def test_pages_by_the_last_time_and_id_seen_give_every_record_once(zoho: Client) -> None:
    seen: list[str] = []
    where, more = "id is not null", True
    while more:
        order = "order by Modified_Time asc, id asc limit 2000"
        answer = zoho.coql(f"select Modified_Time from Many where {where} {order}").json()
        seen += [row["id"] for row in answer["data"]]
        last = answer["data"][-1]
        time, id = last["Modified_Time"], last["id"]
        where = f"(Modified_Time > '{time}') or (Modified_Time = '{time}' and id > '{id}')"
        more = answer["info"]["more_records"]
    assert len(seen) == len(set(seen)) == 4_500


def test_records_are_counted(zoho: Client) -> None:
    answer = zoho.coql("SELECT COUNT(id) FROM Many WHERE id is not null").json()
    assert answer == {"data": [{"COUNT(id)": 4_500}], "info": {"count": 1, "more_records": False}}


def test_rows_show_what_lists_show_and_always_their_id(zoho: Client) -> None:
    answer = zoho.coql("select Story, Themes, Account_Name from Contacts where Last_Name = 'Dora'").json()
    (row,) = answer["data"]
    assert set(row) == {"id", "Story", "Themes", "Account_Name"}
    assert (row["Story"], row["Themes"]) == ("s" * 500, ["a", "b"])


def test_converted_leads_are_among_the_rows(zoho: Client) -> None:
    assert len(zoho.coql("select Last_Name from Leads where id is not null").json()["data"]) == 1
    assert zoho.coql("select id from Leads where Converted__s = 'false'").status_code == 204


FIFTY_ONE = ", ".join(f"F{n}" for n in range(51))
TWENTY_SIX = "Age = 1"
for _ in range(25):
    TWENTY_SIX = f"(Age = 1 or {TWENTY_SIX})"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("select id from Contacts", "SYNTAX_ERROR"),
        ("select id where Age = 1", "SYNTAX_ERROR"),
        ("update Contacts", "SYNTAX_ERROR"),
        ("select id from Contacts where", "SYNTAX_ERROR"),
        ("select id from Contacts where Age = 1 and Age = 2 and Age = 3", "SYNTAX_ERROR"),
        ("select id from Contacts where (Age = 1", "SYNTAX_ERROR"),
        ("select id from Contacts where Last_Name like 'A%'", "SYNTAX_ERROR"),
        ("select id from Contacts where Age = 1 group by Age", "SYNTAX_ERROR"),
        ("select id from Contacts where Met_At > 2026-01-01T00:00:00", "SYNTAX_ERROR"),
        ("select id from Contacts where Last_Name > 'A'", "INVALID_QUERY"),
        ("select id from Contacts where Age = 'old'", "INVALID_QUERY"),
        ("select id from Contacts where Met_At > 'noon'", "INVALID_QUERY"),
        ("select id from Contacts where Is_Member = 'perhaps'", "INVALID_QUERY"),
        ("select id from Contacts where Nothing = 'x'", "INVALID_QUERY"),
        ("select id from Contacts where Story = 'x'", "INVALID_QUERY"),
        ("select Nothing from Contacts where id is not null", "INVALID_QUERY"),
        ("select Visits from Contacts where id is not null", "INVALID_QUERY"),
        ("select Languages from Contacts where id is not null", "INVALID_QUERY"),
        ("select id from Contacts where id is not null order by Nothing", "INVALID_QUERY"),
        ("select id from Contacts where id is not null limit ten", "INVALID_QUERY"),
        ("select id from Contacts where id is not null limit 0", "INVALID_DATA"),
        ("select id from Contacts where id is not null limit 2001", "LIMIT_EXCEEDED"),
        ("select id from Contacts where id is not null limit 100001, 1", "LIMIT_EXCEEDED"),
        (f"select {FIFTY_ONE} from Contacts where id is not null", "LIMIT_EXCEEDED"),
        (f"select id from Contacts where {TWENTY_SIX}", "LIMIT_EXCEEDED"),
        (f"select id from Contacts where Age in ({', '.join('1' * 101)})", "LIMIT_EXCEEDED"),
        ("select Age, Age from Contacts where id is not null", "DUPLICATE_DATA"),
        ("select id from Contacts where id is not null order by id, id", "DUPLICATE_DATA"),
        ("select id from Nothing where id is not null", "INVALID_MODULE"),
    ],
)
def test_an_invalid_query_is_refused_with_zohos_error_code(zoho: Client, query: str, code: str) -> None:
    assert reason(zoho.coql(query)) == (400, code)


def test_an_offset_of_a_hundred_thousand_is_the_highest(zoho: Client) -> None:
    assert zoho.coql("select id from Many where id is not null limit 100000, 2000").status_code == 204


@pytest.mark.parametrize(
    ("body", "code"), [({}, "MANDATORY_NOT_FOUND"), ([], "INVALID_DATA"), ("x", "INVALID_DATA")]
)
def test_a_body_without_a_query_is_refused(zoho: Client, body: object, code: str) -> None:
    assert reason(zoho.post("/crm/v8/coql", body)) == (400, code)
