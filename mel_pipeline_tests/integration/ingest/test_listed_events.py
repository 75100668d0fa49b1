"""An attendance list is matched to its event before and after it is loaded, whatever order its dates have."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.settings import Settings
from mel_pipeline.ingest.listed_events import ListedEvent, events_of
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.row_processing import row_processing_for
from mel_pipeline.sources import open_source
from mel_pipeline.sources.attendance_lists.client import AttendanceLists
from mel_pipeline.sources.attendance_lists.giving import STATED, give_list
from mel_pipeline.sources.shared.dates import Order
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.organisation import Small, event, organisation

DAYS = [f"{one}{mark}{other}{mark}{year}" for mark in "/.-" for one, other, year in [("{a:02}", "{b:02}", "{y}"), ("{a}", "{b}", "{y}"), ("{a:02}", "{b:02}", "{y2:02}")]]  # fmt: skip
CLOCKS = ["", " 10:00", " 10:00 AM", ", 10:00:00", " 10:00:00 a. m.", " 10h00"]
PLACES = ["Start time", "Date above", "Join Time", "First Join", "Date"]
ORDERS: list[Order | None] = [None, "day_first", "month_first"]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """An event a day of 2025, each with its own code and title, and two of one title."""
    made = organisation(tmp_path_factory.mktemp("days"))
    first = date(2025, 1, 1)
    days = [first + timedelta(days=number) for number in range(365)]
    made.load("events", [held(number, day) for number, day in enumerate(days, start=1)])
    return made


def held(number: int, day: date, **more: str) -> dict[str, str]:
    return event(number, name=f"Course {number}", code=f"TRN-{number:03}", event_type="Training", programme="AVANTIA", starts_at=f"{day}T09:00:00+00:00", ends_at=f"{day}T11:00:00+00:00", **more)  # fmt: skip


def written(day: date, order: Order, form: str, clock: str) -> str:
    a, b = (day.day, day.month) if order == "day_first" else (day.month, day.day)
    return form.format(a=a, b=b, y=day.year, y2=day.year % 100) + clock


def sheet(place: str, text: str, title: str = "") -> str:
    """A list that says its day in one place."""
    above = f'Topic:,"{title}"\n' if title else ""
    if place == "Start time":
        return f'{above}Start time,"{text}"\nName,Email\nAna Pons,ana@example.org\n'
    if place == "Date above":
        return f'{above}Date:,"{text}"\nName,Email\nAna Pons,ana@example.org\n'
    if place == "Join Time":
        return f'{above}Name,Email,Join Time,Leave Time\nAna Pons,ana@example.org,"{text}","{text}"\n'
    return f'{above}Name,Email,{place}\nAna Pons,ana@example.org,"{text}"\n'


def stated(folder: Path, declared: Order | None) -> Iterator[dict[str, str | None]]:
    for batch in AttendanceLists(folder, order=declared, settle_seconds=0).pull("attendances").batches:
        assert batch.rejected == []
        rows = batch.frame[list(STATED)].astype(object)
        yield from rows.where(rows.notna(), None).to_dict("records")


@pytest.mark.deep
@pytest.mark.slow  # a thousand lists an example
@pytest.mark.long
@pytest.mark.fault(182)
@settings(max_examples=examples(1, 40), deadline=None)
@given(number=st.integers(1, 365), by_title=st.booleans())
@example(number=163, by_title=False)  # 12 June
@example(number=340, by_title=True)  # 6 December
def test_whatever_the_order_form_and_place_of_its_day_a_list_finds_the_event_it_names(
    small: Small, tmp_path_factory: pytest.TempPathFactory, number: int, by_title: bool
) -> None:
    day = date(2025, 1, 1) + timedelta(days=number - 1)
    title = f"Course {number}" if by_title else ""
    said: dict[tuple[str | None, ...], dict[str, str | None]] = {}
    for declared in ORDERS:
        folder = tmp_path_factory.mktemp("lists")
        cases = itertools.product(
            ("day_first", "month_first"), DAYS, CLOCKS[: None if declared is None else 2], PLACES
        )
        for place, (order, form, clock, column) in enumerate(cases):
            if clock or column not in ("Join Time", "First Join"):
                name = f"{place}.csv" if by_title else f"{place} TRN-{number:03}.csv"
                text = sheet(column, written(day, order, form, clock), title)
                (folder / name).write_text(text, encoding="utf-8")
        for one in stated(folder, declared):  # lists that say the same of their event are of the same event
            said[tuple(one[name] for name in STATED[1:6])] = one
    found = events_of(small.settings, list(said.values()))
    assert [one for one in found if one.trouble or (one.code, one.day) != (f"TRN-{number:03}", day)] == []
    assert len(found) >= (1 if day.day > 12 or day.day == day.month else 4)


@pytest.mark.slow
@pytest.mark.fault(182)
def test_where_no_reading_is_of_the_event_both_days_are_named(small: Small) -> None:
    given_list = give_list(
        small.settings, "z.csv", sheet("Start time", "12/06/2025 10:00 AM").encode(), "TRN-001"
    )
    [found] = events_of(small.settings, given_list.stated)
    assert (found.trouble, found.code, found.starts) == ("day", "TRN-001", date(2025, 1, 1))
    assert {found.day, found.otherwise} == {date(2025, 6, 12), date(2025, 12, 6)}


@pytest.mark.fault(183)
@pytest.mark.parametrize(
    ("name", "text", "code", "trouble"),
    [
        ("a.csv", "Name,Email\nAna,a@example.org\n", "", "none"),
        ("b.csv", "Name,Email\nAna,a@example.org\n", "TRN-999", "none"),
        ("c.csv", "Code:,TRN-999\nName,Email\nAna,a@example.org\n", "", "code"),
        ("d TRN-001 and TRN-002.csv", "Name,Email\nAna,a@example.org\n", "", "several"),
        ("e.csv", "Date:,2025-03-01\nName,Email\nAna,a@example.org\n", "TRN-001", "day"),
    ],
)
def test_why_a_given_list_does_not_count_is_known_at_once(
    small: Small, name: str, text: str, code: str, trouble: str
) -> None:
    [found] = events_of(small.settings, give_list(small.settings, name, text.encode(), code).stated)
    assert found.trouble == trouble


@pytest.mark.slow
def test_a_training_and_its_programme_are_named_and_what_is_no_training_is_told(
    small: Small, tmp_path: Path
) -> None:
    [found] = events_of(
        small.settings,
        give_list(small.settings, "x.csv", b"Name,Email\nAna,a@example.org\n", "TRN-010").stated,
    )
    assert (found.trouble, found.programme, found.is_training) == (None, "AVANTIA", True)
    other = organisation(tmp_path)
    other.load("events", [event(1)])
    [found] = events_of(
        other.settings, give_list(other.settings, "x.csv", b"Name,Email\nAna,a@example.org\n", "EV-1").stated
    )
    assert (found.trouble, found.is_training) == (None, False)


def test_before_any_event_is_loaded_the_page_says_so(tmp_path: Path) -> None:
    settings_here = Settings(home=tmp_path, _env_file=None)  # type: ignore[call-arg]
    [found] = events_of(
        settings_here, give_list(settings_here, "x.csv", b"Name,Email\nAna,a@example.org\n", "EV-1").stated
    )
    assert found == ListedEvent("EV-1 x.csv", "not_loaded")


@pytest.mark.fault(182)
@pytest.mark.slow  # calculates a quarter
@pytest.mark.long
def test_a_meeting_in_american_dates_counts_by_its_event_though_the_day_is_declared_first(
    tmp_path: Path,
) -> None:
    small = organisation(tmp_path)
    small.load("accounts", [])
    day = date(2024, 12, 6)
    small.load("events", [held(1, day), held(2, date(2024, 6, 12))])
    small.load_the_rest()
    people = [f'Person {n},p{n}@example.org,"12/06/2024 10:00 AM","12/06/2024 11:30 AM"' for n in range(6)]
    text = "\n".join(["Name (original name),Email,Join time,Leave time", *people])
    folder = small.settings.attendance_folder
    folder.mkdir(parents=True)
    (folder / "TRN-001.csv").write_text(text)
    os.utime(folder / "TRN-001.csv", (1_700_000_000, 1_700_000_000))
    (folder / "again TRN-001.csv").write_text(text.replace("12/06/2024", "Dec 6, 2024"))
    os.utime(folder / "again TRN-001.csv", (1_700_000_000, 1_700_000_000))
    source = AttendanceLists(folder, order="day_first")
    load_entity(source, contract_of("attendance_lists"), "attendances", small.warehouse, processing=row_processing_for(small.warehouse, small.settings, "attendance_lists", "attendances"))  # fmt: skip
    small.calculate("2024-Q4")
    rows = small.warehouse.records("select event_id, seconds, started_on from fct_attendance")
    assert len(rows) == 6 and {row["event_id"] for row in rows} == {"1"}
    assert {row["seconds"] for row in rows} == {5400}, "the second list adds no time"
    assert {datetime.fromisoformat(str(row["started_on"])[:10]).date() for row in rows} == {day}


@pytest.mark.slow
@pytest.mark.fault(184)
def test_a_list_given_again_with_its_code_takes_the_place_of_the_first(tmp_path: Path) -> None:
    here = organisation(tmp_path)
    here.load("events", [held(1, date(2025, 1, 1))])
    content = b"Name,Email\nAna,a@example.org\nBea,b@example.org\n"

    def load() -> dict[str, int]:
        for path in here.settings.attendance_folder.iterdir():
            os.utime(path, (1_700_000_000, 1_700_000_000))
        load_entity(open_source("attendance_lists", here.settings), contract_of("attendance_lists"), "attendances", here.warehouse, processing=row_processing_for(here.warehouse, here.settings, "attendance_lists", "attendances"))  # fmt: skip
        rows = here.warehouse.records(
            "select list_name, count(*) as n from raw_attendance_lists__attendances where not _is_deleted group by list_name"
        )
        return {row["list_name"]: row["n"] for row in rows}

    assert give_list(here.settings, "list.csv", content).renamed == ""
    assert load() == {"list.csv": 2}
    again = give_list(
        here.settings, "list.csv", content, "TRN-001", lambda earlier: earlier[0]["list_name"] == "list.csv"
    )
    assert again.renamed == "list.csv"
    assert load() == {"TRN-001 list.csv": 2}
    (here.settings.attendance_folder / "TRN-001 list.csv").rename(
        here.settings.attendance_folder / "TRN-001.csv"
    )
    assert load() == {"TRN-001.csv": 2}, "so does one renamed in the folder"
    assert give_list(here.settings, "list.csv", content, "TRN-002").renamed == ""
    assert load() == {"TRN-001.csv": 2, "TRN-002 list.csv": 2}, "two events had the same people"
    (here.settings.attendance_folder / "TRN-001.csv").unlink()
    assert load() == {"TRN-001.csv": 2, "TRN-002 list.csv": 2}, (
        "and a list taken away is none that was renamed"
    )
