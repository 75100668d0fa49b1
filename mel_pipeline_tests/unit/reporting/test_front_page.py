"""Page one: the message is made from the strongest movements, nothing is said twice, targets are bars."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from mel_pipeline.reporting.edition import CityVoice, Edition, Narrative, Wording
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.page.changes import changes
from mel_pipeline.reporting.page.front import Front, front_page
from mel_pipeline.reporting.page.model import drawn_page
from mel_pipeline.reporting.page.said import Sentences, sentences_of
from mel_pipeline.reporting.page.tables import table_row
from mel_pipeline.reporting.palette import load_palette
from mel_pipeline.reporting.pictures.dark import dark_colours, with_dark_colours
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline_tests.golden.sample_edition import REPORTS, fewer_charts, sample_edition, with_figure

LANGUAGES = ("en", "fr", "es", "ca")
COUNTS = (0, 1, 2, 5, 1_000_000)


def front(edition: Edition, language: str = "en", hero: str = "") -> Front:
    texts = load_texts(REPORTS, language)
    known = measures(edition, language)
    figures = Figures(edition, known)
    rows = [table_row(measure, figures, texts) for measure in known]
    return front_page(edition, rows, sentences_of(edition, known, figures, rows, texts), texts, hero)


def test_the_strongest_movement_leads_whatever_its_indicator_and_a_missed_target_follows() -> None:
    made = front(sample_edition())
    assert made.title == "Digital views rose to 658,382, but new member cities missed the target"
    assert made.lead == ["+498,262 compared with 2023-Q4."]


def test_a_fall_in_what_should_rise_follows_after_but() -> None:
    fallen = with_figure(sample_edition(), "LAB-02", "2024-Q4", value=1.0)
    assert ", but member cities engaged in Solutions Labs fell to 1" in front(fallen).title


def test_a_rise_in_what_should_fall_is_bad_news() -> None:
    edition = sample_edition()
    fewer = edition.indicators["direction"].where(edition.indicators["indicator_id"] != "LAB-02", "decrease")
    edition = replace(edition, indicators=edition.indicators.assign(direction=fewer))
    worse = with_figure(edition, "LAB-02", "2024-Q4", value=90.0)
    title = front(worse).title
    assert (
        title.startswith("Digital views rose")
        and "but member cities engaged in Solutions Labs rose to 90" in title
    )


def test_nothing_is_said_twice_on_the_page() -> None:
    made = front(sample_edition())
    assert not set(made.lead) & set(made.moved)
    assert not {row.measure.id for row in made.figures} & {bar.id for bar in made.bars}
    assert "Digital views" not in {row.measure.name for row in made.figures}
    assert made.decision not in made.also_decide


def test_a_few_figures_without_a_bar_stand_below_the_bars_and_more_in_a_table() -> None:
    few = front(sample_edition())
    assert few.few and [row.measure.id for row in few.figures] == ["MEM-01", "FND-01"]
    without = sample_edition(targets=sample_edition().targets.iloc[:0])
    assert len(front(without).figures) > 2 and not front(without).few


def test_the_indicator_of_the_picture_has_its_target_below_it_and_no_bar() -> None:
    made = front(sample_edition(), hero="LAB-02")
    assert made.hero_bar is not None and made.hero_bar.status.word == "On target"
    assert "LAB-02" not in {bar.id for bar in made.bars} | {row.measure.id for row in made.figures}
    assert front(sample_edition(), hero="RCH-01").hero_bar is None


def test_what_rose_from_nothing_has_its_value_in_the_title_alone() -> None:
    made = front(sample_edition("2024"))
    assert "€800,000" in made.title
    assert "International Fund: resources secured: from €0 in 2023." in made.lead
    assert "800,000" not in " ".join([*made.lead, *made.moved])


def test_where_no_title_stands_above_it_the_same_change_has_its_value() -> None:
    edition = sample_edition("2024")
    known = measures(edition, "en")
    said = changes(edition, known, Figures(edition, known), load_texts(REPORTS, "en"))
    assert "International Fund: resources secured: +€800,000 since 2023." in said


def test_the_leads_own_points_replace_the_title() -> None:
    points = [Wording({"en": "Now {MEM-01} cities."}), Wording({"en": "Views reached {RCH-01}."})]
    made = front(sample_edition(narrative=Narrative(main_points=points)))
    assert (made.title, made.points, made.lead) == ("Now 164 cities", ["Views reached 658,382."], [])


@pytest.mark.fault(180)
def test_an_edition_published_before_there_was_a_title_shows_its_first_main_point() -> None:
    edition = sample_edition()
    texts = load_texts(REPORTS, "en")
    known = measures(edition, "en")
    rows = [table_row(measure, Figures(edition, known), texts) for measure in known]
    kept = Sentences(["Members rose to 164.", "Views rose."], "3 of 4.", ["Views: +1."], [], "", {})
    made = front_page(edition, rows, kept, texts)
    assert (made.title, made.points, made.moved) == ("Members rose to 164", ["Views rose."], ["Views: +1."])


@pytest.mark.fault(181)
def test_without_any_movement_the_title_says_so_and_invents_none() -> None:
    edition = sample_edition()
    figures = edition.figures[edition.figures["period"] == "2024-Q4"]
    made = front(replace(edition, figures=figures))
    assert made.title == "No figure moved beyond what is usual for it"
    assert made.lead == []


def test_bars_are_judged_targets_and_fit_their_scale() -> None:
    made = front(sample_edition())
    assert [bar.id for bar in made.bars] == ["MEM-02", "LAB-02", "SAT-02", "GEN-01"]
    missed, reached, _, balance = made.bars
    assert (missed.actual, missed.target, missed.status.word) == (50.0, 100.0, "Target missed")
    assert reached.actual == 100.0 and reached.target == pytest.approx(95.2)
    assert made.untargeted.startswith("4 indicators have no target")
    assert (balance.low, balance.target, balance.actual) == (40.0, 60.0, 54.3)
    assert (balance.aim, balance.status.word) == ("Balance band 40–60%", "In balance")


@pytest.mark.slow
def test_a_city_speaks_on_page_one_in_the_language_of_the_page_or_in_english() -> None:
    voice = CityVoice(
        "Montevideo", date(2024, 11, 30), Wording({"en": "It changed.", "fr": "Cela a changé."})
    )
    edition = sample_edition(voices=[voice])
    for language, words in (("en", "It changed."), ("fr", "Cela a changé."), ("es", "It changed.")):
        found = front(edition, language).voice
        assert found is not None and found.words == words and found.source.startswith("Montevideo")
    assert front(sample_edition()).voice is None


@pytest.mark.slow
def test_the_title_agrees_in_every_language() -> None:
    titles = {language: front(sample_edition(), language).title for language in LANGUAGES}
    assert "658\u202f382" in titles["fr"] and "658.382" in titles["es"] and "658.382" in titles["ca"]
    assert "mais" in titles["fr"] and "pero" in titles["es"] and "però" in titles["ca"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_plural_text_has_a_form_for_every_number(language: str) -> None:
    texts = load_texts(REPORTS, language)
    forms = {key: entry for key, entry in texts.entries.items() if isinstance(entry, dict)}
    assert len(forms) > 30
    singular = {0, 1} if language == "fr" else {1}
    for key, entry in forms.items():
        for count in COUNTS:
            form = entry.get(texts.locale.plural_form(count)) or entry["other"]
            assert form == (entry["one"] if count in singular else entry["other"]), (key, count)


def _light(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((_light(one), _light(other)))
    return (high + 0.05) / (low + 0.05)


def test_charts_have_a_dark_colour_for_every_light_one_that_can_be_told_from_the_paper() -> None:
    palette = load_palette(REPORTS)
    assert palette.charts.keys() == palette.charts_dark.keys()
    dark = {name: str(value) for name, value in palette.charts_dark.items() if name != "cycle"}
    assert contrast(dark["ink"], dark["paper"]) > 7 and contrast(dark["quiet"], dark["paper"]) > 4.5
    for name in ("now", "before", "other", "unstated", "frame", "third", "score_1", "score_2"):
        assert contrast(dark[name], dark["paper"]) >= 3, name
    assert contrast(dark["ink"], dark["before"]) >= 4.5


def test_a_dark_picture_replaces_only_the_colours_it_contains() -> None:
    palette = load_palette(REPORTS)
    ink, other = str(palette.charts["ink"]), str(palette.charts["other"])
    drawn = f'<svg><path style="fill: {ink}"/></svg>'.encode()
    made = with_dark_colours(drawn, palette).decode()
    assert made.endswith("</svg>") and dark_colours(palette)[ink] in made
    assert "prefers-color-scheme:dark" in made and other not in made


@pytest.mark.long
@pytest.mark.usefixtures("drawn_once")
@pytest.mark.parametrize(
    ("period", "indicator", "title"),
    [("2024-Q4", "RCH-01", "Digital views"), ("2024", "FND-01", "Swiss Agency .* leads with .*")],
)
def test_the_picture_of_page_one_does_not_repeat_the_title_and_keeps_a_finding_of_its_own(
    period: str, indicator: str, title: str
) -> None:
    edition = fewer_charts(sample_edition(period))
    pictured = edition.indicators["indicator_id"] == indicator
    edition = replace(edition, indicators=edition.indicators.assign(pictured=pictured))
    hero = drawn_page(edition, REPORTS, load_texts(REPORTS, "en")).model.hero
    assert hero is not None and hero.anchor == indicator
    for drawn in (hero.svg, hero.small_svg):
        assert re.search(f"<title>{title}</title>".encode(), drawn)
