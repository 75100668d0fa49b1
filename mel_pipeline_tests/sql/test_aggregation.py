"""Properties of sums, shares and years that hold for any data (hypothesis)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mel_pipeline.transform import Runner, SqlProject
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.postgres import Server

QUARTERS = ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"]
Fill = Callable[[Warehouse, dict[str, list[dict[str, Any]]]], None]

days = st.integers(0, 365).map(lambda number: date(2024, 1, 1) + timedelta(days=number))
members = st.lists(
    st.tuples(
        st.sampled_from(["Asia", "Africa", "Europe", None]),
        st.sampled_from(["Member", "Associate", "Non-member"]),
        st.one_of(st.none(), days, st.just(date(2019, 5, 1))),
        st.one_of(st.none(), st.none(), days),
    ),
    max_size=12,
)
events = st.lists(
    st.tuples(
        days,
        st.sampled_from(["Solutions Lab", "Training", "Panel"]),
        st.sampled_from(["Held", "Cancelled"]),
        st.sampled_from(["AVANTIA", "MGET", None]),
    ),
    min_size=1,
    max_size=6,
)
answers = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), max_size=40)
parts = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 11), st.booleans()), max_size=40)

# Always tried, however few the other examples: members join, leave or change nothing, with something every quarter.
EVENTFUL = (
    [
        ("Asia", "Member", date(2019, 5, 1), None),
        ("Africa", "Associate", None, None),
        ("Europe", "Member", date(2024, 2, 29), date(2024, 11, 3)),
        (None, "Non-member", None, None),
        ("Asia", "Member", date(2024, 7, 1), None),
        ("Africa", "Member", date(2019, 5, 1), date(2024, 4, 1)),
    ],
    [
        (date(2024, 1, 15), "Solutions Lab", "Held", "AVANTIA"),
        (date(2024, 5, 2), "Training", "Cancelled", "AVANTIA"),
        (date(2024, 8, 9), "Panel", "Held", None),
        (date(2024, 12, 31), "Solutions Lab", "Held", "MGET"),
    ],
    [(0, 5), (0, 4), (1, 3), (2, 2), (3, 1), (3, 5), (5, 5)],
    [(0, 0, True), (0, 2, True), (1, 2, True), (3, 4, False), (3, 0, True), (2, 5, True)],
)


def rows_of(drawn: tuple[Any, ...]) -> dict[str, list[dict[str, Any]]]:
    organisations, held, scores, taking = drawn
    return {
        "raw_zoho_crm__accounts": [
            {"id": f"{n}", "name": f"City {n}", "region": region, "member_type": kind,
             "joined_on": joined and str(joined), "left_on": left and str(left)}
            for n, (region, kind, joined, left) in enumerate(organisations)
        ],
        "raw_zoho_crm__events": [
            {"id": f"{n}", "name": f"Event {n}", "code": f"E{n}", "event_type": kind, "status": status,
             "programme": programme, "organised_by_network": "true", "starts_at": f"{day}T10:00:00+00:00"}
            for n, (day, kind, status, programme) in enumerate(held)
        ],
        "raw_zoho_crm__participations": [
            {"id": f"{n}", "event": f"{e % len(held)}", "contact": f"{n % 7}", "account": f"{a}", "role": "Participant",
             "attended": str(came).lower(), "survey_invited": "true"}
            for n, (e, a, came) in enumerate(taking)
        ],
        "raw_surveys__responses": [
            {"source": "survey_files", "tool": "t", "response_id": f"{n}", "survey": "s", "origin": "api",
             "status": "completed", "completed_at": "2024-06-01T00:00:00+00:00", "event_code": f"E{e % len(held)}",
             "overall_satisfaction": str(score), "satisfaction_key": str(score),
             "satisfaction_kind": "score", "satisfaction_score": str(score), "gender_asked": "false"}
            for n, (e, score) in enumerate(scores)
        ],
    }  # fmt: skip


@pytest.fixture(params=["duckdb", "postgres"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Warehouse]]:
    """A warehouse for each example, replacing the previous one."""
    if request.param == "duckdb":
        template: Path = request.getfixturevalue("template")

        opened: list[Warehouse] = []

        def close() -> None:
            while opened:
                opened.pop().engine.dispose()

        def on_duckdb() -> Warehouse:
            close()
            for left in tmp_path.glob("any.duckdb*"):
                left.unlink()
            shutil.copy(template, tmp_path / "any.duckdb")
            opened.append(Warehouse(f"duckdb:///{tmp_path / 'any.duckdb'}"))
            return opened[0]

        yield on_duckdb
        close()
        return
    server: Server = request.getfixturevalue("postgres")
    name = request.getfixturevalue("postgres_template")

    def on_postgres() -> Warehouse:
        server.drop(server.url("mel_any"))
        return Warehouse(server.database(template=name, name="mel_any"))

    yield on_postgres
    server.drop(server.url("mel_any"))


@pytest.mark.slow
@pytest.mark.deep
@settings(
    max_examples=examples(1, 6),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(drawn=st.tuples(members, events, answers, parts))
@example(drawn=EVENTFUL)
@pytest.mark.long
def test_totals_shares_and_years_hold_for_any_data(
    fresh: Callable[[], Warehouse], project: SqlProject, fill: Fill, drawn: tuple[Any, ...]
) -> None:
    warehouse = fresh()
    fill(warehouse, rows_of(drawn))
    for quarter in QUARTERS:
        runs = list(Runner(warehouse).run(project, variables={**project.variables, "quarter": quarter}))
        assert [run.message for run in runs if run.status == "failed"] == []
    figures = warehouse.read("select * from indicator_values")
    cells = {(r["indicator_id"], r["period"], r["disaggregation"]): r for r in figures.to_dict("records")}
    _totals_are_the_sum_of_their_cells(figures, cells, has_programmes=any(event[3] for event in drawn[1]))
    _shares_are_ratios_of_sums(figures)
    _months_add_up_to_their_quarter(figures)
    _years_are_what_their_rule_says(cells)


def _totals_are_the_sum_of_their_cells(
    figures: pd.DataFrame, cells: dict[Any, Any], *, has_programmes: bool
) -> None:
    for indicator, dimension in (
        ("MEM-01", "region"),
        ("MEM-02", "region"),
        ("MEM-08", "region"),
        ("SAT-02", "activity_type"),
        ("SAT-02", "programme"),
        ("SAT-05", "answer"),
    ):
        for period in [*QUARTERS, "2024"]:
            mine = figures[
                (figures["indicator_id"] == indicator)
                & (figures["period"] == period)
                & (figures["dimension"] == dimension)
            ]
            if dimension == "programme" and not has_programmes:
                assert mine.empty, "without programmes nothing is broken down by them"
                continue
            total = cells[indicator, period, "total"]
            if total["numerator"] == total["numerator"]:
                assert mine["numerator"].sum() == total["numerator"], (indicator, period)
                if indicator == "SAT-02":
                    assert mine["denominator"].sum() == total["denominator"]


def _shares_are_ratios_of_sums(figures: pd.DataFrame) -> None:
    shares = figures[
        figures["indicator_id"].isin(["SAT-02", "SAT-05", "MEM-05", "LAB-03", "SAT-04"])
        & figures["value"].notna()
    ]
    assert ((100 * shares["numerator"] / shares["denominator"] - shares["value"]).abs() < 1e-9).all()
    assert shares["value"].between(0, 100).all(), "a numerator is part of its denominator"
    means = figures[(figures["indicator_id"] == "SAT-01") & figures["value"].notna()]
    assert ((means["numerator"] / means["denominator"] - means["value"]).abs() < 1e-9).all()
    empty = figures[figures["denominator"] == 0]
    assert empty["value"].isna().all(), "nothing over nothing is no figure, not a zero"


def _months_add_up_to_their_quarter(figures: pd.DataFrame) -> None:
    flows = figures[figures["indicator_id"].isin(["MEM-02", "MEM-07", "MEM-08"])]
    keys = ["indicator_id", "quarter", "disaggregation"]
    months = flows[flows["grain"] == "month"].groupby(keys)["numerator"].sum(min_count=1)
    quarters = flows[flows["grain"] == "quarter"].set_index(keys)["numerator"]
    months = months.reindex(quarters.index)
    assert ((months == quarters) | (months.isna() & quarters.isna())).all()


def _years_are_what_their_rule_says(cells: dict[Any, Any]) -> None:
    def numerators(indicator: str) -> list[float]:
        return [cells[indicator, quarter, "total"]["numerator"] or 0 for quarter in QUARTERS]

    def year(indicator: str) -> float:
        return float(cells[indicator, "2024", "total"]["numerator"] or 0)

    def known(indicator: str) -> bool:
        return all(value == value for value in [*numerators(indicator), year(indicator)])

    if known("MEM-01"):
        assert year("MEM-01") == numerators("MEM-01")[-1], "a level closes the year"
    for indicator in ("MEM-02", "MEM-08", "SAT-01", "SAT-02", "SAT-05"):
        if known(indicator):
            assert year(indicator) == sum(numerators(indicator)), (
                "amounts, and both halves of a share, add up"
            )
    for indicator in ("LAB-01", "LAB-02"):
        if known(indicator):
            assert max(numerators(indicator)) <= year(indicator) <= sum(numerators(indicator)), "counted once"
