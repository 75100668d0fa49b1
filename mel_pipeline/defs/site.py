"""The reading site as an asset: rewritten at the end of every run that writes a report."""

import dagster as dg

from mel_pipeline.core.settings import Settings
from mel_pipeline.defs.context import REPORT, Mel

NAME = "reading_site"
READS = [
    "released_figures",
    "dim_indicator",
    "dim_target",
    "dim_line_of_action",
    "dim_translation",
    "dim_member",
    "dim_membership",
    "fct_participation",
    "fct_contribution",
    "fct_board_seat",
]
# It links to the files in the folder, so it runs after everything that writes there: the quarter's report by its edge. An
# edge from the annual edition would make Dagster ask "Are you sure?" before every run of a quarter, so a low priority
# makes it the last of the steps that are ready.
AFTER = ["quarterly_report"]
LAST = {"dagster/priority": "-1"}


def build(settings: Settings) -> dg.Definitions:  # noqa: ARG001 - every module of defs is built alike
    return dg.Definitions(assets=[reading_site])


@dg.asset(
    name=NAME,
    deps=[*READS, *AFTER],
    op_tags=LAST,
    group_name=REPORT,
    kinds={"html"},
    owners=["team:mel"],
    description="The entry to all published reports: every edition, a page per indicator and per city, with a search that"
    " needs no server. Opens from a file share; makes no network requests. One with all drafts is kept apart, for the MEL"
    " lead.\n\n*If it fails:* the previous site"
    " stays; read its message. `mel site` writes it at a terminal.",
)
def reading_site(mel: Mel) -> dg.MaterializeResult[None]:
    from mel_pipeline.reporting.inputs.site_data import write_site

    both = write_site(mel.warehouse, mel.settings)
    built, address = both.first, "/reports" if both.published else "/drafts"
    return dg.MaterializeResult(
        metadata={
            "open it": dg.MetadataValue.url(f"{address}/{built.index.name}"),
            "with drafts, for the MEL lead": dg.MetadataValue.url(f"/drafts/{both.drafts.index.name}"),
            "file": dg.MetadataValue.path(str(built.index)),
            "files": built.files,
            "files that changed": built.written,
            "files removed": built.removed,
        }
    )
