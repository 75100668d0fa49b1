"""The form there and back: an export that comes back unchanged changes nothing, in any language."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from mel_pipeline.core.settings import Settings
from mel_pipeline.reporting.inputs.statement_form import form
from mel_pipeline.sources.workbook.cells import CellError, RawCell, clean_text, read_cell
from mel_pipeline.sources.workbook.form import write
from mel_pipeline.sources.workbook.model import Proposal
from mel_pipeline.sources.workbook.preview import preview
from mel_pipeline.sources.workbook.read import read
from mel_pipeline.sources.workbook.said import Said
from mel_pipeline.sources.workbook.sheets import PROPOSAL, FormColumn, sheets
from mel_pipeline.sources.workbook.texts import code_of, every_language, texts_in
from mel_pipeline.sources.workbook.versions import current, issue, with_rows
from mel_pipeline.transform.catalogue import catalogue_of
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.workbook_forms import CHOICES, settings_at

LANGUAGES = ["en", "fr", "es", "ca"]


def every_row() -> dict[str, list[dict[str, str | None]]]:
    """A row for each sheet with something in every column."""
    found = {}
    for name, sheet in sheets().items():
        found[name] = [{column.key: example(column, number) for column in sheet.columns} for number in (0, 1)]
    return found


OF_PATTERN = {
    r"c[0-9a-f]{15}": ["c0123456789abcde", "cedcba9876543210"],
    "[a-z]{2}": ["fr", "fr"],
    "[A-Z]{3}": ["EUR", "USD"],
    "[A-Z][A-Z0-9-]{1,15}": ["COMANAGE", "A2-B"],
}


def example(column: FormColumn, number: int) -> str:
    if column.allowed:
        return column.allowed[number % len(column.allowed)]
    if column.pattern in OF_PATTERN:
        return OF_PATTERN[column.pattern][number]
    if column.kind == "integer":
        return str(int(column.minimum or 0) + 1 + number)
    return {
        "number": ["4.5", "2"],
        "date": ["2025-03-31", "2024-02-29"],
        "indicator": ["MEM-01", "ZZZ-09"],
        "period": ["2024-Q4", "2024"],
        "span": ["2024-11-25/2024-12-31", "2025-06-30"],
        "text": ["Été à l'eau ; «ok» – 12", "=1+1\nsecond line"],
    }[column.kind][number]


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.sweep
def test_every_column_of_every_sheet_comes_back_as_it_was(language: str, tmp_path: Path) -> None:
    version = with_rows(current(settings_at(tmp_path)), every_row())
    upload = read(write(version, language, CHOICES, languages=["en"]))
    assert (upload.base_id, upload.refused, upload.warnings, upload.absent) == (version.id, [], [], [])
    rows = dict(upload.rows)
    for sheet in (one for one in sheets().values() if one.shown):  # a file of its own, which is not kept
        own = read(write(version, language, CHOICES, only=sheet))
        assert (own.base_id, own.refused, own.warnings, own.absent) == (version.id, [], [], [])
        assert own.content == b"" and list(own.rows) == [sheet.name]
        rows |= own.rows
    came_back = {name: [dict(one.row) for one in those] for name, those in rows.items()}
    assert came_back == {name: [dict(row) for row in those] for name, those in version.rows.items()}


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.sweep
def test_the_sample_comes_back_unchanged_and_nothing_is_to_accept(language: str, tmp_path: Path) -> None:
    sample = Settings(home=tmp_path, _env_file=None)  # type: ignore[call-arg]
    found = preview(sample, read(write(issue(sample), language)))
    assert found.is_empty and not found.refused and not found.conflicts and not found.warnings
    assert found.unchanged == sum(len(rows) for rows in found.current.rows.values()) > 100


def test_the_same_version_gives_the_same_bytes(tmp_path: Path) -> None:
    version = current(settings_at(tmp_path))
    made = datetime(2026, 11, 30, 9, 0)
    assert write(version, "fr", CHOICES, made_at=made) == write(version, "fr", CHOICES, made_at=made)


def test_the_form_says_its_version_protects_its_headings_and_offers_lists(tmp_path: Path) -> None:
    version = current(settings_at(tmp_path))
    book = load_workbook(
        io.BytesIO(write(version, "es", CHOICES, organisation="Shore Cities", languages=["en", "fr"]))
    )
    assert book.sheetnames == [
        "Léame",
        *(texts_in("es").title(name) for name, sheet in sheets().items() if not sheet.shown),
        "Lists",
    ]
    assert any(version.id in str(cell.value) for row in book["Léame"].iter_rows() for cell in row)
    page = book["Metas"]
    assert page.protection.sheet and page["B2"].protection.locked and not page["B3"].protection.locked
    assert page.row_dimensions[1].hidden and page.freeze_panes == "C3"
    assert page["B2"].value == "Indicador *" and page["B2"].comment is not None
    assert page["B3"].value == "MEM-01 · Member cities" and page["G3"].value == "línea de base"
    hidden = [(column.min, column.max) for column in page.column_dimensions.values() if column.hidden]
    assert hidden == [(11, 12)], "columns of languages that the organisation does not write"
    lists = {
        str(rule.sqref): rule.formula1 for rule in page.data_validations.dataValidation if rule.type == "list"
    }
    assert any(area.startswith("B3:B") for area in lists) and book["Lists"].sheet_state == "hidden"


@pytest.mark.slow
def test_a_city_without_a_decision_is_offered_and_waits(tmp_path: Path) -> None:
    own = settings_at(tmp_path)
    form = write(
        issue(own), "en", CHOICES, proposals={"cities": [Proposal({"answer": "Akkra", "country": "GH"})]}
    )
    found = preview(own, read(form))
    assert found.is_empty and found.warnings == [
        "Proposed rows that are not filled in do not count: Cities (1)."
    ]


def test_every_heading_title_and_word_means_one_thing_in_every_language() -> None:
    for texts in every_language():
        titles = [texts.title(name) for name in sheets()]
        assert len({*titles}) == len(sheets()) and max(map(len, titles)) <= 31
        for sheet in sheets().values():
            headings = [texts.heading(sheet, column) for column in sheet.columns]
            assert len({*headings}) == len(headings)
            for column in sheet.columns:
                words = {texts.word(code) for code in column.allowed}
                assert len(words) == len(column.allowed)
                assert all(code_of(texts.word(code), column.allowed) == code for code in column.allowed)
                assert texts.note(sheet, column) or not column.required or column.allowed or column.language


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_language_has_every_text(language: str) -> None:
    english, other = texts_in("en"), texts_in(language)
    assert other.language != english.language
    for part in ("sheets", "columns", "choices", "languages", "wrong"):
        assert getattr(english, part).keys() == getattr(other, part).keys()
    assert len(other.readme.steps) == len(english.readme.steps)
    assert [
        key for key, (_, note) in english.columns.items() if bool(note) != bool(other.columns[key][1])
    ] == []


TEXT = sheets()["lessons"].column("text_en")
VALUE = sheets()["targets"].column("value")


@pytest.mark.deep
@settings(max_examples=examples(100, 3000), deadline=None)
@given(st.text(max_size=60))
def test_a_text_that_was_read_is_read_as_itself_again(text: str) -> None:
    try:
        first = read_cell(TEXT, RawCell("s", text))
    except CellError:
        return
    assert first == (clean_text(text) or None)
    assert read_cell(TEXT, RawCell("s", first or "")) == first


@pytest.mark.deep
@settings(max_examples=examples(100, 3000), deadline=None)
@given(
    st.integers(-(10**12), 10**12),
    st.integers(0, 99),
    st.sampled_from([(",", "."), (".", ","), (" ", ","), ("\u202f", ","), ("", ",")]),
)
def test_a_number_is_read_alike_in_every_language(whole: int, cents: int, marks: tuple[str, str]) -> None:
    thousands, decimal = marks
    digits = f"{whole:,}".replace(",", thousands)
    written = f"{digits}{decimal}{cents:02d}"
    assert float(read_cell(VALUE, RawCell("s", written)) or "nan") == pytest.approx(
        whole + (cents / 100 if whole >= 0 else -cents / 100)
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.sweep
def test_the_code_of_an_indicator_just_stated_can_be_chosen_for_its_figures(
    language: str, tmp_path: Path
) -> None:
    book = load_workbook(io.BytesIO(write(current(settings_at(tmp_path)), language, CHOICES)))
    texts = texts_in(language)
    figures = book[texts.title("manual_figures")]
    [rule] = [one for one in figures.data_validations.dataValidation if "B3" in one.sqref]
    sheet, _, cells = rule.formula1.rpartition("!")
    assert sheet.strip("'") == texts.title("manual_indicators")
    assert cells.startswith("$B$3:$B$"), "the column of codes, as far as the form goes"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sheet", ["project_finances", "logframe", "outcomes", "partnerships"])
@pytest.mark.sweep("-en")
def test_the_code_of_a_project_just_written_can_be_chosen_wherever_projects_are(
    language: str, sheet: str, tmp_path: Path
) -> None:
    book = load_workbook(io.BytesIO(write(current(settings_at(tmp_path)), language, CHOICES)))
    texts = texts_in(language)
    page = book[texts.title(sheet)]
    letter = next(cell.column_letter for cell in page[1] if cell.value == "project")
    [rule] = [one for one in page.data_validations.dataValidation if f"{letter}3" in one.sqref]
    title, _, cells = rule.formula1.rpartition("!")
    first, _, last = cells.replace("$", "").partition(":")
    projects = book[title.strip("'=")]
    assert projects["A1"].value.startswith("mel:projects:") and projects[f"{first[0]}1"].value == "code"
    assert (first, last[0]) == ("B3", "B") and int(last[1:]) > 200, "known codes and those of the empty rows"


def test_a_line_of_action_is_chosen_with_its_name_and_read_as_its_number(tmp_path: Path) -> None:
    named = {**CHOICES, "lines": ["1 · Clean water", "2 · A voice · for the shores"]}
    version = with_rows(current(settings_at(tmp_path)), {"duties": [{"what": "Figures", "line": "2"}]})
    content = write(version, "en", named)
    assert load_workbook(io.BytesIO(content))["Who owes what"]["H3"].value == named["lines"][1]
    line = sheets()["duties"].column("line")
    assert read_cell(line, RawCell("s", named["lines"][1])) == "2"
    assert read_cell(line, RawCell("n", "2")) == "2"
    with pytest.raises(CellError):
        read_cell(line, RawCell("s", "A voice"))


PROPOSED = {
    "targets": [Proposal({"indicator": "LAB-01", "period": "2031", "kind": "target"}, Said("proposed_target", period="2031"))],
    "survey_questions": [
        Proposal({"codebook": "lab", "question": "You are:"}, "perhaps gender"),
        Proposal({"codebook": "lab", "role": "fixed_event"}, "no event"),
    ],
    "answer_scales": [Proposal({"codebook": "lab", "scale": "satisfaction", "label": "3"}, "a figure")],
    "cities": [Proposal({"answer": "Barcelonna"}, "like Barcelona")],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.fault(135)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.sweep
def test_proposed_rows_count_for_nothing_until_they_are_filled_in(language: str, tmp_path: Path) -> None:
    sample = Settings(home=tmp_path, _env_file=None)  # type: ignore[call-arg]
    version = issue(sample)
    content = write(version, language, CHOICES, proposals=PROPOSED)
    upload = read(content)
    assert upload.refused == [] and len(upload.warnings) == 1
    assert preview(sample, upload).is_empty

    book = load_workbook(io.BytesIO(content))
    filled = {"targets": {"value": 40, "reason_en": "Board"}, "survey_questions": {"role": "gender"}}
    filled |= {"answer_scales": {"score": 4}, "cities": {"decision": "Barcelona"}}
    for name, cells in filled.items():
        page = next(one for one in book if str(one["A1"].value).startswith(f"mel:{name}:"))
        keys = [cell.value for cell in page[1]]
        row = next(number for number in range(3, 999) if page.cell(number, keys.index(PROPOSAL) + 1).value)
        for key, value in cells.items():
            page.cell(row, keys.index(key) + 1).value = value
    edited = io.BytesIO()
    book.save(edited)
    found = preview(sample, read(edited.getvalue()))
    assert found.refused == [] and sorted(change.sheet for change in found.new) == sorted(filled)
    assert len(found.warnings) == 1, "of the question that still waits"


@pytest.mark.slow
def test_a_row_of_one_s_own_that_lacks_a_value_is_refused_and_never_taken_for_a_proposal(
    tmp_path: Path,
) -> None:
    version = current(settings_at(tmp_path))
    book = load_workbook(io.BytesIO(write(version, "en", CHOICES, proposals=PROPOSED)))
    page = book["Survey questions"]
    free = next(number for number in range(3, 999) if not any(cell.value for cell in page[number]))
    page.cell(free, 2).value, page.cell(free, 4).value = "lab", "Where do you live?"
    edited = io.BytesIO()
    book.save(edited)
    assert [one.why for one in read(edited.getvalue()).refused] == ["a value is missing here"]


@pytest.mark.slow
@pytest.mark.fault(136)
def test_targets_offer_only_indicators_that_can_have_one(tmp_path: Path) -> None:
    sample = Settings(home=tmp_path, sample=True, _env_file=None)  # type: ignore[call-arg]
    version, content = form(sample, "en")
    book = load_workbook(io.BytesIO(content))
    letters = next(
        str(rule.formula1).partition("$")[2][0]
        for rule in book["Targets"].data_validations.dataValidation
        if "B3" in rule.cells
    )
    offered = {str(cell.value)[:6] for cell in book["Lists"][letters][1:] if cell.value}
    judged = {one.id for one in catalogue_of(sample).indicators if one.direction in ("increase", "decrease")}
    assert offered == judged and "SAT-06" not in offered and "GEN-01" not in offered
    note = book["Targets"]["B2"].comment.text
    assert all(code in note for code in ("SAT-06", "GEN-01", "GEN-02", "GEN-03"))
    named = {row["indicator"]: row for row in version.rows["targets"] if row["indicator"] not in judged}
    shown = {str(row[1].value) for row in book["Targets"].iter_rows(min_row=3) if row[1].value}
    assert all(any(text.startswith(f"{code} · ") for text in shown) for code in named), (
        "their baselines keep names"
    )
