"""The PDF as a file: tagged, self-contained, the same bytes each time, texts never read as markup, faults reported."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting import build_editions, cache
from mel_pipeline.reporting.edition import Decision, Narrative, Publication, Wording
from mel_pipeline.reporting.page.model import PageModel, drawn_page
from mel_pipeline.reporting.pdf.build import pdf_of
from mel_pipeline.reporting.pdf.row_headers import with_row_headers
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline_tests.fixtures.paper import flat, links, squeezed, tags, text_of
from mel_pipeline_tests.golden.sample_edition import REPORTS, fewer_charts, sample_edition

PROJECT = Path(__file__).parents[3]
ANOTHER_PROCESS = """
import hashlib, sys
from pathlib import Path
from mel_pipeline.reporting import build_editions
from mel_pipeline_tests.golden.sample_edition import REPORTS, fewer_charts, sample_edition
made = build_editions(fewer_charts(sample_edition()), Path(sys.argv[1]), REPORTS, ["en"], with_pdf=True)
print(hashlib.sha256(made["en"].pdf.read_bytes()).hexdigest())
"""
HOSTILE = (
    '#panic("x") #read("/etc/passwd") #import "@preview/x:0.1.0" *b* _i_ $x^2$ `code` \\ \\u{41} @ref <label>'
    " [body] // comment /* block */ https://example.org/a?b=1#c = heading - item + item / term: --- ~ \"q\" 'z' #"
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, drawn_pictures: Path) -> Path:
    with cache.using(drawn_pictures):
        folder = tmp_path_factory.mktemp("published")
        made = build_editions(sample_edition(), folder, REPORTS, ["en"], with_pdf=True)["en"].pdf
    assert made is not None
    return made


@pytest.fixture(scope="module")
def reader(path: Path) -> PdfReader:
    return PdfReader(path)


@pytest.fixture
def model(drawn_once: None) -> PageModel:
    edition = fewer_charts(sample_edition())
    return drawn_page(edition, REPORTS, load_texts(REPORTS, "en", edition.min_cell)).model


@pytest.fixture
def sources(tmp_path: Path) -> Iterator[Path]:
    yield shutil.copytree(REPORTS, tmp_path / "reports")


@pytest.mark.slow
def test_the_pdf_is_tagged_and_says_its_language_title_and_day(path: Path, reader: PdfReader) -> None:
    root: Any = reader.trailer["/Root"]
    assert path.parts[-2:] == ("2024-Q4", "report-en.pdf")
    assert path.read_bytes().startswith(b"%PDF-1.7")
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    xmp = root["/Metadata"].get_data().decode()
    assert "Metropolis · 2024, fourth quarter" in xmp
    assert re.search(r"pdfuaid:part[^>]*>\s*1|pdfuaid:part=\"1\"", xmp)
    assert reader.metadata is not None and reader.metadata.title == "Metropolis · 2024, fourth quarter"
    assert reader.metadata.creation_date is not None
    assert reader.metadata.creation_date.date() == sample_edition().data_as_of


def test_headings_begin_with_one_title_and_leave_no_level_out(reader: PdfReader) -> None:
    levels = [int(element["/S"][2:]) for element in tags(reader, r"/H\d")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert {2, 3} <= set(levels)
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


def test_every_picture_has_words_and_every_table_header_a_scope(reader: PdfReader, path: Path) -> None:
    figures = tags(reader, "/Figure")
    assert len(figures) == path.with_suffix(".html").read_text(encoding="utf-8").count("<figure") > 7
    assert all("." in figure["/Alt"] for figure in figures)
    scopes = [one["/Scope"] for header in tags(reader, "/TH") for one in header["/A"] if "/Scope" in one]
    assert len(scopes) == len(tags(reader, "/TH")) > 100
    assert set(scopes) == {"/Column", "/Row"}


def test_each_table_row_begins_with_its_header_and_cells_follow_the_scopes(reader: PdfReader) -> None:
    for body in tags(reader, "/TBody"):
        for row in body["/K"]:
            first, *others = [cell.get_object() for cell in row.get_object()["/K"]]
            assert (first["/S"], first["/A"][0]["/Scope"]) == ("/TH", "/Row")
            assert {cell["/S"] for cell in others} == {"/TD"}
            assert not any("/Headers" in one for cell in others for one in cell["/A"])


def test_tables_with_any_other_markup_are_refused() -> None:
    body = b"\n8 0 obj\n<</Type/StructElem/S/TBody/P 7 0 R/K[9 0 R]>>\nendobj"
    with pytest.raises(ReportError, match=r"0 of 1 rows were found\. Install the locked version of typst"):
        with_row_headers(body)


@pytest.mark.slow
def test_the_first_page_is_understandable_on_its_own(reader: PdfReader) -> None:
    first = text_of(reader, 0)
    for words in (
        "2024, fourth quarter",
        "On the way to the targets",
        "What needs a decision",
        "International Fund",
        "Page 1 of",
    ):
        assert words in first
    assert "Contents" not in first
    assert text_of(reader, 1).lstrip().startswith("Metropolis · 2024, fourth quarter Provisional Contents")


@pytest.mark.slow
def test_every_page_is_numbered_marked_as_sample_and_shows_the_edition_status(reader: PdfReader) -> None:
    count = len(reader.pages)
    assert 9 <= count <= 14
    for number, page in enumerate(reader.pages, start=1):
        text = text_of(reader, number - 1)
        assert f"Page {number} of {count}" in text
        assert "Sample data, do not quote" in text
        assert "Provisional" in text
        assert [round(float(edge)) for edge in page.mediabox[2:]] == [595, 842]


@pytest.mark.slow
def test_a_published_edition_names_its_version_on_each_page_and_a_real_one_has_no_sample_mark(
    model: PageModel,
) -> None:
    day = sample_edition().data_as_of
    edition = replace(
        model.edition, is_sample=False, publication=Publication(2, day, "Secretary General", "")
    )
    reader = PdfReader(as_file(pdf_of(replace(model, edition=edition), REPORTS)))
    for number in range(1, len(reader.pages)):
        assert "Published, version 2 of 14 January 2025" in text_of(reader, number)
        assert "Sample data, do not quote" not in text_of(reader, number)


@pytest.mark.slow
def test_contents_and_bookmarks_lead_to_the_pages_they_name(reader: PdfReader) -> None:
    titles = [str(item.title) for item in flat(reader.outline)]
    assert "Line of action 1 · Peer exchange and member engagement" in titles
    assert {"On the way to the targets", "Performance table", "Definitions", "Data behind the charts"} <= set(
        titles
    )
    text = text_of(reader, 1)
    for item in flat(reader.outline):
        if item.title in ("Performance table", "Definitions", "Data behind the charts"):
            page = (reader.get_destination_page_number(item) or 0) + 1
            assert re.search(rf"{item.title}\s*{page}\b", text), item.title


def test_every_link_leads_to_a_page_and_says_where(reader: PdfReader) -> None:
    found = links(reader)
    assert len(found) > 30
    names = set(reader.named_destinations)
    for link in found:
        destination = link["/Dest"] if "/Dest" in link else link["/A"]["/D"]
        assert not isinstance(destination, str) or destination in names
        assert str(link["/Contents"])
        assert not str(link["/Contents"]).startswith(("sheet-", "at-", "data-"))


def test_only_the_house_font_is_used_and_it_is_embedded(reader: PdfReader) -> None:
    fonts = {}
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            inner = font.get_object()["/DescendantFonts"][0].get_object()
            fonts[str(inner["/BaseFont"])] = inner["/FontDescriptor"].get_object()
    assert fonts
    assert all("Inter" in name for name in fonts), fonts.keys()
    assert all({"/FontFile2", "/FontFile3"} & set(kind) for kind in fonts.values())


def test_the_data_behind_each_chart_is_in_the_annex(reader: PdfReader) -> None:
    last = "".join(text_of(reader, place) for place in (-2, -1))
    annex = last.partition("Data behind the charts")[2]
    for words in ("Latin America and the Caribbean", "2023-Q1", "Swiss Agency", "658,382"):
        assert words in annex


@pytest.mark.slow
def test_the_same_page_gives_the_same_bytes(model: PageModel) -> None:
    assert pdf_of(model, REPORTS) == pdf_of(model, REPORTS)


@pytest.mark.exhaustive
def test_two_processes_write_the_same_bytes(tmp_path: Path, model: PageModel) -> None:
    command = [sys.executable, "-c", ANOTHER_PROCESS, str(tmp_path)]
    there = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT).stdout.strip()
    assert there == hashlib.sha256(pdf_of(model, REPORTS)).hexdigest()


@pytest.mark.slow
def test_no_text_is_read_as_markup_or_reads_a_file(model: PageModel) -> None:
    wording = Wording({"en": HOSTILE})
    narrative = Narrative(lessons=[wording], decisions=[Decision(wording, HOSTILE, None, True)])
    edition = replace(model.edition, organisation=HOSTILE, notes=[HOSTILE], narrative=narrative)
    row = model.rows[0]
    named = replace(row, measure=replace(row.measure, name=HOSTILE, definition=HOSTILE), note=HOSTILE)
    hostile = replace(
        model,
        edition=edition,
        front=replace(model.front, title=HOSTILE, points=[HOSTILE], moved=[HOSTILE]),
        rows=[named, *model.rows[1:]],
        sheets=[named, *model.sheets[1:]],
        learning={"lessons": [HOSTILE], "comments": [], "decisions": []},
    )
    reader = PdfReader(as_file(pdf_of(hostile, REPORTS)))
    assert reader.metadata is not None and HOSTILE in str(reader.metadata.title)
    text = squeezed("".join(text_of(reader, place) for place in range(len(reader.pages))))
    assert text.count(squeezed(HOSTILE)) > 6
    assert "root:x:" not in text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("report.typ", "#let doc = json(bytes(sys.inputs.document))\n#doc.nothing", "does not contain key"),
        ("report.typ", None, "report.typ"),
        ("report_lib.typ", None, "report_lib.typ"),
        ("report_lib.typ", "#let broken = (", "unclosed delimiter"),
    ],
)
def test_a_template_that_cannot_be_typeset_is_named_with_what_to_do(
    model: PageModel, sources: Path, name: str, content: str | None, message: str
) -> None:
    template = sources / "templates" / name
    template.unlink() if content is None else template.write_text(content)
    with pytest.raises(ReportError, match=rf"Making the PDF of 2024-Q4 in 'en': .*{message}.*Restore"):
        pdf_of(model, sources)


@pytest.mark.slow
def test_a_character_missing_from_every_font_is_named_and_no_pdf_is_written(model: PageModel) -> None:
    with pytest.raises(
        ReportError, match=r"in 'en': the text .*378.* no other installed font has it\. Add a font"
    ):
        pdf_of(replace(model, front=replace(model.front, points=["Lab \u0378"])), REPORTS)


@pytest.mark.slow
def test_characters_missing_from_the_house_font_come_from_another_font_in_its_folder(
    model: PageModel, sources: Path
) -> None:
    from matplotlib import get_data_path

    shutil.copy(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", sources / "fonts")
    reader = PdfReader(
        as_file(pdf_of(replace(model, front=replace(model.front, points=["Город \u05d0"])), sources))
    )
    assert "Город" in text_of(reader, 0)


def as_file(content: bytes) -> Any:
    import io

    return io.BytesIO(content)


def test_a_chart_is_under_the_line_of_action_that_its_indicator_stands_under(model: PageModel) -> None:
    homes = {row.measure.id: (row.measure.lines or ("",))[0] for row in model.sheets}
    drawn = [(section.key, picture.anchor) for section in model.sections for picture in section.pictures]
    assert drawn
    assert all(homes[anchor] == key for key, anchor in drawn)
    assert all(homes[row.measure.id] == section.key for section in model.sections for row in section.rows)
