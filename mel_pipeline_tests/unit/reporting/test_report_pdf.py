"""The PDF: tagged, self-contained, the same bytes each time, and refused when something on the page is missing."""

from __future__ import annotations

import hashlib
import http.server
import re
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting import build_report
from mel_pipeline.reporting.pdf.build import build_pdf, pdf_available, pdf_of
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition

PROJECT = Path(__file__).parents[3]
CSS = (REPORTS / "templates" / "print.css").read_text(encoding="utf-8")
ANOTHER_PROCESS = """
import hashlib, sys
from pathlib import Path
from mel_pipeline.reporting import pdf
from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition
made = pdf.build_pdf(sample_edition(), Path(sys.argv[1]), REPORTS, "en")
print(hashlib.sha256(made.read_bytes()).hexdigest())
"""
WITHOUT_PANGO = """
import cffi
def missing(*_, **__):
    raise OSError("cannot load library 'libpango-1.0-0'")
cffi.FFI.dlopen = missing
from mel_pipeline.reporting import pdf
print(pdf.pdf_available())
try:
    pdf._weasyprint()
except pdf.ReportError as error:
    print(error)
"""


def small(body: str, tmp_path: Path) -> bytes:
    """The PDF of a page with this body."""
    html = (
        f'<!doctype html><html lang="en"><head><title>T</title></head><body><main>{body}</main></body></html>'
    )
    edition = sample_edition()
    texts = load_texts(REPORTS, "en")
    return pdf_of(html.encode(), CSS, texts, organisation=edition.organisation, day=edition.data_as_of)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    build_report(sample_edition(), folder, REPORTS, "en")
    return folder


@pytest.fixture(scope="module")
def path(published):
    return build_pdf(sample_edition(), published, REPORTS, "en")


@pytest.fixture(scope="module")
def reader(path):
    return PdfReader(path)


def tags(reader: PdfReader, kind: str) -> list[dict]:
    """Every structure element of a kind."""
    found, waiting = [], [reader.trailer["/Root"]["/StructTreeRoot"]]
    while waiting:
        element = waiting.pop()
        if element.get("/S") == kind:
            found.append(element)
        kids = element.get("/K", [])
        for kid in [one.get_object() for one in (kids if isinstance(kids, list) else [kids])]:
            if isinstance(kid, dict) and kid.get("/Type") == "/StructElem":
                waiting.append(kid)
    return found


@pytest.mark.slow
def test_the_pdf_is_tagged_and_says_its_language_and_title(path, reader):
    root = reader.trailer["/Root"]
    assert path.parts[-2:] == ("2024-Q4", "report-en.pdf")
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    xmp = root["/Metadata"].get_data().decode()
    assert "Metropolis · 2024, fourth quarter" in xmp
    assert re.search(r"pdfuaid:part[^>]*>\s*1|pdfuaid:part=\"1\"", xmp)
    assert reader.metadata.creation_date.date() == sample_edition().data_as_of


@pytest.mark.slow
def test_every_picture_has_words_and_every_table_header_a_scope(reader, path):
    figures = tags(reader, "/Figure")
    assert len(figures) == path.with_suffix(".html").read_text(encoding="utf-8").count("<figure") > 7
    assert all("." in figure["/Alt"] for figure in figures)
    headers = tags(reader, "/TH")
    scopes = {header["/A"]["/Scope"] for header in headers}
    assert len(headers) > 100
    assert scopes == {"/Column", "/Row"}
    first = next(row for row in tags(reader, "/TR") if row["/P"]["/S"] == "/THead")
    assert {kid.get_object()["/A"]["/Scope"] for kid in first["/K"]} == {"/Column"}


@pytest.mark.slow
def test_cells_find_their_headers_by_id(reader):
    tree = reader.trailer["/Root"]["/StructTreeRoot"]["/IDTree"]["/Kids"][0].get_object()["/Names"]
    known = {str(name) for name in tree[::2]}
    named = {str(one) for cell in tags(reader, "/TD") for one in cell["/A"].get("/Headers", [])}
    assert named
    assert named <= known


@pytest.mark.slow
def test_the_first_page_stands_alone(reader):
    first = reader.pages[0].extract_text()
    for words in (
        "2024, fourth quarter",
        "Main points",
        "Headline figures",
        "International Fund",
        "Page 1 of",
    ):
        assert words in first
    assert "Contents" not in first
    assert reader.pages[1].extract_text().lstrip().startswith("Contents")


