"""The page as a file: self-contained, escaped, unchanged when nothing changed, and rejected when it cannot be right."""

from __future__ import annotations

import itertools
import re
import shutil
from dataclasses import replace
from datetime import date

import pytest

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting import build_editions, build_report, cache
from mel_pipeline.reporting.edition import Publication
from mel_pipeline.reporting.page.build import css_string
from mel_pipeline_tests.golden.sample_edition import (
    REPORTS,
    fewer_charts,
    protected,
    sample_edition,
    with_figure,
)

pytestmark = pytest.mark.usefixtures("drawn_once")


@pytest.fixture(scope="module")
def built(tmp_path_factory, drawn_pictures):
    with cache.using(drawn_pictures):
        return build_report(sample_edition(), tmp_path_factory.mktemp("published"), REPORTS, "en")


@pytest.fixture(scope="module")
def page(built):
    return built.read_text(encoding="utf-8")


@pytest.fixture
def sources(tmp_path):
    return shutil.copytree(REPORTS, tmp_path / "reports")


@pytest.mark.slow
def test_the_page_and_its_charts_are_in_the_folder_of_the_period(built):
    assert built.parts[-2:] == ("2024-Q4", "report-en.html")
    assert sorted(path.name for path in (built.parent / "charts").iterdir())[:2] == [
        "FND-01.png",
        "FND-01.svg",
    ]


@pytest.mark.slow
def test_building_again_touches_nothing(built):
    before = {path: path.stat().st_mtime_ns for path in built.parent.rglob("*") if path.is_file()}
    build_report(sample_edition(), built.parents[1], REPORTS, "en")
    assert {path: path.stat().st_mtime_ns for path in built.parent.rglob("*") if path.is_file()} == before


def test_the_page_is_self_contained_and_runs_no_scripts(page):
    assert "<script" not in page
    assert not re.search(r"""(?:src|href|srcset)=["'](?!data:|#)""", page)
    assert not re.search(r"url\((?!data:)", page)
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:" in page


@pytest.mark.slow
def test_markup_in_notes_names_and_labels_is_shown_as_text(tmp_path):
    evil = '<script>alert("x")</script><img src=x onerror=alert(1)>'
    edition = fewer_charts(sample_edition(organisation=evil, notes=[evil]))
    edition = with_figure(edition, "RCH-02", "2024-Q4", note=evil)
    edition.indicators.loc[0, "name_en"] = evil
    edition.figures.loc[edition.figures["category"] == "Asia", "category"] = evil
    html = build_report(edition, tmp_path, REPORTS, "en").read_text(encoding="utf-8")
    assert "<script" not in html
    assert "<img src=x" not in html
    assert html.count("</style>") == 1


def test_text_cannot_break_out_of_a_css_string():
    assert css_string('a"</style>\n{}') == '"a\\22 \\3c \\2f style\\3e \\a \\7b \\7d "'


@pytest.mark.slow
def test_sample_data_is_marked_on_the_screen_on_every_printed_page_and_in_every_chart(page, tmp_path):
    assert "Sample data. People and most figures are invented" in page
    assert re.search(r'@top-center \{ content: "Sample data, do not quote"', page)
    real = build_report(fewer_charts(sample_edition(is_sample=False)), tmp_path, REPORTS, "en").read_text(
        encoding="utf-8"
    )
    assert "ample data" not in real


def test_headings_descend_one_level_at_a_time_and_tables_name_their_heads(page):
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert re.findall(r"<th(?![^>]*scope=)[ >]", page) == []
    assert re.findall(r"<img(?![^>]*alt=\"[^\"]{20,})", page) == []
    assert '<html lang="en">' in page


@pytest.mark.long
def test_each_chart_appears_once_under_a_line_of_action_or_its_topic(tmp_path):
    edition = sample_edition()
    shared = edition.indicators["lines_of_action"].where(~edition.indicators["headline"], "1;2;3")
    edition = replace(edition, indicators=edition.indicators.assign(lines_of_action=shared))
    html = build_report(edition, tmp_path, REPORTS, "en").read_text(encoding="utf-8")
    charts = [part.count("<figure") for part in html.split('<section class="line"')]
    # page one, five lines, gender, reach, satisfaction, learning
    assert charts == [1, 4, 0, 0, 0, 0, 1, 1, 1, 0]


def test_an_indicator_is_shown_once_and_named_under_its_other_lines(page):
    second = page.split('<section class="line"')[2]
    assert '<a href="#at-LAB-02">' in second
    assert '<a href="#at-SAT-02">' in second
    shown = re.findall(r'id="at-([A-Z]{3}-\d\d)"', page)
    assert sorted(shown) == sorted(set(sample_edition().indicators["indicator_id"]))


