"""A signature is of the figures as they stood: if they change, it no longer counts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.organisation import EXAMPLE
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.publication import signatures
from mel_pipeline.publication.readiness import unsigned_lines
from mel_pipeline.sources.workbook import versions
from mel_pipeline.sources.workbook.model import Given, Row, Upload
from mel_pipeline.sources.workbook.preview import preview
from mel_pipeline.sources.workbook.sheets import ID, sheets
from mel_pipeline.transform.catalogue import catalogue_of
from mel_pipeline.warehouse import Warehouse
from mel_pipeline.warehouse.tables import CELL_COLUMNS

QUARTER = Quarter(2024, 4)


class Office:
    """An organisation that wants signatures, its warehouse and its workbook."""

    def __init__(self, folder: Path) -> None:
        own = folder / "ours"
        shutil.copytree(EXAMPLE, own)
        facts = own / "organisation.yml"
        facts.write_text(facts.read_text("utf-8").replace("sign_off: false", "sign_off: true"), "utf-8")
        self.settings = Settings(home=folder / "home", organisation=own, sample=False, _env_file=None)  # type: ignore[call-arg]
        self.warehouse = Warehouse(self.settings.database_url)
        lines = {line.number: line.indicators for line in catalogue_of(self.settings).lines_of_action}
        self.codes = sorted({code for codes in lines.values() for code in codes})
        self.mine = lines[1][0]
        self.elsewhere = next(code for code in self.codes if code not in lines[1])
        versions.issue(self.settings)

    def calculate(self, **values: float) -> None:
        """The figures of two quarters: 7, or of 2024-Q4 what ``mine`` (of line 1) and ``elsewhere`` say."""
        own = {getattr(self, name): value for name, value in values.items()}
        rows = [
            dict.fromkeys(CELL_COLUMNS)
            | {"indicator_id": code, "quarter": quarter}
            | {"value": own.get(code, 7.0) if quarter == str(QUARTER) else 7.0}
            for code in self.codes
            for quarter in ("2024-Q3", "2024-Q4")
        ]
        frame = pd.DataFrame(rows)
        with self.warehouse.transaction() as connection:
            frame.to_sql("indicator_values", connection, if_exists="replace", index=False)

    def write(self, **cells: str) -> None:
        """The sheet of duties with one row, given back and accepted."""
        sheet = sheets()["duties"]
        current = versions.current(self.settings)
        before = dict(current.rows["duties"][0]) if current.rows["duties"] else dict.fromkeys(sheet.keys)
        row: Row = {
            **before,
            "what": "Signature",
            "kind": "sign_off",
            "role": "Programmes",
            "line": "1",
            "due_on": "2025-02-01",
            **cells,
        }
        rows = {"duties": [Given(row, 3, dict.fromkeys(sheet.keys, "B"))]}
        found = preview(self.settings, Upload(current.id, rows))
        assert found.refused == []
        signatures.accept(self.settings, found, "MEL lead")

    def obstacles(self, line: int = 1) -> list[str]:
        found = unsigned_lines(self.warehouse, self.settings, QUARTER)
        return [one.sentence for one in found if f"Line of action {line} " in one.sentence]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.mark.slow
@pytest.mark.fault(134)
def test_a_signature_counts_until_a_figure_of_its_line_changes_and_again_once_signed_later(
    office: Office,
) -> None:
    office.calculate(mine=100.0)
    office.write()
    assert "is not signed" in office.obstacles()[0]
    office.write(done_on="2025-01-10")
    assert office.obstacles() == []
    office.calculate(mine=100.0)
    assert office.obstacles() == [], "the same figures, calculated again"
    office.calculate(mine=101.0)
    [changed] = office.obstacles()
    assert "was signed for 2024-Q4 by Programmes on 2025-01-10, but its figures changed since" in changed
    office.write(done_on="2025-01-12")
    assert office.obstacles() == []


@pytest.mark.slow
@pytest.mark.fault(134)
def test_figures_of_another_line_do_not_touch_a_signature(office: Office) -> None:
    office.calculate(mine=100.0)
    office.write(done_on="2025-01-10")
    office.calculate(mine=100.0, elsewhere=55.0)
    assert office.obstacles() == []


@pytest.mark.fault(134)
def test_what_was_signed_before_there_were_figures_does_not_count(office: Office) -> None:
    office.write(done_on="2025-01-10")
    office.calculate(mine=100.0)
    assert "were not calculated then" in office.obstacles()[0]


@pytest.mark.slow
def test_a_change_of_other_words_keeps_the_signature_and_another_line_loses_it(office: Office) -> None:
    office.calculate(mine=100.0)
    office.write(done_on="2025-01-10")
    before = versions.current(office.settings).signed
    office.write(done_on="2025-01-10", what="Signature of line 1")
    assert versions.current(office.settings).signed == before
    office.write(done_on="2025-01-10", line="2")
    after = versions.current(office.settings).signed
    number = str(versions.current(office.settings).rows["duties"][0][ID])
    assert set(after) == {number} and after[number] != before[number]
    assert "has no sign-off" in office.obstacles(line=1)[0]


def test_while_a_run_writes_nothing_is_signed_and_nothing_is_accepted(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mel_pipeline.core.errors import WarehouseError

    office.calculate(mine=100.0)

    def busy(*_: object) -> bool:
        raise WarehouseError("Opening the warehouse: another run is writing.")

    monkeypatch.setattr(Warehouse, "has_table", busy)
    with pytest.raises(ContractError, match="Wait until the run has ended"):
        office.write(done_on="2025-01-10")
    assert versions.current(office.settings).number == 0
