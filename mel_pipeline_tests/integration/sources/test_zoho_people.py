"""Zoho People over loopback: the form page by page, records that shift during paging, and its failures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import ContractError, PermanentSourceError, SourceError, TransientSourceError
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.sandbox.server import Sandbox
from mel_pipeline.sources.shared.base import Batch
from mel_pipeline.sources.zoho_people import client
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.conftest import Organisation
from mel_pipeline_tests.fixtures.loopback import Reply, Request, Service
from mel_pipeline_tests.fixtures.processing import PSEUDONYMISED, PSEUDONYMS
from mel_pipeline_tests.fixtures.zoho_stub import QUICK, SECRETS, Zoho, settings_for, zoho

FORM = "/people/api/forms/employee/getRecords"

pytestmark = [
    pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This pattern is interpreted:UserWarning"),
]


def staff(number: int, **more: str) -> dict[str, str]:
    fields = {
        "Zoho_ID": str(number),
        "Gender": "Female",
        "Employment_Type": "Staff",
        "Date_of_joining": "05-Mar-2021",
        "Date_of_exit": "",
        "First_Name": "Somebody",
    }
    return fields | more


def refused(code: int, message: str = "No records found") -> Reply:
    return Reply(
        {"response": {"message": message, "status": 1, "errors": {"code": code, "message": message}}}
    )


def page(request: Request, people: list[dict[str, str]]) -> Reply:
    assert request.path == FORM
    first, limit = int(request.query["sIndex"]), int(request.query["limit"])
    assert limit <= 200
    part = [{person["Zoho_ID"]: [person]} for person in people[first - 1 : first - 1 + limit]]
    if not part:
        return refused(7024)
    return Reply({"response": {"result": part, "message": "Data fetched successfully", "status": 0}})


def serve(service: Zoho, people: list[dict[str, str]]) -> None:
    service.module = lambda request: page(request, people)


def read(server: Service, home: Path) -> tuple[list[Batch], bool]:
    pull = client.open(settings_for(server, home), QUICK).pull("employees")
    return list(pull.batches), pull.complete()


def ids(batches: list[Batch]) -> list[str]:
    return [key for batch in batches for key in batch.frame["Zoho_ID"]]


def load(server: Service, home: Path) -> LoadResult:
    source = client.open(settings_for(server, home), QUICK)
    contract = contract_of("zoho_people")
    return load_entity(source, contract, "employees", warehouse(home), processing=PSEUDONYMISED)


def of(number: int) -> str:
    return PSEUDONYMS.of("zoho_people", str(number))


def warehouse(home: Path) -> Warehouse:
    return Warehouse(f"duckdb:///{home / 'warehouse.duckdb'}", 10)


@pytest.mark.parametrize("total", [0, 1, 199, 200, 201, 399, 400, 401, 650])
def test_staff_are_read_page_by_page_to_the_end_and_each_once(tmp_path: Path, total: int) -> None:
    with zoho() as (service, server):
        serve(service, [staff(number) for number in range(1, total + 1)])
        batches, complete = read(server, tmp_path)
    assert ids(batches) == [str(number) for number in range(1, total + 1)]
    assert complete
    if total:
        assert set(batches[0].frame["Date_of_joining"]) == {"2021-03-05"}
        assert "First_Name" not in batches[0].frame.columns


@pytest.mark.slow
def test_staff_no_longer_in_the_form_are_marked_deleted_and_kept_in_the_history(
    tmp_path: Path,
) -> None:
    with zoho() as (service, server):
        serve(service, [staff(1), staff(2), staff(3)])
        assert load(server, tmp_path).new == 3
        serve(service, [staff(1), staff(3, Date_of_exit="30-Jun-2024")])
        result = load(server, tmp_path)
    assert (result.new, result.changed, result.deleted) == (0, 1, 1)
    table = warehouse(tmp_path).read("select * from raw_zoho_people__employees").set_index("Zoho_ID")
    assert table["_is_deleted"].to_dict() == {of(1): False, of(2): True, of(3): False}
    versions = warehouse(tmp_path).read("select * from raw_zoho_people__employees_history")
    assert len(versions) == 5


@pytest.mark.slow
def test_an_empty_form_does_not_mean_that_all_staff_left(tmp_path: Path) -> None:
    with zoho() as (service, server):
        serve(service, [staff(1)])
        load(server, tmp_path)
        serve(service, [])
        with pytest.raises(ContractError, match="Nothing was changed"):
            load(server, tmp_path)
    stored = warehouse(tmp_path).read("select _is_deleted from raw_zoho_people__employees")
    assert stored["_is_deleted"].tolist() == [False]


@pytest.mark.slow
@pytest.mark.fault(17)
def test_a_duplicated_record_is_loaded_once_in_its_later_version(tmp_path: Path) -> None:
    with zoho() as (service, server):
        serve(service, [staff(1), staff(2), staff(1, Gender="Male")])
        result = load(server, tmp_path)
        twice = {"response": {"result": [{"1": [staff(1), staff(1, Gender="Non-binary")]}], "status": 0}}
        assert (result.new, result.repeated) == (2, 1)
        service.module = lambda request: Reply(twice)
        load(server, tmp_path)
    table = warehouse(tmp_path).read("select * from raw_zoho_people__employees").set_index("Zoho_ID")
    assert table.loc[of(1), "Gender"] == "Non-binary"


def moving(
    service: Zoho, server: Service, people: list[dict[str, str]], change: Callable[[], Any], times: int
) -> None:
    """The form changes after each first page, this many times."""

    def answer(request: Request) -> Reply:
        reply = page(request, people)
        if request.query["sIndex"] == "1" and server.count(FORM) <= 2 * times:
            change()
        return reply

    service.module = answer


def test_someone_deleted_during_paging_hides_no_other(tmp_path: Path) -> None:
    people = [staff(number) for number in range(1, 302)]
    with zoho() as (service, server):
        moving(service, server, people, lambda: people.pop(0), 1)
        batches, complete = read(server, tmp_path)
    assert complete
    assert ids(batches) == [str(number) for number in range(2, 302)]


def test_someone_added_during_paging_duplicates_nobody(tmp_path: Path) -> None:
    people = [staff(number) for number in range(1, 302)]
    with zoho() as (service, server):
        moving(service, server, people, lambda: people.insert(0, staff(900)), 1)
        batches, complete = read(server, tmp_path)
    assert complete
    assert sorted(ids(batches)) == sorted([str(number) for number in range(1, 302)] + ["900"])


@pytest.mark.slow
def test_a_form_that_keeps_changing_loads_and_marks_nobody_deleted(tmp_path: Path) -> None:
    people = [staff(number) for number in range(1, 402)]
    with zoho() as (service, server):
        serve(service, people)
        load(server, tmp_path)
        server.requests.clear()
        moving(service, server, people, lambda: people.pop(0), 9)
        result = load(server, tmp_path)
    assert server.count(FORM) == 2 * client.MAX_SCANS
    assert result.deleted == 0
    assert "nobody is marked deleted" in result.notes[0]


@pytest.mark.slow
def test_a_date_that_cannot_be_read_is_quarantined_instead_of_guessed(tmp_path: Path) -> None:
    with zoho() as (service, server):
        serve(service, [staff(1, Date_of_joining="31-Feb-2021"), staff(2, Date_of_exit="31-Feb-2021")])
        result = load(server, tmp_path)
    assert (result.new, result.quarantined, result.lost_cells) == (1, 1, 1), (
        "nobody is staff without a first day"
    )
    assert [reason.split(": ")[1] for reason in result.waiting] == [
        "Date_of_joining is not a date like 2024-03-05",
        "Date_of_exit is not a date like 2024-03-05",
    ]


@pytest.mark.parametrize("code", [7072, 7073, 7209])
def test_a_lock_is_transient_and_names_the_wait(tmp_path: Path, code: int) -> None:
    with zoho() as (service, server):
        service.module = lambda request: refused(code, "Threshold exceeded")
        with pytest.raises(TransientSourceError, match=rf"{code}.*five minutes.*wait 5 minutes"):
            read(server, tmp_path)
        assert server.count(FORM) == 1


def test_calls_are_counted_and_stop_before_zoho_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "CALLS", 2)
    with zoho() as (service, server):
        serve(service, [staff(number) for number in range(1, 700)])
        with pytest.raises(TransientSourceError, match="2 calls in 1 minute"):
            read(server, tmp_path)
        assert server.count(FORM) == 2


@pytest.mark.parametrize(
    ("reply", "kind", "message"),
    [(refused(7021, "Limit for x@y.org"), PermanentSourceError, "7021"),
     (refused(7011, "Form name is invalid"), PermanentSourceError, "form's name"),
     (Reply({"response": {"status": 0}}), PermanentSourceError, "no list of records"),
     (Reply({"response": []}), PermanentSourceError, "not Zoho People's"),
     (Reply(raw=b"<html>Sign in</html>"), PermanentSourceError, "web page"),
     (Reply(status=503), TransientSourceError, "503"), (Reply(status=404), PermanentSourceError, "MEL_ZOHO_PEOPLE_URL")],
    ids=["7021", "7011", "no list", "another answer", "web page", "outage", "404"],
)  # fmt: skip
def test_an_error_is_never_an_empty_staff_list(
    tmp_path: Path, reply: Reply, kind: type[SourceError], message: str
) -> None:
    with zoho() as (service, server):
        service.module = lambda request: reply
        with pytest.raises(kind, match=message) as caught:
            read(server, tmp_path)
        assert "@" not in str(caught.value)


def test_staff_survive_a_token_that_expires(tmp_path: Path) -> None:
    with zoho() as (service, server):
        service.valid = {"access-2"}
        serve(service, [staff(1)])
        batches, _ = read(server, tmp_path)
        assert ids(batches) == ["1"]
        assert server.count("/oauth") == 2


@pytest.mark.parametrize("code", [7202, 7203, 7218])
def test_a_token_refused_twice_is_an_error_that_names_the_scope(tmp_path: Path, code: int) -> None:
    with zoho() as (service, server):
        service.module = lambda request: refused(code, "Authorization failure")
        with pytest.raises(PermanentSourceError, match=r"ZOHOPEOPLE\.forms\.READ") as caught:
            read(server, tmp_path)
        assert server.count("/oauth") == 2
        assert not any(secret in str(caught.value) for secret in SECRETS)


def test_a_missing_scope_requests_no_second_token(tmp_path: Path) -> None:
    with zoho() as (service, server):
        body = {"code": "OAUTH_SCOPE_MISMATCH", "message": "Unauthorized", "status": "error"}
        service.module = lambda request: Reply(body, 401)
        with pytest.raises(PermanentSourceError, match=r"ZOHOPEOPLE\.forms\.READ"):
            read(server, tmp_path)
        assert server.count("/oauth") == 1


@pytest.mark.fault(23)
def test_a_renamed_field_stops_the_load_and_is_named(tmp_path: Path) -> None:
    with zoho() as (service, server):
        serve(service, [{name: value for name, value in staff(1).items() if name != "Employment_Type"}])
        with pytest.raises(ContractError, match="Employment_Type"):
            read(server, tmp_path)


@pytest.mark.slow
def test_the_staff_of_the_sample_are_all_loaded(organisation: Organisation, sandbox: Sandbox) -> None:
    result = organisation.load("zoho_people", "employees")
    assert (result.new, result.quarantined) == (len(sandbox.organisation.staff), 0)
    again = organisation.load("zoho_people", "employees")
    assert (again.new, again.changed, again.deleted) == (0, 0, 0)
