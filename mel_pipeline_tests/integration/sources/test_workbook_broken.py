"""More than a hundred broken workbooks: each ends with the right value, or a refusal that names sheet and cell."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mel_pipeline.core.errors import ContractError
from mel_pipeline.reporting.page.summary import main_point_fault
from mel_pipeline.sources.shared.files import child
from mel_pipeline.sources.workbook.model import Preview, Version
from mel_pipeline.sources.workbook.preview import preview
from mel_pipeline.sources.workbook.read import read
from mel_pipeline.sources.workbook.versions import issue
from mel_pipeline_tests.fixtures.broken_cells import DAYS, INDICATORS, KINDS, NUMBERS, PERIODS, VALUES, YES_NO
from mel_pipeline_tests.fixtures.broken_workbooks import CASES, SHEETS
from mel_pipeline_tests.fixtures.workbook_edits import Case
from mel_pipeline_tests.fixtures.workbook_forms import Processes, form_of, settings_at

pytestmark = (
    pytest.mark.slow
)  # some seconds: every file is written by openpyxl and read in a process of its own

KNOWN = {"MEM-01", "MEM-02", "LAB-01"}
CHECKS = {
    "targets": lambda row: (
        [] if row["indicator"] in KNOWN else [f"indicator: there is no {row['indicator']} in the list"]
    ),
    "main_points": lambda row: (
        [f"text_en: {fault}"] if (fault := main_point_fault(row["text_en"] or "", KNOWN)) else []
    ),
}


class Desk:
    """The organisation, its forms and what processes made of every case."""

    def __init__(self, home: Path) -> None:
        self.settings = settings_at(home)
        self.version: Version = issue(self.settings)
        forms = {one: form_of(self.version, one, SHEETS) for one in ("en", "fr", "es", "ca")}
        self.contents = {case.name: case.content(forms[case.language]) for case in CASES}
        folder = home / "files"
        folder.mkdir()
        self.processes = Processes(folder, self.contents.values())


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("broken"))


def previewed(desk: Desk, case: Case, patch: pytest.MonkeyPatch) -> Preview:
    patch.setattr(child.subprocess, "run", desk.processes.run)
    return preview(desk.settings, read(desk.contents[case.name]), CHECKS)


@pytest.mark.fault(115)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.long
def test_a_broken_workbook_gives_the_right_value_or_names_sheet_and_cell(
    desk: Desk, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    if case.whole:
        with pytest.raises(ContractError, match=case.whole) as error:
            previewed(desk, case, monkeypatch)
        assert "CSV." not in str(error.value) and str(error.value).endswith(".")
        return
    found = previewed(desk, case, monkeypatch)
    assert found.upload.base_id == desk.version.id
    changed: dict[tuple[str, str | None, str], Any] = {
        (one.sheet, one.id, column): (one.after or {}).get(column)
        for one in found.changed
        for column in one.columns
    }
    assert changed == case.changed
    assert [
        (one.sheet, column, (one.after or {})[column])
        for one, (_, column, _) in zip(found.new, case.new, strict=True)
    ] == list(case.new)
    assert [one.id for one in found.removed] == list(case.removed)
    refused = sorted(found.refused, key=lambda one: (one.sheet, one.cell))
    expected = sorted(case.refused)
    assert [(one.sheet, one.cell) for one in refused] == [(tab, cell) for tab, cell, _ in expected]
    for one, (_, _, words) in zip(refused, expected, strict=True):
        assert words in one.why and len(one.why) > 20
    assert found.conflicts == []
    warned = [words for words in found.warnings if not words.startswith("Not in the workbook, and left")]
    assert len(warned) == len(case.warned)
    assert all(words.startswith(start) for words, start in zip(warned, case.warned, strict=True))


def test_there_are_more_than_a_hundred_files_and_a_hundred_cells_of_many_kinds() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    kinds = Counter("whole" if case.whole else "refused" if case.refused else "right" for case in CASES)
    assert len(CASES) >= 110
    assert kinds["whole"] >= 15 and kinds["refused"] >= 25 and kinds["right"] >= 50
    written = [VALUES, PERIODS, DAYS, KINDS, INDICATORS, NUMBERS, YES_NO]
    cells = Counter(value is None for values in written for value in values.values())
    assert cells[False] >= 60 and cells[True] >= 50
