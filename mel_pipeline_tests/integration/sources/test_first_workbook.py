"""What the guide of one page tells a new MEL lead to type is where it says, and is accepted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from mel_pipeline.cli.main import app
from mel_pipeline.core.settings import PROJECT, Settings
from mel_pipeline.sources.attendance_lists.giving import give_list

GUIDE = PROJECT / "docs" / "first-workbook.md"
HEADINGS, FIRST = 2, 3  # rows of a sheet
ROW = re.compile(r"^\| \*\*([\w ]+)\*\*", re.MULTILINE)
LIST = re.compile(r"^\| `([\w-]+)` \| (.+) \|$", re.MULTILINE)
COLUMN = re.compile(r"([\w-]+) `([^`]+)`")
CELL = re.compile(r"\*\*([A-Z]+)\*\* ([^`]+) `([^`]+)`")


def rows() -> dict[str, list[tuple[str, str, str]]]:
    """Sheet → letter, heading, example."""
    lines = GUIDE.read_text(encoding="utf-8").splitlines()
    return {
        found[1]: CELL.findall(line) for line in lines if (found := ROW.match(line)) and CELL.search(line)
    }


@pytest.mark.slow
def test_every_example_of_the_guide_stands_under_its_heading_and_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEL_HOME", str(tmp_path / "home"))
    file = tmp_path / "workbook.xlsx"
    assert CliRunner().invoke(app, ["workbook", "get", str(file)]).exit_code == 0
    book = load_workbook(file)
    assert len(rows()) == 9
    for name, cells in rows().items():
        sheet = book[name]
        headings = {
            cell.column_letter: str(cell.value).rstrip(" *") for cell in sheet[HEADINGS] if cell.value
        }
        needed = {cell.column_letter for cell in sheet[HEADINGS] if str(cell.value).endswith("*")}
        letters = [letter for letter, _, _ in cells]
        assert {letter: heading for letter, heading, _ in cells} == {one: headings[one] for one in letters}, (
            name
        )
        assert needed <= set(letters), f"{name}: a needed column is missing in the guide"
        empty = next(row for row in range(FIRST, 500) if not any(cell.value for cell in sheet[row]))
        for letter, _, example in cells:
            sheet[f"{letter}{empty}"] = example
    book.save(file)
    checked = CliRunner().invoke(app, ["workbook", "check", str(file)])
    assert checked.exit_code == 0, checked.output

    assert ": 9 new, 273 unchanged." in checked.output


def test_the_typed_attendance_list_of_the_guide_is_read(tmp_path: Path) -> None:
    [(code, columns)] = LIST.findall(GUIDE.read_text(encoding="utf-8"))
    headings, cells = zip(*COLUMN.findall(columns), strict=True)
    content = f"{','.join(headings)}\n{','.join(cells)}\n".encode()
    given = give_list(Settings(home=tmp_path, _env_file=None), "list.csv", content, code)  # type: ignore[call-arg]
    assert (given.name, given.people, given.refused) == (f"{code} list.csv", 1, ())
    assert [(one["held_on"], one["held_on_otherwise"]) for one in given.stated] == [(cells[3], None)]
