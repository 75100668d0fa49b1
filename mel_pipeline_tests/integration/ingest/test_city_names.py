"""Cities of surveys become members: from the CRM and the drop folder to the table and the review list."""

from __future__ import annotations

import os
import time

import pytest
from typer.testing import CliRunner

from mel_pipeline.cli.main import app
from mel_pipeline.core.errors import ContractError
from mel_pipeline.ingest.city_names import TABLE, match_cities, review_path
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
    path = review_path(organisation.settings)
    with pytest.raises(ContractError, match="no member has been loaded"):
        match_cities(organisation.warehouse, path)
    organisation.load("zoho_crm", "accounts")
    organisation.load("survey_files", "responses")
    found = match_cities(organisation.warehouse, path)
    assert (found.answers, found.matched, found.waiting) == (4, 2, 2)
    assert {name for _, name in stored(organisation)} == {"Montréal", "Mexico City"}

    lines = path.read_text("utf-8-sig").splitlines()
    assert lines[1].startswith("Barcelonna,Spain,1,Barcelona,")
    path.write_text(
        "\n".join(line + "Barcelona" if line.startswith("Barcelonna") else line for line in lines), "utf-8"
    )
    for name, value in (("HOME", organisation.settings.home), ("TODAY", organisation.settings.today)):
        monkeypatch.setenv(f"MEL_{name}", str(value))
    shown = CliRunner().invoke(app, ["cities"])
    assert shown.exit_code == 0, shown.output
    assert "3 of 4 answers name a member; 1 city waits for a decision." in shown.output
    assert "Córdoba" in shown.output and "cities.csv" in shown.output
    assert {name for _, name in stored(organisation)} == {"Montréal", "Mexico City", "Barcelona"}
