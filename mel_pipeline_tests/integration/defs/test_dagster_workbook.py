"""The workbook in Dagster: duties, the preview of a dropped file, and the job that accepts exactly that file."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import openpyxl
import pytest

from mel_pipeline.core.settings import Settings
from mel_pipeline.defs import workbook
from mel_pipeline.defs.context import Mel
from mel_pipeline.reporting.inputs.statement_form import form
from mel_pipeline.sources.workbook import versions

pytestmark = pytest.mark.slow  # each writes forms and reads them in a process of its own
TODAY = date(2026, 11, 30)


class Given(Mel):
    """The resource with the settings of a test."""

    home: str

    @property
    def settings(self) -> Any:
        return settings_in(Path(self.home))


def settings_in(home: Path) -> Settings:
    return Settings(home=home, today=TODAY, _env_file=None)


class Case:
    """A Dagster instance with the definitions of the workbook."""

    def __init__(self, home: Path, instance: dg.DagsterInstance) -> None:
        self.settings, self.instance = settings_in(home), instance
        outside = dg.AssetSpec(workbook.DUTIES)
        self.definitions = dg.Definitions.merge(
            dg.Definitions(
                assets=[outside],
                jobs=[
                    dg.define_asset_job(
                        "duties", selection=dg.AssetSelection.checks_for_assets(workbook.DUTIES)
                    )
                ],
                resources={"mel": Given(home=str(home))},
            ),
            workbook.build(self.settings),
        )

    def run(self, job: str, **config: Any) -> dg.ExecuteInProcessResult:
        ops = {"ops": {"accept_previewed": {"config": config}}} if config else None
        definition = self.definitions.resolve_job_def(job)
        return definition.execute_in_process(instance=self.instance, raise_on_error=False, run_config=ops)

    def drop(self, *rows: dict[str, object], sheet: str = "targets") -> Path:
        """The current form with rows in a sheet, in the watched folder."""
        _, content = form(self.settings, "en")
        book = openpyxl.load_workbook(io.BytesIO(content))
        page = next(one for one in book if str(one["A1"].value).startswith(f"mel:{sheet}:"))
        keys = [cell.value for cell in page[1]]
        free = next(number for number in range(3, 900) if not page.cell(number, 2).value)
        for number, row in enumerate(rows, start=free):
            for key, value in row.items():
                page.cell(number, keys.index(key) + 1).value = value
        folder = self.settings.workbook_folder
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "from a colleague.xlsx"
        book.save(path)
        an_hour_ago = path.stat().st_mtime - 3600
        os.utime(path, (an_hour_ago, an_hour_ago))
        return path


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Case(tmp_path / "home", instance)


GOOD = {
    "indicator": "MEM-01",
    "period": "2027",
    "value": 190,
    "kind": "target",
    "reason_en": "Board, 3 March",
}


def shown(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    [event] = result.get_asset_materialization_events()
    metadata = event.materialization.metadata
    return {name: value.value for name, value in metadata.items()}


def reason(result: dg.ExecuteInProcessResult) -> str:
    return " ".join(str(event.event_specific_data) for event in result.all_events if event.is_step_failure)


def test_a_dropped_workbook_is_previewed_with_sheet_and_cell_and_accepted_as_it_was_shown(case: Case) -> None:
    assert shown(case.run("preview_workbook"))["status"] == "no workbook"
    case.drop(GOOD, {**GOOD, "period": "2028", "value": "about 200, says <b>someone</b>"})
    result = case.run("preview_workbook")
    found = shown(result)
    assert "MEM-01" in found["new"] and "value 190" in found["new"]
    assert "Targets, F" in found["refused"]
    assert "someone" not in found["refused"], "what stands in a refused cell is not kept in Dagster's history"
    [check] = result.get_asset_check_evaluations()
    assert not check.passed and "Targets, F" in (check.description or "")
    assert "role is empty" in reason(case.run("accept_workbook", role="", note="", remove=False))
    assert case.run("accept_workbook", role="MEL lead", note="Targets", remove=False).success
    version = versions.current(case.settings)
    assert (version.number, version.role, version.note) == (1, "MEL lead", "Targets")
    assert [row["period"] for row in version.rows["targets"] if row["value"] == "190"] == ["2027"]
    again = case.run("accept_workbook", role="MEL lead", note="", remove=False)
    assert "another version was accepted since" in reason(again)


def test_a_file_that_was_not_previewed_or_has_changed_since_is_not_accepted(case: Case) -> None:
    assert "none was previewed" in reason(case.run("accept_workbook", role="MEL lead", note="", remove=False))
    case.drop(GOOD)
    case.run("preview_workbook")
    case.drop({**GOOD, "value": 9_999})
    refused = case.run("accept_workbook", role="MEL lead", note="", remove=False)
    assert "has changed since its preview" in reason(refused)
    assert versions.current(case.settings).number == 0


def test_what_is_no_workbook_warns_and_fails_nothing(case: Case) -> None:
    path = case.drop()
    path.write_text("<html>login</html>")
    result = case.run("preview_workbook")
    assert result.success
    [check] = result.get_asset_check_evaluations()
    assert not check.passed and "web page" in (check.description or "")


def test_the_sensor_previews_a_new_workbook_once(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "load_settings", lambda: case.settings)
    [sensor] = workbook.build(case.settings).sensors or []
    assert isinstance(next(iter(sensor(dg.build_sensor_context(instance=case.instance)))), dg.SkipReason)
    case.drop(GOOD)
    context = dg.build_sensor_context(instance=case.instance)
    assert isinstance(next(iter(sensor(context))), dg.RunRequest)
    assert isinstance(next(iter(sensor(context))), dg.SkipReason)


@pytest.mark.long
def test_a_late_duty_warns_by_role_and_day_and_one_that_is_done_does_not(case: Case) -> None:
    def check() -> Any:
        return case.run("duties").get_asset_check_evaluations()[0]

    assert check().passed
    duty = {
        "what": "Figures of trainings",
        "kind": "figures",
        "role": "Programmes",
        "days_after": 15,
        "every": "quarter",
    }
    case.drop(duty, sheet="duties")
    case.run("preview_workbook")
    assert case.run("accept_workbook", role="MEL lead", note="", remove=False).success
    late = check()
    assert not late.passed
    assert "Programmes: Figures of trainings of 2026-Q3 was due on 2026-10-15, 46 days ago." in (
        late.description or ""
    )
