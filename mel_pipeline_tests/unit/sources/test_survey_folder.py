"""Everything in the drop folder is read or named: zips, .xls, .ods, formulas without results, and what is no table."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from mel_pipeline.sources.shared.files import FileRefusedError, open_table
from mel_pipeline.sources.shared.files import dropped as one_file
from mel_pipeline.sources.shared.files.limits import Limits
from mel_pipeline.sources.shared.files.workbook import workbook_tables
from mel_pipeline.sources.survey_files.client import Rules, SurveyFiles
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.survey_cases import CASES, dropped, read, refusals, responses

ROW = "Timestamp,Overall satisfaction,Event code\n2024-11-05 09:00,{},MET-2024-01\n"
ODK = "SubmissionDate,Overall satisfaction,meta-instanceID,KEY,SubmitterID\n2024-11-05T09:00:00Z,Satisfied,uuid:1,uuid:1,7\n"
GROUP = "topic,PARENT_KEY,KEY\nWater,uuid:1,uuid:1/topics[1]\n"
PLAIN = b"PK\x03\x04"


def zipped(path: Path, parts: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def packed(parts: dict[str, str | bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return content.getvalue()


@pytest.mark.behaviour("any_container", "surveymonkey")
def test_the_zip_of_the_case_is_read_under_the_name_of_its_table(tmp_path: Path) -> None:
    dropped(tmp_path, "folder_zip_ignored.zip")
    rows = responses(tmp_path)
    assert rows
    assert {row["survey"] for row in rows} == {"Feedback"}
    assert [row["_source_ref"] for row in rows] == [
        f"folder_zip_ignored.zip, Feedback.csv, row {n}" for n in (3, 4)
    ]


@pytest.mark.parametrize("name", ["folder_msforms.xls", "folder_msforms.ods"])
@pytest.mark.behaviour("any_container", "microsoft_forms")
def test_an_old_or_an_open_workbook_reads_like_its_xlsx(tmp_path: Path, name: str) -> None:
    dropped(tmp_path, name)
    rows = sorted(responses(tmp_path), key=lambda row: row["started_at"])
    assert [row["overall_satisfaction"] for row in rows] == ["Satisfied", "Very satisfied"]
    assert [row["completed_at"] for row in rows] == ["2024-11-05T00:00:00", "2024-11-13T09:05:00"]


@pytest.mark.parametrize("name", ["folder_cells_in_error.xls", "folder_cells_in_error.ods"])
def test_a_cell_in_error_that_would_be_lost_refuses_the_workbook(tmp_path: Path, name: str) -> None:
    dropped(tmp_path, name)
    assert "cells in error, such as #N/A" in refusals(tmp_path)[name]


def ods(body: str, **parts: str) -> bytes:
    """A spreadsheet of one sheet; ``body`` is its rows."""
    content = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        f'<table:table table:name="A">{body}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return packed({"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": "<m/>", **parts})


def cell(text: str, more: str = "") -> str:
    return f'<table:table-cell office:value-type="string"{more}><text:p>{text}</text:p></table:table-cell>'


HEAD = f"<table:table-row>{cell('Timestamp')}{cell('Overall satisfaction')}</table:table-row>"
FORMULA = '<table:table-cell table:formula="of:=1+1"/>'
HOSTILE_ODS = {
    "formula": (ods(f"{HEAD}<table:table-row>{cell('2024-11-05')}{FORMULA}</table:table-row>"), "never calculated"),
    "rows": (
        ods(f'{HEAD}<table:table-row table:number-rows-repeated="900000">{cell("x")}{cell("y")}</table:table-row>'),
        "more than 500,000 rows|damaged|memory",
    ),
    "columns": (
        ods(f'{HEAD}<table:table-row>{cell("x", chr(32) + "table:number-columns-repeated=" + chr(34) + "16000" + chr(34))}</table:table-row>'),
        "1,000 columns|damaged|memory",
    ),
    "escape": (ods(HEAD, **{"../x": "y"}), "leads out of it"),
    "macros": (ods(HEAD, **{"Basic/Standard/Module1.xml": "x"}), "macros"),
    "password": (ods(HEAD, **{"META-INF/manifest.xml": "<m><manifest:encryption-data/></m>"}), "password|same name"),
    "entities": (ods(HEAD).replace(b"<office:document-content", b"<!ENTITY ocument-content"), "no plain|damaged"),
    "empty": (ods(""), "empty"),
    "cut": (ods(HEAD)[:300], "damaged"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.behaviour("bombs", "*")
@pytest.mark.parametrize("kind", HOSTILE_ODS)
def test_an_open_document_of_large_cost_or_with_something_missing_is_refused(
    tmp_path: Path, kind: str
) -> None:
    content, expected = HOSTILE_ODS[kind]
    (tmp_path / "a.ods").write_bytes(content)
    with pytest.raises(FileRefusedError, match=expected), open_table(one_file(tmp_path / "a.ods")):
        pass


@pytest.mark.slow
def test_the_limits_hold_for_every_kind_of_workbook(tmp_path: Path) -> None:
    for name in ("folder_msforms.xls", "folder_msforms.ods"):
        kind = name[-4:]
        for limits, words in (
            (Limits(rows=2), "more than 2 rows"), (Limits(columns=3), "3 columns"), (Limits(cells=5), "5 cells"),
            (Limits(packed=100), "larger than"), (Limits(memory=1 << 24), "memory|damaged"),
        ):  # fmt: skip
            with (
                (CASES / name).open("rb") as file,
                pytest.raises(FileRefusedError, match=words),
                workbook_tables(file, limits, kind),
            ):
                pass


def test_formulas_of_the_case_that_were_never_calculated_are_refused(tmp_path: Path) -> None:
    dropped(tmp_path, "folder_formula_never_calculated.xlsx")
    assert "never calculated" in refusals(tmp_path)["folder_formula_never_calculated.xlsx"]


def formula_book(cell_xml: str) -> bytes:
    book = Workbook()
    book.active.append(["Timestamp", "Overall satisfaction"])
    book.active.append(["2024-11-05 09:00", "HERE"])
    content = io.BytesIO()
    book.save(content)
    parts = {}
    with zipfile.ZipFile(content) as archive:
        for part in archive.infolist():
            parts[part.filename] = archive.read(part)
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    start = sheet.index('<c r="B2"')
    end = sheet.index("</c>", start) + len("</c>")
    parts["xl/worksheets/sheet1.xml"] = (sheet[:start] + cell_xml + sheet[end:]).encode()
    return packed(dict(parts))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("xml", "answer"),
    [
        ('<c r="B2"><f>A1</f><v></v></c>', None),
        ('<c r="B2"><f>A1</f><v/></c>', None),
        ('<c r="B2"><f>A1</f><v> </v></c>', None),
        ('<c r="B2"><f>A1</f><v xml:space="preserve"></v></c>', None),
        ('<c r="B2" s="1"><f t="shared" si="0"/></c>', None),
        ('<c r="B2"><f>A1</f></c>', None),
        ('<c r="B2"><f>' + "A1+" * 2_000 + "A1</f><v></v></c>", None),
        ('<c r="B2" t="str"><f>""</f><v></v></c>', ""),  # calculated: an empty text
        ('<c r="B2" t="str"><f>A1</f><v>Satisfied</v></c>', "Satisfied"),
        ('<c r="B2"><f>A1</f><v>5</v></c>', "5"),
    ],
)
@pytest.mark.behaviour("uncalculated", "*")
@pytest.mark.fault(75)
def test_a_formula_without_its_result_is_told_from_one_with(
    tmp_path: Path, xml: str, answer: str | None
) -> None:
    (tmp_path / "a.xlsx").write_bytes(formula_book(xml))
    if answer is None:
        assert "never calculated" in refusals(tmp_path)["a.xlsx"]
    else:
        assert responses(tmp_path)[0]["overall_satisfaction"] == (answer or None)


@pytest.mark.slow
def test_a_zip_of_several_exports_gives_each_and_refuses_only_what_is_wrong(tmp_path: Path) -> None:
    zipped(
        tmp_path / "all.zip",
        {
            "CSV/One.csv": ROW.format("Satisfied"), "CSV/Two.csv": ROW.format("Dissatisfied"), "broken.csv": "x,y\n1\n",
            "old.xls": (CASES / "folder_msforms.xls").read_bytes(), "readme.pdf": "%PDF", "__MACOSX/._One.csv": "x",
        },
    )  # fmt: skip
    frame, refused, warnings = read(tmp_path)
    assert sorted(set(frame["survey"])) == ["One", "Two", "old"]
    assert list(refused) == ["all.zip, broken.csv"]
    assert any(words.startswith("all.zip, readme.pdf: It is no CSV or XLSX file") for words in warnings)


@pytest.mark.parametrize(
    "names",
    [("a.csv", "b/a.csv"), ("2024/a.csv", "2025/a.csv", "a.csv"), ("x/A.csv", "y/a.CSV"), ("a.csv", "a.tsv"), ("a.csv", "b.csv")],
)  # fmt: skip
@pytest.mark.behaviour("any_container", "google_forms")
@pytest.mark.fault(97)
def test_files_of_one_name_in_several_folders_of_a_zip_are_all_read(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    members: dict[str, str | bytes] = {
        name: f"Timestamp,City\n2024-11-0{n} 09:00,Quito\n2024-11-0{n} 10:00,Lima\n".replace(
            ",", "\t" if name.endswith("tsv") else ","
        )
        for n, name in enumerate(names, start=1)
    }
    zipped(tmp_path / "e.zip", members)
    found = responses(tmp_path)
    assert len(found) == 2 * len(names)
    assert len({row["_source_ref"] for row in found}) == 2 * len(names)


@pytest.mark.behaviour("any_container", "odk")
def test_an_archive_of_odk_central_keeps_its_repeated_groups_with_their_form(tmp_path: Path) -> None:
    zipped(tmp_path / "Feedback.zip", {"Feedback.csv": ODK, "Feedback-topics.csv": GROUP})
    (row,) = responses(tmp_path)
    assert row["survey"] == "Feedback"
    assert row["other_answers"] == '{"topics": [{"topic": "Water"}]}'


def test_a_repeated_group_without_its_form_is_named(tmp_path: Path) -> None:
    zipped(tmp_path / "x.zip", {"Other.csv": ROW.format("Satisfied"), "Feedback-topics.csv": GROUP})
    frame, refused, _ = read(tmp_path)
    assert (len(frame), list(refused)) == (1, ["x.zip, Feedback-topics.csv"])


@pytest.mark.slow
def test_a_zip_is_read_once_and_again_when_something_in_it_was_refused(tmp_path: Path) -> None:
    zipped(tmp_path / "good.zip", {"a.csv": ROW.format("Satisfied")})
    zipped(tmp_path / "bad.zip", {"b.csv": ROW.format("Satisfied"), "c.csv": "x,y\n1\n"})
    source = SurveyFiles(tmp_path, Rules(), settle_seconds=0)
    first = source.pull("responses")
    assert sum(len(batch.frame) for batch in first.batches) == 2
    again = source.pull("responses", cursor=first.cursor())
    batches = list(again.batches)
    assert {row["survey"] for batch in batches for row in batch.frame.to_dict("records")} == {"b"}
    assert [row.source_ref for batch in batches for row in batch.rejected] == ["bad.zip, c.csv"]


@pytest.mark.behaviour("bombs", "*")
@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"inner.zip": packed({"a.csv": ROW})}, None),
        ({"../../a.csv": ROW}, "leads out of it"),
        ({"a.csv": ROW, "A.csv": ROW}, "same name"),
        ({"[Content_Types].xml": "x", "xl/workbook.xml": "x"}, "Office file with the ending .zip"),
    ],
)
def test_a_zip_that_hides_something_is_named_and_the_others_load(
    tmp_path: Path, parts: dict[str, str | bytes], words: str | None
) -> None:
    zipped(tmp_path / "bad.zip", parts)
    (tmp_path / "good.csv").write_text(ROW.format("Satisfied"))
    frame, refused, warnings = read(tmp_path)
    assert len(frame) == 1
    if words is None:
        assert any("a zip inside a zip" in told for told in warnings)
    else:
        assert words in refused["bad.zip"]


KINDS = {
    "a.csv": ROW.format("Satisfied").encode(), "b.tsv": ROW.format("Satisfied").replace(",", "\t").encode(),
    "c.txt": ROW.format("Dissatisfied").encode(), "d.xls": (CASES / "folder_msforms.xls").read_bytes(),
    "e.ods": (CASES / "folder_msforms.ods").read_bytes(), "f.zip": packed({"g.csv": ROW.format("Satisfied")}),
    "h.rar": b"Rar!", "i.7z": b"7z", "j.json": b"{}", "k.sav": b"$FL2", "l.docx": PLAIN, "m.pdf": b"%PDF", "n.csv": b"",
    "o.xlsx": b"<html>", "p.numbers": PLAIN, "q": b"x", "r.xlsm": PLAIN, "s.csv.gz": b"\x1f\x8b", "t.html": b"<html>",
    "u.zip": b"PK", "v.xls": b"<html><table>", "w.ods": PLAIN, "x.csv": b"\xd0\xcf\x11\xe0",
}  # fmt: skip
READ = {"a.csv": "a", "b.tsv": "b", "c.txt": "c", "d.xls": "d", "e.ods": "e", "f.zip": "g"}


@pytest.mark.slow
@given(st.sets(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5))
@example(names={"a.csv", "b.tsv", "c.txt", "d.xls", "e.ods", "f.zip"})
@settings(max_examples=examples(3, 50), deadline=None)
@pytest.mark.deep
@pytest.mark.behaviour("any_container", "google_forms")
@pytest.mark.fault(78)
def test_every_file_is_read_refused_or_named_and_never_passed_over(
    tmp_path_factory: pytest.TempPathFactory, names: set[str]
) -> None:
    folder = tmp_path_factory.mktemp("drop")
    for name in names:
        (folder / name).write_bytes(KINDS[name])
    (folder / "codebooks").mkdir()
    (folder / ".hidden").write_bytes(b"")
    batches = list((pull := SurveyFiles(folder, Rules(), settle_seconds=0).pull("responses")).batches)
    surveys = {row["survey"] for batch in batches for row in batch.frame.to_dict("records")}
    assert surveys == {READ[name] for name in names if name in READ}
    refused = {row.source_ref for batch in batches for row in batch.rejected}
    named = " ".join(words for words in pull.warnings() if "Not read in the folder" in words)
    for name in names - set(READ):
        assert (name in refused) != (f" {name}," in named or f" {name}." in named), (name, refused, named)


def test_a_folder_inside_the_drop_folder_is_named(tmp_path: Path) -> None:
    for name in ("codebooks", "profiles", "2024"):
        (tmp_path / name).mkdir()
    (tmp_path / "a.csv").write_text(ROW.format("Satisfied"))
    assert any("Not read in the folder of survey exports: 2024." in words for words in read(tmp_path)[2])


@pytest.mark.slow
def test_what_was_right_stays_so(tmp_path: Path) -> None:
    dropped(tmp_path, "sep_line_bom.csv", "msforms_pivot_sheet_refused.xlsx")
    frame, refused, _ = read(tmp_path)
    assert len(frame) == 2
    assert "sheets that might hold the responses" in refused["msforms_pivot_sheet_refused.xlsx"]
