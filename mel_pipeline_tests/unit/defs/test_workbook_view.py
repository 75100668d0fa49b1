"""What the page of the workbook shows: many alike rows as a table, the odd ones apart."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from mel_pipeline.defs.serving.listed_view import whole_codes
from mel_pipeline.defs.serving.workbook_view import Desk, View
from mel_pipeline.sources.workbook.model import Change
from mel_pipeline_tests.golden.sample_edition import REPORTS

DESK = cast(
    Desk,
    SimpleNamespace(
        languages=["en"],
        sources_dir=REPORTS,
        sheet=lambda name, _: name,
        column=lambda _, key, __: key,
        word=lambda _, __, value, ___: value,
    ),
)
LONG = "Decided by the board in March 2026"


def new(number: int, **more: str) -> Change:
    row = {
        "indicator": f"MEM-{number:02} · Member cities",
        "period": "2026",
        "value": str(number),
        "kind": "target",
    }
    return Change(
        "targets",
        None,
        None,
        {**row, "stated_on": "2026-03-01", "reason_en": LONG, **more},
        cell=f"B{number}",
    )


def test_one_row_with_more_columns_does_not_turn_a_table_into_a_list() -> None:
    rows = [new(number) for number in range(10, 34)]
    (table,) = View(DESK)._tables(rows, "en")
    assert not table.is_wide and len(table.rows) == 24
    odd = new(
        40, dimension="region", category="Africa and the islands", document="Minutes of the board, page 3"
    )
    (table,) = View(DESK)._tables([*rows[:5], odd, *rows[5:]], "en")
    assert not table.is_wide and "category" not in table.headings
    assert [place for place, _ in table.rows][4:7] == ["14", "40", "15"], (
        "one table, in the order of the sheet"
    )
    besides = [dict(cells) for cells in table.besides]
    assert besides[5]["category"] == "Africa and the islands" and besides[4] == {}


def test_rows_that_all_fill_in_many_columns_stay_together() -> None:
    rows = [
        new(number, dimension="region", category="Africa and the islands", document="Minutes, page 3")
        for number in range(10, 14)
    ]
    (table,) = View(DESK)._tables(rows, "en")
    assert table.is_wide and len(table.rows) == 4


def test_days_stand_in_the_words_of_the_reader() -> None:
    (table,) = View(DESK)._tables([new(10)], "en")
    assert "1 March 2026" in table.rows[0][1]
    (table,) = View(DESK)._tables([new(10)], "fr")
    assert "1 mars 2026" in table.rows[0][1]


def test_codes_stay_on_a_line_and_what_people_wrote_stays_text() -> None:
    assert whole_codes("No event has TRN-2025-Q1-01.") == (
        'No event has <span class="event-code">TRN-2025-Q1-01</span>.'
    )
    assert whole_codes("<b>MEM-01</b>") == '&lt;b&gt;<span class="event-code">MEM-01</span>&lt;/b&gt;'
    assert whole_codes("e-mail, A-1 and x-TRN-1") == "e-mail, A-1 and x-TRN-1"
