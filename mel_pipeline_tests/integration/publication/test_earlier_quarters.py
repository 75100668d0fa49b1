"""Late data for quarters outside the nightly run: only their figures are updated, and published ones stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.periods import Quarter
from mel_pipeline.publication.calculations import note_calculation
from mel_pipeline.publication.recalculation import catch_up
from mel_pipeline.transform import SqlProject
from mel_pipeline.transform.engines import runner_for
from mel_pipeline.transform.variables import sql_variables
from mel_pipeline_tests.fixtures.organisation import Small, copy_of, event, member

pytestmark = pytest.mark.slow
QUARTERS = ("2024-Q2", "2024-Q3", "2024-Q4")
LAB_IN_MAY = event(2, starts_at="2024-05-07T09:00:00+00:00")


@pytest.fixture
def small(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Small:
    return copy_of(tmp_path_factory, "three-quarters", tmp_path, three_quarters)


def three_quarters(small: Small) -> None:
    small.load("accounts", [member(n) for n in range(1, 6)])
    small.load("events", [event(1), LAB_IN_MAY])
    small.load_the_rest()
    for quarter in QUARTERS:
        small.calculate(quarter)
    catch_up(small.warehouse, small.settings)


def tables_built_by_a_night(small: Small) -> set[str]:
    """As the nightly job does for the last quarter; names of what was built."""
    variables = sql_variables(small.settings, Quarter.parse("2024-Q4"))
    project = SqlProject.load(small.settings.sql_dir, variables)
    begun = utc_now()
    results = list(runner_for(small.warehouse, small.settings).run(project, variables=variables))
    assert {result.status for result in results} == {"ok"}
    note_calculation(small.warehouse, small.settings.sql_dir, "2024-Q4", project.variables, begun)
    return {result.name for result in results if not result.is_unchanged}


def recalculated(small: Small) -> list[str]:
    return [str(quarter) for quarter in catch_up(small.warehouse, small.settings)]


@pytest.mark.long
def test_a_night_without_news_builds_no_table_and_touches_no_quarter(small: Small) -> None:
    assert tables_built_by_a_night(small) == set()
    calculations = small.warehouse.records("select * from calculation")
    assert recalculated(small) == []
    assert len(calculations) == len(QUARTERS) + 1, "each calculation, and that of the night"
    assert small.warehouse.records("select * from calculation") == calculations


@pytest.mark.long
def test_a_late_survey_touches_only_the_quarter_of_its_event(small: Small) -> None:
    answers = {f"late{number}": "Very satisfied" for number in range(12)}
    small.survey("late.csv", answers, event="EV-2")
    built = tables_built_by_a_night(small)
    assert "fct_survey_response" in built
    assert not [name for name in built if "mem" in name or "contribution" in name or "participation" in name]
    assert recalculated(small) == ["2024-Q2"]
    assert small.figure("SAT-02", "2024-Q2") == 100
    assert recalculated(small) == []


@pytest.mark.long
def test_a_corrected_date_touches_the_old_and_the_new_quarter(small: Small) -> None:
    moved = {
        **LAB_IN_MAY,
        "starts_at": "2024-08-07T09:00:00+00:00",
        "modified_at": "2025-01-20T00:00:00+00:00",
    }
    small.load("events", [moved])
    tables_built_by_a_night(small)
    assert recalculated(small) == ["2024-Q2", "2024-Q3"]
    assert [small.figure("LAB-01", quarter) for quarter in QUARTERS] == [0, 1, 1]


def test_a_deleted_event_touches_its_quarter(small: Small) -> None:
    small.load("events", [], deleted={"2": None})
    tables_built_by_a_night(small)
    assert recalculated(small) == ["2024-Q2"]
    assert small.figure("LAB-01", "2024-Q2") == 0


@pytest.mark.long
def test_a_published_quarter_keeps_its_figures_and_the_ledger_says_what_late_data_would_make_of_them(
    small: Small,
) -> None:
    for quarter in ("2024-Q2", "2024-Q3", "2024-Q4"):
        small.publish(quarter)
    small.load("events", [{**LAB_IN_MAY, "status": "Cancelled", "modified_at": "2025-01-20T00:00:00+00:00"}])
    tables_built_by_a_night(small)
    assert recalculated(small) == ["2024-Q2"]
    assert small.figure("LAB-01", "2024-Q2") == 1, "as it was published"
    rows = small.warehouse.records(
        "select quarter, indicator_id, current, reason from restatement where disaggregation = 'total'"
    )
    assert ("2024-Q2", "LAB-01", 0, "correction") in [tuple(row.values()) for row in rows]
    assert {row["quarter"] for row in rows} == {"2024-Q2", "2024-Q4"}, "and the year that the fourth closes"


@pytest.mark.long
def test_figures_that_were_lost_with_their_table_are_calculated_again(small: Small) -> None:
    before = small.warehouse.read("select * from indicator_values order by all")
    with small.warehouse.transaction() as connection:
        connection.exec_driver_sql("drop table indicator_values")
    recalculated(small)
    after = small.warehouse.read("select * from indicator_values order by all")
    assert len(after) == len(before)
    assert after.equals(before)
