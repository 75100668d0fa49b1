"""The sample organisation in the simulated Zoho: CRM, People and Campaigns, queried as a client would."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import requests

from mel_pipeline.sandbox import Sandbox, running
from mel_pipeline.sandbox.zoho import Account
from mel_pipeline_tests.fixtures.zoho_client import Client, asking

TODAY = date(2026, 11, 20)
STAFF = "/people/api/forms/employee/getRecords"
NEWSLETTER = "/campaigns/api/v1.1"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with running(today=TODAY) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def zoho(box: Sandbox) -> Iterator[Client]:
    with requests.Session() as session:
        client = Client(box.url, session)
        client.sign_in()
        yield client


# CRM


@pytest.mark.slow
def test_nothing_in_the_sample_is_dated_after_its_clock(box: Sandbox) -> None:
    now = box.zoho.clock.now()
    assert now >= datetime(2026, 11, 20, tzinfo=UTC)
    for name, module in box.zoho.modules.items():
        latest = module.view("Modified_Time", "both")[-1]
        assert latest.modified <= now.timestamp(), name


def test_all_people_and_participations_are_there_once(box: Sandbox, zoho: Client) -> None:
    people = [row["id"] for row in zoho.scan("Contacts")]
    assert len(people) == len(set(people)) == 4_321
    assert zoho.get("Contacts/actions/count").json() == {"count": 4_321}
    assert box.zoho.modules["Participations"].count > 2_000


def test_timestamps_carry_different_offsets(zoho: Client) -> None:
    offsets = {row["Modified_Time"][-6:] for row in zoho.rows("Contacts", fields="Modified_Time")}
    assert {"+01:00", "+02:00", "+05:30"} <= offsets


def test_lookups_are_objects_multi_selects_are_lists_and_ids_are_text(zoho: Client) -> None:
    event = zoho.rows("Network_Events", fields="Themes,Line_of_Action,Organised_By_Network")[0]
    assert isinstance(event["Themes"], list)
    assert set(event["Line_of_Action"]) <= {"1", "2", "3", "4", "5"}
    assert isinstance(event["Organised_By_Network"], bool)
    row = zoho.rows("Participations", fields="Event")[0]
    assert set(row["Event"]) == {"id", "name"}
    assert 18 <= len(row["id"]) <= 19


def test_people_have_no_name_or_address_even_when_the_fields_are_requested(zoho: Client) -> None:
    person = zoho.rows("Contacts", fields="First_Name,Last_Name,Email")[0]
    assert (person["First_Name"], person["Email"]) == (None, None)
    assert person["Last_Name"].startswith("Sample person ")


@pytest.mark.parametrize("module", ["Contacts", "Participations"])
def test_deleted_records_are_listed_and_no_longer_served(zoho: Client, module: str) -> None:
    rows = zoho.rows(f"{module}/deleted", type="all")
    assert sorted(row["type"] for row in rows) == ["permanent", "permanent", "recycle", "recycle"]
    ids = ",".join(row["id"] for row in rows)
    assert zoho.get(module, fields="id", ids=ids).status_code == 204


def test_metadata_lists_the_modules_and_every_field_that_is_served(zoho: Client) -> None:
    modules = {row["api_name"]: row for row in zoho.get("settings/modules").json()["modules"]}
    expected = {"Accounts", "Contacts", "Deals", "Network_Events", "Participations", "Board_Seats"}
    assert set(modules) == expected
    assert modules["Network_Events"]["module_name"] != "Network_Events"
    for module in expected:
        fields = [row["api_name"] for row in zoho.get("settings/fields", module=module).json()["fields"]]
        assert set(zoho.rows(module, fields=",".join(fields))[0]) == set(fields)


# Zoho People


def staff(zoho: Client, **query: Any) -> dict[str, Any]:
    answer = zoho.ask(STAFF, **query)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()["response"]
    return body


def test_staff_are_listed_as_one_object_per_record_with_dates_as_the_form_prints_them(zoho: Client) -> None:
    body = staff(zoho, sIndex=1, limit=200)
    assert (body["status"], body["message"]) == (0, "Data fetched successfully")
    for entry in body["result"]:
        ((record_id, (row,)),) = entry.items()
        assert row["Zoho_ID"] == record_id
        assert datetime.strptime(row["Date_of_joining"], "%d-%b-%Y").date() <= TODAY
        assert row["Gender"] in ("Female", "Male", "Non-binary", "Prefers not to say", "")
    assert "" in {row["Date_of_exit"] for entry in body["result"] for (row,) in entry.values()}


def test_staff_pages_join_without_a_gap_and_end_with_code_7024(zoho: Client) -> None:
    everyone = staff(zoho, sIndex=1, limit=200)["result"]
    parts = staff(zoho, sIndex=1, limit=10)["result"] + staff(zoho, sIndex=11, limit=200)["result"]
    assert parts == everyone
    end = staff(zoho, sIndex=len(everyone) + 1, limit=200)
    assert (end["status"], end["errors"]["code"]) == (1, 7024)


def test_only_staff_changed_after_a_given_time_are_listed(zoho: Client) -> None:
    since = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1_000)
    rows = [row for entry in staff(zoho, modifiedtime=since)["result"] for (row,) in entry.values()]
    assert rows
    assert all(int(row["ModifiedTime"]) > since for row in rows)
    latest = max(int(row["ModifiedTime"]) for row in rows)
    assert staff(zoho, modifiedtime=latest)["errors"]["code"] == 7024


def test_more_than_two_hundred_staff_at_once_are_code_7021_and_an_unknown_form_7011(zoho: Client) -> None:
    assert staff(zoho, limit=201)["errors"]["code"] == 7021
    unknown = zoho.ask("/people/api/forms/nothing/getRecords").json()["response"]
    assert unknown["errors"] == {"code": 7011, "message": "Form name 'nothing' is invalid"}


@pytest.mark.slow
def test_the_401st_call_to_people_in_a_minute_locks_it_for_five(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mel_pipeline.sandbox.zoho.people.CALLS", 4)
    account = Account()
    account.forms["employee"] = [{"Zoho_ID": "1", "ModifiedTime": "0"}]
    with asking(account) as zoho:
        for wait, code in ((0, None), (0, None), (30, None), (20, None), (0, 7209), (290, 7209), (11, None)):
            account.clock.advance(wait)
            assert staff(zoho).get("errors", {}).get("code") == code


# Zoho Campaigns


def issues(zoho: Client, **query: Any) -> list[dict[str, str]]:
    answer = zoho.ask(f"{NEWSLETTER}/recentcampaigns", resfmt="JSON", **query).json()
    assert (answer["status"], answer["code"]) == ("success", "0")
    listed: list[dict[str, str]] = answer["recent_campaigns"]
    return listed


def report(zoho: Client, key: str) -> dict[str, Any]:
    answer = zoho.ask(f"{NEWSLETTER}/campaignreports", resfmt="JSON", campaignkey=key)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def test_two_issues_a_month_were_sent_and_the_next_one_is_a_draft(zoho: Client) -> None:
    sent = issues(zoho, status="sent", range=500)
    months = [datetime.fromtimestamp(int(i["sent_time"]) / 1_000, UTC).strftime("%Y-%m") for i in sent]
    assert months == sorted(months, reverse=True)
    assert {months.count(month) for month in set(months) - {"2026-11"}} == {2}
    assert (months[-1], months[0], len(sent)) == ("2023-01", "2026-11", 93)
    (draft,) = issues(zoho, status="drafts")
    assert "sent_time" not in draft
    assert report(zoho, draft["campaign_key"])["code"] == "6002"


def test_issues_come_five_at_a_time_by_default_and_join_without_a_gap(zoho: Client) -> None:
    assert len(issues(zoho)) == 5
    parts = [issue for first in (1, 21) for issue in issues(zoho, fromindex=first, range=20)]
    assert parts == issues(zoho, range=40)
    rising = issues(zoho, sort="asc", range=500)
    assert rising == issues(zoho, sort="desc", range=500)[::-1]
    end = zoho.ask(f"{NEWSLETTER}/recentcampaigns", resfmt="JSON", fromindex=500, range=20)
    assert (end.status_code, end.json()["code"]) == (200, "6101")


@pytest.mark.slow
def test_counts_of_a_report_are_text_and_agree_with_one_another(zoho: Client) -> None:
    for issue in issues(zoho, status="sent", range=500):
        (counts,) = report(zoho, issue["campaign_key"])["campaign-reports"]
        assert all(isinstance(value, str) for value in counts.values())
        number = {name: int(text) for name, text in counts.items() if text.isdecimal()}
        assert number["delivered_count"] + number["bounces_count"] == number["emails_sent_count"]
        assert number["opens_count"] + number["unopened"] == number["delivered_count"]
        assert 0 < number["unique_clicks_count"] < number["opens_count"] < number["delivered_count"]


def test_the_audience_grows_from_the_relaunch_of_2024_on(box: Sandbox) -> None:
    recipients: dict[int, list[int]] = {}
    for issue in box.organisation.newsletter:
        if issue.sent:
            recipients.setdefault(issue.sent.year, []).append(issue.recipients)
    means = {year: sum(counts) / len(counts) for year, counts in recipients.items()}
    assert means[2023] < 3_100 < means[2024] < means[2025] < means[2026]
    first, last = recipients[2023][0], recipients[2023][-1]
    assert last < first


def test_an_unknown_key_and_a_missing_format_are_errors_inside_200(zoho: Client) -> None:
    assert report(zoho, "nothing")["code"] == "6002"
    xml = zoho.ask(f"{NEWSLETTER}/recentcampaigns")
    assert (xml.status_code, xml.headers["Content-Type"].split(";")[0]) == (200, "text/xml")


@pytest.mark.slow
def test_one_call_too_many_locks_an_address_of_campaigns_for_half_an_hour(
    monkeypatch: pytest.MonkeyPatch, box: Sandbox
) -> None:
    monkeypatch.setattr("mel_pipeline.sandbox.zoho.campaigns.CALLS", 3)
    account = Account()
    account.campaigns += box.organisation.newsletter
    path = f"{NEWSLETTER}/recentcampaigns"
    with asking(account) as zoho:
        for wait, code in ((0, "0"), (200, "0"), (90, "0"), (0, "2008"), (1_790, "2008"), (11, "0")):
            account.clock.advance(wait)
            assert zoho.ask(path, resfmt="JSON").json()["code"] == code
        key = account.campaigns[0].key
        assert report(zoho, key)["code"] == "0"
