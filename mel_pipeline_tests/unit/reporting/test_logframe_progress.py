"""A statement of a logframe is judged by the released figure of its indicator, on its own way."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from mel_pipeline.reporting.figures.logframe import Aim, Progress, progress
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline_tests.golden.sample_edition import cell, sample_edition


def figure(period: str, value: float | None, **more: object) -> dict[str, object]:
    status = more.pop("status", "ok" if value is not None else "not_available")
    return {**cell("XXX-01", period, "total", "", value), "status": status, **more}


def found(
    aggregation: str, aim: Aim, *rows: dict[str, object], period: str = "2024-Q4", **of: object
) -> Progress:
    edition = sample_edition(period)
    edition = replace(edition, figures=pd.DataFrame(list(rows)).reindex(columns=edition.figures.columns))
    model = replace(measures(edition, "en")[0], id="XXX-01", aggregation=aggregation, direction="increase")
    measure = replace(model, **{"decimals": 0, "unit": "events", **of})
    periods = sorted({str(row["period"]) for row in rows})
    return progress(measure, aim, Figures(edition, [measure]), periods)


WAY = Aim(baseline=0, baseline_on="2023", target=10, target_by="2025")


def test_a_level_is_its_latest_figure_judged_on_the_straight_way():
    assert found("stock", WAY, figure("2024-Q3", 1), figure("2024-Q4", 5)).standing.code == "on"
    behind = found("stock", WAY, figure("2024-Q3", 5), figure("2024-Q4", 1))
    assert (behind.standing.code, behind.standing.value, behind.standing.expected) == ("off", 1, 5)


def test_a_level_that_was_stated_last_a_year_ago_says_so_and_is_judged_as_of_then():
    old = found("stock", WAY, figure("2024-Q1", 2), figure("2024-Q2", None), figure("2024-Q4", None))
    assert (old.standing.value, old.period, old.standing.code) == (2, "2024-Q1", "on")


def test_amounts_add_up_since_the_baseline_and_a_whole_year_goes_before_its_quarters():
    rows = [
        figure("2023-Q4", 90),
        figure("2023", 90),
        figure("2024", 3),
        figure("2024-Q4", 3),
        figure("2025-Q1", 4),
    ]
    sum_up = found("flow", WAY, *rows, period="2025-Q1")
    assert (sum_up.standing.value, sum_up.period) == (7, "2025-Q1")
    assert sum_up.standing.code == "on"


@pytest.mark.fault(157)
def test_an_amount_that_lacks_a_quarter_is_shown_with_it_and_not_judged():
    partly = found("flow", WAY, figure("2024-Q1", 3), figure("2024-Q2", None), figure("2024-Q3", 2))
    assert (partly.standing.value, partly.missing, partly.standing.code) == (5, ("2024-Q2",), "not_available")


@pytest.mark.fault(157)
def test_a_withheld_quarter_withholds_the_sum():
    hidden = found("flow", WAY, figure("2024-Q1", 3), figure("2024-Q2", None, status="suppressed"))
    assert (hidden.standing.value, hidden.standing.code) == (None, "suppressed")


@pytest.mark.fault(157)
def test_a_withheld_level_is_not_replaced_by_an_older_one():
    hidden = found("stock", WAY, figure("2024-Q3", 9), figure("2024-Q4", None, status="suppressed"))
    assert (hidden.standing.value, hidden.standing.code) == (None, "suppressed")


def test_people_counted_once_a_year_are_those_of_the_last_whole_year():
    counted = found("distinct", WAY, figure("2024-Q4", 4), figure("2024", 8))
    assert (counted.standing.value, counted.period) == (8, "2024")


def test_a_baseline_at_the_end_of_the_last_period_is_not_due_yet():
    fresh = found(
        "flow", replace(WAY, baseline=2, baseline_on="2024"), figure("2024-Q4", 9), figure("2024", 9)
    )
    assert (fresh.standing.value, fresh.standing.code) == (2, "ahead")


def test_a_category_that_nothing_belongs_to_is_a_zero_only_where_the_total_is_known():
    aim = replace(WAY, dimension="line_of_action", category="2")
    total = figure("2024", 5)
    of_other = {**figure("2024", 5), "dimension": "line_of_action", "category": "1"}
    assert found("flow", aim, total, of_other).standing.value == 0
    assert found("flow", aim, figure("2024", None)).standing.value is None


@pytest.mark.parametrize("aim", [Aim(), Aim(baseline=1, baseline_on="2023")])
def test_without_a_target_there_is_nothing_to_judge(aim):
    assert found("stock", aim, figure("2024-Q4", 3)).standing.code == "no_target"


def test_fewer_is_better_where_the_indicator_says_so():
    aim = Aim(baseline=10, baseline_on="2023", target=0, target_by="2025")
    assert found("stock", aim, figure("2024-Q4", 5), direction="decrease").standing.code == "on"
    assert found("stock", aim, figure("2024-Q4", 9), direction="decrease").standing.code == "off"


def test_where_there_is_no_figure_its_period_and_its_reason_are_known():
    few = found("distinct", WAY, figure("2024", None, status="suppressed"), figure("2024-Q4", 7))
    assert (few.standing.code, few.lacks, few.why) == ("suppressed", "2024", "")
    none = found("stock", WAY, figure("2024-Q4", None, note="No list was given."))
    assert (none.standing.code, none.lacks, none.why) == ("not_available", "2024-Q4", "No list was given.")
    part = found("flow", WAY, figure("2024-Q3", None, status="suppressed"), figure("2024-Q4", 7))
    assert (part.standing.code, part.lacks) == ("suppressed", "2024-Q3")
