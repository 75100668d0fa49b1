"""A form that LibreOffice has saved as .ods and as .xlsx comes back unchanged."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.workbook.form import write
from mel_pipeline.sources.workbook.preview import preview
from mel_pipeline.sources.workbook.read import read
from mel_pipeline.sources.workbook.versions import issue
from mel_pipeline_tests.fixtures.workbook_forms import settings_at

# Starts LibreOffice twice.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed"),
]


def saved(file: Path, kind: str, profile: Path) -> Path:
    folder = file.parent / kind
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{profile}", "--convert-to", kind]
    subprocess.run([*command, "--outdir", folder, file], check=True, capture_output=True, timeout=180)
    return folder / f"{file.stem}.{kind}"


@pytest.mark.fault(116)
@pytest.mark.long
def test_a_form_saved_by_libreoffice_comes_back_unchanged(tmp_path: Path) -> None:
    sample = Settings(home=tmp_path / "home", _env_file=None)  # type: ignore[call-arg]
    form = tmp_path / "form.xlsx"
    form.write_bytes(write(issue(sample), "fr"))
    sheet = saved(form, "ods", tmp_path / "profile")
    for file in (sheet, saved(sheet, "xlsx", tmp_path / "profile")):
        found = preview(sample, read(file))
        assert found.is_empty and not found.refused and not found.warnings, file.suffix
        assert found.unchanged > 100


@pytest.mark.long
def test_cells_of_an_ods_are_read_as_those_of_an_xlsx(tmp_path: Path) -> None:
    """Percentages, days, merged cells, errors and formulas without a result, as LibreOffice stores them."""
    from openpyxl import load_workbook

    own = settings_at(tmp_path)
    form = tmp_path / "form.xlsx"
    form.write_bytes(write(issue(own), "en"))
    book = load_workbook(form)
    page = book["Targets"]
    page["F3"].value, page["F3"].number_format = 0.45, "0%"
    page["F4"].value = "=1/0"
    page["F5"].value = "=100+50"
    page["M3"].value = "Line one\nline  two"
    book["Cities"].merge_cells("D4:D5")
    book.save(form)
    found = preview(own, read(saved(form, "ods", tmp_path / "profile")))
    values = {(one.id, column): (one.after or {})[column] for one in found.changed for column in one.columns}
    assert values == {
        ("T-0001", "value"): "45",
        ("T-0001", "document"): "Line one\nline  two",
        ("T-0003", "value"): "150",
    }
    assert [(one.sheet, one.cell) for one in found.refused] == [
        ("Targets", "F4"),
        ("Cities", "D4"),
        ("Cities", "D5"),
    ]