@pytest.mark.slow
def test_no_page_is_blank_and_every_page_is_numbered_on_a4(reader):
    count = len(reader.pages)
    assert 9 <= count <= 14
    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text()
        assert len(text) > 120, (
            f"page {number} is nearly blank"
        )  # header and footer are 90, a picture adds 36
        assert f"Page {number} of {count}" in text
        assert "Sample data, do not quote" in text
        assert [round(float(edge)) for edge in page.mediabox[2:]] == [595, 842]


@pytest.mark.slow
def test_contents_and_bookmarks_lead_to_the_pages_they_name(reader):
    titles = [item.title for item in flat(reader.outline)]
    assert "Line of action 1 · Peer exchange and member engagement" in titles
    assert {"Performance table", "Definitions", "Data quality", "Data behind the charts"} <= set(titles)
    text = reader.pages[1].extract_text()
    for item in flat(reader.outline):
        if item.title in ("Performance table", "Definitions", "Data behind the charts"):
            page = reader.get_destination_page_number(item) + 1
            assert re.search(rf"{item.title}\s*{page}\b", text), item.title


@pytest.mark.slow
def test_every_link_leads_somewhere_and_says_where(reader):
    names = set(reader.named_destinations)
    links = [
        note.get_object()
        for page in reader.pages
        for note in page.get("/Annots", [])
        if note.get_object()["/Subtype"] == "/Link"
    ]
    assert len(links) > 30
    for link in links:
        assert str(link["/Dest"]) in names
        assert not str(link["/Contents"]).startswith(("sheet-", "at-", "data-"))


@pytest.mark.slow
def test_fonts_are_embedded_and_are_the_house_font_alone(reader):
    fonts = {}
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()
            fonts[str(inner["/BaseFont"])] = inner["/FontDescriptor"].get_object()
    assert fonts
    assert all("Inter" in name for name in fonts), fonts.keys()
    assert all({"/FontFile2", "/FontFile3"} & set(kind) for kind in fonts.values())


@pytest.mark.slow
def test_the_data_behind_each_chart_stands_in_the_annex(reader):
    last = "".join(page.extract_text() for page in reader.pages[-2:])
    annex = last.partition("Data behind the charts")[2]
    for words in ("Latin America and the Caribbean", "2023-Q1", "Swiss Agency", "658,382"):
        assert words in annex


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(path, published):
    here = hashlib.sha256(path.read_bytes()).hexdigest()
    path.unlink()
    command = [sys.executable, "-c", ANOTHER_PROCESS, str(published)]
    there = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT).stdout.strip()
    assert there == here


def test_a_page_that_asks_for_an_address_is_refused_and_nothing_is_asked(tmp_path):
    asked = []

    class Ear(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ear) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        for body in (f'<img alt="x" src="{address}/a.png">', f'<style>@import "{address}/b.css";</style>'):
            with pytest.raises(ReportError, match="The page must hold everything it shows"):
                small(body, tmp_path)
        server.shutdown()
    assert asked == []


@pytest.mark.parametrize(
    "body",
    [
        '<img alt="x" src="file:///etc/passwd">',
        '<img alt="x" src="/etc/passwd">',
        '<link rel="attachment" href="file:///etc/passwd">',
        '<object data="file:///etc/passwd"></object>',
        "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><title>t</title><image href='file:///etc/passwd' width='9' height='9'/></svg>",
    ],
)
def test_no_file_of_the_machine_gets_into_a_pdf(body, tmp_path):
    with pytest.raises(ReportError, match="The page must hold everything it shows"):
        content = small(body, tmp_path)
        assert b"root:" not in content


def test_a_picture_that_cannot_be_drawn_stops_the_pdf(tmp_path):
    with pytest.raises(ReportError, match="Making the PDF"):
        small('<img alt="chart" src="data:image/svg+xml;base64,AAAA">', tmp_path)


def test_without_the_page_there_is_no_pdf(tmp_path):
    with pytest.raises(ReportError, match=r"report-en\.html cannot be read\. Build the page first"):
        build_pdf(replace(sample_edition(), period="2024-Q4"), tmp_path, REPORTS, "en")


def test_without_pango_it_is_said_what_to_install():
    command = [sys.executable, "-c", WITHOUT_PANGO]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT).stdout
    assert answer.startswith("False")
    assert "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" in answer
    assert pdf_available()


def flat(items):
    for item in items:
        if isinstance(item, list):
            yield from flat(item)
        else:
            yield item
