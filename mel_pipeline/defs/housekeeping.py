"""Old runs go: each night adds some megabytes of events and logs to Dagster's storage."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from mel_pipeline.core.settings import Settings, load_settings

FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
AT_ONCE = 50  # runs a tick, which Dagster allows a minute
EVERY_HOURS = 6
PAGE = 200
PARTITIONS = ("dagster/partition", "dagster/asset_partition")  # tags that say which


def build(settings: Settings) -> dg.Definitions:
    on = dg.DefaultSensorStatus.RUNNING if settings.team else dg.DefaultSensorStatus.STOPPED
    return dg.Definitions(sensors=[_housekeeping(on)])


def _housekeeping(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    @dg.sensor(
        name="housekeeping",
        minimum_interval_seconds=EVERY_HOURS * 3600,
        default_status=status,
        description="Removes runs older than MEL_KEEP_RUNS_DAYS with their logs, but for the last of each job and quarter:"
        " what Dagster knows of every table and page stays.",
    )
    def housekeeping(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        days = load_settings().keep_runs_days
        removed = remove_old_runs(context.instance, datetime.now(UTC) - timedelta(days=days))
        return dg.SkipReason(f"{removed} runs older than {days} days removed.")

    return housekeeping


def remove_old_runs(instance: dg.DagsterInstance, before: datetime, at_once: int = AT_ONCE) -> int:
    """Delete finished runs last updated before then; returns how many.

    The last successful run of the same assets for the same partitions stays, and with it when each was last made, and how.
    """
    seen: set[tuple[object, ...]] = set()
    removed: list[str] = []
    for record in _newest_first(instance):
        run = record.dagster_run
        is_last = run.status is dg.DagsterRunStatus.SUCCESS and _subject(run) not in seen
        if is_last:
            seen.add(_subject(run))
        elif record.update_timestamp.replace(tzinfo=UTC) < before:
            removed.append(run.run_id)
    for run_id in removed[-at_once:]:  # the oldest
        instance.delete_run(run_id)
        _remove_logs(instance, run_id)
    _remove_results_of_checks(instance)
    return min(len(removed), at_once)


def _remove_results_of_checks(instance: dg.DagsterInstance) -> None:
    """Of runs that are gone: `delete_run` leaves them, a megabyte a night.

    Dagster's own table, no other hook.
    """
    import sqlalchemy as sa
    from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
    from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return
    run = AssetCheckExecutionsTable.c.run_id
    with storage.index_connection() as connection:
        named = set(connection.execute(sa.select(run).distinct()).scalars())
    gone = sorted(named - set(instance.get_run_ids()))  # asked after: a run is stored before its checks
    for first in range(0, len(gone), PAGE):
        with storage.index_connection() as connection:
            connection.execute(AssetCheckExecutionsTable.delete().where(run.in_(gone[first : first + PAGE])))


def _newest_first(instance: dg.DagsterInstance) -> Iterator[dg.RunRecord]:
    cursor = None
    while found := instance.get_run_records(dg.RunsFilter(statuses=FINISHED), limit=PAGE, cursor=cursor):
        yield from found
        cursor = found[-1].dagster_run.run_id


def _subject(run: dg.DagsterRun) -> tuple[object, ...]:
    """What a run made: job, assets chosen by hand, partitions."""
    partitions = sorted((name, value) for name, value in run.tags.items() if name.startswith(PARTITIONS))
    return (run.job_name, run.asset_selection, run.asset_check_selection, *partitions)


def _remove_logs(instance: dg.DagsterInstance, run_id: str) -> None:
    """What the run printed, and on SQLite the emptied file of its events: `delete_run` leaves both."""
    shutil.rmtree(Path(instance.storage_directory()) / run_id, ignore_errors=True)
    for file in (Path(instance.root_directory) / "history" / "runs").glob(f"{run_id}.db*"):
        file.unlink()
