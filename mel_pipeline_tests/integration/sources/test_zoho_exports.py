"""CRM exports made by hand, from the drop folder to the raw tables."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from openpyxl import Workbook

from mel_pipeline.core.contracts import SourceContract, contract_of
from mel_pipeline.core.errors import PermanentSourceError, SettingsError, SourceError, TransientSourceError
from mel_pipeline.core.settings import Settings, with_sample_values
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.sandbox.server import Sandbox
from mel_pipeline.sources import open_source
from mel_pipeline.sources.shared.base import Batch
from mel_pipeline.sources.zoho_crm import exports
from mel_pipeline.sources.zoho_crm.exports import ExportFolder
from mel_pipeline.sources.zoho_crm.mapping import FieldMapping, mapping_for
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.fixtures.processing import PSEUDONYMISED, PSEUDONYMS
from mel_pipeline_tests.fixtures.zoho_exports import as_csv, drop, export_rows

MAPPING = mapping_for(Settings(_env_file=None))
PERSON = "Marguerite Sample"
DAY = 86_400.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This pattern is interpreted:UserWarning"),
]


def small_contract() -> SourceContract:
    contract = contract_of("zoho_crm").model_copy(deep=True)
    for entity in contract.entities.values():
        entity.min_rows = 1
    return contract


@dataclass
class Case:
    folder: Path
    source: ExportFolder
    warehouse: Warehouse

    def load(self, entity: str = "accounts") -> LoadResult:
        return load_entity(
            self.source, self.source.contract, entity, self.warehouse, processing=PSEUDONYMISED
        )

    def rows(self, entity: str = "accounts") -> pd.DataFrame:
        """Rows that are not deleted, by id."""
        table = self.warehouse.read(f"select * from raw_zoho_crm__{entity} where not _is_deleted")
        return table.set_index("id").sort_index()

    def pull(
        self, entity: str = "accounts", cursor: str | None = None
    ) -> tuple[list[Batch], str | None, bool]:
        pull = self.source.pull(entity, cursor=cursor)
        batches = list(pull.batches)
        return batches, pull.cursor(), pull.complete()

    def reasons(self, entity: str = "accounts") -> dict[str, str]:
        return {row.source_ref: row.reason for batch in self.pull(entity)[0] for row in batch.rejected}


@pytest.fixture
def case(tmp_path: Path) -> Case:
    folder = tmp_path / "drop"
    folder.mkdir()
    source = ExportFolder(folder, small_contract(), MAPPING, ZoneInfo("Europe/Madrid"))
    return Case(folder, source, Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}", 10))


def account(number: int, modified: str = "2024-05-01 10:00:00", **more: str) -> dict[str, str]:
    row = {
        "Record Id": f"zcrm_54600000000000000{number}",
        "Account Owner": PERSON,
        "Account Name": f"City {number}",
        "Organisation Type": "City government",
        "Member Type": "Member",
        "Region": "Europe",
        "Country Code": "ES",
        "Jurisdiction Type": "",
        "Part Of.id": "",
        "Part Of": "",
        "Phone": "+34 600 000 000",
        "Joined On": "2019-02-01",
        "Left On": "",
        "Created Time": "2019-01-10 09:00:00",
        "Modified Time": modified,
    }
    return row | more


def contact(number: int, name: str, **more: str) -> dict[str, str]:
    row = {
        "Record Id": f"zcrm_54600000000100000{number}",
        "First Name": name.split(maxsplit=1)[0],
        "Last Name": name.split()[1],
        "Email": "somebody@example.org",
        "Account Name": "City 1",
        "Gender": "Woman",
        "Preferred Language": "fr",
        "Created Time": "2019-01-10 09:00:00",
        "Modified Time": "2024-05-01 10:00:00",
    }
    return row | more


def seat(number: int, **more: str) -> dict[str, str]:
    row = {
        "Record Id": f"zcrm_54600000000200000{number}",
        "Account": "City 1",
        "Contact": PERSON,
        "Seat Role": "Member",
        "Term Start": "2024-01-01",
        "Term End": "",
        "Created Time": "2024-01-10 09:00:00",
        "Modified Time": "2024-05-01 10:00:00",
    }
    return row | more


def workbook(rows: list[dict[str, str]]) -> bytes:
    book = Workbook()
    book.active.append(list(rows[0]))
    for row in rows:
        book.active.append(list(row.values()))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


ID = "54600000000000000{}".format


def wall_clock(table: pd.DataFrame, entity: str) -> pd.DataFrame:
    """A raw table with its times as an export has them: local, without an offset."""
    columns = contract_of("zoho_crm").entities[entity].columns
    for name, rule in columns.items():
        if rule.type == "datetime":
            read = pd.to_datetime(table[name], utc=True, format="ISO8601")
            table[name] = read.dt.tz_convert("Europe/Madrid").dt.tz_localize(None)
    return table.set_index("id").sort_index()[[name for name in columns if name != "id"]]


@pytest.fixture(scope="module")
def through_the_api(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> dict[str, pd.DataFrame]:
    home = tmp_path_factory.mktemp("api")
    settings = with_sample_values(Settings(home=home, _env_file=None), sandbox.port)
    warehouse, contract = Warehouse(f"duckdb:///{home / 'warehouse.duckdb'}", 10), contract_of("zoho_crm")
    for entity in contract.entities:
        load_entity(open_source("zoho_crm", settings), contract, entity, warehouse, processing=PSEUDONYMISED)
    live = "select * from raw_zoho_crm__{} where not _is_deleted"
    return {name: wall_clock(warehouse.read(live.format(name)), name) for name in contract.entities}


@pytest.mark.parametrize("with_ids", [True, False], ids=["lookups with ids", "lookups by name"])
@pytest.mark.exhaustive
def test_every_module_exported_by_hand_loads_as_it_does_through_the_api(
    through_the_api: Mapping[str, pd.DataFrame], sandbox: Sandbox, case: Case, with_ids: bool
) -> None:
    for mapped in MAPPING.values():
        module = sandbox.zoho.modules[mapped.module]
        records = [module.get(record_id) for record_id in module.ids()]
        drop(case.folder, f"{mapped.module}_2026_11_20.csv", export_rows(records, with_ids=with_ids))
    case.source = replace(case.source, contract=contract_of("zoho_crm"))
    for entity, expected in through_the_api.items():
        result = case.load(entity)
        landed = wall_clock(case.rows(entity).reset_index(), entity)
        assert len(landed) + result.quarantined == len(expected)
        pd.testing.assert_frame_equal(expected.loc[landed.index], landed)
        if with_ids:
            assert result.quarantined == 0
        else:  # two events share a name: ambiguous, and not guessed
            assert all("several records" in line for line in result.waiting)


def test_a_row_reads_as_the_api_would_send_it(case: Case) -> None:
    drop(case.folder, "Accounts_2026_11_20.csv", [account(1), account(2, **{"Part Of.id": "zcrm_" + ID(1)})])
    result = case.load()
    assert (result.new, result.quarantined) == (2, 0)
    row = case.rows().loc[ID(2)]
    assert row["name"] == "City 2"
    assert row["part_of"] == ID(1)
    assert (row["joined_on"], row["left_on"]) == ("2019-02-01", None)
    assert (row["created_at"], row["modified_at"]) == (
        "2019-01-10T09:00:00+01:00",
        "2024-05-01T10:00:00+02:00",
    )
    assert row["_source_ref"] == "Accounts_2026_11_20.csv, row 3"
    assert result.notes == ["Accounts_2026_11_20.csv: UTF-8, separated by commas; 2 rows; 12 of 15 columns."]


def test_personal_data_in_an_export_goes_no_further(case: Case) -> None:
    drop(case.folder, "Accounts_1.csv", [account(1), account(2, **{"Record Id": ""})])
    drop(case.folder, "Contacts_1.csv", [contact(1, PERSON), contact(2, PERSON)])
    drop(case.folder, "Board_Seats_1.csv", [seat(1), seat(2, Contact="Nobody Known")])
    written = []
    for entity in ("accounts", "contacts", "board_seats"):
        batches, cursor, _ = case.pull(entity)
        written.append(cursor or "")
        written += [f"{batch.frame.to_csv()} {batch.rejected} {batch.notes}" for batch in batches]
        case.load(entity)
    for table in case.warehouse.tables():
        written.append(case.warehouse.read(f'select * from "{table}"').to_csv())
    assert not [
        text for text in written if PERSON in text or "Nobody" in text or "+34" in text or "@" in text
    ]


def test_a_lookup_that_is_only_a_name_is_found_in_the_other_export(case: Case) -> None:
    drop(case.folder, "Accounts_1.csv", [account(1, **{"Account Name": "Città  1"}), account(2)])
    drop(
        case.folder, "Contacts_1.csv", [contact(1, PERSON), contact(2, "Ada Twice"), contact(3, "Ada Twice")]
    )
    drop(
        case.folder,
        "Board Seats_1.csv",
        [seat(1, Account="città 1"), seat(2, Account=""), seat(3, Contact="Ada Twice", Account="City 2"),
         seat(4, Contact="Nobody Known", Account="City 2")],
    )  # fmt: skip
    result = case.load("board_seats")
    row = case.rows("board_seats").loc["546000000002000001"]
    assert (row["account"], row["contact"]) == (
        ID(1),
        PSEUDONYMS.of("zoho_crm", "546000000001000001"),
    )
    assert result.new == 1
    reasons = dict(line.split(": ", 1) for line in result.waiting)
    assert "account is missing" in reasons["Board Seats_1.csv, row 3"]
    assert "several records of contacts" in reasons["Board Seats_1.csv, row 4"]
    assert "no record of contacts has" in reasons["Board Seats_1.csv, row 5"]
    assert "looked up by name: account, contact" in result.notes[0]


def test_without_the_other_export_rows_stay_in_quarantine_until_it_arrives(case: Case) -> None:
    drop(case.folder, "Board_Seats_1.csv", [seat(1)])
    drop(case.folder, "Contacts_1.csv", [contact(1, PERSON)])
    result = case.load("board_seats")
    assert (result.new, result.quarantined) == (0, 1)
    assert "the folder has no export of accounts" in result.waiting[0]
    drop(case.folder, "Accounts_1.csv", [account(1)])
    result = case.load("board_seats")
    assert (result.new, result.waiting) == (1, [])


def test_records_missing_from_the_newest_export_are_deleted(case: Case) -> None:
    drop(case.folder, "Accounts_2026_11_19.csv", [account(1), account(2), account(3)])
    case.load()
    newer = [account(1), account(3, "2024-06-01 10:00:00", Region="Asia"), account(4)]
    drop(case.folder, "Accounts_2026_11_20.csv", newer)
    result = case.load()
    assert (result.new, result.changed, result.deleted) == (1, 1, 1)
    assert case.rows().index.tolist() == [ID(1), ID(3), ID(4)]
    assert case.rows().loc[ID(3), "region"] == "Asia"
    assert any("Accounts_2026_11_19.csv: there is a newer export" in note for note in result.notes)


@pytest.mark.parametrize("by", ["change", "file time"])
def test_the_newest_export_is_the_one_with_the_latest_change_or_else_the_newest_file(
    case: Case, by: str
) -> None:
    late = "2024-06-01 10:00:00" if by == "change" else "2024-05-01 10:00:00"
    drop(case.folder, "Accounts_b.csv", [account(1), account(2)], age=200 if by == "file time" else 20)
    drop(case.folder, "Accounts_a.csv", [account(1), account(3, late)], age=100)
    case.load()
    assert case.rows().index.tolist() == [ID(1), ID(3)]


def test_an_older_export_is_not_loaded_over_a_newer_one(case: Case) -> None:
    drop(case.folder, "Accounts_2026_11_20.csv", [account(1), account(2, "2024-06-01 10:00:00")])
    case.load()
    (case.folder / "Accounts_2026_11_20.csv").unlink()
    drop(case.folder, "Accounts_2026_11_01.csv", [account(1)])
    result = case.load()
    assert (result.fetched, result.deleted) == (0, 0)
    assert result.notes == ["Accounts_2026_11_01.csv: older than the export loaded before; ignored."]
    assert len(case.rows()) == 2


def test_an_unchanged_folder_reads_nothing(case: Case) -> None:
    drop(case.folder, "Accounts_1.csv", [account(1), account(2)])
    drop(case.folder, "Accounts_broken.csv", "Record Id,Account Name\n1")
    _, cursor, complete = case.pull()
    assert complete
    batches, again, complete = case.pull(cursor=cursor)
    assert (batches, again, complete) == ([], None, False)
    case.load()
    result = case.load()
    assert (result.fetched, result.deleted) == (0, 0)
    assert len(result.waiting) == 1


@pytest.mark.fault(26)
def test_the_same_file_under_another_name_is_one(case: Case) -> None:
    rows = [account(1), account(2)]
    drop(case.folder, "Accounts_001.csv", rows)
    drop(case.folder, "Accounts_001 (1).csv", rows, age=30)
    result = case.load()
    assert (result.fetched, result.new, result.repeated) == (2, 2, 0)
    drop(case.folder, "copy.csv", rows, age=10)
    assert case.load().fetched == 0


def test_numbered_files_are_one_export(case: Case) -> None:
    drop(case.folder, "Accounts_001.csv", [account(1), account(2)])
    drop(case.folder, "Accounts_002.csv", [account(3)])
    result = case.load()
    assert (result.new, result.quarantined) == (3, 0)
    drop(case.folder, "Accounts_001.csv", [account(1, "2024-06-01 10:00:00")], age=50)
    drop(case.folder, "Accounts_002.csv", [account(3, "2024-06-01 10:00:00")], age=50)
    result = case.load()
    assert (result.changed, result.deleted) == (2, 1)


@pytest.mark.parametrize(
    ("second", "age", "message"),
    [("Accounts_003.csv", 60, "numbers is missing"), ("Accounts_002.csv", 3 * DAY, "different days")],
)
def test_parts_that_do_not_form_one_export_are_refused(
    case: Case, second: str, age: float, message: str
) -> None:
    drop(case.folder, "Accounts_001.csv", [account(1)])
    drop(case.folder, second, [account(2)], age=age)
    reasons = case.reasons()
    assert set(reasons) == {"Accounts_001.csv", second}
    assert all(message in reason for reason in reasons.values())
    assert not case.pull()[2]


def test_a_broken_part_holds_back_the_others_so_that_its_records_are_not_marked_deleted(case: Case) -> None:
    drop(case.folder, "Accounts_001.csv", [account(1)])
    drop(case.folder, "Accounts_002.csv", as_csv([account(2)])[:-30])
    drop(case.folder, "Accounts_003.csv", [{k: v for k, v in account(3).items() if k != "Region"}])
    reasons = case.reasons()
    assert "cut off" in reasons["Accounts_002.csv"]
    assert "Another file of the same export" in reasons["Accounts_001.csv"]
    drop(case.folder, "Accounts_002.csv", [account(2)])
    assert all("their headings differ" in reason for reason in case.reasons().values())
    drop(case.folder, "Accounts_003.csv", [account(3)])
    result = case.load()
    assert (result.new, result.waiting) == (3, [])


def test_a_file_still_being_written_waits_and_so_does_the_rest_of_its_module(case: Case) -> None:
    drop(case.folder, "Accounts_001.csv", [account(1)])
    drop(case.folder, "Accounts_002.csv", [account(2)], age=0)
    drop(case.folder, "Contacts_001.csv", [contact(1, PERSON, **{"Account Name.id": ID(1)})])
    result = case.load()
    assert (result.fetched, result.notes) == (
        0,
        ["Accounts_002.csv: still being written; the next run reads the folder."],
    )
    assert case.load("contacts").new == 1
    os.utime(case.folder / "Accounts_002.csv", (time.time() - 60,) * 2)
    assert case.load().new == 2


BROKEN = {
    "Accounts_page.csv": (b"<!DOCTYPE html><html>Sign in</html>", "web page"),
    "Accounts_cut.csv": (as_csv([account(8), account(9)])[:-60].encode(), "cut off"),
    "Accounts_latin.csv": (as_csv([account(8, Region="Américas")]).encode("cp1252"), "not in UTF-8"),
    "Accounts_header.csv": (as_csv([account(8)]).splitlines()[0].encode(), "no rows"),
    "Accounts_old.xls": (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old Excel"),
    "Accounts_lacks.csv": (as_csv([{k: v for k, v in account(8).items() if k != "Member Type"}]).encode(), "lacks the headings Member Type"),
    "Accounts_orders.csv": (as_csv([account(8, **{"Joined On": "13/01/2020", "Left On": "01/13/2021"})]).encode(), "day first and others"),
    "Accounts_unclear.csv": (as_csv([account(8, **{"Joined On": "03/04/2020"})]).encode(), "2020-04-03 with the day first"),
    "backup.zip": (b"PK\x03\x04 no archive", "damaged"),
    "unknown.csv": (b"", "empty"),
}  # fmt: skip


def test_each_bad_file_gives_one_clear_reason_and_hides_no_other(case: Case) -> None:
    for name, (content, _) in BROKEN.items():
        drop(case.folder, name, content)
    drop(case.folder, "Accounts_good.csv", [account(1)])
    result = case.load()
    assert result.new == 1
    reasons = dict(line.split(": ", 1) for line in result.waiting)
    assert set(reasons) == set(BROKEN)
    for name, (_, message) in BROKEN.items():
        assert message in reasons[name], (name, reasons[name])
        assert PERSON not in reasons[name]
    drop(case.folder, "Deals_1.csv", [deal()])
    assert case.reasons("deals") == {}


def deal(**more: str) -> dict[str, str]:
    row = {
        "Record Id": "zcrm_546000000003000001",
        "Deal Name": "A grant",
        "Account Name.id": ID(1),
        "Pipeline": "Projects",
        "Stage": "Signed",
        "Edition": "",
        "Amount": "1000.0",
        "Currency": "EUR",
        "Exchange Rate": "1",
        "Signed On": "2024-05-01",
        "Created Time": "2024-01-10 09:00:00",
        "Modified Time": "2024-05-01 10:00:00",
    }
    return row | more


def test_numbers_and_ticked_boxes_are_written_as_the_api_does(case: Case) -> None:
    drop(
        case.folder,
        "Deals_1.csv",
        [
            deal(),
            deal(**{"Record Id": "2", "Amount": "1000.50"}),
            deal(**{"Record Id": "3", "Amount": "1.000,50"}),
        ],
    )
    result = case.load("deals")
    amounts = case.rows("deals")["amount"]
    assert amounts.dropna().to_dict() == {"546000000003000001": "1000", "2": "1000.50"}
    assert len(amounts) == 3
    assert result.waiting == ["Deals_1.csv, row 4: amount is not a number"]
    event = {"Record Id": "4", "Name": "A lab", "Event Code": "L1", "Event Type": "Training", "Lab": "", "Themes": "Water;Housing",
             "Line of Action": "1;2", "Format": "Online", "Event Status": "Held", "Organised By Network": "TRUE",
             "Start Time": "2024-05-01 10:00:00", "End Time": "", "Created Time": "2024-01-10 09:00:00",
             "Modified Time": "2024-05-01 10:00:00"}  # fmt: skip
    drop(case.folder, "Network Events_1.csv", [event])
    case.load("events")
    row = case.rows("events").loc["4"]
    assert (row["organised_by_network"], row["themes"], row["ends_at"]) == ("true", "Water;Housing", None)


def test_a_workbook_is_read_like_a_csv_and_an_id_that_excel_rounded_is_quarantined(case: Case) -> None:
    drop(case.folder, "Accounts_1.xlsx", workbook([account(1), account(2) | {"Record Id": 5.46e17}]))  # type: ignore[dict-item]
    result = case.load()
    assert case.rows().index.tolist() == [ID(1)]
    assert result.waiting == ["Accounts_1.xlsx, row 3: id does not have the expected form"]


@pytest.mark.parametrize(
    "change",
    [str.upper, lambda heading: heading.replace(" ", "_"), lambda heading: heading.replace("Record Id", "Account ID"),
     lambda heading: heading.replace("Part Of.id", "Part Of ID")],
    ids=["case", "API names", "older id", "older lookup"],
)  # fmt: skip
def test_headings_are_recognised_in_every_form_zoho_writes(case: Case, change: object) -> None:
    rows = [{change(heading): cell for heading, cell in account(1).items()}]  # type: ignore[operator]
    drop(case.folder, "Accounts_1.csv", as_csv(rows, ";"))
    assert case.load().new == 1


def test_the_organisations_own_labels_and_values_become_the_contracts(case: Case) -> None:
    accounts = MAPPING["accounts"]
    fields = accounts.fields | {
        "member_type": FieldMapping(field="Tipo", label="Tipo de miembro", values={"Miembro": "Member"}),
        "id": FieldMapping(field="id", label="Identificador"),
    }
    modules = MAPPING | {"accounts": accounts.model_copy(update={"module": "Ciudades", "fields": fields})}
    case.source = replace(case.source, modules=modules)
    row = {"Identificador": ID(1), "Tipo de miembro": "Miembro"} | account(1)
    del row["Record Id"], row["Member Type"]
    drop(case.folder, "Ciudades_2026_11_20.csv", [row])
    case.load()
    assert case.rows().loc[ID(1), "member_type"] == "Member"


def test_an_optional_column_may_be_left_out_but_not_lost(case: Case) -> None:
    without = [{k: v for k, v in account(1).items() if k != "Region"}]
    drop(case.folder, "Accounts_1.csv", without)
    result = case.load()
    assert "no column Region, so these stay empty" in result.notes[0]
    drop(case.folder, "Accounts_2.csv", [account(1)], age=50)
    assert case.load().changed == 1
    drop(case.folder, "Accounts_3.csv", [without[0] | {"Account Name": "City one"}], age=40)
    result = case.load()
    assert "had the headings Region" in result.waiting[0]
    assert case.rows().loc[ID(1), "region"] == "Europe"
    regions = {name: field for name, field in MAPPING["accounts"].fields.items() if name != "region"}
    modules = MAPPING | {"accounts": MAPPING["accounts"].model_copy(update={"fields": regions})}
    case.source = replace(case.source, modules=modules)  # it was taken out of the mapping on purpose
    assert case.load().waiting == []
    assert case.rows().loc[ID(1), "region"] is None


@pytest.mark.parametrize("name", ["members.csv", "Contacts_2026_11_20.csv"])
def test_the_headings_decide_what_a_file_is_whatever_its_name(case: Case, name: str) -> None:
    drop(case.folder, name, [account(1)])
    assert case.load().new == 1


def test_files_of_other_modules_are_ignored_and_reported_once(case: Case) -> None:
    task = {
        "Record Id": "1",
        "Subject": "Call",
        "Account Name": "City 1",
        "Created Time": "x",
        "Modified Time": "y",
    }
    drop(case.folder, "Tasks_001.csv", [task])
    drop(case.folder, "Accounts_001.csv", [account(1)])
    drop(case.folder, "Deals_001.csv", [deal()])
    result = case.load()
    assert (result.new, result.quarantined) == (1, 0)
    assert result.notes[0] == "Tasks_001.csv: exports of modules that are not in use; ignored."
    assert not any("Tasks" in note for note in case.load("deals").notes)


def test_a_duplicate_heading_is_refused(case: Case) -> None:
    header, row = as_csv([account(1)]).splitlines()
    drop(case.folder, "Accounts_1.csv", f"{header},region\r\n{row},Asia\r\n")
    assert "'Region' appears twice" in case.reasons()["Accounts_1.csv"]


@pytest.mark.fault(29)
def test_times_in_the_hour_when_clocks_change_are_read_the_first_way_and_counted(case: Case) -> None:
    rows = [
        account(1, "2024-10-27 02:30:00"),
        account(2, "2024-03-31 02:30:00"),
        account(3, "2024-10-27 03:30:00"),
    ]
    drop(case.folder, "Accounts_1.csv", rows)
    result = case.load()
    assert case.rows()["modified_at"].tolist() == [
        "2024-10-27T02:30:00+02:00",
        "2024-03-31T02:30:00+01:00",
        "2024-10-27T03:30:00+01:00",
    ]
    assert "2 times fall into an hour when clocks change" in result.notes[0]


def test_times_with_an_offset_and_dates_in_numbers_are_read(case: Case) -> None:
    row = account(1, "2024-05-01T10:00:00+05:30", **{"Joined On": "28/02/2019", "Left On": "01/02/2024"})
    drop(case.folder, "Accounts_1.csv", [row])
    case.load()
    read = case.rows().loc[ID(1)]
    assert read["modified_at"] == "2024-05-01T10:00:00+05:30"
    assert (read["joined_on"], read["left_on"]) == ("2019-02-28", "2024-02-01")


def test_a_quarantined_row_is_not_marked_deleted(case: Case) -> None:
    drop(case.folder, "Accounts_1.csv", [account(1), account(2)])
    case.load()
    drop(case.folder, "Accounts_2.csv", [account(1), account(2, **{"Member Type": "Friend"})], age=50)
    result = case.load()
    assert (result.deleted, result.quarantined) == (0, 1)
    assert len(case.rows()) == 2


def test_another_time_zone_reads_everything_again(case: Case) -> None:
    drop(case.folder, "Accounts_1.csv", [account(1)])
    case.load()
    case.source = replace(case.source, zone=ZoneInfo("America/Bogota"))
    assert case.load().changed == 1
    assert case.rows().loc[ID(1), "modified_at"] == "2024-05-01T10:00:00-05:00"


def test_exports_ignore_a_cursor_of_the_api_and_write_none_of_its_keys(case: Case) -> None:
    drop(case.folder, "Accounts_1.csv", [account(1)])
    api = json.dumps(
        {"modified": "2024-05-01T00:00:00+00:00", "synced": "2024-05-01T00:00:00+00:00", "rules": "x"}
    )
    batches, cursor, complete = case.pull(cursor=api)
    assert complete
    assert sum(batch.fetched for batch in batches) == 1
    assert {"modified", "synced"}.isdisjoint(json.loads(cursor or "{}"))


@pytest.mark.long
def test_a_long_export_comes_in_batches(case: Case) -> None:
    rows = [account(1) | {"Record Id": str(number)} for number in range(25_000)]
    drop(case.folder, "Accounts_1.csv", rows)
    batches, _, complete = case.pull()
    assert [len(batch.frame) for batch in batches if len(batch.frame)] == [10_000, 10_000, 5_000]
    assert complete


def test_a_file_that_changes_while_it_is_read_is_not_stored(case: Case) -> None:
    path = drop(case.folder, "Accounts_1.csv", [account(1)])
    pull = case.source.pull("accounts")
    begun = iter(pull.batches)
    next(begun)
    path.write_text(as_csv([account(1), account(2)]))
    with pytest.raises(TransientSourceError, match=r"Accounts_1\.csv.*changed"):
        list(begun)
    assert (pull.cursor(), pull.complete()) == (None, False)


def test_no_export_of_a_module_is_an_error_until_one_was_loaded(case: Case) -> None:
    with pytest.raises(PermanentSourceError, match="no export of Accounts"):
        case.load()
    path = drop(case.folder, "Accounts_1.csv", [account(1)])
    case.load()
    path.unlink()
    assert case.load().fetched == 0
    assert len(case.rows()) == 1


def test_a_missing_folder_or_setting_is_named(case: Case, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="MEL_ZOHO_EXPORT_DIR"):
        exports.open(Settings(_env_file=None))
    settings = Settings(_env_file=None, zoho_export_dir=tmp_path / "nowhere")
    with pytest.raises(SourceError, match="MEL_ZOHO_EXPORT_DIR"):
        list(exports.open(settings).pull("accounts").batches)


def test_where_the_settings_name_a_folder_the_source_reads_it_and_asks_no_api(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    module = sandbox.zoho.modules["Accounts"]
    folder = tmp_path / "exports"
    folder.mkdir()
    drop(folder, "Accounts_2026_11_20.csv", export_rows([module.get(key) for key in module.ids()]))
    settings = Settings(home=tmp_path, _env_file=None, zoho_export_dir=folder)  # no address, no token
    warehouse = Warehouse(f"duckdb:///{tmp_path / 'warehouse.duckdb'}", 10)
    result = load_entity(open_source("zoho_crm", settings), contract_of("zoho_crm"), "accounts", warehouse)
    assert result.new == module.count
