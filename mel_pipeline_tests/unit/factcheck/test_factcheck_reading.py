"""Drafts as they come: text, Word and PDF; good ones, odd ones and hostile ones."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from mel_pipeline.factcheck import DraftError, read_draft, reading_child
from mel_pipeline.factcheck.passages import sentences
from mel_pipeline.factcheck.reading import Limits, _number_words
from mel_pipeline_tests.fixtures.factcheck import typeset

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def texts(path: Path) -> list[tuple[str, str]]:
    return [(passage.place, passage.text) for passage in read_draft(path).passages]


def test_lines_of_a_paragraph_are_joined_and_invisible_characters_removed(tmp_path: Path) -> None:
    draft = tmp_path / "draft.txt"
    draft.write_text("Le réseau compte\n164 villes mem\u00adbres.\n\n658\u202f382 vues.\n", "utf-8")
    assert texts(draft) == [
        ("line 1", "Le réseau compte 164 villes membres."),
        ("line 4", "658\u202f382 vues."),
    ]


def test_utf_16_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    draft = tmp_path / "draft.txt"
    draft.write_bytes("164 ciudades miembro".encode("utf-16"))
    assert texts(draft) == [("line 1", "164 ciudades miembro")]


def test_a_markdown_table_and_headings_are_recognised(tmp_path: Path) -> None:
    draft = tmp_path / "draft.md"
    draft.write_text(
        "# Membres\n\n- **164** villes\n\n| Région | 2024 |\n|---|---|\n| Asie | 64 |\n", "utf-8"
    )
    passages = read_draft(draft).passages
    assert [(one.kind, one.text, one.heading, one.column) for one in passages] == [
        ("heading", "Membres", "Membres", ""),
        ("paragraph", "164 villes", "Membres", ""),
        ("cell", "Région", "Membres", ""),
        ("cell", "2024", "Membres", ""),
        ("cell", "Asie", "Membres", ""),
        ("cell", "Asie: 64", "Membres", "2024"),
    ]


def full_document(path: Path) -> Path:
    """Everything a Word file can hide text in."""
    document = Document()
    document.add_heading("Bilan", level=1)
    paragraph = document.add_paragraph("Fin 2024, ")
    paragraph.add_run("164 villes")
    inserted = OxmlElement("w:ins")
    run = document.add_paragraph("x").runs[0]._element
    run.getparent().append(inserted)
    inserted.append(run)  # a tracked insertion
    deleted = OxmlElement("w:del")
    gone = document.add_paragraph().add_run("999")._element
    gone.find(qn("w:t")).tag = qn("w:delText")
    gone.getparent().append(deleted)
    deleted.append(gone)
    table = document.add_table(rows=2, cols=2)
    for row, cells in enumerate((("Région", "2024"), ("Asie", "64"))):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    document.sections[0].header.paragraphs[0].text = "Rapport annuel"
    document.sections[0].footer.paragraphs[0].text = "Page 3"
    document.save(str(path))
    return with_footnotes(path)


def with_footnotes(path: Path) -> Path:
    """The document with a footnote, which python-docx cannot write."""
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    part = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    types = parts["[Content_Types].xml"].decode()
    parts["[Content_Types].xml"] = types.replace(
        "</Types>", f'<Override PartName="/word/footnotes.xml" ContentType="{part}"/></Types>'
    ).encode()
    links = parts["word/_rels/document.xml.rels"].decode()
    parts["word/_rels/document.xml.rels"] = links.replace(
        "</Relationships>", f'<Relationship Id="rId99" Type="{kind}" Target="footnotes.xml"/></Relationships>'
    ).encode()
    note = f'<w:footnotes {W}><w:footnote w:id="1"><w:p><w:r><w:t>Dont 26 en Afrique.</w:t></w:r></w:p></w:footnote></w:footnotes>'
    parts["word/footnotes.xml"] = note.encode()
    with zipfile.ZipFile(path, "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)
    return path


@pytest.mark.slow
def test_a_word_file_is_read_with_tables_margins_footnotes_and_tracked_insertions(tmp_path: Path) -> None:
    passages = read_draft(full_document(tmp_path / "draft.docx")).passages
    assert [(one.place, one.kind, one.text) for one in passages] == [
        ("paragraph 1", "heading", "Bilan"),
        ("paragraph 2", "paragraph", "Fin 2024, 164 villes"),
        ("paragraph 3", "paragraph", "x"),
        ("table 1, row 1, column 1", "cell", "Région"),
        ("table 1, row 1, column 2", "cell", "2024"),
        ("table 1, row 2, column 1", "cell", "Asie"),
        ("table 1, row 2, column 2", "cell", "Asie: 64"),
        ("footer 1", "margin", "Page 3"),
        ("footnote 1", "footnote", "Dont 26 en Afrique."),
        ("header 1", "margin", "Rapport annuel"),
    ]


def pdf(path: Path, body: str) -> Path:
    return typeset(path, f'#set text(font: "Inter", lang: "fr")\n{body}')


@pytest.mark.slow
def test_a_hyphen_at_the_end_of_a_line_is_undone_in_a_pdf(tmp_path: Path) -> None:
    body = "Des villes mem- \\ bres du réseau de Saint- \\ Denis, soit vingt- \\ deux, et 658\u202f382 vues."
    (passage,) = read_draft(pdf(tmp_path / "draft.pdf", body)).passages
    assert (
        passage.text == "Des villes membres du réseau de Saint-Denis, soit vingt-deux, et 658\u202f382 vues."
    )
    assert passage.place == "page 1"


def test_a_word_divided_at_a_line_does_not_make_the_other_lines_look_short() -> None:
    page = "Le Fonds international s’élève à 0,9\nM€, et Metropolis veut sécuriser des supplé\u00ad\nments au cours des années."
    number_word = reading_child.at_line_end(_number_words())
    told = [passage["text"] for passage in reading_child._page(page, 1, number_word)]
    assert told == [
        "Le Fonds international s’élève à 0,9 M€, et Metropolis veut sécuriser des suppléments au cours des années."
    ]


@pytest.mark.slow
def test_pages_of_a_pdf_without_text_are_named(tmp_path: Path) -> None:
    body = "Le réseau. #pagebreak() #rect(fill: red, height: 5cm)"
    assert read_draft(pdf(tmp_path / "draft.pdf", body)).warnings == [
        "Pages without text (pictures?) were not checked: 2."
    ]


@pytest.mark.slow
def test_a_scan_is_refused_with_what_to_do(tmp_path: Path) -> None:
    scan = pdf(tmp_path / "scan.pdf", "#rect(fill: red, height: 5cm)")
    with pytest.raises(DraftError, match=r"scan\.pdf: there is no text in it: its pages are pictures .*OCR"):
        read_draft(scan)


@pytest.mark.slow
def test_a_pdf_with_a_password_is_refused(tmp_path: Path) -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(pdf(tmp_path / "open.pdf", "164")))
    writer.encrypt("secret", algorithm="AES-256")
    writer.write(tmp_path / "locked.pdf")
    with pytest.raises(DraftError, match="locked with a password"):
        read_draft(tmp_path / "locked.pdf")


@pytest.mark.slow
def test_a_pdf_that_is_only_protected_against_changes_is_read(tmp_path: Path) -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(pdf(tmp_path / "open.pdf", "164 villes.")))
    writer.encrypt("", owner_password="owner", algorithm="AES-256")
    writer.write(tmp_path / "owned.pdf")
    assert texts(tmp_path / "owned.pdf") == [("page 1", "164 villes.")]


def archive(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return file.getvalue()


HOSTILE = {
    "an archive": (lambda: archive({"a.txt": b"164"}), "an archive, not a Word document"),
    "a path that leads out": (lambda: archive({"word/document.xml": b"<a/>", "../x": b""}), "a path outside the archive"),
    "a zip bomb": (lambda: archive({"word/document.xml": b"<a/>", "word/b.xml": b"\0" * (301 << 20)}), "unpacks to more than 300 MB"),
    "a damaged docx": (lambda: archive({"word/document.xml": b"<a/>"})[:40], "office file is damaged"),
    "a docx without its parts": (lambda: archive({"word/document.xml": b"<a/>"}), "office file is damaged"),
    "a damaged pdf": (lambda: b"%PDF-1.7\nnothing", "PDF is damaged"),
    "an old Word file": (lambda: b"\xd0\xcf\x11\xe0" + b"\0" * 100, r"old Word document \(\.doc\)"),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n\0\0", "a TXT, MD, DOCX, PPTX, XLSX, XML or PDF file, and this is none"),
    "an empty file": (lambda: b"", "there is no text in it"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("what", HOSTILE)
def test_a_bad_file_is_refused_with_a_clear_reason(what: str, tmp_path: Path) -> None:
    content, reason = HOSTILE[what]
    draft = tmp_path / (
        "draft.png" if what == "a picture" else "draft.txt" if what == "an empty file" else "draft.docx"
    )
    draft.write_bytes(content())
    with pytest.raises(DraftError, match=reason):
        read_draft(draft)


@pytest.mark.slow
def test_xml_that_grows_without_end_is_not_followed(tmp_path: Path) -> None:
    lots = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 20}">' for n in range(1, 12))
    body = f"<w:document {W}><w:body><w:p><w:r><w:t>&e11;</w:t></w:r></w:p></w:body></w:document>"
    path = full_document(tmp_path / "draft.docx")
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    parts["word/document.xml"] = f'<!DOCTYPE w [<!ENTITY e0 "164">{lots}]>{body}'.encode()
    path.write_bytes(archive(parts))
    try:
        read = "".join(text for _, text in texts(path))
    except DraftError:
        read = ""
    assert "164164" not in read


@pytest.mark.slow
def test_a_draft_cannot_make_the_reader_open_a_local_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret", "utf-8")
    path = full_document(tmp_path / "draft.docx")
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    body = f"<w:document {W}><w:body><w:p><w:r><w:t>164 &x;</w:t></w:r></w:p></w:body></w:document>"
    parts["word/document.xml"] = f'<!DOCTYPE w [<!ENTITY x SYSTEM "{secret.as_uri()}">]>{body}'.encode()
    path.write_bytes(archive(parts))
    try:
        read = "".join(text for _, text in texts(path))
    except DraftError:
        read = ""
    assert "secret" not in read


def test_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    draft = tmp_path / "draft.txt"
    draft.write_bytes("réseau".encode("cp1252"))
    with pytest.raises(DraftError, match="not in UTF-8"):
        read_draft(draft)


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DraftError, match="No such file"):
        read_draft(tmp_path / "none.txt")
    with pytest.raises(DraftError, match="a folder"):
        read_draft(tmp_path)
    draft = tmp_path / "draft.txt"
    draft.write_text("164 " * 1000, "utf-8")
    with pytest.raises(DraftError, match="larger than 0 MB"):
        read_draft(draft, Limits(packed=100))
    with pytest.raises(DraftError, match="more than 10 characters"):
        read_draft(draft, Limits(characters=10))
    with pytest.raises(DraftError, match="more than 999 numbers"):
        read_draft(draft, Limits(numbers=999))


def test_a_reader_that_takes_too_long_or_too_much_is_stopped(tmp_path: Path) -> None:
    path = full_document(tmp_path / "draft.docx")
    with pytest.raises(DraftError, match="longer than 0 seconds"):
        read_draft(path, Limits(seconds=0))
    with pytest.raises(DraftError, match=r"more than 2\d MB of memory|damaged"):
        read_draft(path, Limits(memory=24 << 20))


def test_a_sentence_without_an_end_is_cut_between_words() -> None:
    text = "164 villes, " * 500
    pieces = sentences(text, "fr")
    assert max(map(len, pieces)) <= 1000 and " ".join(pieces) == text.strip()


def test_abbreviations_and_decimals_do_not_end_a_sentence() -> None:
    assert sentences("Voir p. 12. M. X a dit 54.3 % env. Trois villes. Fin.", "fr") == [
        "Voir p. 12.",
        "M. X a dit 54.3 % env. Trois villes.",
        "Fin.",
    ]
