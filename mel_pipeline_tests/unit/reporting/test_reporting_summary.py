"""The first page: what is on track, what changed and why, what needs a decision; and what the MEL lead writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.settings import Settings
from mel_pipeline.reporting.edition import CodersAgree, Decision, Narrative, Theme, Wording
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.inputs.narrative import read_narrative
from mel_pipeline.reporting.page.summary import (
    decisions_needed,
    narrative_of,
    opening_points,
)
from mel_pipeline.reporting.page.tables import table_row
from mel_pipeline.reporting.page.topics import reach_ladder, reach_rungs, topic_of, who_answered
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline.sources.workbook.versions import issue
from mel_pipeline_tests.golden.sample_edition import REPORTS, cell, sample_edition, with_cells, with_figure


class Scene:
    def __init__(self, edition=None, language="en"):
        self.edition = edition or sample_edition()
        self.texts = load_texts(REPORTS, language)
        self.known = measures(self.edition, language)
        self.figures = Figures(self.edition, self.known)
        self.rows = [table_row(measure, self.figures, self.texts) for measure in self.known]


def wording(**by_language: str) -> Wording:
    return Wording(by_language)


def test_what_needs_a_decision_begins_with_open_decisions_and_ends_with_what_is_missing():
    narrative = Narrative(
        decisions=[
            Decision(wording(en="Two languages."), "Programmes", date(2025, 3, 31), True),
            Decision(wording(en="Done."), "Programmes", None, False),
        ]
    )
    edition = with_figure(
        sample_edition(narrative=narrative), "SAT-02", "2024-Q4", value=None, status="not_available"
    )
    edition = with_figure(edition, "GEN-01", "2024-Q4", value=70.0)
    edition = with_figure(edition, "MEM-02", "2024-Q4", value=1.0)
    scene = Scene(edition)
    lines = decisions_needed(edition, scene.rows, scene.texts)
    assert lines[0] == "Two languages (responsible: Programmes, by 31 March 2025)."
    assert lines[1].startswith("New member cities: target missed, 1 against 2")
    assert lines[2].startswith("Women among Solutions Labs participants: out of balance at 70%")
    assert lines[-1].startswith("Satisfied participants: no figure")
    assert not any("Done" in line for line in lines)


def test_nothing_to_decide_is_an_empty_list():
    edition = sample_edition()
    keep = edition.indicators["indicator_id"].isin(["MEM-01"])
    scene = Scene(
        replace(
            edition,
            indicators=edition.indicators[keep],
            figures=edition.figures[edition.figures["indicator_id"] == "MEM-01"],
        )
    )
    assert decisions_needed(scene.edition, scene.rows, scene.texts) == []


def test_written_main_points_take_the_place_of_drafted_ones_with_the_figures_filled_in():
    points = [
        wording(en="From {MEM-01 previous} to {MEM-01} cities.", fr="De {MEM-01 previous} à {MEM-01} villes.")
    ]
    edition = sample_edition(narrative=Narrative(main_points=points))
    for language, words in (("en", "From 163 to 164 cities."), ("fr", "De 163 à 164 villes.")):
        scene = Scene(edition, language)
        assert opening_points(edition, scene.known, scene.figures, scene.texts) == [words]
    spanish = Scene(edition, "es")
    assert opening_points(edition, spanish.known, spanish.figures, spanish.texts) == [
        "From 163 to 164 cities."
    ]
    assert "From {MEM-01 previous} to {MEM-01} cities." in spanish.texts.missing


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("We have 164 cities.", "typed by hand"),
        ("We have {XYZ-99}.", "no indicator XYZ-99"),
        ("{MEM-01 target} 5", "typed"),
    ],
)
def test_a_point_that_could_drift_from_its_figure_is_refused(text, reason):
    edition = sample_edition(narrative=Narrative(main_points=[wording(en=text)]))
    scene = Scene(edition)
    with pytest.raises(ReportError, match=reason):
        opening_points(edition, scene.known, scene.figures, scene.texts)


def test_themes_raised_by_few_people_are_grouped():
    comments = [
        Theme(wording(en="Rare"), 4),
        Theme(wording(en="Time"), 12),
        Theme(wording(en="Rarer"), 1),
        Theme(wording(en="Room"), 5),
    ]
    edition = sample_edition(narrative=Narrative(comments=comments))
    assert narrative_of(edition, load_texts(REPORTS, "en"))["comments"] == [
        "Time (12 people)",
        "Room (5 people)",
        "2 more themes that few people raised",
    ]


def test_the_agreement_of_two_coders_stands_below_the_themes_with_its_interval():
    narrative = Narrative(
        comments=[Theme(wording(en="Time"), 12)], agreement=CodersAgree(20, 0.676, 0.5, 0.85)
    )
    said = {
        language: narrative_of(sample_edition(narrative=narrative), load_texts(REPORTS, language))[
            "comments"
        ][-1]
        for language in ("en", "fr", "es", "ca")
    }
    assert said["en"] == (
        "Two people coded 20 comments independently. Cohen's kappa of their agreement: 0.68 (95% interval 0.50 to 0.85)."
    )
    assert all("20" in words and "0,68" in words for language, words in said.items() if language != "en")


def test_the_letters_of_an_id_say_its_topic():
    topics = {measure.id: topic_of(measure) for measure in measures(sample_edition(), "en")}
    assert (topics["GEN-01"], topics["RCH-02"], topics["SAT-01"], topics["MEM-01"]) == (
        "gender",
        "reach",
        "satisfaction",
        "",
    )


def ladder(rows):
    edition = sample_edition()
    indicators = edition.indicators.to_dict("records")
    reach = next(row for row in indicators if row["indicator_id"] == "RCH-02") | {
        "indicator_id": "RCH-06", "name_en": "Reach", "unit": "people",
    }  # fmt: skip
    together = pd.concat([edition.indicators, pd.DataFrame([reach])], ignore_index=True)
    edition = replace(edition, indicators=together)
    scene = Scene(with_cells(edition, rows))
    return {rung.id: rung for rung in reach_rungs(scene.known, scene.figures, scene.texts)}


def test_reach_of_several_accounts_is_a_range_and_never_a_sum():
    accounts = [
        cell("RCH-06", "2024-Q4", "account", name, value) for name, value in {"A": 900.0, "B": 400.0}.items()
    ]
    assert ladder(accounts)["RCH-06"].shown == "900 to 1,300"


def test_reach_is_at_least_that_of_the_largest_where_an_account_gives_none():
    accounts = [
        cell("RCH-06", "2024-Q4", "account", name, value) for name, value in {"A": 900.0, "B": None}.items()
    ]
    rung = ladder(accounts)["RCH-06"]
    assert (rung.shown, rung.note) == ("at least 900", "1 account gives none.")


def test_unknown_reach_is_reported_in_text():
    assert ladder([])["RCH-06"].shown == "not available"
    assert ladder([])["RCH-02"].shown == "not available"


def groups_of(views, followers, reach, language="en"):
    """Headings and ids of the ladder's groups; those who took part are as in the sample."""
    edition = sample_edition()
    more = next(row for row in edition.indicators.to_dict("records") if row["indicator_id"] == "RCH-02")
    named = [more | {"indicator_id": "RCH-06", "unit": "people"}]
    indicators = edition.indicators[edition.indicators["indicator_id"] != "RCH-06"]
    edition = replace(edition, indicators=pd.concat([indicators, pd.DataFrame(named)], ignore_index=True))
    for id, value in {"RCH-01": views, "RCH-02": followers}.items():
        edition = with_figure(edition, id, "2024-Q4", value=value, status="ok" if value else "not_available")
    scene = Scene(with_cells(edition, [cell("RCH-06", "2024-Q4", "account", "A", reach)]), language)
    found = reach_ladder(scene.known, scene.figures, scene.texts)
    return found.intro, [(heading, [rung.id for rung in rungs]) for heading, rungs in found.groups]


