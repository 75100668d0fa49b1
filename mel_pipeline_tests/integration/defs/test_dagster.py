"""The jobs as Dagster runs them, on the sample organisation."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from mel_pipeline.core.settings import Settings
from mel_pipeline.defs import build, jobs
from mel_pipeline.defs.context import (
    CALCULATE,
    COLLECT,
    OVERVIEW,
    PREPARE,
    REPORT,
    Mel,
    as_list,
    quarter_partitions,
)
from mel_pipeline.quality.scorecard import rules
from mel_pipeline.sandbox.server import Sandbox
from mel_pipeline.sources.shared.http import Policy
from mel_pipeline_tests.conftest import TODAY, Organisation, organisation_in
from mel_pipeline_tests.fixtures.shared import made_once

ROOT = Path(__file__).parents[3]


@pytest.fixture
def environment(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> Organisation:
    """Jobs read their settings from the environment, as in production."""
    return set_environment(organisation, monkeypatch)


@pytest.fixture
def after_a_night(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> Organisation:
    """A home as the nightly job of 2024-Q4 leaves it, with ``night.json``: Dagster's record of that run."""

    def make(home: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            made = set_environment(organisation_in(home, sandbox), patch)
            record = record_of(run("nightly", "2024-Q4"))
            (home / "night.json").write_text(json.dumps(record), encoding="utf-8")
            made.warehouse.fold()

    home = tmp_path / "home"
    shutil.copytree(made_once(tmp_path_factory, "night", make), home)
    return set_environment(organisation_in(home, sandbox), monkeypatch)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries as usual, without the seconds between them."""
    monkeypatch.setattr("mel_pipeline.sources.shared.http.Policy", partial(Policy, backoff=0.01))


def set_environment(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> Organisation:
    settings = organisation.settings
    for name in (
        "home",
        "today",
        "reports_dir",
        "zoho_api_url",
        "zoho_accounts_url",
        "zoho_people_url",
        "zoho_campaigns_url",
    ):
        monkeypatch.setenv(f"MEL_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("MEL_SANDBOX_PORT", str(settings.sandbox_url).rpartition(":")[2])
    return organisation


def run(job: str, partition: str) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        definition = build().resolve_job_def(job)
        return definition.execute_in_process(instance=instance, partition_key=partition, raise_on_error=False)


def checks(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], dg.AssetCheckEvaluation]:
    return {
        (item.asset_key.to_user_string(), item.check_name): item
        for item in result.get_asset_check_evaluations()
    }


def record_of(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    """Results of a nightly run: its outcome, failing checks, and metadata that a person looks at."""
    charts = result.asset_materializations_for_node("write_quarterly_report")
    figures = result.asset_materializations_for_node("calculate_indicators")
    names = {made.asset_key.to_user_string(): made for made in (*charts, *figures)}
    return {
        "success": result.success,
        "failing": sorted(list(key) for key, check in checks(result).items() if not check.passed),
        "chart": names["chart_member_cities"].metadata["chart"].value,
        "figures": [
            [made.partition, made.metadata["dagster/row_count"].value]
            for made in figures
            if made.asset_key.to_user_string() != "manual_values"  # the sample counts nothing by hand
        ],
        "preview": names["ind_mem_01"].metadata["preview"].value,
    }


@pytest.mark.slow
def test_the_nightly_job_goes_from_sources_to_the_report_of_a_quarter(after_a_night: Organisation) -> None:
    settings = after_a_night.settings
    record = json.loads((settings.home / "night.json").read_text("utf-8"))
    assert record["success"]
    page = settings.drafts_dir / "2024-Q4" / "report-en.html"
    assert "2024" in page.read_text("utf-8")
    assert record["failing"] == [
        ["raw_identity__city_names", "cities_are_decided"],  # Atlantis, and Córdoba without a country
        ["raw_survey_files__responses", "rows_are_readable"],  # a recommendation of 11
    ]
    assert "data:image/png;base64," in record["chart"]
    assert record["figures"] and all(quarter == "2024-Q4" and rows > 0 for quarter, rows in record["figures"])
    assert "| 2024-Q4 | all together |" in record["preview"] and "164" in record["preview"]

    before = {path: path.stat().st_mtime_ns for path in settings.drafts_dir.rglob("*.*")}
    assert run("nightly", "2024-Q4").success
    after = {path: path.stat().st_mtime_ns for path in settings.drafts_dir.rglob("*.*")}
    assert before and before == after, "a second run changes nothing that has not changed"


@pytest.mark.exhaustive
@pytest.mark.fault(25)
def test_an_empty_drop_folder_stops_the_run_and_the_old_report_stays(environment: Organisation) -> None:
    for path in environment.settings.survey_folder.iterdir():
        path.unlink()
    result = run("nightly", "2024-Q4")
    assert not result.success
    check = checks(result)["raw_survey_files__responses", "table_is_complete"]
    assert not check.passed and "not a zero" in (check.description or "")
    assert not (environment.settings.drafts_dir / "2024-Q4").exists()


@pytest.mark.exhaustive
def test_a_source_that_is_down_is_marked_and_what_was_loaded_before_still_counts(
    after_a_night: Organisation, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEL_MATOMO_URL", "http://127.0.0.1:9/closed")
    result = run("collect_only", "2024-Q4")
    assert result.success
    verdicts = checks(result)
    assert not verdicts["raw_matomo__daily", "rows_are_readable"].passed
    assert "Matomo" in (verdicts["raw_matomo__daily", "rows_are_readable"].description or "")
    assert verdicts["raw_matomo__daily", "table_is_complete"].passed
    assert verdicts["raw_zoho_crm__accounts", "rows_are_readable"].passed


@pytest.mark.slow
@pytest.mark.fault(34)
def test_real_accounts_in_a_home_of_the_sample_load_nothing_and_the_run_says_why(
    after_a_night: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEL_SAMPLE", "false")
    before = after_a_night.warehouse.records("select count(*) as n from load_ledger")
    result = run("collect_only", "2024-Q4")
    assert not result.success
    failed = [event for event in result.all_events if event.is_step_failure]
    assert "this home holds sample data" in str(failed[0].step_failure_data.user_failure_data)
    assert after_a_night.warehouse.records("select count(*) as n from load_ledger") == before


@pytest.mark.exhaustive
@pytest.mark.behaviour("reauthorise", "instagram")
def test_a_platform_whose_token_expired_leaves_the_report_right_with_a_dated_note(
    after_a_night: Organisation, sandbox: Sandbox
) -> None:
    def figures() -> list[tuple[object, ...]]:
        frame = after_a_night.warehouse.read("select * from indicator_values order by 1, 2, 3, 4, 5, 6")
        return [tuple(row) for row in frame.astype(object).where(frame.notna(), None).itertuples(index=False)]

    before = figures()
    assert before
    sandbox.platforms["instagram"].fail("expired_token")
    try:
        result = run("nightly", "2024-Q4")
    finally:
        sandbox.platforms["instagram"].fail(None)
    assert result.success, "the others finish"
    verdicts = checks(result)
    text = verdicts["raw_instagram__accounts", "rows_are_readable"].description or ""
    assert "Authorise the account again" in text and "sample-instagram-token" not in text
    assert verdicts["raw_matomo__daily", "rows_are_readable"].passed
    assert figures() == before, "what was loaded before still counts"
    page = (after_a_night.settings.drafts_dir / "2024-Q4" / "report-en.html").read_text("utf-8")
    assert "Instagram: not updated since 20" in page and "Authorise the account again" in page


@pytest.mark.exhaustive
def test_no_secret_appears_in_the_events_of_a_failing_run(
    environment: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEL_ZOHO_REFRESH_TOKEN", "1000.hidden-refresh")
    monkeypatch.setenv("MEL_INSTAGRAM_ACCESS_TOKEN", "hidden-instagram")
    monkeypatch.setenv("MEL_MATOMO_TOKEN", "hidden-matomo")
    result = run("collect_only", "2024-Q4")
    text = "\n".join(str(event) for event in result.all_events)
    assert "MEL_ZOHO_REFRESH_TOKEN" in text and "MEL_INSTAGRAM_ACCESS_TOKEN" in text, "what to mend is said"
    for secret in (
        "1000.hidden-refresh",
        "hidden-instagram",
        "hidden-matomo",
        "sample-client-secret",
        "example.org",
    ):
        assert secret not in text


@pytest.mark.exhaustive
def test_a_source_without_settings_is_named_and_the_others_are_collected(
    environment: Organisation, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEL_SAMPLE", "false")
    monkeypatch.setenv("MEL_MATOMO_URL", "http://127.0.0.1:9/index.php")
    monkeypatch.setenv("MEL_SURVEY_DIR", str(environment.settings.survey_folder))
    verdicts = checks(run("collect_only", "2024-Q4"))
    assert "MEL_MATOMO_" in (verdicts["raw_matomo__daily", "rows_are_readable"].description or "")
    assert verdicts["raw_survey_files__responses", "table_is_complete"].passed
    table = verdicts["raw_matomo__daily", "table_is_complete"]
    assert not table.passed and table.severity is dg.AssetCheckSeverity.WARN, "it stops nothing"


@pytest.mark.slow
def test_what_a_load_warns_about_is_listed_among_the_rules_of_mel_quality(environment: Organisation) -> None:
    name = "silent_gender_nps_in_other_words.csv"
    folder = environment.settings.survey_folder
    shutil.copy(ROOT / "mel_pipeline_tests" / "fixtures" / "survey_cases" / name, folder / name)
    os.utime(folder / name, (1_700_000_000,) * 2)
    for _ in range(2):  # the second night reads nothing of it
        job = build().resolve_implicit_global_asset_job_def()
        assert job.execute_in_process(asset_selection=[dg.AssetKey("raw_survey_files__responses")]).success
        broken = [rule for rule in rules(environment.warehouse)["validity"] if not rule["passed"]]
        assert any("What's your gender?" in rule["sentence"] for rule in broken)


@pytest.mark.exhaustive
def test_a_network_without_a_web_counter_and_newsletter_gets_its_report_all_the_same(
    environment: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.settings.model_dump().items():
        if name.startswith(("zoho_", "instagram_")) and value is not None:
            secret = getattr(value, "get_secret_value", lambda value=value: value)()
            monkeypatch.setenv(f"MEL_{name.upper()}", str(secret))
    for name in ("MATOMO_URL", "ZOHO_CAMPAIGNS_URL"):
        monkeypatch.setenv(f"MEL_{name}", "")
    monkeypatch.setenv("MEL_SURVEY_DIR", str(environment.settings.survey_folder))
    monkeypatch.setenv("MEL_SAMPLE", "false")
    assert run("nightly", "2024-Q4").success
    page = environment.settings.drafts_dir / "2024-Q4" / "report-en.html"
    assert "164" in page.read_text("utf-8")
    web = environment.warehouse.read(
        "select status from indicator_values where indicator_id = 'RCH-07' and dimension = 'total'"
    )
    assert set(web["status"]) == {"not_available"}


@pytest.mark.long
def test_definitions_load_without_heavy_libraries_and_without_network() -> None:
    code = (
        "import sys, socket\n"
        "def refuse(*args, **kwargs): raise AssertionError('network')\n"
        "socket.create_connection = refuse\n"
        "from mel_pipeline.defs import build\n"
        "build()\n"
        "print([name for name in ('great_expectations', 'matplotlib', 'duckdb', 'typst', 'pandas', 'sqlalchemy', 'requests') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_every_asset_has_a_description_an_owner_its_kinds_and_a_group() -> None:
    graph = build().resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        if node.is_materializable:
            assert node.description and node.owners and node.kinds, key
            assert node.description[0] not in "*#", key  # lists show it as it is written
            assert node.group_name in (OVERVIEW, COLLECT, PREPARE, CALCULATE, REPORT), key


@pytest.mark.slow
def test_every_job_says_what_it_does_in_a_sentence_and_on_its_runs() -> None:
    for job in build().resolve_all_job_defs():
        if not job.name.startswith("__"):
            assert (job.description or "").endswith(".") and job.tags.get("mel/does"), (
                job.name
            )  # the UI gives these to runs


@pytest.mark.slow
def test_a_run_of_a_quarter_needs_nothing_it_does_not_make_itself() -> None:
    """Otherwise Dagster asks "Are you sure? It may fail" at the first click of a new installation."""
    made = build().resolve_job_def("nightly").asset_layer
    keys = made.selected_asset_keys
    assert {parent for key in keys for parent in made.asset_graph.get(key).parent_keys} <= keys


@pytest.mark.slow
def test_the_reading_site_is_the_last_step_of_every_job_that_writes_it() -> None:
    from dagster._core.execution.api import create_execution_plan
    from dagster._core.execution.plan.outputs import StepOutputHandle
    from dagster._core.execution.retries import RetryMode

    for name in ("nightly", "quarterly_report", "annual_edition"):
        plan = create_execution_plan(build().resolve_job_def(name))
        order: list[str] = []
        with plan.start(RetryMode.DISABLED) as active:
            while not active.is_complete:
                (step,) = active.get_steps_to_execute(limit=1)
                order.append(step.key)
                for output in step.step_outputs:
                    active.mark_step_produced_output(StepOutputHandle(step.key, output.name))
                active.mark_success(step.key)
        assert order[-1] == "reading_site", name


def test_sentences_of_a_check_each_get_their_own_line() -> None:
    assert as_list([]) == "" and as_list(["One."]) == "One."
    assert as_list(["One.", "Two."]) == "- One.\n- Two."
    assert as_list([f"{number}." for number in range(12)]).endswith("- 9.\n- and 2 more.")


def test_quarters_read_as_people_write_them_up_to_the_open_one() -> None:
    keys = quarter_partitions(Settings(today=TODAY)).get_partition_keys()
    assert keys[0] == "2023-Q1" and keys[-1] == "2026-Q4"


@pytest.mark.parametrize(
    ("today", "due"),
    [
        ("2026-11-20", ["2026-Q4"]),
        ("2026-10-20", ["2026-Q3", "2026-Q4"]),
        ("2027-01-01", ["2026-Q4", "2027-Q1"]),
    ],
)
def test_the_night_run_takes_the_ended_quarter_along_while_data_may_be_late(
    today: str, due: list[str]
) -> None:
    from datetime import date

    assert [str(quarter) for quarter in jobs.quarters_due(Settings(today=date.fromisoformat(today)))] == due


@pytest.mark.slow
def test_the_sensor_starts_one_run_for_new_survey_files_and_none_without(environment: Organisation) -> None:
    sensor = next(item for item in build().sensors or [] if item.name == "new_survey_files")
    with dg.DagsterInstance.ephemeral() as instance:
        first = sensor(dg.build_sensor_context(instance=instance))
        requests = list(first)
        assert [request.partition_key for request in requests] == ["2026-Q4"]
        cursor = jobs.drop_listing(environment.settings)
        again = list(sensor(dg.build_sensor_context(instance=instance, cursor=cursor)))
        assert isinstance(again[0], dg.SkipReason)
        next(environment.settings.survey_folder.glob("*.csv")).unlink()
        assert len(list(sensor(dg.build_sensor_context(instance=instance, cursor=cursor)))) == 1


def test_the_mel_resource_reads_its_settings_when_it_is_used(environment: Organisation) -> None:
    assert Mel().settings.home == environment.settings.home
