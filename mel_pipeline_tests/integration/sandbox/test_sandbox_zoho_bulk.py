"""Bulk Read of the simulated Zoho CRM over real HTTP: states, files, sets of records, failures."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from mel_pipeline.sandbox.zoho import Account, Clock, Field
from mel_pipeline_tests.fixtures.zoho_client import JOBS, Client, asking, reason

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
FIELDS = [
    Field("Last_Name", "text"),
    Field("Age", "integer"),
    Field("Account_Name", "lookup"),
    Field("Owner", "ownerlookup"),
    Field("Themes", "multiselectpicklist"),
    Field("Is_Member", "boolean"),
    Field("Visits", "subform"),
]


def made_account() -> Account:
    account = Account(Clock(NOON))
    module = account.add_module("Contacts", FIELDS)
    dakar = {"name": "Dakar", "id": "77"}
    ada: dict[str, Any] = {
        "Last_Name": 'Ada "A", L.',
        "Age": 36,
        "Account_Name": dakar,
        "Themes": ["a", "b"],
        "Is_Member": True,
    }
    for number, values in enumerate([ada, {"Last_Name": "Ben\nB."}, {"Last_Name": "Cleo"}]):
        module.insert(values, modified=NOON - timedelta(days=number))
    return account


@pytest.fixture
def account() -> Account:
    return made_account()


@pytest.fixture(scope="module")
def zoho() -> Iterator[Client]:
    """A client of an account that no test changes."""
    with asking(made_account()) as client:
        yield client


def criterion(field: str, comparator: str, value: object) -> dict[str, object]:
    return {"field": {"api_name": field}, "comparator": comparator, "value": value}


def test_a_job_passes_through_its_states_and_early_results_say_nothing(zoho: Client) -> None:
    job = zoho.start_job(fields=["Last_Name"])
    details = [zoho.job(job) for _ in range(3)]
    assert [answer["state"] for answer in details] == ["QUEUED", "IN PROGRESS", "COMPLETED"]
    assert [answer["result"]["count"] for answer in details] == [0, 0, 3]
    last = details[-1]
    assert (last["id"], last["operation"], last["file_type"]) == (job, "read", "csv")
    assert last["result"] == {
        "page": 1,
        "per_page": 200_000,
        "count": 3,
        "download_url": f"{JOBS}/{job}/result",
        "more_records": False,
    }


@pytest.mark.slow
def test_a_job_finishes_within_a_minute_even_when_nobody_polls(account: Account) -> None:
    with asking(account) as zoho:
        created = zoho.post(JOBS, {"query": {"module": {"api_name": "Contacts"}}}).json()["data"][0]
        assert created["details"]["state"] == "ADDED"
        account.clock.advance(61)
        assert zoho.job(created["details"]["id"])["state"] == "COMPLETED"


def test_a_file_holds_bare_ids_and_values_joined_by_semicolons(zoho: Client) -> None:
    rows = zoho.result(zoho.start_job())
    ada, ben, _ = rows
    assert ada.pop("id").isdecimal()
    assert ada == {
        "Last_Name": 'Ada "A", L.',
        "Age": "36",
        "Account_Name": "77",
        "Owner": "546000000000000001",
        "Themes": "a;b",
        "Is_Member": "true",
        "Created_Time": "2026-01-05T13:00:00+01:00",
        "Modified_Time": ada["Modified_Time"],
    }
    assert datetime.fromisoformat(ada["Modified_Time"]) == NOON
    assert (ben["Last_Name"], ben["Age"], ben["Themes"], ben["Is_Member"]) == ("Ben\nB.", "", "", "")


def test_only_the_requested_fields_follow_the_id(zoho: Client) -> None:
    rows = zoho.result(zoho.start_job(fields=["Age"]))
    assert [list(row) for row in rows] == [["id", "Age"]] * 3


@pytest.mark.parametrize(
    ("criteria", "names"),
    [
        (criterion("Modified_Time", "greater_equal", "2026-01-04T13:00:00+01:00"), {"Ada", "Ben"}),
        (criterion("Modified_Time", "between", ["2026-01-04T00:00:00+00:00", "2026-01-05T00:00:00+00:00"]), {"Ben"}),
        (criterion("Modified_Time", "less_than", "2026-01-04T12:00:00+00:00"), {"Cleo"}),
        ({"group_operator": "or", "group": [criterion("Age", "equal", 36), criterion("Last_Name", "in", ["Cleo"])]}, {"Ada", "Cleo"}),
        (criterion("Age", "equal", "${EMPTY}"), {"Ben", "Cleo"}),
    ],
)  # fmt: skip
def test_criteria_choose_records(zoho: Client, criteria: dict[str, object], names: set[str]) -> None:
    rows = zoho.result(zoho.start_job(fields=["Last_Name"], criteria=criteria))
    assert {row["Last_Name"][:4].strip().rstrip("\nB") for row in rows} == names


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"module": {"api_name": "Nothing"}}, "INVALID_MODULE"),
        ({"module": {"api_name": "Notes"}}, "NOT_SUPPORTED"),
        ({"module": {"api_name": "Contacts"}, "fields": ["Visits"]}, "INVALID_DATA"),
        ({"module": {"api_name": "Contacts"}, "fields": ["Nothing"]}, "INVALID_DATA"),
        ({"module": {"api_name": "Contacts"}, "criteria": criterion("Age", "like", 1)}, "FIELD_COMPARATOR_IN_CRITERIA_NOT_SUPPORTED"),
        ({"module": {"api_name": "Contacts"}, "criteria": criterion("Age", "equal", "old")}, "INVALID_QUERY"),
        ({"page_token": "made-up"}, "TOKEN_BOUND_DATA_MISMATCH"),
    ],
)  # fmt: skip
def test_a_job_that_cannot_be_done_is_refused(zoho: Client, query: dict[str, object], code: str) -> None:
    assert reason(zoho.post(JOBS, {"query": query})) == (400, code)


def test_an_unknown_job_and_a_result_that_is_not_there_yet_are_404(zoho: Client) -> None:
    assert reason(zoho.ask(f"{JOBS}/1")) == (404, "RESOURCE_NOT_FOUND")
    assert reason(zoho.ask(f"{JOBS}/{zoho.start_job()}/result")) == (404, "RESOURCE_NOT_FOUND")


@pytest.mark.slow
def test_a_large_module_arrives_in_sets_with_every_record_once(account: Account) -> None:
    account.bulk.rows = 6_000  # 200,000 unless a test says otherwise
    account.add_module("Many", [Field("Name", "text")]).fill(12_001, lambda i: {"Name": str(i)})
    with asking(account) as zoho:
        job = zoho.start_job("Many", fields=["Name"])
        ids = [row["id"] for row in zoho.result(job)]
        pages = []
        while (result := zoho.job(job)["result"])["more_records"]:
            pages.append(result["page"])
            job = zoho.start_job(page_token=result["next_page_token"])
            ids += [row["id"] for row in zoho.result(job)]
    assert (pages, len(ids), len(set(ids))) == ([1, 2], 12_001, 12_001)


@pytest.mark.slow
def test_the_next_set_can_be_requested_within_a_day(account: Account) -> None:
    account.bulk.rows = 2
    with asking(account) as zoho:
        token = zoho.finished(zoho.start_job())["result"]["next_page_token"]
        assert len(zoho.result(zoho.start_job(page_token=token))) == 1
        account.clock.advance(86_401)
        zoho.sign_in()
        late = zoho.post(JOBS, {"query": {"page_token": token}})
        assert reason(late) == (400, "EXPIRED_VALUE")


@pytest.mark.slow
def test_a_result_holds_the_records_that_exist_when_the_job_completes(account: Account) -> None:
    module = account.modules["Contacts"]
    ada, ben, _ = module.ids()
    with asking(account) as zoho:
        job = zoho.start_job(fields=["Last_Name"])
        module.delete(ada)
        zoho.finished(job)
        module.delete(ben)
        assert len(zoho.result(job)) == 2
        assert len(zoho.result(zoho.start_job())) == 1


@pytest.mark.slow
def test_converted_leads_are_left_out_unless_the_criteria_name_them(account: Account) -> None:
    leads = account.add_module("Leads", [Field("Last_Name", "text")])
    leads.insert({"Last_Name": "kept"})
    leads.convert(leads.insert({"Last_Name": "gone"}))
    with asking(account) as zoho:
        assert [row["Last_Name"] for row in zoho.result(zoho.start_job("Leads"))] == ["kept"]
        converted = zoho.start_job("Leads", criteria=criterion("Converted__s", "equal", True))
        assert [row["Last_Name"] for row in zoho.result(converted)] == ["gone"]


@pytest.mark.slow
def test_the_eleventh_download_in_a_minute_is_refused(account: Account) -> None:
    with asking(account) as zoho:
        url = zoho.finished(zoho.start_job())["result"]["download_url"]
        assert {zoho.ask(url).status_code for _ in range(10)} == {200}
        assert reason(zoho.ask(url)) == (429, "TOO_MANY_REQUESTS")
        account.clock.advance(61)
        assert zoho.ask(url).status_code == 200


@pytest.mark.slow
def test_a_job_can_hang_and_can_fail_with_a_reason(account: Account) -> None:
    with asking(account) as zoho:
        account.faults.bulk = "stuck"
        job = zoho.start_job()
        account.clock.advance(3_000)
        assert {zoho.job(job)["state"] for _ in range(6)} == {"QUEUED"}
        account.faults.bulk = "fail"
        details = zoho.job(job)
        assert details["state"] == "FAILURE"
        assert details["result"]["error_message"]["message"] == "The job could not be completed."
        assert zoho.ask(f"{JOBS}/{job}/result").status_code == 404


@pytest.mark.slow
def test_a_file_can_arrive_truncated(account: Account) -> None:
    account.faults.bulk = "truncated"
    with asking(account) as zoho:
        url = zoho.finished(zoho.start_job())["result"]["download_url"]
        answer = zoho.ask(url)
        assert answer.status_code == 200
        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(io.BytesIO(answer.content))
        account.faults.bulk = None
        assert zipfile.ZipFile(io.BytesIO(zoho.ask(url).content)).testzip() is None


@pytest.mark.slow
def test_the_column_of_ids_can_be_headed_as_older_versions_did(account: Account) -> None:
    account.bulk.id_column = "Id"
    with asking(account) as zoho:
        assert list(zoho.result(zoho.start_job(fields=["Age"]))[0]) == ["Id", "Age"]


@pytest.mark.slow
def test_a_download_can_be_interrupted(account: Account) -> None:
    with asking(account) as zoho:
        url = zoho.finished(zoho.start_job())["result"]["download_url"]
        account.faults.add("/result$", truncate=True)
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            zoho.ask(url)
        account.faults.add("/result$", reset=True)
        with pytest.raises(requests.ConnectionError):
            zoho.ask(url)
        assert zoho.ask(url).status_code == 200
