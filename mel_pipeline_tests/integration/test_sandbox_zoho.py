"""The sandbox's Zoho over real HTTP: each rule of its documentation, asked the way a client asks."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest
import requests

from mel_pipeline.sandbox import Sandbox, running
from mel_pipeline.sandbox.server import running_account
from mel_pipeline.sandbox.zoho import Account, Clock, Field

TODAY = date(2026, 11, 20)
CREDENTIALS = {
    "grant_type": "refresh_token",
    "client_id": "sample-client",
    "client_secret": "sample-client-secret",
    "refresh_token": "sample-refresh-token",
}
DAY = 86_400


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with running(today=TODAY) as sandbox:
        yield sandbox


@pytest.fixture
def fresh() -> Iterator[Sandbox]:
    """A sandbox of its own, for tests that spend its quotas or move its clock."""
    with running(today=TODAY) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


def refresh(box: Sandbox, **changed: str) -> requests.Response:
    return requests.post(f"{box.url}/oauth/v2/token", data={**CREDENTIALS, **changed}, timeout=10)


@pytest.fixture(scope="module")
def token(box: Sandbox) -> str:
    return str(refresh(box).json()["access_token"])


class Crm:
    """Asks the CRM with a valid token."""

    def __init__(self, url: str, token: str, session: requests.Session) -> None:
        self.url, self.token, self.session = url, token, session

    def get(self, path: str, since: str | None = None, **query: str | int) -> requests.Response:
        headers = {"Authorization": f"Zoho-oauthtoken {self.token}"}
        if since:
            headers["If-Modified-Since"] = since
        asked = {name: str(value) for name, value in query.items()}
        return self.session.get(f"{self.url}/crm/v8/{path}", params=asked, headers=headers, timeout=10)

    def refused(self, path: str, **query: Any) -> tuple[int, str]:
        answer = self.get(path, **query)
        return answer.status_code, answer.json()["code"]

    def scan(self, module: str, fields: str = "Modified_Time", **query: Any) -> list[dict[str, Any]]:
        """All records, page by page with page tokens."""
        answer = self.get(module, fields=fields, **query).json()
        rows: list[dict[str, Any]] = answer["data"]
        while answer["info"]["more_records"]:
            answer = self.get(
                module, fields=fields, page_token=answer["info"]["next_page_token"], **query
            ).json()
            rows = rows + answer["data"]
        return rows


@pytest.fixture(scope="module")
def crm(box: Sandbox, token: str, session: requests.Session) -> Crm:
    return Crm(box.url, token, session)


# Signing in


def test_a_refresh_gives_a_token_for_an_hour_and_its_own_host(box: Sandbox, token: str) -> None:
    with running(today=TODAY) as other:
        answer = refresh(other).json()
        assert answer["api_domain"] == other.url
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    assert answer["access_token"] != token


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_id": "x"}, "invalid_client"),
        ({"client_secret": "x"}, "invalid_client_secret"),
        ({"refresh_token": "x"}, "invalid_code"),
    ],
)
def test_bad_credentials_answer_200_with_an_error(box: Sandbox, changed: dict[str, str], error: str) -> None:
    answer = refresh(box, **changed)
    assert (answer.status_code, answer.json()) == (200, {"error": error})


def test_the_eleventh_refresh_in_ten_minutes_is_throttled_and_a_later_one_is_not(fresh: Sandbox) -> None:
    assert all("access_token" in refresh(fresh).json() for _ in range(10))
    refused = refresh(fresh)
    assert refused.json()["error"] == "Access Denied"
    assert refused.json()["status"] == "failure"
    fresh.zoho.clock.advance(601)
    assert "access_token" in refresh(fresh).json()


def test_the_sixteenth_token_ends_the_oldest(fresh: Sandbox, session: requests.Session) -> None:
    tokens = []
    for _ in range(16):
        fresh.zoho.clock.advance(61)
        tokens.append(refresh(fresh).json()["access_token"])
    codes = [Crm(fresh.url, t, session).get("Deals", fields="Stage").status_code for t in tokens]
    assert codes == [401, *[200] * 15]


def test_an_access_token_ends_after_an_hour(fresh: Sandbox, session: requests.Session) -> None:
    crm = Crm(fresh.url, refresh(fresh).json()["access_token"], session)
    assert crm.get("Deals", fields="Stage").status_code == 200
    fresh.zoho.clock.advance(3_601)
    assert crm.refused("Deals", fields="Stage") == (401, "INVALID_TOKEN")


@pytest.mark.parametrize("path", ["Contacts", "Contacts/deleted", "settings/modules", "settings/fields"])
def test_the_crm_answers_nobody_without_a_valid_token(
    box: Sandbox, session: requests.Session, path: str
) -> None:
    assert Crm(box.url, "wrong", session).refused(path) == (401, "INVALID_TOKEN")
    bare = requests.get(f"{box.url}/crm/v8/{path}", timeout=10)
    assert (bare.status_code, bare.json()["code"]) == (401, "AUTHENTICATION_FAILURE")


# CRM records


def test_fields_are_required_and_at_most_fifty(crm: Crm) -> None:
    assert crm.refused("Contacts") == (400, "REQUIRED_PARAM_MISSING")
    many = ",".join(f"Field_{n}" for n in range(51))
    assert crm.refused("Contacts", fields=many) == (400, "LIMIT_EXCEEDED")
    assert crm.get("Contacts", fields=many.removesuffix(",Field_50")).status_code == 200


def test_a_page_holds_at_most_two_hundred_records(crm: Crm) -> None:
    assert crm.refused("Contacts", fields="Gender", per_page=201) == (400, "INVALID_DATA")
    answer = crm.get("Contacts", fields="Gender").json()
    assert len(answer["data"]) == answer["info"]["count"] == 200
    assert answer["info"]["more_records"] is True


@pytest.mark.parametrize("name", ["page", "per_page"])
def test_a_page_that_is_no_number_is_refused_and_not_a_crash(crm: Crm, name: str) -> None:
    assert crm.get("Deals", fields="Stage", **{name: "x"}).status_code == 400


def test_an_if_modified_since_without_offset_is_no_crash(crm: Crm) -> None:
    assert crm.get("Deals", since="2026-11-19T00:00:00", fields="Stage").status_code < 500


def test_an_unknown_module_is_refused_by_name_of_the_error(crm: Crm) -> None:
    assert crm.refused("Nothing", fields="id") == (400, "INVALID_MODULE")
    assert crm.refused("Nothing/deleted") == (400, "INVALID_MODULE")


def test_pages_by_number_reach_two_thousand_records_and_no_further(crm: Crm) -> None:
    assert crm.get("Contacts", fields="Gender", page=10).json()["info"]["count"] == 200
    assert crm.refused("Contacts", fields="Gender", page=11) == (400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED")


def test_page_tokens_give_each_of_4321_people_exactly_once(crm: Crm) -> None:
    ids = [row["id"] for row in crm.scan("Contacts", fields="Gender")]
    assert len(ids) == len(set(ids)) == 4_321


def test_a_page_beyond_the_last_record_is_204(crm: Crm) -> None:
    assert crm.get("Deals", fields="Stage", page=5).status_code == 204


def test_a_page_token_is_bound_to_its_parameters_and_excludes_a_page_number(crm: Crm) -> None:
    token = crm.get("Contacts", fields="Gender").json()["info"]["next_page_token"]
    assert crm.refused("Contacts", fields="id", page_token=token) == (400, "TOKEN_BOUND_DATA_MISMATCH")
    both = crm.refused("Contacts", fields="Gender", page_token=token, page=2)
    assert both == (400, "AMBIGUITY_DURING_PROCESSING")
    assert crm.get("Contacts", fields="Gender", page_token="made-up").status_code == 400


def test_a_page_token_lives_for_a_day(fresh: Sandbox, session: requests.Session) -> None:
    crm = Crm(fresh.url, refresh(fresh).json()["access_token"], session)
    token = crm.get("Contacts", fields="Gender").json()["info"]["next_page_token"]
    fresh.zoho.clock.advance(DAY + 60)
    crm.token = refresh(fresh).json()["access_token"]
    assert crm.refused("Contacts", fields="Gender", page_token=token) == (400, "EXPIRED_VALUE")


def test_records_come_by_falling_id_unless_asked_otherwise(crm: Crm) -> None:
    ids = [row["id"] for row in crm.get("Contacts", fields="Gender").json()["data"]]
    assert ids == sorted(ids, key=int, reverse=True)
    rows = crm.scan("Participations", sort_by="Modified_Time", sort_order="asc")
    moments = [datetime.fromisoformat(row["Modified_Time"]) for row in rows]
    assert len(rows) > 2_000
    assert moments == sorted(moments)
    assert crm.refused("Contacts", fields="id", sort_by="Gender") == (400, "INVALID_DATA")


def test_moments_carry_different_offsets(crm: Crm) -> None:
    offsets = {row["Modified_Time"][-6:] for row in crm.scan("Contacts")}
    assert {"+01:00", "+02:00", "+05:30"} <= offsets


def test_only_records_changed_since_the_given_instant_come_and_304_when_there_are_none(crm: Crm) -> None:
    everything = crm.scan("Participations", sort_by="Modified_Time", sort_order="asc")
    middle = everything[len(everything) // 2]["Modified_Time"]
    answer = crm.get(
        "Participations", since=middle, fields="Modified_Time", sort_by="Modified_Time", sort_order="asc"
    )
    first = datetime.fromisoformat(answer.json()["data"][0]["Modified_Time"])
    assert first > datetime.fromisoformat(middle)
    nothing = crm.get("Participations", since=everything[-1]["Modified_Time"], fields="Modified_Time")
    assert (nothing.status_code, nothing.content) == (304, b"")


def test_lookups_are_objects_multi_selects_are_lists_and_ids_are_text(crm: Crm) -> None:
    event = crm.get("Network_Events", fields="Themes,Line_of_Action,Organised_By_Network").json()["data"][0]
    assert isinstance(event["Themes"], list)
    assert set(event["Line_of_Action"]) <= {"1", "2", "3", "4", "5"}
    assert isinstance(event["Organised_By_Network"], bool)
    row = crm.get("Participations", fields="Event").json()["data"][0]
    assert set(row["Event"]) == {"id", "name"}
    assert row["id"].isdigit()
    assert 18 <= len(row["id"]) <= 19


def test_people_have_no_name_and_no_address_even_when_asked(crm: Crm) -> None:
    person = crm.get("Contacts", fields="First_Name,Last_Name,Email").json()["data"][0]
    assert person["First_Name"] is None
    assert person["Email"] is None
    assert person["Last_Name"].startswith("Sample person ")


@pytest.mark.parametrize("module", ["Contacts", "Participations"])
def test_deleted_records_are_listed_and_no_longer_served(crm: Crm, module: str) -> None:
    rows = crm.get(f"{module}/deleted", type="all").json()["data"]
    assert rows
    live = {row["id"] for row in crm.scan(module, fields="id")}
    assert not {row["id"] for row in rows} & live
    gone = crm.get(f"{module}/deleted", type="permanent").json()["data"]
    assert {(row["display_name"], row["deleted_by"], row["created_by"]) for row in gone} == {
        (None, None, None)
    }


def test_a_module_without_deletions_and_a_time_without_deletions_are_no_content(crm: Crm) -> None:
    assert crm.get("Deals/deleted", type="all").status_code == 204
    assert crm.get("Contacts/deleted", since="2027-01-01T00:00:00+01:00", type="all").status_code == 304


def test_metadata_lists_the_modules_and_every_field_that_is_served(crm: Crm) -> None:
    modules = {row["api_name"]: row for row in crm.get("settings/modules").json()["modules"]}
    expected = {"Accounts", "Contacts", "Deals", "Network_Events", "Participations", "Board_Seats"}
    assert set(modules) == expected
    assert modules["Network_Events"]["module_name"] != "Network_Events"
    for module in expected:
        fields = [row["api_name"] for row in crm.get("settings/fields", module=module).json()["fields"]]
        record = crm.get(module, fields=",".join(fields)).json()["data"][0]
        assert set(record) == set(fields)


# An account of its own, for what changes it


@contextmanager
def account(
    count: int = 0, module: str = "Accounts", fields: tuple[Field, ...] = (Field("Name"),), **limits: Any
) -> Iterator[tuple[Account, Crm]]:
    own = Account(Clock(datetime(2026, 3, 2, 9, tzinfo=UTC)), **limits)
    own.add_module(module, fields).fill(count, lambda number: {"Name": f"City {number}"})
    with running_account(own) as server, requests.Session() as session:
        answer = session.post(f"{server.url}/oauth/v2/token", data=CREDENTIALS, timeout=10)
        yield own, Crm(server.url, answer.json()["access_token"], session)


def post(crm: Crm, path: str, body: dict[str, Any]) -> requests.Response:
    headers = {"Authorization": f"Zoho-oauthtoken {crm.token}"}
    return crm.session.post(f"{crm.url}{path}", json=body, headers=headers, timeout=30)


def query(crm: Crm, text: str) -> requests.Response:
    return post(crm, "/crm/v8/coql", {"select_query": text})


def bulk(crm: Crm, **asked: Any) -> dict[str, Any]:
    """A job, asked about until it is completed; each state it went through."""
    started = post(crm, "/crm/bulk/v8/read", {"query": asked})
    assert started.status_code == 201
    job = started.json()["data"][0]["details"]["id"]
    states = []
    while True:
        told = crm.get(f"../bulk/v8/read/{job}").json()["data"][0]
        states.append((told["state"], "result" in told))
        if told["state"] in ("COMPLETED", "FAILURE"):
            return {**told, "states": states}


def rows_of(crm: Crm, job: dict[str, Any]) -> list[dict[str, str]]:
    answer = crm.get(f"../..{job['result']['download_url']}")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == [f"{job['id']}.csv"]
        return list(csv.DictReader(io.StringIO(archive.read(archive.namelist()[0]).decode())))


def test_page_tokens_end_at_100000_records() -> None:
    with account(100_200) as (own, crm):
        page = crm.get("Accounts", fields="Name").json()
        token = page["info"]["next_page_token"]
        own.page_tokens[token].start = 99_800  # as if the pages before had been turned
        page = crm.get("Accounts", fields="Name", page_token=token).json()
        assert len(page["data"]) == 200
        beyond = crm.get("Accounts", fields="Name", page_token=page["info"]["next_page_token"])
        assert (beyond.status_code, beyond.json()["code"]) == (400, "PAGINATION_LIMIT_EXCEEDED")


def test_pages_are_offsets_so_a_deleted_record_moves_the_next_onto_the_page_before() -> None:
    with account(400) as (own, crm):
        ids = own.modules["Accounts"].ids()
        first = crm.get("Accounts", fields="Name", sort_order="asc").json()
        own.modules["Accounts"].delete(ids[0])
        second = crm.get(
            "Accounts", fields="Name", sort_order="asc", page_token=first["info"]["next_page_token"]
        ).json()
        seen = {row["id"] for page in (first, second) for row in page["data"]}
        assert set(ids) - seen == {ids[200]}


def test_a_record_deleted_restored_and_deleted_for_good_is_told_as_long_as_zoho_tells() -> None:
    with account(3) as (own, crm):
        module = own.modules["Accounts"]
        one, two, three = module.ids()
        module.delete(one)
        module.delete(two, permanent=True)
        module.delete(three)
        module.restore(three)
        told = {row["id"]: row["type"] for row in crm.get("Accounts/deleted", type="all").json()["data"]}
        assert told == {one: "recycle", two: "permanent"}
        own.clock.advance(61 * DAY)
        crm.token = _again(crm)
        assert [row["id"] for row in crm.get("Accounts/deleted", type="all").json()["data"]] == [two]
        own.clock.advance(60 * DAY)
        crm.token = _again(crm)
        assert crm.get("Accounts/deleted", type="all").status_code == 204
        assert crm.get("Accounts/actions/count").json() == {"count": 1}


def _again(crm: Crm) -> str:
    return str(
        crm.session.post(f"{crm.url}/oauth/v2/token", data=CREDENTIALS, timeout=10).json()["access_token"]
    )


def test_a_converted_lead_is_left_out_unless_asked_for() -> None:
    fields = (Field("Name"), Field("Converted__s", "boolean"))
    with account(3, "Leads", fields) as (own, crm):
        lead = own.modules["Leads"].ids()[0]
        own.modules["Leads"].convert(lead)
        counts = {
            asked: len(crm.get("Leads", fields="Name", converted=asked).json()["data"])
            for asked in ("false", "true", "both")
        }
        assert counts == {"false": 2, "true": 1, "both": 3}
        assert len(crm.get("Leads", fields="Name").json()["data"]) == 2


def test_lists_cut_rich_text_and_leave_out_subforms_which_a_records_own_page_gives() -> None:
    fields = (
        Field("Story", "textarea", length=32_000),
        Field("Terms", "subform"),
        Field("Cities", "multiselectlookup"),
    )
    with account(0, fields=fields) as (own, crm):
        values = {
            "Story": "x" * 900,
            "Terms": [{"From": "2024-01-01"}],
            "Cities": [{"name": "Dakar", "id": "7"}],
        }
        record = own.modules["Accounts"].insert(values)
        listed = crm.get("Accounts", fields="Story,Terms,Cities").json()["data"][0]
        assert listed == {"id": record, "Story": "x" * 500}
        whole = crm.get(f"Accounts/{record}").json()["data"][0]
        assert len(whole["Story"]) == 900
        assert whole["Terms"][0]["From"] == "2024-01-01" and whole["Terms"][0]["id"]
        assert whole["Cities"][0]["Cities"] == {"name": "Dakar", "id": "7"}


def test_a_formula_follows_its_record_and_moves_no_modified_time() -> None:
    value = {"now": 1}
    with account(0, fields=(Field("Score", "formula", formula=lambda record: value["now"]),)) as (own, crm):
        own.modules["Accounts"].insert({})
        before = crm.get("Accounts", fields="Score,Modified_Time").json()["data"][0]
        value["now"] = 2
        after = crm.get("Accounts", fields="Score,Modified_Time").json()["data"][0]
        assert (before["Score"], after["Score"]) == (1, 2)
        assert before["Modified_Time"] == after["Modified_Time"]


def test_metadata_show_hidden_fields_fields_without_json_type_and_words_of_pick_lists() -> None:
    fields = (Field("First_Name", visible=False), Field("Odd", json_type=None), Field("Kind", "picklist"))
    with account(0, fields=fields) as (own, crm):
        own.modules["Accounts"].insert({"Kind": "City"})
        told = {
            row["api_name"]: row for row in crm.get("settings/fields", module="Accounts").json()["fields"]
        }
        assert told["First_Name"]["view_type"]["view"] is False
        assert "json_type" not in told["Odd"] and told["Kind"]["json_type"] == "string"
        assert [word["actual_value"] for word in told["Kind"]["pick_list_values"]] == ["City"]


def test_a_query_gives_at_most_2000_rows_and_costs_by_its_limit() -> None:
    with account(5_000) as (own, crm):
        last = 0
        seen: list[str] = []
        while True:
            answer = query(
                crm, f"select id, Name from Accounts where id > {last} order by id asc limit 2000"
            ).json()
            seen += [row["id"] for row in answer["data"]]
            last = int(seen[-1])
            if not answer["info"]["more_records"]:
                break
        assert seen == own.modules["Accounts"].ids()
        costs = []
        for limit in (200, 1_000, 2_000):
            before = own.credits_used
            query(crm, f"select id from Accounts where id > 0 limit {limit}")
            costs.append(own.credits_used - before)
        assert costs == [1, 2, 3]
        assert (
            query(crm, "select id from Accounts where id > 0 limit 2001").json()["code"] == "LIMIT_EXCEEDED"
        )
        assert query(crm, "select id from Accounts limit 10").json()["code"] == "SYNTAX_ERROR"


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("Name = 'A'", ["A"]),
        ("Name != 'A'", ["B", "C", None]),
        ("Name in ('A', 'C')", ["A", "C"]),
        ("Name is null", [None]),
        ("(Name is not null and Size > 5)", ["B", "C"]),
        ("(Size < 5 or Name = 'C')", ["A", "C"]),
        ("Modified_Time >= '2026-03-02T14:30:01+05:30'", ["C", None]),
    ],
)
def test_a_query_compares_words_numbers_and_instants(where: str, names: list[str | None]) -> None:
    with account(0, fields=(Field("Name"), Field("Size", "integer"))) as (own, crm):
        module = own.modules["Accounts"]
        for number, name in enumerate(("A", "B", "C", None)):
            moment = datetime(2026, 3, 2, 9, 0, number - 1 if number else 0, tzinfo=UTC)
            module.insert({"Name": name, "Size": number * 10 if name else None}, created=moment)
        rows = query(crm, f"select Name from Accounts where {where}").json()["data"]
        assert [row["Name"] for row in rows] == names


def test_a_bulk_job_goes_through_its_states_and_carries_a_result_early() -> None:
    with account(300) as (own, crm):
        before = own.credits_used
        job = bulk(crm, module={"api_name": "Accounts"}, fields=["id", "Name"])
        assert job["states"] == [
            ("ADDED", False),
            ("QUEUED", True),
            ("IN PROGRESS", True),
            ("COMPLETED", True),
        ]
        assert own.credits_used - before == 50 + 4
        rows = rows_of(crm, job)
        assert [row["Id"] for row in rows] == own.modules["Accounts"].ids()


def test_a_bulk_job_holds_200000_rows_and_tells_how_it_goes_on() -> None:
    with account(200_001) as (own, crm):
        job = bulk(crm, module={"api_name": "Accounts"}, fields=["id"])
        assert job["result"]["count"] == 200_000 and job["result"]["more_records"] is True
        rest = bulk(crm, page_token=job["result"]["next_page_token"])
        assert rest["result"]["count"] == 1 and rest["result"]["more_records"] is False
        own.clock.advance(DAY + 60)
        crm.token = _again(crm)
        late = post(crm, "/crm/bulk/v8/read", {"query": {"page_token": job["result"]["next_page_token"]}})
        assert late.json()["code"] == "EXPIRED_VALUE"


def test_the_eleventh_download_in_a_minute_is_429() -> None:
    with account(1) as (own, crm):
        job = bulk(crm, module={"api_name": "Accounts"}, fields=["id"])
        path = f"../..{job['result']['download_url']}"
        assert [crm.get(path).status_code for _ in range(11)] == [200] * 10 + [429]
        own.clock.advance(61)
        assert crm.get(path).status_code == 200


def test_notes_are_not_exported_in_bulk() -> None:
    with account(0, "Notes") as (_, crm):
        refused = post(crm, "/crm/bulk/v8/read", {"query": {"module": {"api_name": "Notes"}}})
        assert refused.status_code == 400


def test_credits_run_out_are_told_above_half_and_come_back_after_a_day() -> None:
    with account(1, credits=10) as (own, crm):
        told = []
        for _ in range(11):
            answer = crm.get("Accounts", fields="Name")
            told.append((answer.status_code, answer.headers.get("X-API-CREDITS-REMAINING")))
        assert told[:6] == [(200, None)] * 5 + [(200, "4")]
        assert told[-1] == (429, "0")
        assert "Retry-After" not in answer.headers
        own.clock.advance(DAY + 1)
        crm.token = _again(crm)
        assert crm.get("Accounts", fields="Name").status_code == 200


def test_more_calls_at_once_than_the_edition_allows_are_429() -> None:
    with account(1, concurrency=2, pages_delay=0.2) as (own, crm), ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda _: crm.get("Accounts", fields="Name").status_code, range(4)))
        assert sorted(codes) == [200, 200, 429, 429]
        assert own.highest_concurrency == 2


def test_the_date_of_an_answer_is_the_accounts_own() -> None:
    with account(1) as (own, crm):
        own.clock.advance(40 * DAY)
        crm.token = _again(crm)
        assert crm.get("Accounts", fields="Name").headers["Date"].startswith("Sat, 11 Apr 2026 09:00")


def test_a_missing_scope_is_401_with_its_own_code() -> None:
    with account(1) as (own, crm):
        own.scopes -= {"ZohoCRM.coql.READ", "ZohoCRM.bulk.READ", "ZohoCRM.settings.fields.READ"}
        job = {"query": {"module": {"api_name": "Accounts"}}}
        answers = [
            query(crm, "select id from Accounts where id > 0"),
            post(crm, "/crm/bulk/v8/read", job),
            crm.get("settings/fields", module="Accounts"),
        ]
        assert {(a.status_code, a.json()["code"]) for a in answers} == {(401, "OAUTH_SCOPE_MISMATCH")}


# Zoho Campaigns


def campaigns(box: Sandbox, token: str, path: str, **query: str | int) -> dict[str, Any]:
    headers = {"Authorization": f"Zoho-oauthtoken {token}"}
    url = f"{box.url}/campaigns/api/v1.1/{path}"
    told: dict[str, Any] = requests.get(url, params=query, headers=headers, timeout=10).json()
    return told


def test_issues_of_the_newsletter_come_page_by_page_latest_first_and_end_with_code_6101(
    box: Sandbox, token: str
) -> None:
    first = campaigns(box, token, "recentcampaigns", resfmt="JSON", sort="desc", fromindex=1, range=60)
    rest = campaigns(box, token, "recentcampaigns", resfmt="JSON", sort="desc", fromindex=61, range=60)
    listed = first["recent_campaigns"] + rest["recent_campaigns"]
    times = [int(issue["sent_time"]) for issue in listed]
    assert len({issue["campaign_key"] for issue in listed}) == len(listed) == 93
    assert times == sorted(times, reverse=True)
    assert campaigns(box, token, "recentcampaigns", fromindex=94)["code"] == "6101"


def test_a_report_gives_counts_as_text_and_they_settle_in_the_days_after_sending(fresh: Sandbox) -> None:
    token = str(refresh(fresh).json()["access_token"])
    fresh.zoho.clock.advance(2 * DAY)
    token = str(refresh(fresh).json()["access_token"])
    key = campaigns(fresh, token, "recentcampaigns")["recent_campaigns"][0]["campaign_key"]
    early = campaigns(fresh, token, "campaignreports", campaignkey=key)["campaign-reports"][0]
    fresh.zoho.clock.advance(30 * DAY)
    token = str(refresh(fresh).json()["access_token"])
    late = campaigns(fresh, token, "campaignreports", campaignkey=key)["campaign-reports"][0]
    assert all(isinstance(value, str) for value in late.values())
    assert int(late["opens_count"]) >= int(early["opens_count"])
    assert int(late["delivered_count"]) == int(late["emails_sent_count"]) - int(late["bounces_count"])


def test_an_unknown_campaign_and_a_bad_token_are_told_in_the_body(box: Sandbox, token: str) -> None:
    assert campaigns(box, token, "campaignreports", campaignkey="x")["code"] == "6002"
    assert campaigns(box, "wrong", "recentcampaigns")["code"] == "1007"


def test_the_501st_call_in_five_minutes_locks_campaigns_for_thirty(fresh: Sandbox) -> None:
    token = str(refresh(fresh).json()["access_token"])
    codes = [campaigns(fresh, token, "campaignreports", campaignkey="x")["code"] for _ in range(501)]
    assert codes == ["6002"] * 500 + ["998"]
    fresh.zoho.clock.advance(1_000)
    assert campaigns(fresh, token, "campaignreports", campaignkey="x")["code"] == "998"
    fresh.zoho.clock.advance(900)
    assert campaigns(fresh, token, "campaignreports", campaignkey="x")["code"] == "6002"
