"""Sensors that notify people of failures, recoveries, new warnings, finished reports and missing runs.

A notification that cannot be sent fails the sensor's tick, which the UI shows under Automation; runs are not affected.
"""

from datetime import UTC, date, datetime

import dagster as dg

from mel_pipeline.core.settings import Settings, load_settings
from mel_pipeline.defs.failure_messages import failure_message
from mel_pipeline.defs.publication import TABLE
from mel_pipeline.defs.ranges import named, periods_of

PART_OF = "mel/part_of"
NIGHTLY = "nightly"
REPORTS = ("quarterly_report", "annual_edition", "backfill_year")
MOST_HOURS = 27.0  # between the ends of two nightly runs
NO_CHANNEL = (
    "No notification channel: set MEL_SMTP_HOST with MEL_NOTIFY_TO, MEL_NOTIFY_URLS or MEL_NOTIFY_WEBHOOK."
)


def build(settings: Settings) -> dg.Definitions:
    on = dg.DefaultSensorStatus.RUNNING if settings.notifies else dg.DefaultSensorStatus.STOPPED
    nightly_is_on = settings.notifies and settings.team
    silence = dg.DefaultSensorStatus.RUNNING if nightly_is_on else dg.DefaultSensorStatus.STOPPED
    pings = bool(settings.heartbeat_url.get_secret_value())
    heartbeat = dg.DefaultSensorStatus.RUNNING if pings else dg.DefaultSensorStatus.STOPPED
    return dg.Definitions(
        sensors=[_failures(on), _successes(on), _silence(silence), _duties(on), _heartbeat(heartbeat)]
    )


