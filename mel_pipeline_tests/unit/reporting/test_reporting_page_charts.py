"""Overview pictures: the sentence above them, missing figures named, every label inside and none overlapping."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from pathlib import Path

import pytest

from mel_pipeline.core.statistics import wilson
from mel_pipeline.core.yaml_io import from_yaml
from mel_pipeline.publication.disclosure import protect
from mel_pipeline.reporting.chart_data import waterfall
from mel_pipeline.reporting.chart_data.indicator import chart_frame
from mel_pipeline.reporting.chart_data.member_map import place_blocks
from mel_pipeline.reporting.chart_data.page import Stage
from mel_pipeline.reporting.charts import canvas, pages
from mel_pipeline.reporting.charts.pages import likert, page_drawer
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.palette import load_palette
from mel_pipeline.reporting.pictures.page import (
    FRAMES,
    page_charts,
    page_frames,
    render_page,
    write_page_charts,
)
from mel_pipeline.reporting.text.texts import Texts, load_texts
from mel_pipeline_tests.golden.sample_edition import REPORTS, cell, with_cells, with_figure, with_parts
from mel_pipeline_tests.golden.sample_pictures import ANSWERS, SPREAD, pictured_edition
from mel_pipeline_tests.unit.reporting.test_reporting_charts import assert_readable, boxes, contrast

TEXTS = load_texts(REPORTS, "en")
COLOURS = load_palette(REPORTS).charts
KINDS = sorted(FRAMES)
NARROW = pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])


def frames(edition=None, *, narrow=False, texts=TEXTS):
    edition = edition or pictured_edition()
    known = measures(edition, "en")
    return page_frames(edition, known, Figures(edition, known), texts, narrow=narrow)


def drawn(frame, texts=TEXTS):
    with canvas.house_style(REPORTS):
        return render_page(frame, texts)


def words_of(figure) -> str:
    return " ".join(words for words, _ in boxes(figure))


def with_cell(edition, indicator, period, cell_name, **changes):
    """The edition with columns of one cell replaced."""
    figures = edition.figures.copy()
    chosen = (
        (figures["indicator_id"] == indicator)
        & (figures["period"] == period)
        & (figures["disaggregation"] == cell_name)
    )
    assert chosen.sum() == 1
    for column, value in changes.items():
        figures.loc[chosen, column] = value
    return replace(edition, figures=figures)


MISSING = {"value": None, "status": "not_available"}
HIDDEN = {"value": None, "numerator": None, "denominator": None, "n": None, "status": "suppressed"}


def membership(edition=None):
    edition = edition or pictured_edition()
    known = measures(edition, "en")
    return waterfall.frame(Stage(edition, known, Figures(edition, known), TEXTS, narrow=False))


def test_every_drawing_has_a_frame_and_every_frame_a_drawing():
    there = {path.stem for path in Path(pages.__file__).parent.glob("*.py")} - {"__init__"}
    assert there == set(FRAMES)
    assert all(callable(page_drawer(name)) for name in there)
    assert set(frames()) == set(FRAMES)


@NARROW
@pytest.mark.parametrize("period", ["2024-Q4", "2024"])
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.sweep("2024-Q4-narrow")
def test_every_word_is_inside_the_picture_and_none_overlap(name, period, narrow):
    frame = frames(pictured_edition(period), narrow=narrow)[name]
    assert not frame.is_empty
    assert_readable(drawn(frame))


@pytest.mark.slow
@NARROW
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.sweep("narrow")
def test_every_series_is_named_in_the_picture(name, narrow):
    frame = frames(narrow=narrow)[name]
    shown = re.sub(r"\s+", "", words_of(drawn(frame)))
    for row in frame.table:
        assert re.sub(r"\s+", "", row[0]).rstrip("…") in shown
    for word in frame.words.values():
        assert re.sub(r"\s+", "", word) in shown


@pytest.mark.slow
@NARROW
@pytest.mark.sweep("narrow")
def test_long_names_and_big_numbers_fit(narrow):
    edition = pictured_edition()
    indicators = edition.indicators.copy()
    indicators["name_en"] = (
        "A very long name of an indicator that nobody wanted to shorten " + indicators["name_en"]
    )
    edition = replace(edition, indicators=indicators)
    for indicator, value in (("FND-01", 123_456_789.0), ("LAB-02", 98_765.0)):
        edition = with_figure(edition, indicator, "2024-Q4", value=value)
    edition = with_cell(edition, "RCH-01", "2024-Q4", "platform=YouTube", value=1_234_567_890.0)
    edition = with_cell(edition, "MEM-01", "2024-Q4", "region=Asia", value=233.0)
    regions = ["A region with a name that needs a lot of room on paper", "Antarctica"]
    edition = with_cells(edition, [cell("MEM-01", "2024-Q4", "region", name, 12) for name in regions])
    for frame in frames(edition, narrow=narrow).values():
        assert_readable(drawn(frame))


@pytest.mark.slow
@NARROW
@pytest.mark.parametrize("name", KINDS)
def test_without_a_figure_there_is_a_panel_that_says_why(name, narrow):
    edition = pictured_edition()
    figures = edition.figures.copy()
    figures[["value", "status"]] = [None, "not_available"]
    frame = frames(replace(edition, figures=figures, targets=edition.targets.iloc[:0]), narrow=narrow)[name]
    assert frame.is_empty
    figure = drawn(frame)
    assert_readable(figure)
    assert "Not available for 2024-Q4" in words_of(figure)
    assert frame.empty_why.split()[0] in words_of(figure)


def test_a_picture_whose_indicator_is_not_in_the_catalogue_is_left_out():
    edition = pictured_edition()
    fewer = edition.indicators[edition.indicators["indicator_id"] != "SAT-05"]
    figures = edition.figures[edition.figures["indicator_id"] != "SAT-05"]
    assert set(frames(replace(edition, indicators=fewer, figures=figures))) == set(FRAMES) - {"likert"}


@pytest.mark.parametrize("period", ["2024-Q4", "2024"])
def test_alternative_text_and_table_say_the_same(period):
    for frame in frames(pictured_edition(period)).values():
        assert all(len(row) == len(frame.headings) for row in frame.table)
        for row in frame.table:
            assert all(value in frame.alt for value in row)
        assert frame.title in frame.alt


def test_marks_have_enough_contrast_and_text_on_them_is_readable():
    tones = {
        score: (COLOURS.get(one, one), COLOURS.get(ink, ink)) for score, (one, ink) in likert.TONES.items()
    }
    for score, (colour, ink) in tones.items():
        if score != "3":  # the neutral one has a rim instead
            assert contrast(colour, "#FFFFFF") >= 3
        assert contrast(colour, "#FFFFFF" if ink == "white" else ink) >= 4.5
    assert contrast(tones["1"][0], tones["2"][0]) >= 2
    assert contrast(tones["5"][0], tones["4"][0]) >= 3
    assert contrast(COLOURS["other"], "#FFFFFF") >= 3


# Answers by score


@pytest.mark.parametrize(
    ("before", "title"),
    [
        ((4, 4, 12, 41, 55), "85% of answers were satisfied or very satisfied, about as in 2024-Q3 (83%)"),
        ((9, 9, 36, 21, 20), "85% of answers were satisfied or very satisfied, up from 43% in 2024-Q3"),
        ((4, 2, 13, 49, 62), "85% of answers were satisfied or very satisfied, as in 2024-Q3"),
    ],
)
def test_the_title_of_the_answers_says_how_many_are_satisfied_and_how_it_moved(before, title):
    edition = pictured_edition(answers={**ANSWERS, "2024-Q3": before})
    for quarter, answers in (("2024-Q3", before), ("2024-Q4", ANSWERS["2024-Q4"])):
        found = wilson(sum(answers[3:]), sum(answers))
        edition = with_figure(edition, "SAT-02", quarter, low=found.low, high=found.high)
    assert frames(edition)["likert"].title == title


def test_the_share_of_satisfied_answers_reads_as_the_indicator_of_satisfied_participants_does():
    edition = pictured_edition()
    fine = edition.indicators["decimals"].where(edition.indicators["indicator_id"] != "SAT-02", 1)
    frame = frames(replace(edition, indicators=edition.indicators.assign(decimals=fine)))["likert"]
    assert frame.title.startswith("85.4% of answers") and frame.marks[-1]["high_shown"] == "85.4%"


@pytest.mark.slow
def test_a_quarter_that_few_answered_is_withheld_in_picture_table_and_words():
    few = {**ANSWERS, "2024-Q4": (0, 0, 1, 1, 1)}
    frame = frames(pictured_edition(answers=few))["likert"]
    assert frame.title == "Answers by score: not shown for 2024-Q4, to protect a small group"
    rows = frame.data.set_index("label")
    assert rows.loc["2024-Q4", "state"] == "suppressed"
    assert rows.loc["2024-Q4", [f"s{score}" for score in range(1, 6)]].isna().all()
    assert frame.table[-1] == ("2024-Q4", *["not shown"] * 5, "")
    assert "n = 3" not in words_of(drawn(frame))


def test_a_bar_of_answers_is_centred_on_the_neutral_one():
    frame = frames()["likert"]
    axes = drawn(frame).axes[-1]
    lines = {round(line.get_xdata()[0], 4) for line in axes.lines if line.get_color() == COLOURS["quiet"]}
    assert len(lines) == 1
    neutral = [
        patch for patch in axes.patches if patch.get_facecolor()[:3] == _rgb(COLOURS[likert.TONES["3"][0]])
    ]
    assert len(neutral) == 4
    for patch in neutral:
        assert patch.get_x() + patch.get_width() / 2 == pytest.approx(lines.copy().pop(), abs=1e-3)


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))


def test_one_missing_score_removes_its_whole_bar():
    edition = with_cell(pictured_edition(), "SAT-05", "2024-Q3", "answer=2", **HIDDEN)
    row = frames(edition)["likert"].data.set_index("label").loc["2024-Q3"]
    assert row["state"] == "suppressed"
    assert row["high_shown"] == ""


def test_the_year_of_answers_has_its_own_bar_which_the_title_describes():
    frame = frames(pictured_edition("2024"))["likert"]
    assert frame.data["label"].tolist() == ["2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4", "2024"]
    assert frame.title.startswith(frame.data["high_shown"].iloc[-1])


def test_the_sample_answers_are_protected_as_the_warehouse_would():
    edition = pictured_edition(answers={**ANSWERS, "2024-Q2": (1, 0, 1, 1, 0)})
    assert protect(edition.figures, SPREAD).frame["status"].tolist() == edition.figures["status"].tolist()
    assert (edition.figures.query("indicator_id == 'SAT-05'")["status"] == "suppressed").sum() >= 12


# Waterfall


@pytest.mark.parametrize(("joined", "left", "closing"), [(3, 1, 165), (1, 2, 162), (0, 0, 163), (2, 0, 170)])
def test_the_steps_add_up_and_what_they_do_not_explain_is_a_step(joined, left, closing):
    edition = with_figure(pictured_edition(), "MEM-02", "2024-Q4", value=joined)
    edition = with_figure(edition, "MEM-08", "2024-Q4", value=left)
    frame = membership(with_figure(edition, "MEM-01", "2024-Q4", value=closing))
    rows = frame.data.set_index("role")["value"]
    assert rows["opening"] + rows.drop(["opening", "closing"]).sum() == rows["closing"] == closing
    rest = closing - 163 - joined + left
    assert ("rest" in rows.index) is (rest != 0)
    verb = "grew" if closing > 163 else "shrank" if closing < 163 else "stayed"
    assert f"Membership {verb}" in frame.title
    assert (f"other changes {'+' if rest > 0 else '−'}{abs(rest):.0f}" in frame.title) is (rest != 0)
    assert ("joined" in frame.title) is (joined != 0)


def test_an_unknown_number_of_leavers_is_counted_under_other_changes_and_not_named():
    edition = pictured_edition()
    figures = edition.figures[edition.figures["indicator_id"] != "MEM-08"]
    frame = membership(replace(edition, figures=figures))
    rows = frame.data.set_index("role")
    assert rows.loc["left", ["shown", "state"]].tolist() == ["not available", "not_available"]
    assert "left" not in frame.title


def test_platforms_without_any_figure_are_a_sentence_and_no_panel():
    frame = frames()["platforms"]
    assert "Facebook" not in set(frame.data["platform"])
    assert "Without a figure in these quarters: Facebook." in frame.footnote


def test_steps_carry_their_sign():
    rows = membership().data.set_index("role")["shown"]
    assert rows.to_dict() == {"opening": "163", "joined": "+1", "left": "−1", "rest": "+1", "closing": "164"}


def test_without_the_level_before_there_is_nothing_to_step_from():
    frame = membership(with_figure(pictured_edition(), "MEM-01", "2024-Q3", **MISSING))
    assert frame.is_empty
    assert "2024-Q3" in frame.empty_why
    assert frame.title == "Membership from 2024-Q3 to 2024-Q4: the steps cannot be shown"


# Platforms


def test_a_quarter_without_views_is_a_gap_and_never_a_bar():
    frame = frames()["platforms"]
    rows = frame.data.set_index(["platform", "label"])
    assert rows.loc[("YouTube", "2023-Q1"), "state"] == "not_available"
    axes = drawn(frame).axes[0]
    bars = [
        patch
        for patch in axes.patches
        if patch.get_facecolor()[:3] in (_rgb(COLOURS["now"]), _rgb(COLOURS["before"]))
    ]
    assert len(bars) == int(frame.data["value"].notna().sum())
    assert "not available" in {row[0]: row[1] for row in frame.table}["YouTube"]


def test_a_true_zero_of_views_is_a_figure():
    frame = frames(with_cell(pictured_edition(), "RCH-01", "2024-Q4", "platform=X", value=0.0))["platforms"]
    assert next(row for row in frame.table if row[0] == "X")[-1] == "0"


def test_platforms_of_similar_size_share_a_scale_and_others_say_that_they_do_not():
    frame = frames()["platforms"]
    assert "its own scale" in frame.subtitle
    assert frame.data["top"].nunique() > 1
    edition = pictured_edition()
    figures = edition.figures.copy()
    small = figures["disaggregation"].isin(["platform=X", "platform=LinkedIn", "platform=YouTube"])
    alike = frames(replace(edition, figures=figures[~small]))["platforms"]
    assert "one scale" in alike.subtitle
    assert alike.data["top"].nunique() == 1


def test_the_title_of_platforms_names_the_leader_and_counts_those_without_data():
    frame = frames()["platforms"]
    assert frame.title == "Instagram had the most views in 2024-Q4: 620,382; 2 of 5 platforms give no figure"
    assert [row[0] for row in frame.table] == ["Instagram", "YouTube", "X", "Facebook", "LinkedIn"]


# Member map


def dots(figure) -> int:
    return sum(line.get_marker() == "o" for axes in figure.axes for line in axes.lines)


@NARROW
def test_there_is_a_dot_for_each_member_and_the_new_ones_are_dark(narrow):
    frame = frames(pictured_edition("2024"), narrow=narrow)["member_map"]
    figure = drawn(frame)
    assert dots(figure) == 164
    new = [
        line
        for line in figure.axes[0].lines
        if line.get_color() == COLOURS["now"] and line.get_marker() == "o"
    ]
    assert len(new) == 8
    assert "8 joined in 2024" in frame.title


def test_regions_are_placed_as_on_a_map_with_members_without_a_region_apart():
    rows = frames()["member_map"].data.set_index("label")
    assert rows.loc["North America", "column"] < rows.loc["Europe", "column"] < rows.loc["Asia", "column"]
    assert rows.loc["Europe", "row"] < rows.loc["Africa", "row"]
    assert rows["apart"].tolist() == [False] * 6 + [True]
    assert not rows.duplicated(["column", "row"]).any()


@pytest.mark.slow
@pytest.mark.parametrize(("change", "words"), [(MISSING, "not available"), (HIDDEN, "not shown")])
def test_a_region_without_a_figure_has_text_and_no_dots(change, words):
    frame = frames(with_cell(pictured_edition(), "MEM-01", "2024-Q4", "region=Africa", **change))[
        "member_map"
    ]
    figure = drawn(frame)
    assert dots(figure) == 164 - 26
    assert words in words_of(figure)
    assert "of 164" not in frame.title


def test_new_members_without_a_known_region_are_mentioned():
    edition = pictured_edition()
    figures = edition.figures
    gone = (figures["indicator_id"] == "MEM-02") & (figures["dimension"] == "region")
    frame = frames(replace(edition, figures=figures[~gone]))["member_map"]
    assert "is not known by region" in frame.footnote
    assert [row[2] for row in frame.table] == ["not available"] * 7


# Trend


def trend(edition, indicator):
    known = measures(edition, "en")
    measure = next(item for item in known if item.id == indicator)
    return chart_frame(edition, measure, Figures(edition, known), TEXTS, narrow=False)


@pytest.mark.slow
def test_a_line_breaks_with_a_mark_where_the_coverage_changes():
    both, one = ["labs", "trainings"], ["labs"]
    parts = {"2024-Q1": both, "2024-Q2": both, "2024-Q3": one, "2024-Q4": one}
    edition = with_parts(pictured_edition(), "SAT-01", parts)
    frame = trend(edition, "SAT-01")
    assert frame.data.set_index("label").query("breaks").index.tolist() == ["2024-Q3"]
    assert "from 2024-Q3 on" in frame.footnote
    with canvas.house_style(REPORTS):
        from mel_pipeline.reporting.pictures.charts import render

        figure = render(frame, TEXTS)
    assert_readable(figure)
    runs = [list(line.get_xdata()) for line in figure.axes[0].lines if line.get_color() == COLOURS["before"]]
    assert not any({5, 6} <= set(run) for run in runs)
    assert trend(pictured_edition(), "SAT-01").data["breaks"].sum() == 0


def test_a_break_is_detected_across_a_gap():
    edition = with_figure(pictured_edition(), "SAT-01", "2024-Q1", expected=90, covered=60)
    broken = trend(edition, "SAT-01").data.query("breaks")["label"].tolist()
    assert broken == ["2024-Q1", "2024-Q2"]


# Files and words


@pytest.mark.slow
def test_pictures_are_written_as_svg_and_png_and_drawing_again_changes_nothing(tmp_path):
    edition = pictured_edition()
    known = measures(edition, "en")
    figures = Figures(edition, known)
    first = page_charts(edition, known, figures, TEXTS, REPORTS)
    files = write_page_charts(first, edition.period, tmp_path, "en")
    assert sorted(path.name for path in (tmp_path / "2024-Q4" / "charts").iterdir()) == sorted(
        f"{name}.{end}" for name in FRAMES for end in ("svg", "png")
    )
    stamps = {file.svg: file.svg.stat().st_mtime_ns for file in files}
    again = page_charts(edition, known, figures, TEXTS, REPORTS)
    assert {name: item.picture for name, item in again.items()} == {
        name: item.picture for name, item in first.items()
    }
    write_page_charts(again, edition.period, tmp_path, "en")
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps


def leaves(tree, prefix=""):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", {name for _, name, _, _ in string.Formatter().parse(value) if name}


def section(language: str):
    apart = REPORTS / "locales" / f"picture.{language}.yml"
    path = apart if apart.is_file() else REPORTS / "locales" / f"{language}.yml"
    return from_yaml(path.read_text(encoding="utf-8"))["picture"]


@pytest.mark.parametrize("language", ["fr", "es"])
def test_every_language_has_the_texts_of_pictures_with_the_same_placeholders(language):
    assert dict(leaves(section(language))) == dict(leaves(section("en")))


@pytest.mark.slow
@NARROW
@pytest.mark.parametrize("language", ["fr", "es"])
@pytest.mark.sweep("fr-narrow")
def test_pictures_fit_in_other_languages(language, narrow):
    tree = {"picture": section(language)}
    from mel_pipeline.reporting.text.texts import flat_texts

    texts = Texts(language, {**TEXTS.entries, **dict(flat_texts(tree)), "locale": language})
    for frame in frames(pictured_edition("2024"), narrow=narrow, texts=texts).values():
        assert_readable(drawn(frame, texts))


def test_lines_are_not_broken_within_a_number():
    number = "1\u202f061\u202f247"
    with canvas.house_style(REPORTS):
        assert number in canvas.wrapped(f"Instagram : {number}", canvas.font(12), 0.9)


def test_a_bar_chart_of_answers_keeps_the_order_of_the_scores():
    frame = trend(pictured_edition(), "SAT-05")
    assert [label[0] for label in frame.data["label"]] == ["1", "2", "3", "4", "5"]


def test_members_without_a_region_never_cover_one_wherever_the_regions_are() -> None:
    names = ["Shore", "Uplands", "Not stated", "Elsewhere", "Third"]
    places = {"Shore": (2, 1), "Uplands": (3, 1)}
    rows: list[dict[str, object]] = [{} for _ in names]
    place_blocks(rows, names, places)
    spots = [(row["column"], row["row"]) for row in rows]
    assert len(set(spots)) == len(names) and spots[:2] == [(2, 1), (3, 1)]
