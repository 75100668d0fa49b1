"""Dropped attendance lists become figures: matched or told, people as pseudonyms, few of them withheld."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.ingest.privacy import load_pseudonyms
from mel_pipeline.ingest.privacy.erasure import erase
from mel_pipeline.ingest.row_processing import row_processing_for
from mel_pipeline.sources import open_source
from mel_pipeline_tests.fixtures.organisation import Small, event, member, organisation

SOURCE = "attendance_lists"
NAMES = ["Anna", "Bea", "Cesc", "Dora", "Enric", "Fina"]


def drop(small: Small, files: dict[str, str]) -> LoadResult:
    folder = small.settings.attendance_folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return load_entity(
        open_source(SOURCE, small.settings),
        contract_of(SOURCE),
        "attendances",
        small.warehouse,
        processing=row_processing_for(small.warehouse, small.settings, SOURCE, "attendances"),
    )


def sheet(people: list[str], day: str = "5 November 2024") -> str:
    rows = [f"{name} Xirgu,{name.lower()}@example.org,Woman" for name in people]
    return "\n".join([f"Date:,{day},", "Name,Email,Gender", *rows]) + "\n"


def texts_of(small: Small) -> list[str]:
    """Every text in the warehouse."""
    found = []
    for table in sorted(small.warehouse.tables()):
        for row in small.warehouse.records(f'select * from "{table}"'):
            found += [str(value) for value in row.values() if isinstance(value, str)]
    return found


@pytest.mark.fault(162, 163, 164, 165, 166)
@pytest.mark.behaviour("list_event", "attendance_lists")
@pytest.mark.behaviour("list_people", "attendance_lists")
@pytest.mark.slow  # calculates a quarter
@pytest.mark.long
def test_lists_become_figures_of_people_and_what_is_in_doubt_is_told(tmp_path: Path) -> None:
    small = organisation(tmp_path)
    training = {"event_type": "Training", "ends_at": "2024-11-05T10:00:00+00:00"}
    small.load("accounts", [member(n) for n in range(1, 8)])
    small.load(
        "events",
        [event(1, programme="AVANTIA", **training), event(2, programme="MGET", **training), event(3, programme="MGET", **training)],
    )  # fmt: skip
    small.load_the_rest()
    loaded = drop(
        small,
        {
            "EV-1 list.csv": sheet(NAMES),
            "EV-1 list (1).csv": sheet(NAMES[:5]),  # downloaded twice
            "EV-2.csv": sheet(NAMES[:2]),  # two people: their figure is withheld
            "no code.csv": sheet(["Gil"]),
            "EV-3.csv": sheet(["Hug"], day="9 December 2024"),  # not the day of its event
        },
    )
    assert (loaded.new, loaded.quarantined) == (15, 0)
    small.calculate("2024-Q4")

    def told(table: str, indicator: str, cell: str) -> tuple[object, object, object]:
        [row] = small.warehouse.records(
            f"select value, status, note from {table}"
            f" where indicator_id = '{indicator}' and period = '2024-Q4' and disaggregation = '{cell}'"
        )
        return row["value"], row["status"], row["note"]

    assert told("indicator_values", "TRN-01", "total")[:2] == (6, "ok")
    assert told("indicator_values", "TRN-01", "total")[2] == "1 of 3 trainings have no attendance list."
    assert told("indicator_values", "TRN-03", "programme=AVANTIA")[0] == 6
    assert told("indicator_values", "TRN-02", "programme=MGET")[0] == 2
    for indicator in ("TRN-01", "TRN-02", "TRN-03"):
        assert told("released_figures", indicator, "programme=MGET")[:2] == (None, "suppressed")
    doubts = small.warehouse.records(
        "select list_name, trouble from int_attendance_event where trouble is not null order by list_name"
    )
    assert [tuple(row.values()) for row in doubts] == [
        (
            "EV-3.csv",
            "the list is of another day than its event (the list is of 2024-12-09; EV-3 is on 2024-11-05)",
        ),
        (
            "no code.csv",
            "no event is named by the list, by code or by title and day (the list is of 2024-11-05)",
        ),
    ]
    assert not [text for text in texts_of(small) if "xirgu" in text.lower() or "anna@" in text]

    erased = erase(
        small.warehouse, load_pseudonyms(small.settings), SOURCE, "anna@example.org", "request of 3 November"
    )
    assert erased.rows >= 3
    drop(small, {"EV-2 again.csv": sheet(["Anna"])})
    [left] = small.warehouse.records(
        f"select count(*) as n from raw_attendance_lists__attendances where person = '{erased.person}'"
    )
    assert left["n"] == 0
