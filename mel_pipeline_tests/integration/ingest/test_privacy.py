"""People are pseudonyms with a key, kept no longer than needed, and gone when they ask."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import MelError, SettingsError
from mel_pipeline.ingest.privacy import Pseudonyms, load_pseudonyms
from mel_pipeline.ingest.privacy.erasure import erase
from mel_pipeline.ingest.privacy.holdings import holdings, remove_expired
from mel_pipeline.ingest.privacy.keys import entities_about_people
from mel_pipeline.ingest.raw_tables import ensure_empty
from mel_pipeline.warehouse.parquet_mirror import ParquetMirror
from mel_pipeline_tests.fixtures.organisation import Small, copy_of, event, member, organisation

pytestmark = pytest.mark.slow

STAMPS = {"created_at": "2024-01-01T00:00:00+00:00", "modified_at": "2024-01-01T00:00:00+00:00"}
PERSON, OTHER = "546000000200000077", "546000000200000078"


def contact(key: str, **more: Any) -> dict[str, Any]:
    return {"id": key, "gender": "Woman", **STAMPS, **more}


def part(number: int, person: str | None) -> dict[str, Any]:
    return {
        "id": str(900 + number),
        "event": "1",
        "contact": person,
        "account": "1",
        "role": "Participant",
        "attended": "true",
        "survey_invited": "true",
        **STAMPS,
    }


@pytest.fixture
def small(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Small:
    return copy_of(tmp_path_factory, "two-people", tmp_path, two_people)


def two_people(small: Small) -> None:
    small.load("accounts", [member(1)])
    small.load("events", [event(1)])
    small.load("contacts", [contact(PERSON), contact(OTHER)])
    small.load("participations", [part(1, PERSON), part(2, OTHER)])
    seat = {
        "id": "5",
        "account": "1",
        "contact": PERSON,
        "role": "Member",
        "term_start": "2024-01-01",
        **STAMPS,
    }
    small.load("board_seats", [seat])


def everything(small: Small) -> str:
    """Every text of every table."""
    found = []
    for table in sorted(small.warehouse.tables()):
        found += [f"{table}: {row}" for row in small.warehouse.records(f"select * from {table}")]
    return "\n".join(found)


def test_the_sources_own_id_of_a_person_is_stored_nowhere(small: Small) -> None:
    small.load("participations", [part(3, OTHER) | {"role": "Dancer"}])  # one for the quarantine
    held = everything(small)
    assert PERSON not in held
    assert OTHER not in held
    assert load_pseudonyms(small.settings).of("zoho_crm", OTHER) in held


def test_references_between_people_still_resolve(small: Small) -> None:
    joined = small.warehouse.records(
        "select p.id from raw_zoho_crm__participations p join raw_zoho_crm__contacts c on c.id = p.contact"
    )
    assert len(joined) == 2


def test_a_deleted_person_is_found_again_by_the_pseudonym(small: Small) -> None:
    assert small.load("contacts", [], deleted={PERSON: None}).deleted == 1


def test_the_key_is_created_once_and_readable_only_by_its_owner(small: Small) -> None:
    path = small.settings.secrets_dir / "pseudonym.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_pseudonyms(small.settings) == load_pseudonyms(small.settings)
    assert path.read_text() not in everything(small)
    assert path.read_text() not in repr(load_pseudonyms(small.settings))


def test_a_key_other_than_the_one_the_data_were_loaded_with_is_refused(small: Small) -> None:
    other = small.settings.model_copy(update={"pseudonym_key": SecretStr("another key of some length")})
    with pytest.raises(SettingsError, match="but this key is") as refused:
        Small(other, small.warehouse).load("contacts", [contact("9")])
    assert "another key" not in str(refused.value)


def test_a_key_that_is_too_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="at least 16 characters"):
        load_pseudonyms(organisation(tmp_path, pseudonym_key=SecretStr("short")).settings)


def test_pseudonyms_differ_by_source_and_by_key() -> None:
    one, two = Pseudonyms(b"k" * 32), Pseudonyms(b"l" * 32)
    assert len({one.of("a", "1"), one.of("b", "1"), two.of("a", "1"), one.of("a", "2")}) == 4
    assert one.of("a", "1") == one.of("a", "1")


@pytest.mark.long
def test_an_erased_person_is_gone_from_every_table_and_stays_out(small: Small) -> None:
    small.load(
        "contacts", [contact(PERSON, gender="Man", modified_at="2024-02-01T00:00:00+00:00")]
    )  # a version
    small.load("contacts", [contact(PERSON) | {"gender": "unheard of"}])  # and one in quarantine
    small.calculate("2024-Q4")
    pseudonym = load_pseudonyms(small.settings).of("zoho_crm", PERSON)
    assert pseudonym in everything(small)
    done = erase(
        small.warehouse, load_pseudonyms(small.settings), "zoho_crm", PERSON, "request of 3 November"
    )
    held = [line for line in everything(small).splitlines() if not line.startswith("erasure:")]
    assert not [line for line in held if pseudonym in line]
    assert done.rows >= 4
    assert done.mentions >= 2
    assert len(small.warehouse.records("select * from raw_zoho_crm__participations")) == 2
    again = small.load("contacts", [contact(PERSON), contact(OTHER)])
    small.load("participations", [part(1, PERSON), part(2, OTHER)])
    held = [line for line in everything(small).splitlines() if not line.startswith("erasure:")]
    assert not [line for line in held if pseudonym in line]
    assert any("requested erasure" in note for note in again.notes)


@pytest.mark.long
def test_published_figures_outlive_an_erasure(small: Small) -> None:
    small.calculate("2024-Q4")
    small.publish("2024-Q4")
    before = small.warehouse.records(
        "select * from published_figures order by indicator_id, period, disaggregation"
    )
    erase(small.warehouse, load_pseudonyms(small.settings), "zoho_crm", PERSON, "request")
    after = small.warehouse.records(
        "select * from published_figures order by indicator_id, period, disaggregation"
    )
    assert after == before


def test_an_answer_is_erased_by_the_tools_own_id_and_its_file_does_not_bring_it_back(small: Small) -> None:
    small.survey("lab.csv", {"r1": "Satisfied", "r2": "Neutral"})
    erase(small.warehouse, load_pseudonyms(small.settings), "survey_files", "zoho_survey|r1", "request")
    small.load_surveys()
    rows = small.warehouse.records("select response_id from raw_surveys__responses")
    assert [row["response_id"] for row in rows] == ["r2"]


def test_a_source_without_people_cannot_erase_one(small: Small) -> None:
    with pytest.raises(MelError, match="it has no data about people"):
        erase(small.warehouse, load_pseudonyms(small.settings), "matomo", "1", "request")


def test_text_about_people_and_old_versions_are_deleted_after_their_retention(small: Small) -> None:
    small.survey("lab.csv", {"r1": "Satisfied"})
    with small.warehouse.transaction() as connection:
        connection.exec_driver_sql(
            "update raw_surveys__responses set open_comment = 'my name is', other_answers = '{}'"
        )
    small.load("contacts", [contact(OTHER, gender="Man", modified_at="2024-02-01T00:00:00+00:00")])
    assert remove_expired(small.warehouse, utc_now() - timedelta(days=360)) == {}
    removed = remove_expired(small.warehouse, utc_now() + timedelta(days=61 * 31))
    assert removed["raw_surveys__responses"] == 2
    assert removed["raw_zoho_crm__contacts_history"] == 1
    row = small.warehouse.records(
        "select open_comment, other_answers, overall_satisfaction from raw_surveys__responses"
    )[0]
    assert row == {"open_comment": None, "other_answers": None, "overall_satisfaction": "Satisfied"}


def test_copies_for_spark_go_with_what_is_too_old_and_stay_while_nothing_is(
    small: Small, tmp_path: Path
) -> None:
    lake = ParquetMirror(small.warehouse, tmp_path / "lake")
    small.load("contacts", [contact(OTHER, gender="Man", modified_at="2024-02-01T00:00:00+00:00")])
    [copy], _ = lake.hand_over({"raw_zoho_crm__contacts_history": [("_row_key", "text")]}, lake.parts())
    remove_expired(small.warehouse, utc_now() - timedelta(days=360))
    assert lake.is_there(copy)
    assert remove_expired(small.warehouse, utc_now() + timedelta(days=61 * 31))
    assert not lake.is_there(copy) and lake.parts() == {}


def test_data_held_about_people_are_listed_with_purpose_and_retention(small: Small) -> None:
    held = {(item.source, item.entity): item for item in holdings(small.warehouse)}
    people = held["zoho_crm", "contacts"]
    assert (people.rows, people.keys, people.keep_months) == (2, ("id",), 60)
    assert held["survey_files", "responses"].texts == ("open_comment", "other_answers")
    assert ("zoho_crm", "accounts") not in held


@pytest.mark.parametrize(("source", "entity"), entities_about_people())
def test_a_source_about_people_that_was_never_loaded_keeps_nothing_from_its_retention(
    tmp_path: Path, source: str, entity: str
) -> None:
    small = organisation(tmp_path)
    ensure_empty(contract_of(source), entity, small.warehouse)
    assert remove_expired(small.warehouse, utc_now(), (source, entity)) == {}
    with small.warehouse.transaction() as connection:
        connection.exec_driver_sql(f"drop table {contract_of(source).table(entity)}_history")
    assert remove_expired(small.warehouse, utc_now()) == {}
