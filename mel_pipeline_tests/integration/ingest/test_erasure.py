"""Erasing a person after figures were calculated and published; what is held, for the person and for the record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mel_pipeline.cli.main import app
from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import MelError
from mel_pipeline.ingest.privacy import load_pseudonyms
from mel_pipeline.ingest.privacy.erasure import erase, purge
from mel_pipeline.ingest.privacy.export import export
from mel_pipeline.ingest.privacy.keys import entities_about_people
from mel_pipeline.ingest.privacy.register import register
from mel_pipeline.publication.rebuild import rebuild
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.fixtures.organisation import Small, copy_of, event, member, organisation
from mel_pipeline_tests.fixtures.postgres import Server

pytestmark = pytest.mark.slow

QUARTER = "2024-Q4"
PERSON = "546000000200000077"
STAMPS = {"created_at": "2024-01-01T00:00:00+00:00", "modified_at": "2024-01-01T00:00:00+00:00"}
ANSWER = "zoho_survey|r1"


def fill(small: Small) -> None:
    """A lab with participants and answers, of which `r1` is the beginning of `r10` to `r13`."""
    small.load("accounts", [member(n) for n in range(1, 8)])
    small.load("events", [event(1)])
    small.load("contacts", [{"id": PERSON, "gender": "Woman", **STAMPS}])
    seat = {"id": "5", "account": "1", "contact": PERSON, "role": "Member", "term_start": "2024-01-01"}
    small.load("board_seats", [seat | STAMPS])
    small.survey("lab.csv", {f"r{n}": "Satisfied" if n != 1 else "Dissatisfied" for n in range(1, 14)})
    small.calculate(QUARTER)


@pytest.fixture
def small(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Small:
    return copy_of(tmp_path_factory, "answers-with-a-common-beginning", tmp_path, fill)


def held(small: Small) -> list[str]:
    """Every row of every table except the record of erasures."""
    return [
        f"{table}: {row}"
        for table in sorted(small.warehouse.tables() - {"erasure"})
        for row in small.warehouse.records(f'select * from "{table}"')
    ]


def naming(small: Small, *names: str) -> list[str]:
    cells = {f"'{name}'" for name in names}
    return [line for line in held(small) if any(cell in line for cell in cells)]


@pytest.mark.exhaustive
@pytest.mark.fault(33)
@pytest.mark.parametrize("published", [False, True])
def test_a_response_is_erased_after_calculation_and_ids_that_only_start_with_its_id_stay(
    small: Small, published: bool
) -> None:
    if published:
        small.publish(QUARTER)
    assert len(naming(small, ANSWER, "r1")) >= 4, "raw row, history, view and fact"
    done = erase(small.warehouse, load_pseudonyms(small.settings), "survey_files", ANSWER, "request")
    assert done.rows >= 3 and done.is_purged
    assert naming(small, ANSWER, "r1") == []
    left = small.warehouse.records("select response_key from fct_survey_response")
    assert {row["response_key"] for row in left} == {f"zoho_survey|r{n}" for n in range(2, 14)}
    small.load_surveys()
    small.calculate(QUARTER)
    assert naming(small, ANSWER, "r1") == []


@pytest.mark.fault(33)
@pytest.mark.long
def test_the_bytes_of_the_database_no_longer_name_who_was_erased(tmp_path: Path) -> None:
    small = organisation(tmp_path)
    small.load("accounts", [member(1)])
    ids = [str(546000000200000000 + number) for number in range(3)]
    small.load("contacts", [{"id": key, "gender": "Woman", **STAMPS} for key in ids])
    pseudonym = load_pseudonyms(small.settings).of("zoho_crm", ids[1]).encode()
    # DuckDB packs texts of a column together: a text that is alone in its column is stored unpacked.
    with small.warehouse.transaction() as connection:
        connection.exec_driver_sql(f"create table alone as select '{pseudonym.decode()}' as contact")
    small.warehouse.fold()

    def files() -> bytes:
        small.warehouse.engine.dispose()
        return b"".join(path.read_bytes() for path in small.settings.home.glob("warehouse.duckdb*"))

    assert pseudonym in files()
    with small.warehouse.transaction() as connection:
        connection.exec_driver_sql("delete from alone")
    small.warehouse.fold()
    assert pseudonym in files(), "a deleted row stays in free space"
    assert erase(small.warehouse, load_pseudonyms(small.settings), "zoho_crm", ids[1], "request").is_purged
    record = b"".join(row["person"].encode() for row in small.warehouse.records("select person from erasure"))
    assert record == pseudonym, "later loads have to know whom to refuse"
    assert files().count(pseudonym) == 1, "there alone"
    assert small.load("accounts", [member(1), member(2)]).new == 1


@pytest.mark.exhaustive
@pytest.mark.fault(33)
def test_a_warehouse_in_use_is_purged_by_the_next_night(small: Small) -> None:
    with small.warehouse.connect():
        done = erase(small.warehouse, load_pseudonyms(small.settings), "zoho_crm", PERSON, "request")
    assert not done.is_purged and "still stand in free space" in done.sentence
    assert purge(small.warehouse)
    assert small.warehouse.records("select count(*) as n from erasure where purged_at is null") == [{"n": 0}]


@pytest.mark.fault(33)
@pytest.mark.long
def test_a_published_quarter_verifies_after_an_erasure_and_names_what_differs(small: Small) -> None:
    small.publish(QUARTER)
    assert rebuild(small.warehouse, QUARTER).identical
    erase(small.warehouse, load_pseudonyms(small.settings), "survey_files", ANSWER, "request")
    outcome = rebuild(small.warehouse, QUARTER)
    assert outcome.is_verified and not outcome.identical
    assert "frozen figures are as published" in outcome.sentence and "1 person was erased" in outcome.sentence
    assert any(line.startswith("SAT-01 2024-Q4 total: published") for line in outcome.differing)
    assert not [line for line in outcome.differing if "MEM" in line]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "tampering",
    [
        "update published_figures set value = 12 where indicator_id = 'MEM-01' and disaggregation = 'total'",
        "delete from raw_zoho_crm__accounts_history where id = '5'",
        "delete from raw_surveys__responses_history where response_id in ('r2', 'r3', 'r4')",
    ],
)
def test_an_erasure_excuses_no_other_difference(small: Small, tampering: str) -> None:
    small.publish(QUARTER)
    erase(small.warehouse, load_pseudonyms(small.settings), "survey_files", ANSWER, "request")
    with small.warehouse.transaction() as connection:
        connection.exec_driver_sql(tampering)
    outcome = rebuild(small.warehouse, QUARTER)
    assert not outcome.is_verified and "restore the warehouse" in outcome.sentence


@pytest.mark.exhaustive
@pytest.mark.fault(33)
def test_a_person_and_an_answer_are_erased_from_postgresql(tmp_path: Path, postgres_url: str) -> None:
    small = organisation(tmp_path, warehouse_url=postgres_url)
    fill(small)
    small.publish(QUARTER)
    pseudonyms = load_pseudonyms(small.settings)
    assert erase(small.warehouse, pseudonyms, "survey_files", ANSWER, "request").is_purged
    assert erase(small.warehouse, pseudonyms, "zoho_crm", PERSON, "request").is_purged
    assert naming(small, ANSWER, "r1", pseudonyms.of("zoho_crm", PERSON)) == []
    assert rebuild(small.warehouse, QUARTER).is_verified
    dead = small.warehouse.records(
        "select pg_relation_size(cast('raw_zoho_crm__contacts' as regclass)) as bytes"
    )
    assert dead == [{"bytes": 0}], "not even in rows that are no longer visible"


@pytest.mark.fault(33)
def test_no_file_of_a_postgresql_database_names_who_was_erased_but_the_record_of_erasures(
    tmp_path: Path, postgres: Server, postgres_url: str
) -> None:
    """The server's log of changes (pg_wal) is not searched: its segments are overwritten later."""
    small = organisation(tmp_path, warehouse_url=postgres_url)
    small.load("accounts", [member(1)])
    ids = [str(546000000200000000 + number) for number in range(40)]
    small.load("contacts", [{"id": key, "gender": "Woman", **STAMPS} for key in ids])
    pseudonym = load_pseudonyms(small.settings).of("zoho_crm", ids[1])
    name = postgres_url.rpartition("/")[2]
    postgres.execute("analyze", database=name)  # as the server does by itself: statistics hold values of rows
    assert "pg_statistic" in postgres.relations_naming(pseudonym, name)
    assert erase(small.warehouse, load_pseudonyms(small.settings), "zoho_crm", ids[1], "request").is_purged
    assert postgres.relations_naming(pseudonym, name) == {"erasure", "erasure_pkey"}


