"""Charts as drawn: nothing cut off or overlapping, contrast, gaps that are gaps, the same bytes every time."""

from __future__ import annotations

import base64
import io
import itertools
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.path import Path as Line
from matplotlib.text import Text
from PIL import Image

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting import chart_preview, draw_chart, draw_charts
from mel_pipeline.reporting.chart_data.indicator import ChartFrame, chart_frame
from mel_pipeline.reporting.charts import canvas, drawer
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.palette import load_palette
from mel_pipeline.reporting.pictures.charts import render
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline_tests.golden.sample_edition import (
    INDICATORS,
    REPORTS,
    cell,
    fewer_charts,
    sample_edition,
    with_cells,
    with_figure,
)

TEXTS = load_texts(REPORTS, "en")
COLOURS = load_palette(REPORTS).charts
IDS = [row[0] for row in INDICATORS]


def frame_of(indicator: str, edition=None, *, narrow=False, **changes) -> ChartFrame:
    edition = edition or sample_edition()
    known = measures(edition, "en")
    measure = next(item for item in known if item.id == indicator)
    return chart_frame(edition, replace(measure, **changes), Figures(edition, known), TEXTS, narrow=narrow)


def drawn(frame: ChartFrame):
    with canvas.house_style(REPORTS):
        return render(frame, TEXTS)


