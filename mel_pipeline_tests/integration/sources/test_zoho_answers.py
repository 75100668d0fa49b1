"""Zoho responses are accepted by content and record count, not because the status is 200."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mel_pipeline.core.errors import TransientSourceError
from mel_pipeline.sandbox.zoho import Field
from mel_pipeline.sandbox.zoho.oauth import REFRESH
from mel_pipeline.sources.zoho_crm.mapping import FieldMapping
from mel_pipeline_tests.fixtures.zoho_account import Case, account_with
from mel_pipeline_tests.fixtures.zoho_stub import QUICK

DAY = 86_400
ERRORS: list[dict[str, Any]] = [
    {"code": "INTERNAL_ERROR", "details": {}, "message": "try later", "status": "error"},
    {"status": "error", "message": "try later"},
    {"code": "SOMETHING_NEW"},
    {"data": [{"code": "INTERNAL_ERROR", "details": {}, "message": "", "status": "error"}]},
    {"error": "something"},
    {"message": "maintenance"},
    {},
]


@contextmanager
def members(home: Path, count: int, **more: Any) -> Iterator[Case]:
    with account_with(home, "Accounts", [Field("Name", "text")], **more) as case:
        for number in range(count):
            case.module.insert({"Name": f"City {number}"})
        yield case


@pytest.mark.fault(42)
@pytest.mark.parametrize(
    "address", [r"/crm/v8/Accounts\?", "/Accounts/deleted", "/actions/count", "/settings/fields"]
)
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(body, id=",".join(body) or "nothing", marks=pytest.mark.slow if 2 < number < 6 else [])
        for number, body in enumerate(ERRORS)
    ],
)
@pytest.mark.sweep("data-", "-/actions/count")
def test_an_error_in_the_body_of_a_200_fails_and_the_change_it_hid_comes_with_the_next_load(
    tmp_path: Path, address: str, body: dict[str, Any]
) -> None:
    with members(tmp_path, 5) as case:
        if "count" not in address:
            case.load()
            case.clock.advance(3_600)
            case.module.update(case.module.ids()[0], {"Name": "Renamed"})
            case.module.delete(case.module.ids()[4])
        case.account.faults.add(address, times=None, status=200, body=body)
        with pytest.raises(TransientSourceError, match=r"Zoho CRM .*Run the load again"):
            case.load()
        case.account.faults.clear()
        case.clock.advance(3_600)
        case.load()
        assert case.ids() == sorted(case.module.ids())
        names = set(case.rows()["name"])
        assert "count" in address or "Renamed" in names


@pytest.mark.slow
@pytest.mark.fault(42)
def test_a_page_that_does_not_say_whether_more_follow_is_not_the_last(tmp_path: Path) -> None:
    with members(tmp_path, 3) as case:
        page = {"data": [{"id": case.module.ids()[0], "Name": "City 0"}]}
        case.account.faults.add(r"/crm/v8/Accounts\?", times=None, status=200, body=page)
        with pytest.raises(TransientSourceError, match="whether more records follow"):
            case.load()


@pytest.mark.slow
@pytest.mark.fault(43)
def test_a_short_answer_that_fits_on_one_page_deletes_nobody(tmp_path: Path) -> None:
    with members(tmp_path, 180) as case:
        case.load()
        case.clock.advance(61 * DAY)  # so that everything is read again
        case.module.unlisted = set(case.module.ids()[:30])
        with pytest.raises(TransientSourceError, match="150 records arrived where Zoho counts 180"):
            case.load()
        assert len(case.ids()) == 180
        case.module.unlisted = set()
        result = case.load()
        assert (result.deleted, result.expected, len(case.ids())) == (0, 180, 180)
        assert not result.warnings


@pytest.mark.slow
@pytest.mark.fault(43)
def test_records_that_zoho_counts_but_never_lists_are_reported_once_and_block_nothing(tmp_path: Path) -> None:
    with members(tmp_path, 20) as case:
        case.module.unlisted = set(case.module.ids()[:3])
        with pytest.raises(TransientSourceError, match="17 records arrived where Zoho counts 20"):
            case.load()
        second = case.load()
        assert second.new == 17
        assert "counts 20 records and lists 17" in " ".join(second.warnings)
        case.clock.advance(61 * DAY)
        third = case.load()  # a full one again
        assert not third.warnings
        gone = case.module.ids()[0]
        case.clock.advance(3_600)
        case.module.delete(gone)
        case.clock.advance(DAY)
        case.load()
        assert gone not in case.ids()  # Zoho reports it as deleted


@pytest.mark.slow
@pytest.mark.fault(42)
def test_a_page_token_of_another_user_restarts_the_list_at_once(tmp_path: Path) -> None:
    with account_with(tmp_path, "Accounts", [Field("Name", "text")]) as case:
        case.account.scopes.discard("ZohoCRM.coql.READ")
        case.module.fill(4_500, lambda number: {"Name": f"City {number}"})
        case.account.faults.add(r"/crm/v8/Accounts\?", after=16, times=None, status=503)
        with pytest.raises(TransientSourceError):
            case.load()
        case.account.faults.clear()
        case.account.oauth.users[REFRESH] = "546000000000000002"
        case.account.faults.expire_access_tokens()
        assert len(case.load().notes) >= 1
        assert case.ids() == sorted(case.module.ids())


@pytest.mark.slow
def test_a_mapped_field_that_no_layout_uses_is_found(tmp_path: Path) -> None:
    fields = [Field("Name", "text"), Field("Old_Code", "text", unused=True)]
    with account_with(tmp_path, "Accounts", fields) as case:
        case.module.insert({"Name": "City", "Old_Code": "A1"})
        case.load()
        assert case.rows()["old_code"].tolist() == ["A1"]


@pytest.mark.slow
def test_rich_text_is_fetched_in_full_a_hundred_records_a_call(tmp_path: Path) -> None:
    fields = [Field("Story", "textarea", length=32_000)]
    columns = {"story": FieldMapping(field="Story", whole=True)}
    with account_with(tmp_path, "Accounts", fields, columns) as case:
        for _ in range(150):
            case.module.insert({"Story": "x" * 900})
        case.load()
        assert set(case.rows()["story"].str.len()) == {900}
        assert sum(path.endswith("/fetch_full_data") for path in case.paths()) == 2


@pytest.mark.slow
@pytest.mark.parametrize("page", ["list", "deleted"])
def test_a_list_that_never_ends_stops_when_a_page_brings_nothing_new(tmp_path: Path, page: str) -> None:
    with members(tmp_path, 3) as case:
        ids = case.module.ids()
        info = {"more_records": True, "next_page_token": "again", "page": 1, "per_page": 200, "count": 3}
        record = {
            "Name": "City",
            "Created_Time": "2026-01-01T00:00:00Z",
            "Modified_Time": "2026-01-01T00:00:00Z",
        }
        body = {"data": [{"id": id, **record} for id in ids], "info": info}
        address = r"/crm/v8/Accounts\?" if page == "list" else "/Accounts/deleted"
        case.account.faults.add(address, times=None, status=200, body=body)
        with pytest.raises(TransientSourceError, match="brings none that is new"):
            case.load()
        assert len(case.paths()) < 30


@pytest.mark.slow
def test_a_wait_of_a_day_ends_the_load_and_names_the_time(tmp_path: Path) -> None:
    with members(tmp_path, 3, policy=replace(QUICK, longest_wait=120.0)) as case:
        case.account.faults.add(
            r"/crm/v8/Accounts\?", times=None, status=429, headers={"Retry-After": str(DAY)}
        )
        with pytest.raises(TransientSourceError, match="asks to wait 24 hours, until"):
            case.load()
        assert sum(path == "/crm/v8/Accounts" for path in case.paths()) == 1
