"""The corrections of the workbook in Dagster: those that find no row, and the job that applies them at once."""

import dagster as dg

from mel_pipeline.core.settings import Settings
from mel_pipeline.defs.context import DOES, FOR_OPERATORS, Mel, as_list

ASSET, CHECK = "raw_workbook__corrections", "corrections_find_rows"


def build(settings: Settings) -> dg.Definitions:  # noqa: ARG001 - as every module is built
    return dg.Definitions(asset_checks=[_corrections()], jobs=[_correct_job()])


def _corrections() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=ASSET,
        name=CHECK,
        description="Every correction finds a row, now or at an earlier load. Warns with the number of its row on the sheet"
        " Corrections and the table; never with a value.",
    )
    def corrections_find_rows(mel: Mel) -> dg.AssetCheckResult:
        from mel_pipeline.ingest.replay import without_match

        found = without_match(mel.warehouse, mel.settings)
        lines = [
            f"{line.place}: no row is found by it. Check the columns and values by which rows are found, or delete it."
            for line in found
        ]
        return dg.AssetCheckResult(
            passed=not found,
            severity=dg.AssetCheckSeverity.WARN,
            description=as_list(lines) or "Every correction finds a row.",
            metadata={"without a row": len(found)},
        )

    return corrections_find_rows


def _correct_job() -> dg.JobDefinition:
    @dg.op(name="apply_accepted_corrections")
    def apply_accepted(context: dg.OpExecutionContext, mel: Mel) -> None:
        from mel_pipeline.core.errors import MelError
        from mel_pipeline.ingest.replay import replay

        try:
            done = replay(mel.warehouse, mel.settings)
        except MelError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from None
        context.add_output_metadata(
            {
                "status": "Applied. Run the quarter again for its figures."
                if done
                else "The workbook has no corrections.",
                **{table: result.sentence for table, result in done.items()},
            }
        )

    @dg.job(
        name="apply_corrections",
        tags={DOES: "collect", **FOR_OPERATORS},
        description="Apply the corrections of the workbook to rows in quarantine and rows loaded before, without asking any"
        " source. Every run does so by itself for corrections that are new; this is for not waiting.",
    )
    def job() -> None:
        apply_accepted()

    return job
