"""The chart of an indicator's page: its views, its scale and its shapes; nothing but released figures."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mel_pipeline.reporting.edition import EarlierFigure, Recall
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import Measure, measures
from mel_pipeline.reporting.site.data import Site
from mel_pipeline.reporting.site.downloads import figures_csv
from mel_pipeline.reporting.site.trend_drawing import FLOOR, TOP, WIDTH, drawing, periods_axis
from mel_pipeline.reporting.site.trend_scale import MOST, tick_words, ticks
from mel_pipeline.reporting.site.trend_views import Mark, View, quarters_of, views
from mel_pipeline.reporting.site.trends import trend
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.site import sample_site
from mel_pipeline_tests.golden.sample_edition import (
    QUARTERS,
    REPORTS,
    cell,
    sample_edition,
    with_cells,
    with_figure,
    with_parts,
)

TEXTS = load_texts(REPORTS, "en")
MEASURES = {measure.id: measure for measure in measures(sample_edition(), "en")}
NUMBERS = st.floats(-1e9, 1e9, allow_nan=False).map(lambda number: round(number, 3))


def changed(site: Site, change) -> Site:
    return replace(site, edition=change(site.edition))


def measured(site: Site, indicator: str) -> tuple[Measure, Figures, list[str]]:
    known = measures(site.edition, "en")
    measure = next(item for item in known if item.id == indicator)
    figures = Figures(site.edition, known)
    return measure, figures, quarters_of(figures, measure, site.edition.period, QUARTERS[0])


def views_of(site: Site, indicator: str) -> dict[tuple[str, str, str], View]:
    measure, figures, quarters = measured(site, indicator)
    return {
        (view.grain, view.dimension, view.category): view
        for view in views(site, measure, figures, TEXTS, quarters)
    }


def total(site: Site, indicator: str) -> View:
    return views_of(site, indicator)["quarter", "total", ""]


# The scale


@pytest.mark.slow
@pytest.mark.deep
@settings(max_examples=examples(200, 5_000), deadline=None)
@given(NUMBERS, NUMBERS, st.integers(0, 2))
@example(0.0, 0.0, 0)
@example(0.0, 100.0, 0)
@example(-0.001, 0.0, 2)
@example(999_999_999.0, 999_999_999.5, 0)
def test_ticks_are_few_round_equally_spaced_and_hold_every_number(one: float, other: float, decimals: int):
    low, high = sorted((one, other))
    found = ticks(low, high, decimals=decimals)
    assert 2 <= len(found) <= MOST
    assert found[0] <= low and found[-1] >= high
    exact = [Decimal(repr(tick)) for tick in found]
    step = exact[1] - exact[0]
    assert all(after - before == step for before, after in pairwise(exact))
    assert step.normalize().as_tuple().digits in ((1,), (2,), (5,))
    assert step >= Decimal(1).scaleb(-decimals)
    assert not low <= 0 <= high or 0.0 in found
    assert high - low < 10**-decimals or (found[-1] - found[0]) <= 3 * (high - low)


@pytest.mark.deep
@settings(max_examples=examples(100, 2_000), deadline=None)
@given(NUMBERS, NUMBERS)
@example(1_020_000.0, 1_090_000.0)
def test_no_two_ticks_have_the_same_words(one: float, other: float):
    low, high = sorted((one, other))
    for measure in (MEASURES[name] for name in ("MEM-01", "RCH-01", "FND-01", "SAT-02")):
        found = ticks(low, high, decimals=measure.decimals)
        words = tick_words(measure, found, TEXTS)
        assert len(set(words)) == len(words) == len(found)


def test_shares_never_reach_beyond_a_hundred():
    for top in range(1, 101):
        assert ticks(0, max(top, 10))[-1] <= 100


@pytest.mark.parametrize(("low", "high"), [(2, 1), (math.nan, 1), (0, math.inf)])
def test_a_scale_of_no_range_is_refused(low: float, high: float):
    with pytest.raises(ValueError, match="A scale goes from a finite number"):
        ticks(low, high)


# The views


@pytest.mark.slow
def test_every_indicator_has_its_total_by_quarter_and_year_as_released():
    site = sample_site("2024")
    for measure in measures(site.edition, "en"):
        figures = Figures(site.edition, measures(site.edition, "en"))
        found = views_of(site, measure.id)
        for grain, periods in (("quarter", QUARTERS), ("year", ["2023", "2024"])):
            view = found[grain, "total", ""]
            assert [mark.period for mark in view.marks] == periods
            wanted = [getattr(figures.total(measure.id, period), "value", None) for period in periods]
            assert [mark.value for mark in view.marks] == wanted
            assert not any(mark.breaks for mark in view.marks)


def test_parts_are_views_of_their_own_the_largest_first_and_the_unstated_last():
    found = [key[2] for key in views_of(sample_site(), "MEM-01") if key[:2] == ("quarter", "region")]
    assert found[0] == "Asia" and found[-1] == "Not stated" and len(found) == 7
    view = views_of(sample_site(), "MEM-01")["quarter", "region", "Asia"]
    assert [mark.value for mark in view.marks] == [None] * 7 + [64]
    assert view.title == "Member cities: Asia" and not view.target


def test_a_target_stands_where_it_is_due_and_says_so():
    view = total(sample_site(), "LAB-02")
    assert [mark.target for mark in view.marks] == [None] * 7 + [20.0]
    assert view.target == "Target 2024-Q4: 20"
    year = views_of(sample_site("2024"), "LAB-02")["year", "total", ""]
    assert [mark.target for mark in year.marks] == [None, 40.0]


def test_a_trend_breaks_only_where_the_coverage_changes():
    both, one = ["labs", "trainings"], ["labs"]
    parts = {"2024-Q1": both, "2024-Q2": both, "2024-Q3": one, "2024-Q4": one}
    view = total(changed(sample_site(), lambda edition: with_parts(edition, "SAT-02", parts)), "SAT-02")
    assert [mark.period for mark in view.marks if mark.breaks] == ["2024-Q3"]
    assert view.notes[0].startswith("At the mark, from 2024-Q3 on")


def test_what_was_published_before_the_pipeline_is_hollow_and_named():
    before = [
        EarlierFigure("MEM-01", period, "total", "", 140.0, "Annual report 2022", "14", "")
        for period in ("2022-Q4", "2022")
    ]
    site = changed(sample_site(), lambda edition: replace(edition, earlier=before))
    for grain, period in (("quarter", "2022-Q4"), ("year", "2022")):
        mark = views_of(site, "MEM-01")[grain, "total", ""].marks[0]
        assert (mark.period, mark.status, mark.value) == (period, "earlier", 140.0)
        assert mark.note == "Published earlier: Annual report 2022, p. 14."
    measure = measured(site, "MEM-01")[0]
    paths = drawing(measure, total(site, "MEM-01"), TEXTS).paths
    assert paths["dot-hollow"] == paths["dot-hole"]


def test_provisional_restated_and_recalled_figures_are_marked():
    site = sample_site()  # of which 2024-Q3 is published
    view = total(site, "MEM-01")
    assert [mark.period for mark in view.marks if not mark.provisional] == ["2024-Q3"]
    assert TEXTS("site.chart_provisional") in view.notes
    assert not any(mark.provisional for mark in total(replace(site, standings={}), "MEM-01").marks)
    recalled = replace(site, recalls={"2024-Q3": Recall(date(2024, 12, 1), "MEL lead", "wrong file")})
    view = total(recalled, "MEM-01")
    assert [mark.period for mark in view.marks if mark.remark] == ["2024-Q3"]
    labels = [label.text for label in drawing(measured(recalled, "MEM-01")[0], view, TEXTS).labels]
    assert "163 *" in labels
    ledger = {"indicator_id": "MEM-01", "disaggregation": "total", "state": "open", "published": 165.0, "current": 164.0,
              "reason": "late_data", "difference": -1.0}  # fmt: skip
    view = total(changed(site, lambda edition: replace(edition, restatements=[ledger])), "MEM-01")
    assert "* Published as 165; the data now give 164 (late data)" in view.notes
    assert view.marks[-1].remark and not view.marks[-2].remark


def test_months_are_a_grain_of_their_own_where_there_are_any():
    rows = [
        {"indicator_id": "RCH-01", "period": f"2024-{month:02d}", "category": part or None,
         "value": float(value), "expected": None, "covered": None}
        for part, values in (("", (10, 30, 20)), ("care.org", (1, 2, 3)))
        for month, value in zip((9, 10, 12), values, strict=True)
    ]  # fmt: skip
    site = changed(sample_site(), lambda edition: replace(edition, months=rows))
    found = views_of(site, "RCH-01")
    view = found["month", "total", ""]
    assert [(mark.period, mark.value) for mark in view.marks] == [
        ("2024-09", 10), ("2024-10", 30), ("2024-11", None), ("2024-12", 20),
    ]  # fmt: skip
    assert [mark.now for mark in view.marks] == [False, True, True, True]
    assert [label.text for label in periods_axis(view, TEXTS)] == ["Sept", "2024", "Oct", "Nov", "Dec"]
    assert ("month", "category", "care.org") in found
    assert not any(key[0] == "month" for key in views_of(site, "MEM-01"))
    written = figures_csv(site.edition.figures, "RCH-01", site.edition.months).decode("utf-8-sig")
    assert "RCH-01,2024-12,total,,20,,,,ok," in written


# What is drawn


@pytest.mark.fault(187)
def test_a_withheld_figure_is_a_gap_with_its_reason_and_no_trace_of_its_number():
    def hide(edition):
        edition = with_figure(
            edition, "GEN-01", "2024-Q3", status="suppressed", value=55.2, n=4, note="3 of 4"
        )
        return with_cells(
            edition, [cell("GEN-01", "2024-Q3", "gender", "Woman", 55.2) | {"status": "suppressed"}]
        )

    site = changed(sample_site(), hide)
    measure, figures, quarters = measured(site, "GEN-01")
    for key in (("quarter", "total", ""), ("quarter", "gender", "Woman")):
        view = views_of(site, "GEN-01")[key]
        mark = next(mark for mark in view.marks if mark.period == "2024-Q3")
        assert (mark.value, mark.low, mark.n, mark.text, mark.note) == (None, None, None, "not shown", "")
        drawn = drawing(measure, view, TEXTS)
        middle = round((QUARTERS.index("2024-Q3") + 0.5) * WIDTH / len(QUARTERS))
        for name, path in drawn.paths.items():
            places = re.findall(rf"[ML]{middle} ", path)
            assert not places or name in ("panel",), name
        assert "–" in [label.text for label in drawn.labels]
    made = trend(site, measure, figures, TEXTS, quarters)
    assert made is not None
    assert "55.2" not in made.data and "3 of 4" not in made.data and "2024-Q3: not shown" in made.alt
    row = json.loads(made.data)["views"][0]["rows"][QUARTERS.index("2024-Q3")]
    assert row == [1]


@pytest.mark.slow
def test_the_data_of_a_page_are_those_of_its_download_and_no_others():
    site = sample_site()
    for measure in measures(site.edition, "en"):
        _, figures, quarters = measured(site, measure.id)
        made = trend(site, measure, figures, TEXTS, quarters)
        assert made is not None
        data = json.loads(made.data)
        shown = {
            (data["grains"][view["of"][0]]["periods"][slot], view["of"][1], view["of"][2], float(row[1]))
            for view in data["views"]
            for slot, row in enumerate(view["rows"])
            if row[0] == 0
        }
        rows = csv.DictReader(io.StringIO(figures_csv(site.edition.figures, measure.id).decode("utf-8-sig")))
        wanted = {
            (row["period"], row["dimension"], row["category"], float(row["value"]))
            for row in rows
            if row["value"]
        }
        assert shown == wanted


def test_a_name_cannot_end_the_script_that_holds_the_data():
    rows = [cell("MEM-01", "2024-Q4", "theme", "</script><script>alert(1)</script>", 3.0)]
    site = changed(sample_site(), lambda edition: with_cells(edition, rows))
    measure, figures, quarters = measured(site, "MEM-01")
    made = trend(site, measure, figures, TEXTS, quarters)
    assert made is not None and "<" not in made.data
    assert ["quarter", "theme", "</script><script>alert(1)</script>"] in [
        view["of"][:3] for view in json.loads(made.data)["views"]
    ]


@pytest.mark.slow
@pytest.mark.deep
@settings(max_examples=examples(100, 2_000), deadline=None)
@given(
    st.lists(st.none() | NUMBERS, min_size=1, max_size=60),
    st.sampled_from(["RCH-01", "RCH-02", "FND-01", "MEM-02"]),
)
def test_every_shape_stays_inside_the_plot_and_every_figure_has_one(
    values: list[float | None], indicator: str
):
    measure = MEASURES[indicator]
    marks = tuple(
        Mark(str(2000 + slot), "not_available" if value is None else "ok", value, short=str(value))
        for slot, value in enumerate(values)
    )
    view = View("year", "total", "", "", "", "", marks, ())
    drawn = drawing(measure, view, TEXTS)
    for path in (drawn.paths.get(name, "") for name in ("bar-before", "dot-before", "line-before", "panel")):
        across = [float(number) for number in re.findall(r"[MHL](-?[\d.]+)", path)]
        down = [float(number) for number in re.findall(r"(?:V|[ML]-?[\d.]+ )(-?[\d.]+)", path)]
        assert all(0 <= x <= WIDTH for x in across) and all(TOP <= y <= FLOOR for y in down)
    shapes = sum(drawn.paths.get(name, "").count("M") for name in ("bar-before", "dot-before"))
    known = sum(value is not None for value in values)
    assert shapes == known
    assert drawn.paths.get("panel", "").count("M") == len(values) - known
    assert len([label for label in drawn.labels if label.text == "–"]) == len(values) - known
    if values[-1] is not None:
        assert drawn.labels[-1].text == str(values[-1]) and "wide" not in drawn.labels[-1].kind


def test_many_quarters_thin_out_the_labels_but_never_the_marks():
    more = [
        cell("MEM-01", f"{year}-Q{n}", "total", None, 100 + year - 2016 + n)
        for year in range(2017, 2023)
        for n in (1, 2, 3, 4)
    ]
    site = changed(sample_site(), lambda edition: with_cells(edition, more))
    known = measures(site.edition, "en")
    measure = next(item for item in known if item.id == "MEM-01")
    figures = Figures(site.edition, known)
    quarters = quarters_of(figures, measure, "2024-Q4", "2017-Q1")
    view = views(site, measure, figures, TEXTS, quarters)[0]
    drawn = drawing(measure, view, TEXTS)
    assert len(view.marks) == 32
    assert sum(path.count("M") for name, path in drawn.paths.items() if name.startswith("dot")) >= 32
    assert len(drawn.labels) == 8 and drawn.labels[-1].text == "164"
    assert len([label for label in drawn.labels if "wide" in label.kind]) == 4
    assert [label.text for label in periods_axis(view, TEXTS) if label.kind == "year"] == [
        str(year) for year in range(2017, 2025)
    ]


def test_a_level_that_does_not_begin_at_zero_says_so():
    site = sample_site()
    for indicator, begins_higher in (("MEM-01", True), ("RCH-01", False), ("SAT-02", False)):
        measure, figures, quarters = measured(site, indicator)
        made = trend(site, measure, figures, TEXTS, quarters)
        assert made is not None
        assert (TEXTS("chart.not_zero") in made.notes) is begins_higher


def test_an_indicator_without_any_figure_has_no_chart():
    site = changed(sample_site(), lambda edition: replace(edition, figures=edition.figures.head(0)))
    measure, figures, quarters = measured(site, "MEM-01")
    assert quarters == [] and trend(site, measure, figures, TEXTS, quarters) is None


def test_an_indicator_without_a_single_number_is_a_row_of_gaps():
    rows = [cell("NEW-01", period, "total", None, None) for period in QUARTERS]
    site = sample_site()
    indicators = site.edition.indicators
    new = indicators[indicators["indicator_id"] == "MEM-01"].assign(indicator_id="NEW-01")
    site = changed(
        site, lambda edition: with_cells(replace(edition, indicators=pd.concat([indicators, new])), rows)
    )
    measure, figures, quarters = measured(site, "NEW-01")
    made = trend(site, measure, figures, TEXTS, quarters)
    assert made is not None and made.drawn.ticks == []
    assert set(made.drawn.paths) == {"panel", "axis"}
