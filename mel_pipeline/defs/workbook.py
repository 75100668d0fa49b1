"""The workbook in Dagster: duties, what a file in the watched folder would change, and the job that accepts it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from mel_pipeline.core.settings import Settings, load_settings
from mel_pipeline.defs.context import COLLECT, DOES, FOR_OPERATORS, Mel, as_list

if TYPE_CHECKING:
    from mel_pipeline.sources.workbook.model import Preview

PREVIEW, DUTIES, CHECK = "workbook_preview", "raw_workbook__duties", "workbook_can_be_accepted"
ENDINGS = (".xlsx", ".ods")


def build(settings: Settings) -> dg.Definitions:
    preview_job = dg.define_asset_job(
        "preview_workbook",
        tags={DOES: "preview", **FOR_OPERATORS},
        selection=dg.AssetSelection.assets(PREVIEW),
        description="Show what the newest workbook in the watched folder would change. Nothing counts before"
        " `accept_workbook`.",
    )
    return dg.Definitions(
        assets=[_preview()],
        asset_checks=[_duties()],
        jobs=[preview_job, _accept_job()],
        sensors=[_new_workbook(preview_job, settings)],
    )


def _duties() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=DUTIES,
        name="duties_are_done",
        description="Nothing is late by the workbook's sheet of who owes what. Warns with role and day; what falls due within"
        " two weeks is named as well.",
    )
    def duties_are_done(mel: Mel) -> dg.AssetCheckResult:
        from mel_pipeline.publication.duties import owed

        found = owed(mel.settings)
        late = [item for item in found if item.state == "late"]
        return dg.AssetCheckResult(
            passed=not late,
            severity=dg.AssetCheckSeverity.WARN,
            description=as_list([item.sentence for item in found]) or "Nothing is due within two weeks.",
            metadata={"late": len(late), "due": len(found) - len(late)},
        )

    return duties_are_done


def _preview() -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=PREVIEW,
        specs=[
            dg.AssetSpec(
                PREVIEW,
                group_name=COLLECT,
                kinds={"excel"},
                owners=["team:mel"],
                description="What the newest workbook in the watched folder (`MEL_WORKBOOK_DIR`) would change. Nothing counts"
                " before the job `accept_workbook`, or the page [/workbook](/workbook) of this address, accepts it.",
            )
        ],
        check_specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=PREVIEW,
                description="The workbook can be read, and no cell is refused. Warns with sheet and cell.",
            )
        ],
    )
    def workbook_preview(mel: Mel) -> Iterator[dg.MaterializeResult[None]]:
        from mel_pipeline.core.errors import ContractError

        page = dg.MetadataValue.url(f"{mel.settings.ui_url.rstrip('/')}/workbook")
        metadata: dict[str, Any] = {"page": page, "folder": str(mel.settings.workbook_folder)}
        content = newest(mel.settings)
        if content is None:
            check = _check([], "There is no workbook in the watched folder.")
            yield dg.MaterializeResult(metadata={**metadata, "status": "no workbook"}, check_results=[check])
            return
        try:
            found = previewed(mel.settings, content)
        except ContractError as error:
            check = _check([str(error)], "")
            yield dg.MaterializeResult(metadata={**metadata, "status": str(error)}, check_results=[check])
            return
        yield dg.MaterializeResult(
            metadata={**metadata, **described(found)},
            check_results=[
                _check(
                    [item.within(found.upload.language) for item in found.refused],
                    found.sentence,
                    len(found.conflicts),
                )
            ],
        )

    return workbook_preview


def _check(broken: list[str], well: str, conflicts: int = 0) -> dg.AssetCheckResult:
    if conflicts:
        broken = [*broken, f"{conflicts} rows were changed in two places; the current ones go on counting."]
    return dg.AssetCheckResult(
        check_name=CHECK,
        asset_key=PREVIEW,
        passed=not broken,
        severity=dg.AssetCheckSeverity.WARN,
        description=as_list(broken) or well,
    )


def described(preview: "Preview") -> dict[str, Any]:
    """Metadata of a preview: its sentence, the digest of the file, and each kind of change as Markdown."""
    from mel_pipeline.publication.workbook_preview import as_markdown

    return {
        "status": preview.sentence,
        "digest": preview.upload.digest,
        "version": preview.current.number,
        **{name: dg.MetadataValue.md(text) for name, text in as_markdown(preview).items()},
    }


def newest(settings: Settings) -> bytes | None:
    """The content of the newest workbook in the watched folder; None where there is none.

    Raises:
        ContractError: it is larger than a workbook may be.
    """
    from mel_pipeline.core.errors import ContractError
    from mel_pipeline.sources.shared.files import files_in
    from mel_pipeline.sources.shared.files.limits import Limits

    folder = settings.workbook_folder
    files = files_in(folder, ENDINGS) if folder.is_dir() else []
    if not files:
        return None
    if files[-1].size > Limits().packed:
        raise ContractError(
            f"Reading {files[-1].name}: it is larger than any workbook. Check that it is the right file."
        )
    return files[-1].path.read_bytes()


def previewed(settings: Settings, content: bytes) -> "Preview":
    """What the content of a file would change. Errors as ``sources.workbook.read`` and ``preview``."""
    from mel_pipeline.reporting.inputs.statements import judge

    return judge(settings, content)


def _new_workbook(job: Any, settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        name="new_workbook",
        job=job,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.team else dg.DefaultSensorStatus.STOPPED,
        description="Previews a workbook that is new or has changed in the watched folder (MEL_WORKBOOK_DIR).",
    )
    def new_workbook(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        from mel_pipeline.sources.shared.files import files_in

        folder = load_settings().workbook_folder
        files = files_in(folder, ENDINGS) if folder.is_dir() else []
        if not files:
            yield dg.SkipReason(f"There is no workbook in {folder}.")
            return
        last = files[-1]
        listing = f"{last.name} {last.size} {last.modified_ns}"
        if listing == context.cursor:
            yield dg.SkipReason("No new workbook since the last look.")
        elif not last.is_settled():
            yield dg.SkipReason(f"{last.name} is still being written.")
        else:
            context.update_cursor(listing)
            yield dg.RunRequest(run_key=listing)

    return new_workbook


def _accept_job() -> dg.JobDefinition:
    fields = {
        "role": dg.Field(
            str, default_value="", description="Role of who accepts, such as MEL lead; never a name."
        ),
        "note": dg.Field(str, default_value="", description="What the change is about."),
        "remove": dg.Field(
            bool, default_value=False, description="Whether a sheet may lose more than half of its rows."
        ),
    }

    @dg.op(name="accept_previewed", config_schema=fields)
    def accept(context: dg.OpExecutionContext, mel: Mel) -> None:
        from mel_pipeline.core.errors import ContractError, LoginError
        from mel_pipeline.core.logins import acting_lead
        from mel_pipeline.publication import signatures

        given = context.op_config
        try:
            by = acting_lead(mel.settings, context.run.tags)
            found = _as_previewed(context.instance, mel.settings)
            before = found.current.number
            version = signatures.accept(
                mel.settings, found, given["role"], given["note"], remove=given["remove"], by=by
            )
        except (ContractError, LoginError) as error:
            raise dg.Failure(description=str(error), allow_retries=False) from None
        is_new = version.number != before
        context.add_output_metadata(
            {
                "status": f"Version {version.number} is accepted. The next run loads it."
                if is_new
                else "The workbook changes nothing.",
                **{name: value for name, value in described(found).items() if name != "status"},
            }
        )

    @dg.job(
        name="accept_workbook",
        tags={DOES: "accept what people state"},
        description="Accept the workbook in the watched folder exactly as `workbook_preview` showed it. Fill in your role.",
        config={
            "ops": {
                "accept_previewed": {"config": {name: field.default_value for name, field in fields.items()}}
            }
        },
    )
    def job() -> None:
        accept()

    return job


def _as_previewed(instance: dg.DagsterInstance, settings: Settings) -> "Preview":
    """The preview of the file that was shown last.

    Raises:
        ContractError: nothing was shown, the file or the workbook has changed since, or it cannot be read.
    """
    from mel_pipeline.core.errors import ContractError

    event = instance.get_latest_materialization_event(dg.AssetKey(PREVIEW))
    shown = event.asset_materialization.metadata if event and event.asset_materialization else {}
    again = "Run `preview_workbook`, look at what it shows, then accept."
    if "digest" not in shown:
        raise ContractError(f"Accepting the workbook: none was previewed. {again}")
    content = newest(settings)
    found = previewed(settings, content) if content is not None else None
    if found is None or found.upload.digest != shown["digest"].value:
        raise ContractError(f"Accepting the workbook: the file has changed since its preview. {again}")
    if found.current.number != shown["version"].value:
        raise ContractError(
            f"Accepting the workbook: another version was accepted since its preview. {again}"
        )
    return found
