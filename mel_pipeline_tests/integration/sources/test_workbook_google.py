"""A form that went through Google Sheets comes back unchanged, and what was typed there is read as it was meant."""

from __future__ import annotations

import io
from datetime import date

import pytest
from openpyxl import load_workbook

from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.workbook.form import write
from mel_pipeline.sources.workbook.preview import preview
from mel_pipeline.sources.workbook.read import read
from mel_pipeline.sources.workbook.texts import texts_in
from mel_pipeline.sources.workbook.versions import issue
from mel_pipeline_tests.fixtures.google_sheets import ROWS, as_google_saves

pytestmark = pytest.mark.slow  # thirteen sheets of a thousand rows, in a process of its own


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("home"), _env_file=None)  # type: ignore[call-arg]


@pytest.fixture(scope="module")
def spanish(sample: Settings) -> bytes:
    return as_google_saves(write(issue(sample), "es"))


@pytest.mark.long
def test_the_file_has_the_marks_of_google_sheets(spanish: bytes) -> None:
    book = load_workbook(io.BytesIO(spanish))
    page = book[texts_in("es").title("targets")]
    assert page.max_row >= ROWS and not page.data_validations.dataValidation
    assert page["F3"].value == 164 and isinstance(page["F3"].value, (int, float))


@pytest.mark.fault(132)
@pytest.mark.long
def test_a_form_saved_by_google_sheets_comes_back_unchanged(sample: Settings, spanish: bytes) -> None:
    found = preview(sample, read(spanish))
    assert found.is_empty and not found.refused and not found.warnings
    assert found.unchanged > 100 and found.upload.language == "es"


@pytest.mark.fault(132)
@pytest.mark.long
def test_what_is_typed_in_google_sheets_is_read_as_it_was_meant(sample: Settings) -> None:
    book = load_workbook(io.BytesIO(write(issue(sample), "fr")))
    page = book[texts_in("fr").title("targets")]
    row = next(number for number in range(3, 999) if not page.cell(number, 2).value)
    for number, (period, value, shown) in enumerate(
        [(2027, 170, "General"), ("T4 2027", 0.85, "0%"), ("2028", "1 200", "General")], start=row
    ):
        page.cell(number, 2).value = "MEM-01"
        page.cell(number, 5).value = period
        page.cell(number, 6).value = value
        page.cell(number, 6).number_format = shown
        page.cell(number, 7).value = "cible"
        page.cell(number, 8).value = date(2026, 3, 31)
        page.cell(number, 9).value = "Board of March"
    out = io.BytesIO()
    book.save(out)
    found = preview(sample, read(as_google_saves(out.getvalue())))
    assert not found.refused
    rows = [change.after or {} for change in found.new]
    assert [(one["period"], one["value"], one["stated_on"]) for one in rows] == [
        ("2027", "170", "2026-03-31"),
        ("2027-Q4", "85", "2026-03-31"),
        ("2028", "1200", "2026-03-31"),
    ]
