"""A list that is given stays in the folder until its event is named, and under two names it is said and mended."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.defs.serving.list_desk import ListDesk
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.row_processing import row_processing_for
from mel_pipeline.sources import open_source
from mel_pipeline_tests.fixtures.organisation import Small, event, organisation

pytestmark = pytest.mark.slow  # loads the folder

SHEET = b"Name,Email,Date\nAna,a@example.org,2025-12-06\nBea,b@example.org,2025-12-06\n"
NO_DAY = b"Name,Email\nAna,a@example.org\nBea,b@example.org\n"


@pytest.fixture
def small(tmp_path: Path) -> Small:
    made = organisation(tmp_path)
    made.load(
        "events",
        [
            event(1, code="TRN-1", name="Care", event_type="Training", starts_at="2025-12-06T09:00:00+00:00"),
            event(
                2, code="TRN-2", name="Housing", event_type="Training", starts_at="2025-03-01T09:00:00+00:00"
            ),
            event(
                3, code="TRN/10", name="Water", event_type="Training", starts_at="2025-11-01T09:00:00+00:00"
            ),
        ],
    )
    return made


def folder(small: Small) -> set[str]:
    return {path.name for path in small.settings.attendance_folder.iterdir() if path.name[0] != "."}


def loaded(small: Small) -> set[str]:
    """Names of lists that count after a load."""
    for path in small.settings.attendance_folder.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))
    load_entity(open_source("attendance_lists", small.settings), contract_of("attendance_lists"), "attendances", small.warehouse, processing=row_processing_for(small.warehouse, small.settings, "attendance_lists", "attendances"))  # fmt: skip
    rows = small.warehouse.records(
        "select distinct list_name from raw_attendance_lists__attendances where not _is_deleted"
    )
    return {row["list_name"] for row in rows}


@pytest.mark.fault(194)
@pytest.mark.parametrize("said", ["", "TRN-9", "the course on care? (6 Dec)"])
@pytest.mark.sweep("TRN-9")
def test_a_list_without_a_right_code_is_kept_and_named_later_without_the_file(small, said) -> None:
    desk = ListDesk(small.settings)
    answer = desk.give("list.csv", SHEET, said)
    assert answer.asks and not answer.counts and answer.suggested[0].code == "TRN-1"
    assert folder(small) == loaded(small) == {answer.given.name}
    settled = desk.name_event(answer.given.name, "TRN-1 · 6 December 2025 · Care", said)
    assert settled is not None and settled.counts and not settled.asks
    assert folder(small) == loaded(small) == {"TRN-1 list.csv"}


def test_a_chosen_event_wins_over_codes_in_the_name_and_a_stroke_in_a_code_is_no_path(small) -> None:
    desk = ListDesk(small.settings)
    assert desk.give("TRN-2 list.csv", NO_DAY, "TRN-1").events[0].code == "TRN-1"
    assert desk.give("more.csv", NO_DAY, "TRN/10").events[0].code == "TRN/10"
    assert (
        desk.give("TRN-1 and TRN-2.csv", NO_DAY + b"Cor,c@example.org\n", "").events[0].trouble == "several"
    )
    settled = desk.name_event("TRN-1 and TRN-2.csv", "TRN-2")
    assert settled is not None and settled.events[0].code == "TRN-2"
    assert folder(small) == {"TRN-1 list.csv", "TRN-10 more.csv", settled.given.name}


@pytest.mark.fault(195)
@pytest.mark.long
def test_the_same_list_for_two_events_is_said_and_one_taken_out_no_longer_counts(small) -> None:
    desk = ListDesk(small.settings)
    desk.give("list.csv", NO_DAY, "TRN-2")
    assert loaded(small) == {"TRN-2 list.csv"}
    answer = desk.give("list.csv", NO_DAY, "TRN-1")
    [twin] = answer.same
    assert (twin.name, twin.kind, twin.event.code) == ("TRN-2 list.csv", "two", "TRN-2")
    assert loaded(small) == {"TRN-1 list.csv", "TRN-2 list.csv"}, "both count until one is taken out"
    assert desk.take_out("TRN-2 list.csv") and not desk.take_out("TRN-2 list.csv")
    assert loaded(small) == {"TRN-1 list.csv"}
    desk.give("list.csv", NO_DAY, "TRN-2")
    assert loaded(small) == {"TRN-1 list.csv", "TRN-2 list.csv"}, "given again it counts again"


@pytest.mark.fault(195)
@pytest.mark.long
def test_a_second_copy_that_counts_for_nobody_is_not_taken_for_the_right_one(small) -> None:
    desk = ListDesk(small.settings)
    desk.give("list.csv", SHEET, "TRN-1")
    answer = desk.give("list.csv", SHEET, "TRN-2")
    assert not answer.counts and [(one.name, one.kind) for one in answer.same] == [
        ("TRN-1 list.csv", "counted")
    ]
    likely = [one.code for one in answer.suggested]
    assert likely[0] == "TRN-1" and "TRN-2" not in likely, "the event it was given for is not offered again"
    settled = desk.name_event(answer.given.name, "TRN-1", "TRN-2")
    assert settled is not None and settled.counts and folder(small) == {"TRN-1 list.csv"}


def test_a_code_within_the_list_is_said_to_be_there_as_no_choice_would_mend_it(small) -> None:
    answer = ListDesk(small.settings).give("a.csv", b"Code:,TRN-99\n" + NO_DAY, "TRN-1")
    assert not answer.asks and not answer.counts and answer.events[0].is_inside
    assert "TRN-1" in [one.code for one in answer.suggested]


@pytest.mark.parametrize("name", ["../../secret.csv", "/etc/passwd", ".withdrawn", "nowhere.csv", ""])
@pytest.mark.sweep
def test_no_name_leads_out_of_the_folder(small, tmp_path, name) -> None:
    (tmp_path / "secret.csv").write_bytes(SHEET)
    desk = ListDesk(small.settings)
    desk.give("list.csv", SHEET, "TRN-1")
    assert desk.look(name) is None and desk.name_event(name, "TRN-1") is None and not desk.take_out(name)
    assert (tmp_path / "secret.csv").exists()


def test_events_are_offered_while_a_run_writes_as_they_were_read_before(small) -> None:
    desk = ListDesk(small.settings)
    before = desk.offered().events
    assert {one.code for one in before} == {"TRN-1", "TRN-2", "TRN/10"}
    path = Path(small.settings.database_url.removeprefix("duckdb:///"))
    path.rename(path.with_suffix(".away"))
    path.mkdir()  # no warehouse that can be opened
    assert desk.offered().events == before
