"""Corrections as data: applied to incoming rows and to quarantined ones, reported when they match nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.settings import Settings
from mel_pipeline.ingest.corrections import corrections_of
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.ingest.privacy import load_pseudonyms
from mel_pipeline.ingest.replay import (
    replay,
    replay_new,
    unused_corrections,
    use_of_corrections,
    without_match,
)
from mel_pipeline.ingest.row_processing import row_processing_for
from mel_pipeline.quality.scorecard import card, quarantined_rows
from mel_pipeline.sources.workbook.versions import current
from mel_pipeline_tests.fixtures.organisation import Small, member, organisation


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return organisation(tmp_path)


def write(small: Small, text: str) -> None:
    path = small.settings.home / "corrections.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


REGION = """
- source: zoho_crm
  entity: accounts
  match: {id: "2"}
  action: set
  set: {region: Europe}
  reason: Entered under the wrong region.
  provider: Membership
  date: 2025-01-12
"""
LEFT_OUT = """
- source: zoho_crm
  entity: accounts
  match: {id: "3"}
  action: leave_out
  reason: Entered twice.
  provider: Membership
  date: 2025-01-12
"""


def regions(small: Small) -> dict[str, str]:
    rows = small.warehouse.records(
        "select id, region from raw_zoho_crm__accounts where not _is_deleted order by id"
    )
    return {row["id"]: row["region"] for row in rows}


@pytest.mark.slow
def test_a_correction_is_applied_as_the_row_arrives_and_counted(small: Small) -> None:
    write(small, REGION)
    result = small.load("accounts", [member(1), member(2)])
    assert regions(small) == {"1": "Asia", "2": "Europe"}
    assert result.corrected == 1
    assert "1 corrected" in result.sentence
    assert [line.corrected for line in card(small.warehouse)] == [1]


@pytest.mark.slow
def test_a_row_left_out_stays_in_quarantine_with_the_reason_and_is_not_pending(small: Small) -> None:
    write(small, LEFT_OUT)
    result = small.load("accounts", [member(1), member(3)])
    assert regions(small) == {"1": "Asia"}
    assert (result.fetched, result.new, result.quarantined, result.waiting) == (2, 1, 1, [])
    kept = small.warehouse.records("select reason, payload from quarantine")
    assert kept[0]["reason"] == "Left out: Entered twice. (Membership, 2025-01-12)"
    assert '"name": "City 3"' in kept[0]["payload"]
    assert quarantined_rows(small.warehouse) == []


@pytest.mark.slow
def test_a_quarantined_cell_is_fixed_by_a_correction_and_a_replay(small: Small) -> None:
    small.load("accounts", [member(1), member(2, region="Atlantis")])
    assert regions(small) == {"1": "Asia", "2": None}
    assert [row["row_key"] for row in quarantined_rows(small.warehouse)] == ["2"]
    write(small, REGION)
    done = replay(small.warehouse, small.settings)
    assert done["raw_zoho_crm__accounts"].changed == 1
    assert regions(small) == {"1": "Asia", "2": "Europe"}
    assert quarantined_rows(small.warehouse) == []


@pytest.mark.slow
def test_a_replay_corrects_stored_rows_and_a_second_one_changes_nothing(small: Small) -> None:
    small.load("accounts", [member(1), member(2)])
    write(small, REGION)
    first, second = (replay(small.warehouse, small.settings)["raw_zoho_crm__accounts"] for _ in range(2))
    assert (first.changed, second.changed) == (1, 0)
    assert regions(small) == {"1": "Asia", "2": "Europe"}
    versions = small.warehouse.records("select region from raw_zoho_crm__accounts_history where id = '2'")
    assert sorted(row["region"] for row in versions) == ["Asia", "Europe"]


@pytest.mark.slow
def test_a_correction_names_a_person_by_the_sources_own_id(small: Small) -> None:
    contact = {
        "id": "77",
        "gender": "Woman",
        "created_at": "2024-01-01T00:00:00+00:00",
        "modified_at": "2024-01-01T00:00:00+00:00",
    }
    small.load("contacts", [contact])
    write(
        small,
        REGION.replace("accounts", "contacts")
        .replace('"2"', '"77"')
        .replace("region: Europe", "gender: Man"),
    )
    replay(small.warehouse, small.settings)
    rows = small.warehouse.records("select id, gender from raw_zoho_crm__contacts")
    assert rows == [{"id": load_pseudonyms(small.settings).of("zoho_crm", "77"), "gender": "Man"}]


@pytest.mark.slow
def test_a_correction_that_matches_nothing_is_reported(small: Small) -> None:
    write(small, REGION + LEFT_OUT)
    small.load("accounts", [member(1), member(2)])
    used = use_of_corrections(small.warehouse, small.settings)
    assert [(line.match["id"], rows) for line, rows in used] == [("2", 1), ("3", 0)]
    unused = unused_corrections(small.warehouse, [line for line, _ in used])
    assert unused == ["Corrections, C-0002 (zoho_crm accounts)"], "neither the value nor the reason"
    assert [line.row for line in without_match(small.warehouse, small.settings)] == ["C-0002"]


@pytest.mark.slow
@pytest.mark.fault(138)
def test_a_new_correction_reaches_rows_loaded_before_once_and_without_being_asked(small: Small) -> None:
    small.load("accounts", [member(1), member(2, region="Atlantis"), member(3)])
    write(small, REGION)

    def corrected() -> LoadResult | None:
        processing = row_processing_for(small.warehouse, small.settings, "zoho_crm", "accounts")
        return replay_new(small.warehouse, "zoho_crm", "accounts", processing)

    first = corrected()
    assert first is not None and first.changed == 1
    assert (
        regions(small) == {"1": "Asia", "2": "Europe", "3": "Asia"}
        and quarantined_rows(small.warehouse) == []
    )
    assert corrected() is None, "nothing is new"
    write(small, REGION + LEFT_OUT)
    assert corrected() is not None and set(regions(small)) == {"1", "2"}
    write(small, "")
    assert corrected() is None and corrected() is None, "there is none any more"


@pytest.mark.slow
@pytest.mark.fault(139)
def test_a_correction_of_a_person_is_matched_behind_the_pseudonym_and_named_without_the_id(
    small: Small,
) -> None:
    day = "2024-01-01T00:00:00+00:00"
    small.load("contacts", [{"id": "77", "gender": "Woman", "created_at": day, "modified_at": day}])
    of_contacts = REGION.replace("accounts", "contacts").replace("region: Europe", "gender: Man")
    write(small, of_contacts.replace('"2"', '"77"') + of_contacts.replace('"2"', '"78"'))
    found = without_match(small.warehouse, small.settings)
    assert [line.place for line in found] == ["Corrections, C-0002 (zoho_crm contacts)"]
    write(small, LEFT_OUT.replace("accounts", "deals"))
    assert without_match(small.warehouse, small.settings) == [], "of a table never loaded nothing can be said"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (REGION.replace("zoho_crm", "zoho_crn"), "there is no zoho_crn accounts"),
        (REGION.replace("{region: Europe}", "{regoin: Europe}"), "has no column regoin. It has: id, name"),
        (REGION.replace("action: set", "action: leave_out"), "`set` holds the new values"),
        (REGION.replace("  provider: Membership\n", ""), "provider"),
        ("- just text\n", "corrections.yml"),
        ("a: [", "Correct the line"),
    ],
)
def test_a_correction_that_cannot_be_read_stops_the_load_and_says_why(
    small: Small, wrong: str, said: str
) -> None:
    write(small, wrong)
    with pytest.raises(ContractError, match=said.replace("[", r"\[").replace(".", r"\.")):
        small.load("accounts", [member(1)])
    assert not small.warehouse.has_table("raw_zoho_crm__accounts")


def test_without_a_file_nothing_is_corrected(tmp_path: Path) -> None:
    assert corrections_of(current(Settings(home=tmp_path, _env_file=None))) == []
    assert "accounts" in contract_of("zoho_crm").entities
