"""Jobs in plain verbs, the nightly schedule and the survey sensor."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings, load_settings
from mel_pipeline.defs.context import COLLECT, DOES, FOR_OPERATORS, REPORT

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import (
        UnresolvedAssetJobDefinition as AssetJob,
    )

MISSED = timedelta(hours=23)
LATE_DATA_DAYS = 45  # how long after its end a quarter is still calculated every night


def build(settings: Settings) -> dg.Definitions:
    annual = dg.AssetSelection.assets("annual_report")
    nightly = dg.define_asset_job(
        "nightly",
        tags={DOES: "collect, calculate, report", **FOR_OPERATORS},
        selection=dg.AssetSelection.all() - annual,
        description="Everything for one quarter: collect from every source, check, calculate, draw, write the"
        " report. Safe to repeat. Runs every night for the open quarter.",
    )
    quarterly_report = dg.define_asset_job(
        "quarterly_report",
        tags={DOES: "report", **FOR_OPERATORS},
        selection=dg.AssetSelection.groups(REPORT) - annual,
        description="Draw the charts and write the report of one quarter again from the figures that are"
        " already calculated. Queries no source.",
    )
    annual_edition = dg.define_asset_job(
        "annual_edition",
        tags={DOES: "report", **FOR_OPERATORS},
        selection=annual | dg.AssetSelection.assets("reading_site"),
        description="Write the annual edition of one year, and the reading site, from the figures that are already"
        " calculated.",
    )
    collect = dg.define_asset_job(
        "collect_only",
        tags={DOES: "collect", **FOR_OPERATORS},
        selection=dg.AssetSelection.groups(COLLECT),
        description="Only load the sources and check the data.",
    )
    figures_only = dg.define_asset_job(
        "figures_only",
        tags={DOES: "collect, calculate", **FOR_OPERATORS},
        selection=dg.AssetSelection.all() - dg.AssetSelection.groups(REPORT),
        description="Collect, check and calculate one quarter without drawing: for past quarters that a"
        " report compares with.",
    )
    return dg.Definitions(
        jobs=[nightly, quarterly_report, annual_edition, figures_only, collect],
        schedules=[_every_night(nightly, settings)],
        sensors=[_new_survey_files(nightly, settings)],
    )


def quarters_due(settings: Settings) -> list[Quarter]:
    """The open quarter; the one before as well while late data may still come."""
    open_quarter = settings.open_quarter
    still_late = settings.current_day < open_quarter.start + timedelta(days=LATE_DATA_DAYS)
    return [open_quarter.previous(), open_quarter] if still_late else [open_quarter]


def _every_night(nightly: "AssetJob", settings: Settings) -> dg.ScheduleDefinition:
    @dg.schedule(
        name="every_night",
        job=nightly,
        cron_schedule="0 3 * * *",
        execution_timezone=settings.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING
        if settings.team
        else dg.DefaultScheduleStatus.STOPPED,
        description="Every night at 03:00 for the open quarter; for 45 days also for the one that has ended.",
    )
    def every_night(
        context: dg.ScheduleEvaluationContext,
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        # After an outage Dagster evaluates every missed night; the last one loads everything.
        if datetime.now(UTC) - context.scheduled_execution_time > MISSED:
            yield dg.SkipReason("This night was missed. The next one collects everything since.")
            return
        night = context.scheduled_execution_time.date().isoformat()
        for quarter in quarters_due(load_settings()):
            yield dg.RunRequest(run_key=f"{night} {quarter}", partition_key=str(quarter))

    return every_night


def _new_survey_files(nightly: "AssetJob", settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        name="new_survey_files",
        job=nightly,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.team else dg.DefaultSensorStatus.STOPPED,
        description="Starts a run when survey exports or attendance lists in the drop folders are new or have changed.",
    )
    def new_survey_files(
        context: dg.SensorEvaluationContext,
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        settings = load_settings()
        listing = drop_listing(settings)
        if not listing:
            yield dg.SkipReason(
                f"There is no survey export in {settings.survey_folder}, and no list in {settings.attendance_folder}."
            )
        elif listing == context.cursor:
            yield dg.SkipReason("No new survey export or attendance list since the last look.")
        else:
            context.update_cursor(listing)
            for quarter in quarters_due(settings):
                yield dg.RunRequest(run_key=f"{listing} {quarter}", partition_key=str(quarter))

    return new_survey_files


def drop_listing(settings: Settings) -> str:
    """Fingerprint of the drop folders: name, size and time of every file; empty if there is none."""
    from mel_pipeline.sources.attendance_lists.client import dropped_lists
    from mel_pipeline.sources.shared.files import files_in
    from mel_pipeline.sources.survey_files.client import ENDINGS

    folder = settings.survey_folder
    files = files_in(folder, ENDINGS) if folder.is_dir() else []
    if settings.attendance_folder.is_dir():
        files += dropped_lists(settings.attendance_folder)
    lines = sorted(f"{file.name}\t{file.size}\t{file.modified_ns}" for file in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest() if lines else ""