def test_each_indicator_has_its_reference_sheet_and_links_lead_somewhere(page):
    anchors = set(re.findall(r'\bid="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors
    assert all(f"sheet-{indicator}" in anchors for indicator in sample_edition().indicators["indicator_id"])


def test_a_missing_figure_is_text_with_its_reason_and_never_a_zero(page):
    row = page[page.index('id="at-RCH-02"') :][:900]
    assert "The source gave no data for part of this quarter." in row
    assert "not available" in row
    assert not re.search(r"<span>0</span>", row)


@pytest.mark.slow
def test_a_withheld_figure_gives_away_neither_value_nor_base(tmp_path):
    edition = protected(
        with_figure(
            fewer_charts(sample_edition()),
            "SAT-02",
            "2024-Q4",
            n=3,
            value=66.6667,
            numerator=2,
            denominator=3,
        )
    )
    html = build_report(edition, tmp_path, REPORTS, "en").read_text(encoding="utf-8")
    assert "not shown" in html
    assert "67%" not in html
    assert "2 / 3" not in html


@pytest.mark.slow
def test_the_annual_edition_compares_with_the_year_before(tmp_path):
    html = build_report(fewer_charts(sample_edition("2024")), tmp_path, REPORTS, "en").read_text(
        encoding="utf-8"
    )
    assert "Annual edition 2024" in html
    assert "Previous year" in html
    assert "Same quarter last year" not in html


@pytest.mark.slow
def test_another_language_is_a_file(tmp_path):
    path = build_report(fewer_charts(sample_edition()), tmp_path / "out", REPORTS, "fr")
    html = path.read_text(encoding="utf-8")
    assert path.name == "report-fr.html"
    assert (path.parent / "charts" / "GEN-01-fr.svg").is_file()
    assert '<html lang="fr">' in html
    assert "Où en sont les cibles" in html
    assert "Échange entre pairs" in html
    assert "658\u202f382" in html
    assert "T4\u00a02024" in html
    assert "2024-Q4" not in re.sub(r"<code>.*?</code>", "", html)


@pytest.mark.long
def test_texts_missing_in_a_language_fall_back_to_english_and_are_listed(sources, tmp_path):
    path = sources / "locales" / "es.yml"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "quality_intro:" not in line), encoding="utf-8")
    built = build_editions(fewer_charts(sample_edition()), tmp_path / "out", sources, ["en", "es"])
    assert "What was read from each source" in built["es"].page.read_text(encoding="utf-8")
    assert "page.quality_intro" in built["es"].untranslated
    assert built["en"].untranslated == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param(name, content, marks=[] if content == "{% if %}" else pytest.mark.slow)
        for name in ("report.html.jinja", "parts.html.jinja")
        for content in ("", "{% if %}", None)
    ]
    + [pytest.param("report.css", content, marks=pytest.mark.slow) for content in ("", None)],
)
@pytest.mark.sweep
def test_a_broken_template_stops_the_report_and_leaves_no_page(sources, tmp_path, name, content):
    path = sources / "templates" / name
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    with pytest.raises(ReportError):
        build_report(fewer_charts(sample_edition()), tmp_path / "out", sources, "en")
    assert not (tmp_path / "out").exists()


def test_a_headline_figure_missing_altogether_stops_the_report(tmp_path):
    edition = fewer_charts(sample_edition())
    edition = replace(edition, figures=edition.figures[edition.figures["indicator_id"] != "LAB-02"])
    with pytest.raises(ReportError, match="LAB-02"):
        build_report(edition, tmp_path, REPORTS, "en")
    assert list(tmp_path.iterdir()) == []


RESTATED = {
    "indicator_id": "SAT-02",
    "period": "2024-Q4",
    "disaggregation": "total",
    "state": "open",
    "reason": "late_data",
    "published": 85.0,
    "current": 80.4,
    "difference": -4.6,
}


def published(**more):
    publication = Publication(1, date(2025, 2, 3), "Secretary General", "Checked")
    return replace(fewer_charts(sample_edition()), publication=publication, **more)


def page_of(edition, tmp_path):
    return build_report(edition, tmp_path, REPORTS, "en").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_draft_says_provisional_and_a_published_edition_by_whom_and_when(tmp_path):
    assert "Provisional" in page_of(fewer_charts(sample_edition()), tmp_path)
    html = page_of(published(), tmp_path)
    assert "Version 1 of 3 February 2025, approved by Secretary General" in html
    assert "Provisional" not in html
    assert "Every published figure is still what the data give" in html


def test_a_published_figure_that_no_longer_holds_has_a_footnote_and_a_line_with_the_reason(tmp_path):
    html = page_of(published(restatements=[RESTATED]), tmp_path)
    assert '<a href="#restatements">Published as 85%; the data now give 80% (late data)</a>' in html
    assert "−5 points" in html or "−4.6 points" in html


def test_a_difference_of_too_few_people_is_named_without_numbers(tmp_path):
    held = RESTATED | {"state": "held", "published": None, "current": None, "difference": None}
    html = page_of(published(restatements=[held]), tmp_path)
    assert (
        "The data have changed by too few people to be shown, or wait for a new version (late data)" in html
    )
    assert "80%" not in html


@pytest.mark.slow
def test_the_data_quality_card_has_a_line_a_source_and_counts_the_rules(tmp_path):
    line = {"title": "Zoho CRM", "rows": 14_614, "aside": 2, "corrected": 1, "late": 30, "status": "complete"}
    held = [{"dimension": "validity", "rules": 1_200, "hold": 1_199}]
    html = page_of(published(card=[line], rules_held=held, worth_a_look=2), tmp_path)
    assert "14,614" in html
    assert "validity 1,199 of 1,200. 2 totals are out of line and worth a second look." in html


@pytest.mark.slow
def test_a_reference_sheet_names_the_tables_and_loads_behind_its_figure(tmp_path):
    html = page_of(published(origins={"SAT-02": ["raw: 12 rows, last changed by load-1"]}), tmp_path)
    assert "raw: 12 rows, last changed by load-1" in html
    assert "<code>mel explain SAT-02 2024-Q4</code>" in html
