"""Cities of surveys become members: from the CRM and the drop folder to the table and the workbook."""

from __future__ import annotations

import io
import os
import time

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from mel_pipeline.cli.main import app
from mel_pipeline.core.errors import ContractError
from mel_pipeline.ingest.city_names import TABLE, match_cities
from mel_pipeline.reporting.inputs.statement_form import form
from mel_pipeline.reporting.inputs.statements import checks
from mel_pipeline.sources.workbook.preview import preview
from mel_pipeline.sources.workbook.read import read
from mel_pipeline.sources.workbook.versions import accept, current
from mel_pipeline_tests.conftest import Organisation

pytestmark = pytest.mark.slow

ROWS = [
    ("1", "Montreal", ""),
    ("2", "Mexico City", "Mexico"),
    ("3", "Córdoba", ""),
    ("4", "Barcelonna", "Spain"),
    ("5", "", ""),
]


def drop(organisation: Organisation) -> None:
    path = organisation.settings.survey_folder / "cities.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"R{n},Completed,2024-06-03 11:00,{city},{country}" for n, city, country in ROWS]
    path.write_text(
        "Response ID,Response Status,Response End Time,City,Country\n" + "\n".join(lines) + "\n", "utf-8"
    )
    os.utime(path, (time.time() - 60,) * 2)


def stored(organisation: Organisation) -> set[tuple[str, str]]:
    rows = organisation.warehouse.read(
        f"select n.city_key, a.name from {TABLE} n join raw_zoho_crm__accounts a on a.id = n.account_id"
    )
    return set(map(tuple, rows.values.tolist()))


def test_answers_become_members_and_the_rest_waits_for_a_decision_that_the_next_run_follows(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(organisation)
    settings = organisation.settings
    with pytest.raises(ContractError, match="no member has been loaded"):
        match_cities(organisation.warehouse, current(settings))
    organisation.load("zoho_crm", "accounts")
    organisation.load("survey_files", "responses")
    found = match_cities(organisation.warehouse, current(settings))
    assert (found.answers, found.matched, found.waiting) == (4, 2, 2)
    assert {name for _, name in stored(organisation)} == {"Montréal", "Mexico City"}

    version, content = form(settings, "en")
    book = load_workbook(io.BytesIO(content))
    (place,) = [row for row in book["Cities"].iter_rows(min_row=3) if row[1].value == "Barcelonna"]
    assert (place[0].value or "", place[2].value, place[3].value) == ("", "Spain", None)
    assert place[4].value == "Times answered: 1. The most similar member: Barcelona."
    place[3].value = "Barcelona"
    edited = io.BytesIO()
    book.save(edited)
    upload = read(edited.getvalue())
    [words] = upload.warnings
    assert words.startswith("Proposed rows that are not filled in") and "Cities (1)" in words
    shown = preview(settings, upload, checks(settings, upload))
    assert [change.sheet for change in shown.new] == ["cities"]
    assert accept(settings, shown, "MEL lead").number == version.number + 1
    for name, value in (("HOME", organisation.settings.home), ("TODAY", organisation.settings.today)):
        monkeypatch.setenv(f"MEL_{name}", str(value))
    output = CliRunner().invoke(app, ["cities"])
    assert output.exit_code == 0, output.output
    assert "3 of 4 answers name a member; 1 city waits for a decision." in output.output
    assert "Córdoba" in output.output and "mel workbook get" in output.output
    assert {name for _, name in stored(organisation)} == {"Montréal", "Mexico City", "Barcelona"}
