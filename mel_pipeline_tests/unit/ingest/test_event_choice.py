"""Events are offered nearest first, and what was mistyped finds those that may be meant."""

from __future__ import annotations

from datetime import date

import pytest

from mel_pipeline.ingest.event_choice import EventChoice, code_of, in_order, suggested

TODAY = date(2025, 6, 20)
CARE = EventChoice("TRN-2025-Q2-01", "Care training", date(2025, 6, 19), date(2025, 6, 19))
WATER = EventChoice("TRN-2025-Q2-02", "Water training", date(2025, 6, 14), date(2025, 6, 15))
PANEL = EventChoice("PNL-2025-07", "Panel on housing", date(2025, 7, 3), date(2025, 7, 3))
OLD = EventChoice("TRN-2024-Q2-01", "Care training of 2024", date(2024, 6, 19), date(2024, 6, 19))
UNDATED = EventChoice("GOV-1", "Board")
ALL = (OLD, WATER, CARE, PANEL, UNDATED)


def codes(found: list[EventChoice]) -> list[str]:
    return [one.code for one in found]


def test_of_a_list_that_was_read_the_events_on_its_days_come_first() -> None:
    assert codes(in_order(ALL, {date(2025, 6, 15)}, TODAY))[:2] == [WATER.code, CARE.code]
    assert in_order(ALL, {date(2025, 7, 1)}, TODAY)[0] == PANEL
    assert in_order(ALL, {date(2025, 6, 15)}, TODAY)[-1] == UNDATED


def test_before_a_file_is_read_past_events_come_first_then_coming_ones() -> None:
    assert in_order(ALL, (), TODAY) == [CARE, WATER, OLD, PANEL, UNDATED]


@pytest.mark.fault(194)
@pytest.mark.parametrize(
    ("said", "days", "first"),
    [
        ("TRN-2025-Q2-11", (), CARE),
        ("TRN-2025-02-02", (date(2025, 6, 14),), WATER),
        ("water", (), WATER),
        ("attendance list.csv", (date(2025, 7, 3),), PANEL),
    ],
)
def test_what_may_be_meant_is_near_in_days_or_alike_in_words(said, days, first) -> None:
    assert suggested(ALL, days, said, TODAY)[0] == first


def test_nothing_is_suggested_where_nothing_is_near_or_alike() -> None:
    assert suggested(ALL, (), "zzzz", TODAY) == []
    assert suggested(ALL, (date(2020, 1, 1),), "", TODAY) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("trn-2025-q2-01", CARE.code),
        (" TRN 2025 Q2 01 ", CARE.code),
        ("Water training", WATER.code),
        ("TRN-9", "TRN-9"),
        ("", ""),
    ],
)
def test_a_code_is_found_however_it_is_written_and_what_is_none_stays(text, code) -> None:
    assert code_of(text, ALL) == code


def test_a_title_of_two_events_names_neither() -> None:
    twice = [CARE, EventChoice("TRN-2025-Q3-01", "Care training")]
    assert code_of("Care training", twice) == "Care training"
