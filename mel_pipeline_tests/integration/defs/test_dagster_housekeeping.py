"""Dagster's history stays bounded, and what it knows of each asset and quarter stays known."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from mel_pipeline.defs.housekeeping import remove_old_runs
from mel_pipeline.defs.serving.storage import complete

QUARTERS = ["2024-Q3", "2024-Q4"]
COMPLETE = "is_complete"
KEYS = [dg.AssetKey("page"), dg.AssetKey("table")]


class Night(dg.Config):
    fail: bool = False


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(QUARTERS))
def page(config: Night) -> None:
    if config.fail:
        raise dg.Failure(description="No room", allow_retries=False)


@dg.asset(
    partitions_def=dg.StaticPartitionsDefinition(QUARTERS),
    check_specs=[dg.AssetCheckSpec(COMPLETE, asset="table")],
)
def table() -> Iterator[dg.MaterializeResult[None]]:
    yield dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True, check_name=COMPLETE)])


DEFINITIONS = dg.Definitions(
    assets=[page, table], jobs=[dg.define_asset_job("nightly")], executor=dg.in_process_executor
)


def night(instance: dg.DagsterInstance, quarter: str, *, fail: bool = False, only: Any = None) -> str:
    chosen = {"asset_selection": [only]} if only else {}
    config = {"ops": {"page": {"config": {"fail": fail}}}} if only in (None, KEYS[0]) else {}
    return (
        DEFINITIONS.resolve_job_def("nightly")
        .execute_in_process(
            instance=instance, partition_key=quarter, raise_on_error=False, run_config=config, **chosen
        )
        .run_id
    )


@pytest.mark.exhaustive
def test_many_nights_leave_the_last_of_each_quarter_and_every_asset_known(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        for number in range(18):
            night(instance, QUARTERS[number > 8], fail=number % 5 == 0)
        by_hand = night(instance, QUARTERS[0], only=KEYS[1])
        last = [night(instance, quarter) for quarter in QUARTERS]
        assert instance.get_runs_count() == 21
        before = _size(tmp_path)
        then = datetime.now(UTC) + timedelta(seconds=5)
        assert [remove_old_runs(instance, then, at_once=12), remove_old_runs(instance, then)] == [12, 6]
        assert remove_old_runs(instance, then) == 0
        assert {run.run_id for run in instance.get_runs()} == {by_hand, *last}
        for key in KEYS:
            assert instance.get_materialized_partitions(key) == set(QUARTERS)
            assert instance.get_latest_materialization_event(key) is not None
        assert _size(tmp_path) < before / 3


@pytest.mark.long
def test_recent_runs_and_runs_in_progress_stay(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        runs = {night(instance, QUARTERS[0], fail=fail) for fail in (True, False)}
        going_on = dg.DagsterRun("nightly", status=dg.DagsterRunStatus.STARTED)
        instance.add_run(going_on)
        assert remove_old_runs(instance, datetime.now(UTC) - timedelta(days=90)) == 0
        then = datetime.now(UTC) + timedelta(days=1)
        assert remove_old_runs(instance, then) == 1
        assert {run.run_id for run in instance.get_runs()} < {*runs, going_on.run_id}
        assert going_on.run_id in {run.run_id for run in instance.get_runs()}


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.exhaustive)])
@pytest.mark.long
def test_results_of_checks_go_with_their_runs_and_the_latest_stays(
    tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    check = dg.AssetCheckKey(KEYS[1], COMPLETE)
    with _instance(
        tmp_path, str(request.getfixturevalue("postgres_url")) if engine == "postgres" else ""
    ) as instance:
        runs = [night(instance, QUARTERS[0]) for _ in range(3)]
        instance.delete_run(runs[0])  # as versions before this one did

        def named() -> list[str]:
            found = instance.event_log_storage.get_asset_check_execution_history(check, limit=10)
            return [one.run_id for one in found]

        assert named() == runs[::-1], "Dagster leaves the results of a run that it deletes"
        assert remove_old_runs(instance, datetime.now(UTC) + timedelta(days=1)) == 1
        assert named() == [runs[2]]


def _instance(folder: Path, postgres: str) -> dg.DagsterInstance:
    if not postgres:
        return dg.DagsterInstance.local_temp(str(folder))
    storage = {"postgres": {"postgres_url": complete(postgres)}}
    return dg.DagsterInstance.local_temp(str(folder), overrides={"storage": storage})


def _size(folder: Path) -> int:
    return sum(
        file.stat().st_size for file in folder.rglob("*") if file.is_file() and file.name != "index.db"
    )