@pytest.mark.fault(33)
def test_a_table_of_another_role_is_not_taken_for_rewritten(postgres: Server, postgres_url: str) -> None:
    """PostgreSQL answers with a warning, and leaves the table as it is."""
    name = postgres_url.rpartition("/")[2]
    postgres.execute(
        "create table mine (a text)",
        "create table theirs (a text)",
        "create role mel_other login password 'other'",
        "alter table mine owner to mel_other",
        "grant create on schema public to mel_other",
        database=name,
    )
    try:
        warehouse = Warehouse(postgres.url(name, "mel_other", "other"))
        assert warehouse.rewrite(["mine"])
        assert not warehouse.rewrite(["mine", "theirs"])
        warehouse.engine.dispose()
    finally:
        postgres.execute("drop owned by mel_other", "drop role mel_other", database=name)


@pytest.mark.long
def test_mentions_within_a_text_and_checkpoints_at_the_person_are_erased_too(small: Small) -> None:
    pseudonym = load_pseudonyms(small.settings).of("zoho_crm", PERSON)
    with small.warehouse.transaction() as connection:
        connection.exec_driver_sql(
            f"update load_ledger set message = 'kept {pseudonym}, and {pseudonym}0 as well'"
        )
        connection.exec_driver_sql(
            "insert into load_checkpoint values ('zoho_crm', 'contacts', "
            f"'{json.dumps({'after': PERSON})}', 'rules', timestamp '2025-01-01 00:00:00')"
        )
    erase(small.warehouse, load_pseudonyms(small.settings), "zoho_crm", PERSON, "request")
    messages = {row["message"] for row in small.warehouse.records("select message from load_ledger")}
    assert messages == {f"kept erased, and {pseudonym}0 as well"}
    assert small.warehouse.records("select * from load_checkpoint") == []