def boxes(figure):
    """Every visible text of a figure with the box it takes."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    for artist in figure.findobj(Text):
        if artist.get_text().strip() and artist.get_visible():
            yield artist.get_text(), artist.get_window_extent(renderer)


def assert_readable(figure):
    # Half a pixel of tolerance: hinting moves boxes by less than that.
    found = list(boxes(figure))
    assert found
    edge = figure.bbox
    for words, box in found:
        inside = box.x0 >= -0.5 and box.y0 >= -0.5 and box.x1 <= edge.x1 + 0.5 and box.y1 <= edge.y1 + 0.5
        assert inside, f"cut off: {words!r}"
    for (first, a), (second, b) in itertools.combinations(found, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 1.0 or down <= 1.0, f"overlap: {first!r} and {second!r}"


@pytest.mark.slow
@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
@pytest.mark.parametrize("period", ["2024-Q4", "2024"])
@pytest.mark.parametrize("indicator", IDS)
@pytest.mark.sweep("2024-Q4-narrow", "2024-wide")
def test_every_word_is_inside_the_picture_and_none_overlap(indicator, period, narrow):
    with canvas.house_style(REPORTS):
        assert_readable(render(frame_of(indicator, sample_edition(period), narrow=narrow), TEXTS))


@pytest.mark.slow
@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
def test_extreme_figures_still_fit(narrow):
    edition = sample_edition()
    for quarter in ("2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"):
        edition = with_figure(edition, "RCH-01", quarter, value=123_456_789.0)
    names = ["A very long name of an institution that gives money to cities " * 2, "B", "C $ and $ D"]
    edition = with_cells(edition, [cell("RCH-01", "2024-Q4", "account", name, 5e6) for name in names])
    with canvas.house_style(REPORTS):
        assert_readable(render(frame_of("RCH-01", edition, narrow=narrow), TEXTS))
        account = {"chart": "categories", "chart_dimension": "account"}
        assert_readable(render(frame_of("RCH-01", edition, narrow=narrow, **account), TEXTS))


@pytest.mark.parametrize("women", [0, 3, 8, 40, 55, 60, 92, 97, 100])
@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
@pytest.mark.sweep("wide-0", "narrow-3", "narrow-97")
def test_gender_shares_stay_readable_at_every_balance(women, narrow):
    frame = frame_of("GEN-01", narrow=narrow)
    values = [women, 100 - women, 0.0, 12.0]
    data = frame.data.assign(value=values, shown=[f"{value:.0f}%" for value in values])
    with canvas.house_style(REPORTS):
        assert_readable(render(replace(frame, data=data), TEXTS))


def test_bars_begin_at_zero_and_a_missing_quarter_has_no_bar():
    edition = with_figure(sample_edition(), "MEM-02", "2024-Q2", value=None, status="not_available")
    axes = drawn(frame_of("MEM-02", edition)).axes[0]
    assert axes.get_ylim()[0] == 0
    assert len([bar for bar in axes.patches if bar.get_width() == pytest.approx(0.62)]) == 7
    assert "not\navailable" in [artist.get_text() for artist in axes.texts]


def test_a_true_zero_is_drawn_and_labelled_as_zero():
    frame = frame_of("MEM-02", with_figure(sample_edition(), "MEM-02", "2024-Q2", value=0.0))
    assert frame.data.set_index("label").loc["2024-Q2", ["shown", "status"]].tolist() == ["0", "ok"]


def test_a_line_is_broken_where_a_quarter_is_missing():
    line = max(drawn(frame_of("SAT-02")).axes[0].lines, key=lambda item: len(item.get_xdata()))
    assert np.isnan(np.asarray(line.get_ydata(), dtype=float)).tolist() == [False] * 3 + [True] + [False] * 4


@pytest.mark.slow
def test_a_scale_that_does_not_begin_at_zero_says_so():
    words = " ".join(text for text, _ in boxes(drawn(frame_of("RCH-02"))))
    assert "The vertical axis does not start at zero." in words
    assert "does not start at zero" not in " ".join(text for text, _ in boxes(drawn(frame_of("MEM-02"))))


def test_the_picture_shows_n_and_target():
    words = [text for text, _ in boxes(drawn(frame_of("SAT-02")))]
    assert sum("n = 48" in text for text in words) == 7
    assert "Target 2024: 85%" in words


def test_a_chart_without_any_figure_is_a_clear_panel():
    edition = sample_edition()
    figures = edition.figures.copy()
    chosen = figures["indicator_id"] == "MEM-02"
    figures.loc[chosen, ["value", "status"]] = [None, "not_available"]
    frame = frame_of("MEM-02", replace(edition, figures=figures))
    assert frame.is_empty
    figure = drawn(frame)
    assert_readable(figure)
    assert "Not available for 2024-Q4" in [text for text, _ in boxes(figure)]


def test_a_year_counted_separately_says_that_its_quarters_do_not_add_up_to_the_title():
    year, quarter = (frame_of("LAB-02", sample_edition(period)) for period in ("2024", "2024-Q4"))
    assert year.footnote.startswith("The title counts each once over the whole year")
    assert (
        "whole year" not in quarter.footnote
        and "whole year" not in frame_of("MEM-02", sample_edition("2024")).footnote
    )


def test_quarters_before_the_first_calculation_are_not_a_gap():
    edition = sample_edition()
    later = edition.figures[~edition.figures["period"].str.startswith("2023")]
    frame = frame_of("SAT-02", replace(edition, figures=later))
    assert frame.data["label"].tolist() == ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"]


def test_a_breakdown_without_cells_falls_back_to_the_quarters():
    assert frame_of("FND-01", sample_edition("2024-Q3")).kind == "trend"


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
@pytest.mark.parametrize(
    "values",
    [[0, 0, 0, 0, 0, 0, 0, 8], [8, 0, 0, 0, 0, 0, 0, 0], [0, 8, 8, 8, 0, 0, 0, 8]],
    ids=["rises", "falls", "rises and falls"],
)
def test_no_number_of_a_level_is_crossed_by_a_line_that_is_steep(values, narrow):
    frame = frame_of("MEM-01", narrow=narrow, chart="trend")
    assert frame.kind == "trend" and frame.measure.is_line
    data = frame.data.tail(len(values)).reset_index(drop=True)
    values = [value * 100_000.0 for value in values[-len(data) :]]
    data = data.assign(
        value=values, shown=[f"€{value:,.0f}" for value in values], status="ok", target=math.nan
    )
    with canvas.house_style(REPORTS):
        figure = render(replace(frame, data=data, target_label=""), TEXTS)
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
        axes = figure.axes[0]
        path = axes.transData.transform_path(Line(list(enumerate(values))))
        assert_readable(figure)
        for label in [text for text in axes.texts if text.get_text().startswith("€")]:
            box = label.get_window_extent(renderer)
            assert not path.intersects_bbox(box, filled=False), label.get_text()


def test_withheld_genders_are_one_segment_of_other_answers():
    frame = frame_of("GEN-02")
    assert frame.data[["label", "shown"]].values.tolist() == [
        ["Women", "36%"],
        ["Other answers", "64%"],
        ["Not disclosed", "0%"],
    ]


def test_an_unknown_kind_of_chart_is_reported():
    with pytest.raises(ReportError, match="'pie'"):
        drawer("pie")


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_three_to_one_for_marks_and_four_and_a_half_to_one_for_text():
    white = "#FFFFFF"
    assert all(
        contrast(mark, white) >= 3 for mark in (COLOURS["now"], COLOURS["before"], COLOURS["unstated"])
    )
    assert all(contrast(ink, white) >= 4.5 for ink in (COLOURS["ink"], COLOURS["quiet"]))
    assert contrast(COLOURS["ink"], COLOURS["before"]) >= 4.5
    assert contrast(COLOURS["quiet"], COLOURS["panel"]) >= 4.5


def test_now_and_before_stay_apart_in_grey_print():
    assert contrast(COLOURS["now"], COLOURS["before"]) >= 3


@pytest.mark.slow
def test_the_alternative_text_carries_every_plotted_number():
    for indicator in IDS:
        frame = frame_of(indicator)
        assert all(f"{mark['label']}: {mark['full']}" in frame.alt for mark in frame.marks)
        assert frame.alt.split(". ")[1].startswith(frame.title.split(". ")[0])


@pytest.mark.slow
def test_drawing_again_changes_no_file(tmp_path):
    first = draw_charts(fewer_charts(sample_edition()), tmp_path, REPORTS, "en")
    assert [chart.indicator_id for chart in first] == ["LAB-02", "GEN-01"]
    stamps = {path: path.stat().st_mtime_ns for chart in first for path in (chart.svg, chart.png)}
    draw_charts(fewer_charts(sample_edition()), tmp_path, REPORTS, "en")
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    assert sorted(path.suffix for path in tmp_path.rglob("*") if path.is_file()) == sorted(
        [".svg", ".png"] * len(first)
    )


@pytest.mark.exhaustive
def test_another_process_draws_the_same_bytes(tmp_path):
    script = (
        "import sys; from pathlib import Path\n"
        "from mel_pipeline.reporting import draw_charts\n"
        "from mel_pipeline_tests.golden.sample_edition import sample_edition, fewer_charts, REPORTS\n"
        "draw_charts(fewer_charts(sample_edition()), Path(sys.argv[1]), REPORTS, 'en')\n"
    )
    root = Path(__file__).parents[3]
    here = draw_charts(fewer_charts(sample_edition()), tmp_path / "here", REPORTS, "en")
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "there")],
        cwd=root,
        check=True,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONHASHSEED": "77",
            "TZ": "Asia/Tokyo",
            "MPLCONFIGDIR": str(tmp_path),
        },
    )
    for chart in here:
        for path in (chart.svg, chart.png):
            other = tmp_path / "there" / path.relative_to(tmp_path / "here")
            assert other.read_bytes() == path.read_bytes()


@pytest.mark.slow
def test_one_chart_is_the_same_as_among_all(tmp_path):
    everything = {
        chart.indicator_id: chart
        for chart in draw_charts(fewer_charts(sample_edition()), tmp_path / "a", REPORTS, "en")
    }
    alone = draw_chart(sample_edition(), "GEN-01", tmp_path / "b", REPORTS, "en")
    assert alone.svg.read_bytes() == everything["GEN-01"].svg.read_bytes()


@pytest.mark.slow
def test_the_preview_is_a_small_picture_of_the_chart(tmp_path):
    chart = draw_chart(sample_edition(), "MEM-01", tmp_path, REPORTS, "en")
    text = chart_preview(chart.png)
    assert len(text) <= 60_000
    encoded = text.removeprefix("![chart](data:image/png;base64,").removesuffix(")")
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
        assert picture.width == 900
        assert len(picture.convert("RGB").getcolors(100_000)) > 5
    with pytest.raises(ReportError, match="cannot be read"):
        chart_preview(tmp_path / "none.png")


def test_an_unknown_indicator_is_reported_with_the_known_ones(tmp_path):
    with pytest.raises(ReportError, match="MEM-01"):
        draw_chart(sample_edition(), "XXX-99", tmp_path, REPORTS, "en")


def test_missing_style_and_fonts_are_reported(tmp_path):
    with pytest.raises(ReportError, match="cannot be read"), canvas.house_style(tmp_path):
        pass
