"""What charts plot and the page says for the sample edition, stored as readable files.

After an intended change: ``MEL_WRITE_GOLDEN=1 pytest mel_pipeline_tests/golden``, then read the difference.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
import yaml

from mel_pipeline.core.yaml_io import from_yaml
from mel_pipeline.reporting import build_report, draw_charts
from mel_pipeline.reporting.chart_data.indicator import chart_frame
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.pictures.page import page_frames
from mel_pipeline.reporting.site import build_site
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline_tests.fixtures.site import sample_site
from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition, with_figure
from mel_pipeline_tests.golden.sample_pictures import pictured_edition

pytestmark = pytest.mark.usefixtures("drawn_once")
HERE = Path(__file__).parent


def assert_golden(name: str, actual: object) -> None:
    path = HERE / f"{name}.yml"
    written = yaml.safe_dump(actual, allow_unicode=True, sort_keys=False, width=110)
    if os.environ.get("MEL_WRITE_GOLDEN"):
        path.write_text(written, encoding="utf-8")
    assert from_yaml(written) == from_yaml(path.read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("period", ["2024-Q4", "2024"])
def test_the_charts_plot_the_golden_numbers(tmp_path, period):
    edition = sample_edition(period)
    known = measures(edition, "en")
    texts = load_texts(REPORTS, "en", edition.min_cell)
    plotted = {}
    for chart in draw_charts(edition, tmp_path, REPORTS, "en"):
        measure = next(item for item in known if item.id == chart.indicator_id)
        frame = chart_frame(edition, measure, Figures(edition, known), texts, narrow=False)
        rows = frame.data[["label", "shown", "base", "status", "target"]].to_dict("records")
        assert chart.alt == frame.alt
        plotted[chart.indicator_id] = {
            "alt": chart.alt,
            "marks": [
                {str(key): value for key, value in row.items() if value not in ("", None) and value == value}
                for row in rows
            ],
        }
    assert_golden(f"charts-{period}", plotted)


@pytest.mark.parametrize("period", ["2024-Q4", "2024"])
def test_the_pictures_of_the_page_say_the_golden_words_and_numbers(period):
    edition = pictured_edition(period)
    known = measures(edition, "en")
    made = page_frames(edition, known, Figures(edition, known), load_texts(REPORTS, "en"))
    pictures = {
        name: {
            "title": frame.title,
            "subtitle": frame.subtitle,
            "footnote": frame.footnote,
            "headings": list(frame.headings),
            "table": [list(row) for row in frame.table],
        }
        for name, frame in made.items()
    }
    assert_golden(f"pictures-{period}", pictures)


def words(html: str) -> list[str]:
    """The readable lines of a piece of markup."""
    lines = unescape(re.sub(r"<[^>]+>", "\n", html)).replace("\u2060", "").splitlines()
    return [line.strip() for line in lines if line.strip()]


@pytest.mark.slow
@pytest.mark.parametrize("period", ["2024-Q4", "2024"])
@pytest.mark.sweep("2024-Q4")
def test_the_first_screen_says_the_golden_words(tmp_path, period):
    page = build_report(sample_edition(period), tmp_path, REPORTS, "en").read_text(encoding="utf-8")
    head = page[page.index("<header") : page.index('<section class="line"')]
    headings = [" ".join(words(part)) for part in re.findall(r"<h[1-3].*?</h[1-3]>", page, re.S)]
    assert_golden(f"first-screen-{period}", {"words": words(head), "headings": headings})


@pytest.mark.slow
def test_the_chart_of_the_reading_site_is_the_golden_drawing(tmp_path):
    """One with a target, intervals, a gap and a withheld quarter."""
    site = sample_site()
    edition = with_figure(site.edition, "SAT-02", "2023-Q2", status="suppressed")
    few = edition.indicators[edition.indicators["indicator_id"] == "SAT-02"]
    figures = edition.figures[edition.figures["indicator_id"] == "SAT-02"]
    site = replace(site, edition=replace(edition, indicators=few, figures=figures))
    build_site(site, tmp_path, REPORTS, ["en"])
    page = (tmp_path / "indicators" / "SAT-02-en.html").read_text("utf-8")
    found = re.search(r"<svg class=\"chart\".*?</svg>\s*<div id=\"chart-cursor\"", page, re.DOTALL)
    assert found is not None
    drawn = found[0].rpartition("</svg>")[0] + "</svg>\n"
    path = HERE / "trend-SAT-02.svg"
    if os.environ.get("MEL_WRITE_GOLDEN"):
        path.write_text(drawn, encoding="utf-8")
    assert drawn == path.read_text("utf-8")