@pytest.mark.long
def test_a_person_receives_their_data_with_the_purposes(small: Small) -> None:
    pseudonyms = load_pseudonyms(small.settings)
    mine = export(small.warehouse, pseudonyms, "zoho_crm", PERSON)
    assert mine["person"] == pseudonyms.of("zoho_crm", PERSON)
    assert {"raw_zoho_crm__contacts", "raw_zoho_crm__board_seats", "fct_board_seat"} <= mine["rows"].keys()
    assert mine["purposes"] and all(purpose["ground"] for purpose in mine["purposes"])
    answer = export(small.warehouse, pseudonyms, "survey_files", ANSWER)
    [fact] = answer["rows"]["fct_survey_response"]
    assert fact["satisfaction_answer"] == "Dissatisfied"
    erase(small.warehouse, pseudonyms, "survey_files", ANSWER, "request")
    with pytest.raises(MelError, match="nothing is held under this id"):
        export(small.warehouse, pseudonyms, "survey_files", ANSWER)


def test_every_entity_about_people_states_purpose_ground_and_retention_in_the_record() -> None:
    text = register("Metropolis")
    for source, entity in entities_about_people():
        contract = contract_of(source)
        details = contract.entities[entity]
        assert details.legal_ground, f"{source} {entity} has no legal_ground in its contract"
        assert f"## {contract.title}: {details.title}" in text
        assert details.legal_ground in text
    printed = CliRunner().invoke(app, ["privacy", "register"])
    assert printed.exit_code == 0 and "**Recipients**" in printed.output


@pytest.mark.long
def test_the_command_line_exports_and_erases(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEL_HOME", str(small.settings.home))
    shown = CliRunner().invoke(app, ["privacy", "export", ANSWER, "--source", "survey_files"])
    assert json.loads(shown.output)["rows"]["fct_survey_response"]
    gone = CliRunner().invoke(app, ["privacy", "erase", ANSWER, "--source", "survey_files"])
    assert gone.exit_code == 0 and "rows removed" in gone.output
    assert naming(small, ANSWER) == []
