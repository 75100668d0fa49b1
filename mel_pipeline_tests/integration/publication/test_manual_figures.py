"""An indicator counted by hand on its whole way: workbook, raw tables, figures, disclosure, explanation, edition."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.publication.provenance import explain
from mel_pipeline.publication.statements import read_statements
from mel_pipeline.reporting.inputs.editions import read_edition
from mel_pipeline.sources import open_source
from mel_pipeline.sources.workbook import versions
from mel_pipeline.sources.workbook.model import Change, Preview, Upload
from mel_pipeline_tests.fixtures.organisation import Small, copy_of, seven_members

pytestmark = pytest.mark.slow  # calculates a quarter each time
SHEETS = ("manual_indicators", "manual_figures", "earlier_figures")


@pytest.fixture
def small(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Small:
    return copy_of(tmp_path_factory, "seven-members", tmp_path, seven_members)


def indicator(code: str, **changes: str) -> dict[str, str | None]:
    return {
        "code": code,
        "name_en": f"Name of {code}",
        "definition_en": "Counted from lists.",
        "unit": "people",
        "aggregation": "flow",
        "direction": "increase",
        "owner_role": "Programmes",
        "about_people": "yes",
        "numerator": "People with a certificate",
        **changes,
    }


def figure(code: str, period: str, value: str, **changes: str) -> dict[str, str | None]:
    return {"indicator": code, "period": period, "value": value, "evidence": f"List of {period}", **changes}


def state(small: Small, role: str, day: int, **sheets: list[dict[str, Any]]) -> None:
    """Accept new rows, as the page does, and load them."""
    current = versions.current(small.settings)
    new = [Change(sheet, None, None, row) for sheet, rows in sheets.items() for row in rows]
    preview = Preview(current, Upload(current.id, {}), new, [], [], [], [], 0)
    versions.accept(small.settings, preview, role, clock=lambda: datetime(2025, 1, day))
    for sheet in SHEETS:
        result = load_entity(
            open_source("workbook", small.settings), contract_of("workbook"), sheet, small.warehouse
        )
        assert result.quarantined == 0


@pytest.mark.fault(124)
@pytest.mark.long
def test_a_figure_counted_by_hand_stands_beside_the_others_with_its_origin_and_small_groups_are_withheld(
    small: Small,
) -> None:
    state(
        small,
        "MEL lead",
        10,
        manual_indicators=[
            indicator("HND-01"),
            indicator("HND-02", unit="trainings", about_people="no", line="1"),
        ],
        manual_figures=[
            figure("HND-01", "2024-Q4", "48"),
            figure("HND-01", "2024-Q4", "45", dimension="gender", category="Women"),
            figure("HND-01", "2024-Q4", "3", dimension="gender", category="Men"),
            figure("HND-02", "2024-Q3", "2"),
            figure("HND-02", "2024-Q4", "5"),
        ],
        earlier_figures=[
            {
                "indicator": "MEM-01",
                "period": "2019",
                "value": "138",
                "document": "Annual report 2019",
                "page": "9",
            }
        ],
    )
    small.calculate("2024-Q4")
    rows = small.warehouse.records(
        "select disaggregation, status, value, note from released_figures where indicator_id = 'HND-01'"
        " and period = '2024-Q4' order by disaggregation"
    )
    status = {row["disaggregation"]: row["status"] for row in rows}
    assert status["gender=Men"] == "suppressed"
    assert list(status.values()).count("suppressed") == 2, "or the three would follow from the others"
    assert small.figure("HND-02", "2024-Q4") == 5
    year = small.warehouse.records(
        "select status, note from released_figures where indicator_id = 'HND-02' and period = '2024'"
    )
    assert year == [
        {"status": "not_available", "note": "Figures are stated for 2 of the 4 quarters of the year."}
    ]
    found = explain(small.warehouse, small.settings, "HND-02", "2024-Q4")
    assert found.statements == [
        "2024-Q4: stated by MEL lead on 2025-01-10 (workbook version 1). Evidence: List of 2024-Q4"
    ]
    assert "raw_workbook__manual_figures" in found.lineage
    assert not [
        words
        for words in explain(small.warehouse, small.settings, "HND-01", "2024-Q4").statements
        if "Men" in words
    ]
    edition = read_edition(small.warehouse, small.settings, "2024-Q4")
    assert {(item.indicator_id, item.category) for item in edition.statements} >= {("HND-02", "")}
    assert ("HND-01", "Men") not in {(item.indicator_id, item.category) for item in edition.statements}
    assert [item.value for item in edition.earlier] == [138.0]
    assert explain(small.warehouse, small.settings, "MEM-01", "2024-Q4").earlier == [
        "2019: 138 (Annual report 2019, p. 9)"
    ]


def test_a_statement_keeps_the_version_that_made_it_when_others_are_added(small: Small) -> None:
    state(
        small,
        "MEL lead",
        10,
        manual_indicators=[indicator("HND-01")],
        manual_figures=[figure("HND-01", "2024-Q3", "20")],
    )
    state(small, "Programmes", 20, manual_figures=[figure("HND-01", "2024-Q4", "30")])
    found = [
        item
        for item in read_statements(small.warehouse, small.settings)
        if item.indicator_id == "HND-01"  # the sample states figures of its own
    ]
    assert [(item.period, item.role, item.version) for item in found] == [
        ("2024-Q3", "MEL lead", 1),
        ("2024-Q4", "Programmes", 2),
    ]


@pytest.mark.long
def test_a_published_quarter_is_not_changed_by_an_indicator_stated_afterwards(small: Small) -> None:
    small.calculate("2024-Q4")
    small.publish("2024-Q4")
    before = small.warehouse.records(
        "select * from released_figures order by indicator_id, period, disaggregation"
    )
    state(
        small,
        "MEL lead",
        10,
        manual_indicators=[indicator("HND-01")],
        manual_figures=[figure("HND-01", "2024-Q4", "30")],
    )
    small.calculate("2024-Q4")
    small.restated("2024-Q4")
    after = small.warehouse.records(
        "select * from released_figures order by indicator_id, period, disaggregation"
    )
    assert [row for row in after if row["indicator_id"] != "HND-01"] == before
