"""The job deliver, the sensor that starts it, a year by one click, and the checks of timeliness."""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.settings import Settings
from mel_pipeline.defs import build, delivery, publication
from mel_pipeline.defs import year as whole_year
from mel_pipeline.defs.year import runs_of_year
from mel_pipeline.quality.freshness import last_quarter, late_sources
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.conftest import Organisation
from mel_pipeline_tests.fixtures.mail import mail_server
from mel_pipeline_tests.fixtures.organisation import DAY, Small, copy_of, seven_members

QUARTER = "2024-Q4"


@pytest.fixture
def small(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Small:
    made = copy_of(tmp_path_factory, "seven-members", tmp_path, seven_members)
    for name, value in {
        "HOME": tmp_path, "TODAY": DAY, "FIRST_QUARTER": "2024-Q1", "REPORTS_DIR": tmp_path / "published",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"MEL_{name}", str(value))
    return made


def run(instance: dg.DagsterInstance, job: str, partition: str, **ops: Any) -> dg.ExecuteInProcessResult:
    definition = build().resolve_job_def(job)
    config = {"ops": {name: {"config": values} for name, values in ops.items()}} if ops else None
    return definition.execute_in_process(
        instance=instance, partition_key=partition, raise_on_error=False, run_config=config
    )


def failure(result: dg.ExecuteInProcessResult) -> str:
    event = next(item for item in result.all_events if item.is_step_failure)
    return str(event.step_failure_data.user_failure_data.description)


@pytest.mark.slow
@pytest.mark.long
def test_publishing_starts_the_delivery_of_that_quarter_and_the_edition_goes_out(
    small: Small, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "shared").mkdir()
    with mail_server() as box, dg.DagsterInstance.ephemeral() as instance:
        for name, value in {
            "SMTP_HOST": "127.0.0.1", "SMTP_PORT": box.port, "SMTP_SECURE": "none", "MAIL_FROM": "mel@network.example",
            "MAIL_TO": "ana@city.example", "DELIVER_DIR": tmp_path / "shared",
        }.items():  # fmt: skip
            monkeypatch.setenv(f"MEL_{name}", str(value))
        assert "not published" in failure(run(instance, "deliver", QUARTER)), "the form's defaults"
        published = run(
            instance, "publish_quarter", QUARTER,
            publish_figures={
                "approver_role": "Secretary General", "note": "Checked",
                "without": "attendance_lists=dropped by the sample, not loaded here",
            },
        )  # fmt: skip
        assert published.success, failure(published)
        (request,) = _requests(instance, published)
        assert isinstance(request, dg.RunRequest) and request.partition_key == QUARTER
        done = run(instance, "deliver", QUARTER)
        assert done.success, failure(done)
    assert box.to == ["ana@city.example"] and (tmp_path / "shared" / QUARTER / "report-en.html").is_file()
    events = "\n".join(str(item) for item in done.all_events)
    assert "1 e-mail went out" in events and "ana@" not in events


def _requests(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> list[Any]:
    sensor: Any = next(item for item in build().sensors or [] if item.name == "deliver_published")
    event = next(item for item in result.all_events if item.event_type == dg.DagsterEventType.RUN_SUCCESS)
    context: Any = dg.build_run_status_sensor_context(
        sensor_name="deliver_published", dagster_event=event, dagster_instance=instance, dagster_run=result.dagster_run
    )  # fmt: skip
    return list(sensor(context))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("job", "partition", "step", "form"),
    [
        ("deliver", "2024-Q4", "deliver_edition", delivery.FORM),
        ("publish_quarter", "2024-Q4", "publish_figures", publication.FORM),
        ("backfill_year", "2024", "run_year", whole_year.FORM),
    ],
)
@pytest.mark.sweep
def test_a_form_is_prefilled_and_its_fields_explain_themselves(
    job: str, partition: str, step: str, form: dict[str, dg.Field]
) -> None:
    config = build().resolve_job_def(job).partitioned_config.get_run_config_for_partition_key(partition)  # type: ignore[union-attr]
    assert config["ops"][step]["config"] == {name: field.default_value for name, field in form.items()}
    assert all(field.description for field in form.values())


def test_a_year_is_its_figures_its_reports_and_the_annual_edition_when_all_four_are_there() -> None:
    settings = Settings(today=date(2025, 5, 2), first_quarter="2023-Q3", _env_file=None)
    assert runs_of_year(settings, 2024) == [
        ("figures_only", "2023-Q3...2024-Q4"),
        *[("quarterly_report", f"2024-Q{number}") for number in (1, 2, 3, 4)],
        ("annual_edition", "2024"),
    ]
    for year, figures, quarters in (
        (2023, "2023-Q3...2023-Q4", ["2023-Q3", "2023-Q4"]),
        (2025, "2025-Q1...2025-Q2", ["2025-Q1", "2025-Q2"]),
    ):
        reports = [("quarterly_report", quarter) for quarter in quarters]
        assert runs_of_year(settings, year, year_before=False) == [("figures_only", figures), *reports]
    for year, words in ((2026, "has not begun"), (2022, "data begin with 2023-Q3")):
        with pytest.raises(ReportError, match=words):
            runs_of_year(settings, year)


@pytest.mark.exhaustive
def test_a_year_by_one_click_is_a_run_of_figures_and_one_for_each_report_and_stops_at_the_first_that_fails(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = organisation.settings
    for name in ("home", "today", "reports_dir"):
        monkeypatch.setenv(f"MEL_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("MEL_SANDBOX_PORT", str(settings.sandbox_url).rpartition(":")[2])
    monkeypatch.setenv("MEL_FIRST_QUARTER", "2026-Q3")
    moved = settings.survey_folder.rename(settings.home / "aside")
    settings.survey_folder.mkdir()
    with dg.DagsterInstance.ephemeral() as instance:
        stopped = run(instance, "backfill_year", "2026")
        assert not stopped.success
        assert "figures_only of 2026-Q3 to 2026-Q4 did not finish" in failure(stopped)
        assert "not a zero" in failure(stopped)
        assert [part.job_name for part in _parts(instance, stopped)] == ["figures_only"]

        settings.survey_folder.rmdir()
        moved.rename(settings.survey_folder)
        done = run(instance, "backfill_year", "2026")
        assert done.success, failure(done)
        parts = sorted(_parts(instance, done), key=lambda part: part.tags.get("dagster/partition", ""))
        assert [(part.job_name, part.status) for part in parts] == [
            (job, dg.DagsterRunStatus.SUCCESS)
            for job in ("figures_only", "quarterly_report", "quarterly_report")
        ]
        assert (settings.drafts_dir / "2026-Q4" / "report-en.html").is_file()
        made = [_made(instance, part) for part in parts]
        by_quarter, as_a_whole = "raw_matomo__periods", "raw_zoho_crm__accounts"
        assert [by_quarter in keys for keys in made] == [True, False, False]
        assert [as_a_whole in keys for keys in made] == [True, False, False]
        assert ["reading_site" in keys for keys in made] == [False, False, True], "written once, at the end"


def _made(instance: dg.DagsterInstance, part: dg.DagsterRun) -> set[str]:
    events = instance.all_logs(part.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    keys = [entry.dagster_event.asset_key for entry in events if entry.dagster_event]
    return {key.to_user_string() for key in keys if key}


def _parts(instance: dg.DagsterInstance, whole: dg.ExecuteInProcessResult) -> Sequence[dg.DagsterRun]:
    return instance.get_runs(dg.RunsFilter(tags={"mel/part_of": whole.run_id}))


@pytest.mark.slow
def test_a_source_that_was_not_loaded_for_longer_than_its_contract_allows_is_named(small: Small) -> None:
    assert late_sources(small.warehouse) == []
    with small.warehouse.transaction() as connection:
        connection.exec_driver_sql(
            "update load_ledger set finished_at = finished_at - interval 40 days where source = 'zoho_people'"
        )
    (sentence,) = late_sources(small.warehouse)
    assert re.match(r"Zoho People is late\. Last loaded: .* 40 days ago \(\d+ are allowed\)\.", sentence)


@pytest.mark.slow
def test_the_last_quarter_is_missed_some_weeks_after_its_end_until_figures_and_report_are_there(
    small: Small, tmp_path: Path
) -> None:
    def look(today: date, warehouse: Warehouse = small.warehouse, **changes: Any) -> tuple[list[str], str]:
        given = {"sample": False, "first_quarter": "2024-Q1", "reports_dir": tmp_path / "published"} | changes
        return last_quarter(warehouse, Settings(today=today, _env_file=None, **given))

    assert look(date(2025, 1, 30)) == ([], "2024-Q4 is due on 31 January 2025.")
    missing, _ = look(date(2025, 2, 1))
    assert len(missing) == 1 and "No report of 2024-Q4" in missing[0], "its figures are there"
    page = tmp_path / "published" / QUARTER / "report-en.html"
    page.parent.mkdir(parents=True)
    page.write_text("<html></html>", encoding="utf-8")
    assert look(date(2025, 2, 1)) == ([], "2024-Q4 is there: its figures and its report.")
    page.write_text("", encoding="utf-8")
    assert len(look(date(2025, 2, 1))[0]) == 1, "an empty page is none"
    assert len(look(date(2025, 5, 1))[0]) == 2, "the next quarter is not there at all"
    assert look(date(2025, 5, 1), sample=True)[0] == []


@pytest.mark.slow
def test_both_questions_are_checks_that_dagster_asks(small: Small) -> None:
    graph = build().resolve_asset_graph()
    names = {key.name for key in graph.asset_check_keys}
    assert {"sources_are_fresh", "last_quarter_is_there"} <= names
    job: Any = build().resolve_job_def("nightly")
    assert "released_figures_sources_are_fresh" in {node.name for node in job.graph.nodes}
