"""The job that delivers an edition, and the sensor that starts it after publication. The rules are in ``delivery``."""

from collections.abc import Iterator

import dagster as dg

from mel_pipeline.core.settings import Settings, load_settings
from mel_pipeline.defs.context import DOES, FOR_OPERATORS, Mel, filled_form, quarter_partitions

PUBLISH = "publish_quarter"


# Plain fields, not a ``dg.Config``: for that the launchpad would show "Bool | {env: String}".
FORM = {
    "draft": dg.Field(
        bool,
        default_value=False,
        description="true: to the MEL lead alone, marked as a draft; also before publication.",
    ),
    "again": dg.Field(
        bool, default_value=False, description="true: also to those who already received this version."
    ),
    "dry_run": dg.Field(
        bool,
        default_value=False,
        description="true: only report what would go out; nothing is sent or copied.",
    ),
    "annual": dg.Field(
        bool, default_value=False, description="true: the annual edition of the year, not the quarter's."
    ),
}


def build(settings: Settings) -> dg.Definitions:
    job = _deliver_job(quarter_partitions(settings))
    return dg.Definitions(jobs=[job], sensors=[_after_publication(job, settings)])


def _deliver_job(partitions: dg.StaticPartitionsDefinition) -> dg.JobDefinition:
    @dg.op(config_schema=FORM, description="Check the files of the edition, send it, copy it.")
    def deliver_edition(context: dg.OpExecutionContext, mel: Mel) -> None:
        from mel_pipeline.core.errors import MelError
        from mel_pipeline.delivery.service import deliver

        form = dict(context.op_config)
        period = context.partition_key[:4] if form.pop("annual") else context.partition_key
        try:
            done = deliver(mel.warehouse, mel.settings, period, **form)
        except MelError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from None
        context.log.info(done.sentence)
        for note in done.notes:
            context.log.warning(note)
        context.add_output_metadata({"delivered": done.sentence, "e-mails": done.sent, "had it": done.had})

    @dg.job(
        name="deliver",
        tags={DOES: "deliver", **FOR_OPERATORS},
        config=filled_form("deliver_edition", FORM, partitions),
        description="Send a published edition by e-mail and copy it to the shared folder, each version once. A draft"
        " goes to the MEL lead alone. Refuses while a page or chart is missing, cut off or blank.",
    )
    def deliver() -> None:
        deliver_edition()

    return deliver


def _after_publication(job: dg.JobDefinition, settings: Settings) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name="deliver_published",
        request_job=job,
        default_status=_status(settings.team),
        description="Delivers an edition as soon as publish_quarter has published it.",
    )
    def deliver_published(
        context: dg.RunStatusSensorContext,
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        run = context.dagster_run
        now = load_settings()
        if run.job_name != PUBLISH:
            yield dg.SkipReason("Nothing was published.")
        elif not (now.mails or now.deliver_dir):
            yield dg.SkipReason("Neither MEL_SMTP_HOST with MEL_MAIL_TO nor MEL_DELIVER_DIR is set.")
        else:
            yield dg.RunRequest(run_key=f"deliver {run.run_id}", partition_key=run.tags["dagster/partition"])

    return deliver_published


def _status(on: bool) -> dg.DefaultSensorStatus:
    return dg.DefaultSensorStatus.RUNNING if on else dg.DefaultSensorStatus.STOPPED