def _failures(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    @dg.run_failure_sensor(
        name="tell_failures",
        default_status=status,
        description="Reports which job failed, why and what to do. The same failure is reported once a week.",
    )
    def tell_failures(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        from mel_pipeline.delivery import notifications as notices

        settings = load_settings()
        run = context.dagster_run
        if not settings.notifies:
            return dg.SkipReason(NO_CHANNEL)
        if PART_OF in run.tags:
            return dg.SkipReason("The parent run reports it.")
        reasons = [
            reason for event in context.get_step_failure_events() if (reason := failure_message(event))
        ]
        reasons += [
            f"{name}: {sentence}" for name, sentence in _broken(context, dg.AssetCheckSeverity.ERROR).items()
        ]
        reasons = list(dict.fromkeys(reasons)) or [context.failure_event.message or "No reason was given."]
        notice = notices.failure(
            _title(run.job_name),
            _partition(run),
            reasons,
            notices.run_link(settings, run.run_id, _partition(run)),
        )
        year, week, _ = datetime.now(UTC).isocalendar()
        notices.notify_once(settings, _subject(run), [reasons, f"{year}-{week}"], notice)
        return None

    return tell_failures


def _successes(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name="tell_news",
        default_status=status,
        description="Reports the first success after a failure, new and resolved warnings of a nightly run, and"
        " finished reports.",
    )
    def tell_news(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
        settings = load_settings()
        if not settings.notifies:
            return dg.SkipReason(NO_CHANNEL)
        if PART_OF in context.dagster_run.tags:
            return dg.SkipReason("The parent run reports it.")
        _notify_recovery(context, settings)
        _notify_warnings(context, settings)
        _notify_ready(context, settings)
        return None

    return tell_news


def _silence(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    @dg.sensor(
        name="tell_silence",
        minimum_interval_seconds=3600,
        default_status=status,
        description="Reports once a day that no nightly run has ended for more than a night.",
    )
    def tell_silence(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        from mel_pipeline.delivery import notifications as notices

        settings = load_settings()
        if not settings.notifies:
            return dg.SkipReason(NO_CHANNEL)
        now = datetime.now(UTC)
        hours = hours_since_nightly(context.instance, now)
        if hours is None or hours <= MOST_HOURS:
            return dg.SkipReason(
                "Nothing has run yet." if hours is None else f"Last ended {hours:.0f} hours ago."
            )
        is_new = notices.notify_once(settings, "silence", _day(now), notices.nothing_ran(hours))
        return dg.SkipReason("Reported." if is_new else "Already reported today.")

    return tell_silence


def _heartbeat(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name="heartbeat",
        default_status=status,
        description="Requests MEL_HEARTBEAT_URL after each nightly run that succeeds, so that a monitor elsewhere notices"
        " when this machine is down.",
    )
    def heartbeat(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
        from mel_pipeline.delivery.channels.webhook import ping

        url = load_settings().heartbeat_url.get_secret_value()
        if not url:
            return dg.SkipReason("MEL_HEARTBEAT_URL is not set.")
        if context.dagster_run.job_name != NIGHTLY:
            return dg.SkipReason("Only nightly runs count.")
        ping(url)
        return None

    return heartbeat


def _duties(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    @dg.sensor(
        name="remind_duties",
        minimum_interval_seconds=3600,
        default_status=status,
        description="Reminds of duties of the workbook (Who owes what) two weeks before they are due, when they are late,"
        " and once a week while they are.",
    )
    def remind_duties(context: dg.SensorEvaluationContext) -> dg.SkipReason:  # noqa: ARG001 - as Dagster calls it
        from mel_pipeline.delivery import notifications as notices
        from mel_pipeline.publication.duties import owed

        settings = load_settings()
        if not settings.notifies:
            return dg.SkipReason(NO_CHANNEL)
        found = owed(settings)
        if not found:
            return dg.SkipReason("Nothing is due.")
        year, week, _ = settings.current_day.isocalendar()
        late = any(item.state == "late" for item in found)
        state = [[item.id, item.period, item.state] for item in found] + ([[year, week]] if late else [])
        link = f"{settings.ui_url.rstrip('/')}/workbook"
        notice = notices.duties([item.sentence for item in found], link)
        is_new = notices.notify_once(settings, "duties", state, notice)
        return dg.SkipReason("Reminded." if is_new else "Reminded before.")

    return remind_duties


def hours_since_nightly(instance: dg.DagsterInstance, now: datetime) -> float | None:
    """Hours since a nightly run ended, successful or not; None before the first."""
    ended = dg.RunsFilter(
        job_name=NIGHTLY, statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    )
    records = instance.get_run_records(ended, limit=1, order_by="update_timestamp")
    moments = [record.end_time for record in records if record.end_time]
    return (now.timestamp() - max(moments)) / 3600 if moments else None


def _notify_recovery(context: dg.RunStatusSensorContext, settings: Settings) -> None:
    from mel_pipeline.delivery import notifications as notices

    run = context.dagster_run
    log = notices.NotificationLog(settings.home)
    if log.last(_subject(run)) is None:
        return  # its failure was never reported
    link = notices.run_link(settings, run.run_id, _partition(run))
    notices.notify(settings, notices.recovery(_title(run.job_name), _partition(run), link))
    log.record(_subject(run), None)


def _notify_warnings(context: dg.RunStatusSensorContext, settings: Settings) -> None:
    from mel_pipeline.delivery import notifications as notices

    run = context.dagster_run
    if run.job_name != NIGHTLY:
        return
    subject, now = f"warnings {_partition(run)}", _broken(context)
    before = notices.NotificationLog(settings.home).last(subject) or []
    if not now and not before:
        return
    link = notices.run_link(settings, run.run_id, _partition(run))
    notices.notify_once(settings, subject, sorted(now), notices.warnings(_partition(run), now, before, link))


def _notify_ready(context: dg.RunStatusSensorContext, settings: Settings) -> None:
    """Every requested report; of the nightly ones, the first that can be published."""
    from mel_pipeline.delivery import notifications as notices

    run = context.dagster_run
    if run.job_name in REPORTS:
        for period in periods_of(run):
            notices.notify(settings, notices.report_ready(settings, period, ""))
    elif run.job_name == NIGHTLY:
        for period in _checked(context):
            sentence = f"{period} is checked: nothing stands against publishing it (job publish_quarter)."
            notices.notify_once(
                settings, f"ready {period}", "checked", notices.report_ready(settings, period, sentence)
            )


def _broken(
    context: dg.RunStatusSensorContext, severity: dg.AssetCheckSeverity | None = None
) -> dict[str, str]:
    """Checks of the run that did not pass, with their sentences."""
    found = {}
    logs = context.instance.all_logs(
        context.dagster_run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    )
    for entry in logs:
        event = entry.dagster_event
        check = event.asset_check_evaluation_data if event else None
        if check and not check.passed and severity in (None, check.severity):
            found[f"{check.asset_key.to_user_string()} {check.check_name}"] = check.description or ""
    return found


def _checked(context: dg.RunStatusSensorContext) -> list[str]:
    """The quarters that can be published, from this run's asset of the released figures."""
    logs = context.instance.all_logs(
        context.dagster_run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
    )
    found = [entry.asset_materialization for entry in logs]
    return [
        str(made.partition)
        for made in found
        if made and made.asset_key == dg.AssetKey(TABLE) and "state" in made.metadata
        if made.metadata["state"].value == "checked"
    ]


def _partition(run: dg.DagsterRun) -> str:
    return named(periods_of(run))


def _subject(run: dg.DagsterRun) -> str:
    return f"failure {run.job_name} {_partition(run)}"


def _title(job: str) -> str:
    return "a run of assets chosen by hand" if job.startswith("__") else job


def _day(moment: datetime) -> str:
    return date.isoformat(moment.date())
