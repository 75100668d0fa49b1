"""Required behaviour of the Zoho CRM connector: one situation per test, against a stateful Zoho with its real limits.

The numbers are those of the connector's behaviours. 7 (hosts that may see the token) is in
test_zoho_sign_in.py, 8 (nothing leaks) in test_zoho_redaction.py; a killed load (14) also in test_zoho_kill.py.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from mel_pipeline.core.contracts import Column
from mel_pipeline.core.errors import ContractError, PermanentSourceError, TransientSourceError
from mel_pipeline.ingest.raw_tables import recent_drift
from mel_pipeline.sandbox.zoho import Field
from mel_pipeline.sources.zoho_crm.mapping import EntityMapping, FieldMapping
from mel_pipeline_tests.fixtures.zoho_account import Case, account_with, contract_for
from mel_pipeline_tests.fixtures.zoho_stub import QUICK

pytestmark = pytest.mark.exhaustive  # many loads; the fast tests have one of each kind

NAME = [Field("Name", "text")]
DAY = 86_400


@contextmanager
def members(home: Path, count: int = 0, **more: Any) -> Iterator[Case]:
    """A module of members with a name each."""
    with account_with(home, more.pop("module", "Accounts"), NAME, **more) as case:
        for number in range(count):
            case.module.insert({"Name": f"City {number}"})
        yield case


def sign_ins(case: Case) -> int:
    return sum(path.startswith("/oauth") for path in case.paths())


@pytest.mark.fault(10)
def test_01_a_revoked_refresh_token_is_fatal_after_one_call(tmp_path: Path) -> None:
    with members(tmp_path, 1, settings={"zoho_refresh_token": SecretStr("revoked")}) as case:
        with pytest.raises(PermanentSourceError, match="make a new one and set MEL_ZOHO_REFRESH_TOKEN"):
            case.load()
        assert sign_ins(case) == 1


@pytest.mark.parametrize("shape", ["200", "400"])
@pytest.mark.fault(11)
def test_02_a_throttled_sign_in_waits_and_the_load_goes_on(tmp_path: Path, shape: str) -> None:
    with members(tmp_path, 1) as case:
        case.account.faults.throttle_sign_in(2, shape=shape)
        assert case.load().new == 1
        assert sign_ins(case) == 3


@pytest.mark.slow
def test_02_never_more_than_ten_tokens_are_requested_in_ten_minutes(tmp_path: Path) -> None:
    with members(tmp_path, 1) as case:
        for _ in range(10):
            case.load()
            case.account.faults.expire_access_tokens()
        with pytest.raises(TransientSourceError, match="ten minutes"):
            case.load()
        assert sign_ins(case) == 10


def test_03_threads_that_meet_an_expired_token_share_one_renewal(tmp_path: Path) -> None:
    with members(tmp_path, 1, pages_delay=0.05) as case:
        case.load()
        case.account.faults.expire_access_tokens()
        source = case.source()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: list(source.pull("records").batches), range(4)))
        assert sign_ins(case) == 2


def test_04_a_valid_cached_token_is_used_again_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    with members(tmp_path, 1) as case:
        case.load()
        case.load()
        assert sign_ins(case) == 1
        (cache,) = (tmp_path / "secrets").iterdir()
        assert stat.S_IMODE(cache.stat().st_mode) == 0o600


def test_05_a_token_that_expires_mid_run_is_renewed_once_and_the_call_repeated(tmp_path: Path) -> None:
    with members(tmp_path, 450) as case:
        pages = iter(range(99))
        case.account.faults.on_call = lambda call: (
            case.account.faults.expire_access_tokens()
            if call.path.endswith("/Accounts") and next(pages) == 1
            else None
        )
        assert case.load().new == 450
        assert sign_ins(case) == 2


def test_05_a_second_401_fails(tmp_path: Path) -> None:
    with members(tmp_path, 1) as case:
        case.account.faults.add(
            "/crm/v8/Accounts", times=None, status=401, body={"code": "INVALID_TOKEN", "status": "error"}
        )
        with pytest.raises(PermanentSourceError, match="also with a new token"):
            case.load()
        assert sign_ins(case) == 2


@pytest.mark.parametrize("fault", ["scope", "permission"])
def test_06_one_refused_module_fails_by_name_and_the_others_finish(tmp_path: Path, fault: str) -> None:
    with members(tmp_path, 3) as case:
        case.account.add_module("Deals", NAME).insert({"Name": "Fund"})
        case.contract.entities["deals"] = contract_for(["name"])
        case.mapping["deals"] = case.mapping["records"].model_copy(update={"module": "Deals"})
        if fault == "scope":
            case.account.faults.revoke_scope("Deals")
        else:
            case.account.faults.deny("Deals")
        message = "ZohoCRM.modules.deals.READ" if fault == "scope" else "no permission for the module Deals"
        with pytest.raises(PermanentSourceError, match=message):
            case.load("deals")
        assert case.load().new == 3
        assert not case.warehouse.has_table("raw_zoho_crm__deals")


@pytest.mark.parametrize("total", [0, 1, 200, 2_000, 2_001, 4_321])
def test_09_every_id_arrives_exactly_once(tmp_path: Path, total: int) -> None:
    with members(tmp_path) as case:
        case.module.fill(total, lambda number: {"Name": f"City {number}"})
        result = case.load()
        assert (result.new, result.repeated, result.expected) == (total, 0, total)
        assert case.ids() == sorted(case.module.ids())


@pytest.mark.slow
@pytest.mark.parametrize("lacking", ["", "ZohoCRM.coql.READ", "ZohoCRM.bulk.READ"])
def test_10_beyond_100000_records_the_connector_switches_method_by_itself(
    tmp_path: Path, lacking: str
) -> None:
    with members(tmp_path) as case:
        case.account.scopes.discard(lacking)
        case.module.fill(100_001, lambda number: {"Name": f"City {number}"})
        result = case.load()
        assert (result.new, result.expected) == (100_001, case.module.count)
        assert len(set(case.ids())) == 100_001
        bulk = any(call.path.endswith("/bulk/v8/read") and call.status == 201 for call in case.account.calls)
        assert bulk is (lacking != "ZohoCRM.bulk.READ")
        assert result.usage["API credits used"] == sum(call.credits for call in case.account.calls)


@pytest.mark.slow
def test_10_changes_beyond_100000_are_read_by_query_where_the_pages_end(tmp_path: Path) -> None:
    with members(tmp_path) as case:
        case.load()
        case.clock.advance(DAY)
        case.module.fill(100_450, lambda number: {"Name": f"City {number}"}, spread=0)
        result = case.load()
        assert (result.new, result.repeated) == (100_450, 0)
        assert result.usage["read"] == "page by page, then by query (COQL)."


WIDE = [Field(f"Field_{number:03}", "text") for number in range(120)]


def wide_record(number: int, edition: int = 1) -> dict[str, str]:
    return {field.api_name: f"{field.api_name} of {number}, edition {edition}" for field in WIDE}


def test_11_120_fields_on_3_pages_arrive_whole_each_slice_by_its_own_tokens(tmp_path: Path) -> None:
    with account_with(tmp_path, "Accounts", WIDE) as case:
        for number in range(450):
            case.module.insert(wide_record(number))
        assert case.load().new == 450
        rows = case.rows()
        assert rows[[field.api_name.lower() for field in WIDE]].notna().all().all()
        assert rows["field_119"].is_unique
        queries = [call.query for call in case.account.calls if call.path == "/crm/v8/Accounts"]
        assert len(queries) == 9 and all(len(query["fields"].split(",")) <= 50 for query in queries)
        tokens = [query["page_token"] for query in queries if "page_token" in query]
        assert len(tokens) == len(set(tokens)) == 6


def test_12_a_record_changed_between_two_slices_is_never_half_filled(tmp_path: Path) -> None:
    with account_with(tmp_path, "Accounts", WIDE, settings={"zoho_concurrency": 1}) as case:
        ids = [case.module.insert(wide_record(number)) for number in range(250)]
        case.clock.advance(60)
        pages = iter(range(99))

        def change(call: Any) -> None:
            if call.path == "/crm/v8/Accounts" and next(pages) == 1:  # between the first slice and the second
                case.clock.advance(5)
                case.module.update(ids[7], wide_record(7, edition=2))

        case.account.faults.on_call = change
        case.load()
        rows = case.rows().set_index("_row_key")
        editions = {str(rows.loc[ids[7], field.api_name.lower()])[-1] for field in WIDE}
        assert editions == {"2"}
        assert len(rows) == 250


@pytest.mark.parametrize("may_query", [True, False])
def test_13_page_tokens_that_expire_mid_scan_lose_and_duplicate_no_record(
    tmp_path: Path, may_query: bool
) -> None:
    with members(tmp_path) as case:
        if not may_query:
            case.account.scopes.discard("ZohoCRM.coql.READ")
        case.module.fill(3_000, lambda number: {"Name": f"City {number}"})
        pages = iter(range(99))
        case.account.faults.on_call = lambda call: (
            case.account.faults.expire_page_tokens()
            if call.path == "/crm/v8/Accounts" and next(pages) == 12
            else None
        )
        assert case.load().new == 3_000
        assert case.ids() == sorted(case.module.ids())


def test_14_a_load_interrupted_after_some_pages_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    with members(tmp_path) as case:
        case.module.fill(30_000, lambda number: {"Name": f"City {number}"})
        case.account.scopes -= {"ZohoCRM.bulk.READ", "ZohoCRM.coql.READ"}
        case.account.faults.add(r"/crm/v8/Accounts$", after=70, times=None, status=503)
        with pytest.raises(TransientSourceError):
            case.load()
        assert not case.warehouse.has_table("raw_zoho_crm__records")
        calls_before = len(case.account.calls)
        case.account.faults.clear()
        result = case.load()
        assert (result.new, result.repeated) == (30_000, 0)
        assert len(case.account.calls) - calls_before < 100, "what was read is not read again"
        assert case.ids() == sorted(case.module.ids())


@pytest.mark.parametrize(
    "lacking", [{"ZohoCRM.bulk.READ", "ZohoCRM.coql.READ"}, {"ZohoCRM.coql.READ"}, {"ZohoCRM.bulk.READ"}]
)
def test_14_a_load_interrupted_after_its_last_record_only_requests_deletions(
    tmp_path: Path, lacking: set[str]
) -> None:
    with members(tmp_path) as case:
        case.account.scopes -= lacking
        case.module.fill(12_345, lambda number: {"Name": f"City {number}"})
        case.account.faults.add("/deleted$", times=None, status=503)
        with pytest.raises(TransientSourceError):
            case.load()
        calls_before = len(case.account.calls)
        case.account.faults.clear()
        assert case.load().new == 12_345
        assert len(case.account.calls) - calls_before < 8


@pytest.mark.fault(19)
def test_15_two_records_of_one_second_on_either_side_of_the_watermark_are_both_there(
    tmp_path: Path,
) -> None:
    with members(tmp_path) as case:
        second = case.clock.now().replace(microsecond=0)
        first = case.module.insert({"Name": "first"}, modified=second)
        case.load()
        later = case.module.insert({"Name": "committed late"}, modified=second)
        result = case.load()
        assert case.ids() == sorted([first, later])
        assert (result.new, result.unchanged) == (1, 1)


@pytest.mark.parametrize("status", [304, 204])
def test_16_nothing_new_is_a_success_with_no_rows_that_keeps_the_watermark(
    tmp_path: Path, status: int
) -> None:
    with members(tmp_path, 3) as case:
        case.load()
        before = json.loads(case.warehouse.read("select cursor from source_cursor")["cursor"].item())
        case.clock.advance(3_600)
        case.account.faults.add(r"/crm/v8/Accounts$", times=None, status=status)
        result = case.load()
        assert (result.fetched, result.deleted) == (0, 0)
        after = json.loads(case.warehouse.read("select cursor from source_cursor")["cursor"].item())
        assert after["modified"] == before["modified"]
        assert len(case.ids()) == 3


def test_17_a_server_that_ignores_if_modified_since_gives_the_same_rows(tmp_path: Path) -> None:
    with members(tmp_path, 300) as case:
        case.clock.advance(DAY)
        case.module.insert({"Name": "the latest"})
        case.load()
        case.clock.advance(DAY)
        changed = case.module.ids()[5]
        case.module.update(changed, {"Name": "renamed"})
        case.account.faults.ignore_if_modified_since = True
        result = case.load()
        assert (result.changed, result.fetched) == (1, 2)  # and the latest, within the overlap


def test_18_timestamps_with_different_offsets_are_compared_as_instants(tmp_path: Path) -> None:
    with members(tmp_path) as case:
        india = datetime(2026, 3, 1, 23, 30, tzinfo=UTC).astimezone(_offset(5.5))
        samoa = datetime(2026, 3, 1, 23, 45, tzinfo=UTC).astimezone(_offset(-11))
        case.module.insert({"Name": "India"}, created=india, modified=india)  # 2 March 05:00 there
        case.module.insert({"Name": "Samoa"}, created=samoa, modified=samoa)  # 1 March 12:45 there
        case.load()
        cursor = json.loads(case.warehouse.read("select cursor from source_cursor")["cursor"].item())
        assert datetime.fromisoformat(cursor["modified"]) == samoa
        assert case.load().fetched == 1  # only the later one is within the overlap


def _offset(hours: float) -> Any:
    from datetime import timezone

    return timezone(timedelta(hours=hours))


def test_19_deleted_deleted_for_good_and_restored_are_all_in_the_history(tmp_path: Path) -> None:
    with members(tmp_path) as case:
        bin_, gone, back = (case.module.insert({"Name": name}) for name in ("bin", "gone", "back"))
        case.load()
        for step in (
            lambda: (
                case.module.delete(bin_),
                case.module.delete(gone, permanent=True),
                case.module.delete(back),
            ),
            lambda: case.module.restore(back),
        ):
            case.clock.advance(DAY)
            step()
            case.clock.advance(3_600)
            case.load()
        assert case.ids() == [back]
        kept = case.rows("raw_zoho_crm__records_history")
        states = {key: rows["_is_deleted"].tolist() for key, rows in kept.groupby("_row_key")}
        assert states == {bin_: [False, True], gone: [False, True], back: [False, True, False]}


def test_20_a_first_sync_reports_records_deleted_before_it(tmp_path: Path) -> None:
    with members(tmp_path, 3) as case:
        case.load()
        gone = case.module.ids()[0]
        case.module.delete(gone)
        with case.warehouse.transaction() as connection:
            connection.exec_driver_sql("delete from source_cursor")
        assert case.load().deleted == 1
        assert gone not in case.ids()


@pytest.mark.parametrize("permanent", [True, False])
def test_20_after_more_than_60_days_everything_is_reconciled_by_ids(tmp_path: Path, permanent: bool) -> None:
    with members(tmp_path, 5) as case:
        case.load()
        case.clock.advance(3_600)
        gone = case.module.ids()[2]
        case.module.delete(gone, permanent=permanent)
        case.clock.advance(130 * DAY)  # it is on no list of deletions any more
        result = case.load()
        assert (result.deleted, result.expected) == (1, 4)
        assert gone not in case.ids()


def test_21_a_converted_lead_is_still_there_and_marked(tmp_path: Path) -> None:
    fields = [Field("Last_Name", "text"), Field("Converted__s", "boolean")]
    with account_with(tmp_path, "Leads", fields, {"converted": "Converted__s"}) as case:
        ids = [case.module.insert({"Last_Name": f"Lead {number}"}) for number in range(3)]
        case.load()
        case.clock.advance(DAY)
        case.module.convert(ids[1])
        result = case.load()
        assert (result.changed, result.deleted) == (1, 0)
        marked = case.rows().set_index("_row_key")["converted"]
        assert marked.loc[ids].tolist() == ["false", "true", "false"]


@pytest.mark.slow
def test_21_converted_leads_are_included_in_a_bulk_read_too(tmp_path: Path) -> None:
    fields = [Field("Last_Name", "text"), Field("Converted__s", "boolean")]
    with account_with(tmp_path, "Leads", fields, {"converted": "Converted__s"}) as case:
        case.module.fill(100_010, lambda number: {"Last_Name": f"Lead {number}"})
        converted = case.module.ids()[:7]
        for lead in converted:
            case.module.convert(lead)
        assert case.load().new == 100_010
        rows = case.rows().set_index("_row_key")
        assert rows.index[rows["converted"] == "true"].tolist() == sorted(converted)


def test_22_subforms_multi_select_lookups_and_long_texts_arrive_whole(tmp_path: Path) -> None:
    fields = [
        Field("Terms", "subform"),
        Field("Cities", "multiselectlookup"),
        Field("Story", "textarea", length=32_000),
        Field("Note", "textarea", length=32_000),
    ]
    columns = {
        "terms": "Terms",
        "cities": "Cities",
        "story": FieldMapping(field="Story", whole=True),
        "note": "Note",
    }
    with account_with(tmp_path, "Accounts", fields, columns) as case:
        story = "long " * 300
        for number in range(3):
            case.module.insert(
                {
                    "Terms": [{"From": "2024-01-01"}, {"From": "2025-01-01"}],
                    "Cities": [{"name": "Dakar", "id": "71"}, {"name": "Quito", "id": "72"}],
                    "Story": story if number else "short",
                    "Note": story,
                }
            )
        case.load()
        rows = case.rows()
        assert rows["cities"].tolist() == ["71;72"] * 3
        assert [len(json.loads(terms)) for terms in rows["terms"]] == [2, 2, 2]
        assert rows["story"].str.strip().tolist() == ["short", story.strip(), story.strip()]
        assert rows["note"].str.len().max() <= 500, "only what the mapping asks for costs a call"


def test_22_a_long_text_costs_a_call_only_where_it_was_cut(tmp_path: Path) -> None:
    fields = [Field("Story", "textarea", length=32_000)]
    with account_with(
        tmp_path, "Accounts", fields, {"story": FieldMapping(field="Story", whole=True)}
    ) as case:
        for number in range(50):
            case.module.insert({"Story": "x" * (900 if number == 7 else 100)})
        case.load()
        assert case.rows()["story"].str.len().max() == 900
        assert sum(path.endswith("/actions/fetch_full_data") for path in case.paths()) == 1


def test_23_custom_modules_hidden_fields_and_fields_without_json_type_are_discovered(tmp_path: Path) -> None:
    fields = [Field("First_Name", "text", visible=False), Field("Odd", "text", json_type=None)]
    with account_with(tmp_path, "Board_Seats", fields) as case:
        case.module.insert({"First_Name": "hidden", "Odd": "odd"})
        case.load()
        assert case.rows()[["first_name", "odd"]].values.tolist() == [["hidden", "odd"]]


@pytest.mark.fault(22)
def test_23_new_and_retyped_fields_are_recorded_as_drift_and_the_figures_go_on(tmp_path: Path) -> None:
    with members(tmp_path, 2) as case:
        case.load()
        assert recent_drift(case.warehouse, "zoho_crm", "records") == []
        case.module.add_field(Field("Population", "integer"))
        case.module.retype_field("Name", "textarea")
        case.load()
        drift = recent_drift(case.warehouse, "zoho_crm", "records")
        assert [sentence.split(", seen")[0] for sentence in drift] == [
            "Name changed from text to textarea",
            "Population is new (integer)",
        ]


def test_23_a_removed_field_stops_its_module_by_name_is_recorded_and_hides_no_other(tmp_path: Path) -> None:
    with members(tmp_path, 2) as case:
        case.account.add_module("Deals", NAME).insert({"Name": "Fund"})
        case.contract.entities["deals"] = contract_for(["name"])
        case.mapping["deals"] = case.mapping["records"].model_copy(update={"module": "Deals"})
        case.load()
        case.load("deals")
        case.module.remove_field("Name")
        with pytest.raises(ContractError, match=r"fields Name no longer exist.*mapping\.yml"):
            case.load()
        assert case.load("deals").unchanged == 1
        assert "Name is gone (was text)" in recent_drift(case.warehouse, "zoho_crm", "records")[0]
        assert len(case.ids()) == 2, "the earlier rows are still there"


BIG = 20_000  # beyond 10,000 a first load takes Bulk Read or queries


@contextmanager
def bulky(home: Path, **more: Any) -> Iterator[Case]:
    """Enough members for Bulk Read, and a token without the query scope."""
    with members(home, **more) as case:
        case.account.scopes.discard("ZohoCRM.coql.READ")
        case.module.fill(BIG, lambda number: {"Name": f"City {number}"})
        yield case


def test_24_a_result_shown_before_the_job_is_completed_is_not_fetched(tmp_path: Path) -> None:
    with bulky(tmp_path) as case:
        assert case.load().new == BIG
        paths = case.paths()
        polls = [path for path in paths if "/bulk/" in path and path[-1].isdigit()]
        assert len(polls) >= 3, "ADDED, QUEUED, IN PROGRESS, then COMPLETED"
        assert paths.index(next(path for path in paths if path.endswith("/result"))) > paths.index(polls[2])


def test_24_a_job_zoho_gives_up_fails_with_its_reason(tmp_path: Path) -> None:
    with bulky(tmp_path) as case:
        case.account.faults.bulk = "fail"
        with pytest.raises(PermanentSourceError, match="Zoho aborted the job"):
            case.load()


def test_24_a_stuck_job_hits_a_deadline_and_the_next_run_polls_the_same_one(tmp_path: Path) -> None:
    with bulky(tmp_path, policy=replace(QUICK, job=0.3, poll=0.05)) as case:
        case.account.faults.bulk = "stuck"
        with pytest.raises(TransientSourceError, match="the job is still"):
            case.load()
        case.account.faults.bulk = None
        assert case.load().new == BIG
        assert started(case) == 1, "a job that is paid for is not started twice"


def started(case: Case) -> int:
    return sum(call.path.endswith("/bulk/v8/read") and call.status == 201 for call in case.account.calls)


def test_24_a_job_left_by_an_interrupted_load_is_restarted_if_zoho_no_longer_has_it(tmp_path: Path) -> None:
    with bulky(tmp_path, policy=replace(QUICK, job=0.3, poll=0.05)) as case:
        case.account.faults.bulk = "stuck"
        with pytest.raises(TransientSourceError):
            case.load()
        case.account.faults.bulk = None
        gone = {"code": "INVALID_DATA", "status": "error", "message": "no such job"}
        case.account.faults.add(r"/crm/bulk/v8/read/\d+$", status=404, body=gone)
        assert case.load().new == BIG
        assert started(case) == 2


def test_a_list_that_keeps_shifting_defers_and_the_next_run_starts_over(tmp_path: Path) -> None:
    with members(tmp_path) as case:
        case.module.fill(1_000, lambda number: {"Name": f"City {number}"})
        counted = {"count": 1_001}  # Zoho counts one more record than it returns
        case.account.faults.add("/actions/count$", times=None, status=200, body=counted)
        with pytest.raises(TransientSourceError, match="1,000 records arrived where Zoho counts 1,001"):
            case.load()
        assert not case.warehouse.has_table("raw_zoho_crm__records")
        case.account.faults.clear()
        assert case.load().new == 1_000


@pytest.mark.slow
@pytest.mark.fault(15)
def test_24_a_truncated_archive_is_fetched_again(tmp_path: Path) -> None:
    with bulky(tmp_path) as case:
        case.account.faults.add(r"/result$", truncate=True)
        assert case.load().new == BIG
        case.account.faults.bulk = "truncated"
        case.clock.advance(130 * DAY)
        with pytest.raises(TransientSourceError, match="cut short"):
            case.load()
        assert len(case.ids()) == BIG


def test_24_an_eleventh_download_within_a_minute_waits_its_turn(tmp_path: Path) -> None:
    with bulky(tmp_path) as case:
        api = case.source()._api
        waited: list[float] = []
        api.http._sleep = waited.append
        api.http.policy = replace(QUICK, longest_wait=90)
        for _ in range(11):
            api.downloads.wait("A download")
        assert len(waited) == 1 and 50 < waited[0] <= 60


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "body": {"code": "TOO_MANY_REQUESTS", "status": "error"}},
        {"status": 429, "body": {"code": "TOO_MANY_REQUESTS", "details": {"retry_after": "0"}}},
        {"status": 500, "body": {"code": "INTERNAL_ERROR", "status": "error"}},
        {"status": 503},
        {"reset": True},
        {"truncate": True},
    ],
    ids=["429", "429 with details.retry_after", "500", "503", "reset", "truncated"],
)
@pytest.mark.fault(12, 13, 15)
def test_25_a_transient_fault_is_retried_and_a_lasting_one_defers_with_a_checkpoint(
    tmp_path: Path, fault: dict[str, Any]
) -> None:
    with members(tmp_path) as case:
        case.module.fill(1_000, lambda number: {"Name": f"City {number}"})
        case.account.faults.add(r"/crm/v8/Accounts$", after=1, times=1, **fault)
        assert case.load().new == 1_000
        case.clock.advance(DAY)
        case.module.fill(1_000, lambda number: {"Name": f"Town {number}"}, spread=0)
        begun = len(case.account.calls)
        case.account.faults.add(r"/crm/v8/Accounts$", after=2, times=None, **fault)
        with pytest.raises(TransientSourceError):
            case.load()
        assert len(case.account.calls) - begun < 20, "bounded"
        assert len(case.ids()) == 1_000, "a partial picture is not published"
        assert case.warehouse.read("select count(*) n from load_checkpoint")["n"].item() == 1
        case.account.faults.clear()
        assert case.load().new == 1_000


def test_25_a_load_defers_at_the_credit_reserve_and_resumes_when_credits_return(
    tmp_path: Path,
) -> None:
    limits = {"credits": 60, "settings": {"zoho_credit_reserve": 15}}
    with members(tmp_path, **limits) as case:
        case.module.fill(10_000, lambda number: {"Name": f"City {number}"})
        with pytest.raises(TransientSourceError, match="MEL_ZOHO_CREDIT_RESERVE"):
            case.load()
        assert case.account.credits_used <= 60 - 15 + 1
        case.clock.advance(DAY + 1)
        result = case.load()
        assert result.new == 10_000
        assert case.ids() == sorted(case.module.ids())


def test_calls_at_once_stay_within_the_editions_limit(tmp_path: Path) -> None:
    fields = [Field("Terms", "subform")]
    with account_with(
        tmp_path, "Accounts", fields, settings={"zoho_concurrency": 4}, concurrency=4, pages_delay=0.02
    ) as case:
        for _ in range(60):
            case.module.insert({"Terms": [{"From": "2024-01-01"}]})
        assert case.load().new == 60
        assert case.account.highest_concurrency == 4
        assert not any(call.status == 429 for call in case.account.calls)


@pytest.mark.fault(18)
def test_a_record_deleted_during_paging_hides_no_other(tmp_path: Path) -> None:
    with members(tmp_path) as case:
        case.module.fill(1_000, lambda number: {"Name": f"City {number}"})
        first = case.module.ids()[0]
        pages = iter(range(99))
        case.account.faults.on_call = lambda call: (
            case.module.delete(first) if call.path == "/crm/v8/Accounts" and next(pages) == 1 else None
        )
        case.load()
        assert case.ids() == sorted(case.module.ids())


def test_a_formula_field_that_changes_without_a_trace_is_read_every_time(tmp_path: Path) -> None:
    figures = {"value": 1}
    fields = [*NAME, Field("Score", "formula", formula=lambda record: figures["value"])]
    with account_with(tmp_path, "Accounts", fields) as case:
        case.module.insert({"Name": "City"})
        case.load()
        case.clock.advance(DAY)
        figures["value"] = 2
        assert case.load().changed == 1
        assert case.rows()["score"].tolist() == ["2"]


def test_the_organisations_own_values_become_the_contracts(tmp_path: Path) -> None:
    words = FieldMapping(field="Sexo", values={"Mujer": "Woman", "Hombre": "Man"})
    with account_with(tmp_path, "Contacts", [Field("Sexo", "picklist")], {"gender": words}) as case:
        case.contract.entities["records"].columns["gender"] = Column(allowed=["Woman", "Man"])
        for word in ("Mujer", "Hombre", "Otra"):
            case.module.insert({"Sexo": word})
        result = case.load()
        assert sorted(case.rows()["gender"].dropna()) == ["Man", "Woman"]
        assert (result.quarantined, result.lost_cells) == (0, 1) and "'Otra'" in result.waiting[0]


def test_another_mapping_reads_everything_again(tmp_path: Path) -> None:
    with account_with(tmp_path, "Accounts", [*NAME, Field("Label", "text")], {"name": "Name"}) as case:
        case.module.insert({"Name": "old", "Label": "new"})
        case.load()
        case.clock.advance(DAY)
        fields = case.mapping["records"].fields | {"name": FieldMapping(field="Label")}
        case.mapping["records"] = EntityMapping(module="Accounts", fields=fields)
        assert case.load().changed == 1
        assert case.rows()["name"].tolist() == ["new"]
