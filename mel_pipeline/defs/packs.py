"""The jobs that make packs of an edition and recall one. The rules are in ``reporting`` and ``delivery``."""

import dagster as dg

from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.defs.context import DOES, FOR_OPERATORS, Mel, as_list, filled_form, quarter_partitions

PACK_FORM = {
    "annual": dg.Field(
        bool, default_value=False, description="true: of the annual edition of the year, not the quarter's."
    ),
    "only": dg.Field(
        str,
        default_value="",
        description="deck, donors, iati, social: one or more of them, by commas. Empty: all.",
    ),
}
RECALL_FORM = {
    "role": dg.Field(
        str, default_value="", description="Role that decides, such as Secretary General: never a name."
    ),
    "reason": dg.Field(
        str,
        default_value="",
        description="Why it is recalled: printed on every page and sent to everyone who received it. Both empty: finish"
        " a recall that was interrupted.",
    ),
}


def build(settings: Settings) -> dg.Definitions:
    partitions = quarter_partitions(settings)
    return dg.Definitions(jobs=[_pack_job(partitions), _recall_job(partitions)])


def _pack_job(partitions: dg.StaticPartitionsDefinition) -> dg.JobDefinition:
    @dg.op(config_schema=PACK_FORM, description="Write the deck, donor reports, IATI and pictures.")
    def write_packs_of_quarter(context: dg.OpExecutionContext, mel: Mel) -> None:
        from mel_pipeline.core.errors import MelError
        from mel_pipeline.reporting.inputs.packs import write_packs

        form = context.op_config
        period = context.partition_key[:4] if form["annual"] else context.partition_key
        kinds = [name.strip() for name in form["only"].split(",") if name.strip()]
        try:
            built = write_packs(mel.warehouse, mel.settings, period, kinds)
        except MelError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from None
        for note in built.notes:
            context.log.warning(note)
        names = [path.relative_to(built.folder).as_posix() for path in built.files]
        links = [
            f"[{name}](/drafts/packs/{period}/{name})" for name in names if not name.endswith((".png", ".md"))
        ]
        context.add_output_metadata(
            {
                "open": dg.MetadataValue.md("\n".join(f"- {link}" for link in links)),
                "folder": dg.MetadataValue.path(str(built.folder)),
                "files": len(names),
                "missing": dg.MetadataValue.md(as_list(built.notes) or "nothing"),
            }
        )

    @dg.job(
        name="make_packs",
        tags={DOES: "packs", **FOR_OPERATORS},
        config=filled_form("write_packs_of_quarter", PACK_FORM, partitions),
        description="Board deck (PPTX), a report to each donor (DOCX, XLSX), IATI and pictures for social media, from"
        " released figures alone. Of an unpublished quarter they are marked as provisional.",
    )
    def make_packs() -> None:
        write_packs_of_quarter()

    return make_packs


def _recall_job(partitions: dg.StaticPartitionsDefinition) -> dg.JobDefinition:
    @dg.op(config_schema=RECALL_FORM, description="Mark the edition, write to its receivers.")
    def recall_published_edition(context: dg.OpExecutionContext, mel: Mel) -> None:
        from mel_pipeline.core.errors import MelError
        from mel_pipeline.core.logins import acting_lead
        from mel_pipeline.delivery.recalling import recall_edition

        quarter, form = Quarter.parse(context.partition_key), context.op_config
        try:
            by = acting_lead(mel.settings, context.run.tags)
            done = recall_edition(mel.warehouse, mel.settings, quarter, form["role"], form["reason"], by)
        except MelError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from None
        context.log.info(done.sentence)
        for note in done.notes:
            context.log.warning(note)
        context.add_output_metadata({"recalled": done.sentence, "receivers written to": done.told})

    @dg.job(
        name="recall_quarter",
        tags={DOES: "recall"},
        config=filled_form("recall_published_edition", RECALL_FORM, partitions),
        description="Take back a published edition that is wrong: its pages, files and the site are marked, everyone who"
        " received it is written to, and the ledger says why and by which role. Then publish a restated version.",
    )
    def recall_quarter() -> None:
        recall_published_edition()

    return recall_quarter