def test_counts_that_descend_are_one_ladder():
    _, groups = groups_of(1_000_000.0, 30_000.0, 9_000.0)
    assert groups == [("", ["RCH-01", "RCH-02", "RCH-06", "GEN-01"])]


@pytest.mark.slow
@pytest.mark.parametrize(
    "counts",
    [(20_000.0, 30_000.0, 9_000.0), (1_000_000.0, 30_000.0, 40_000.0), (1_000_000.0, 30_000.0, None), (None, 30_000.0, 9.0)],
)  # fmt: skip
@pytest.mark.sweep
def test_counts_that_do_not_descend_are_two_groups_with_headings(counts):
    intro, groups = groups_of(*counts)
    assert groups == [("Exposure", ["RCH-01", "RCH-02", "RCH-06"]), ("People", ["GEN-01"])]
    assert "ladder" not in intro
    for language in ("fr", "es", "ca"):
        assert all(heading for heading, _ in groups_of(*counts, language)[1])


def test_satisfaction_is_shown_with_who_answered():
    scene = Scene()
    assert who_answered(scene.known, scene.figures, scene.texts).startswith("48 valid answers to")
    missing = Scene(with_figure(sample_edition(), "SAT-02", "2024-Q4", value=None, status="not_available"))
    assert who_answered(missing.known, missing.figures, missing.texts).startswith("No valid answers")


def settings(tmp_path, **more):
    return Settings(home=tmp_path, sample=False, **more)


def put(tmp_path, content, folder="narrative"):
    path = tmp_path / folder / "2024-Q4.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)


def test_a_file_of_before_counts_until_the_workbook_is_in_use_and_no_longer(tmp_path):
    put(tmp_path, "lessons: [{en: Keep this}]\n", "learning")
    assert read_narrative(settings(tmp_path), "2024-Q4").lessons == [wording(en="Keep this")]
    put(tmp_path, "lessons: [{en: The newer one}]\n")
    assert read_narrative(settings(tmp_path), "2024-Q4").lessons == [wording(en="The newer one")]
    issue(settings(tmp_path))
    put(tmp_path, "lessons: [{en: Too late}]\n")
    assert read_narrative(settings(tmp_path), "2024-Q4").lessons == [wording(en="The newer one")]


def test_an_empty_file_of_before_means_that_nothing_is_written(tmp_path):
    put(tmp_path, "main_points: []\n")
    assert read_narrative(settings(tmp_path), "2024-Q4") == Narrative()


def test_missing_notes_are_not_an_error_and_the_sample_includes_an_example(tmp_path):
    assert read_narrative(settings(tmp_path), "2024-Q4") is None
    sample = read_narrative(Settings(home=tmp_path, sample=True), "2024-Q4")
    assert sample is not None
    assert all({"en", "fr", "es"} <= set(lesson.by_language) for lesson in sample.lessons)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("lessons: [", "line 1"),
        ("lesons: []", "lesons"),
        ("comments: [{theme: {en: Time}}]", "people"),
        ("decisions: [{en: Do it}]", "owner_role"),
        ("main_points: [{en: a}, {en: b}, {en: c}, {en: d}, {en: e}, {en: f}, {en: g}]", "Main points"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_repeats_nothing_of_it(tmp_path, content, reason):
    put(tmp_path, content)
    with pytest.raises(ReportError, match=reason) as error:
        read_narrative(settings(tmp_path), "2024-Q4")
    assert "Do it" not in str(error.value)
