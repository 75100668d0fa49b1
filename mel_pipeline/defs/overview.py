"""The asset to look at first: everything that is to be known about a quarter, as text with links. Decides nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from mel_pipeline.core.settings import Settings
from mel_pipeline.defs.context import MOST_LINES, OVERVIEW, Mel, quarter_partitions
from mel_pipeline.defs.publication import TABLE
from mel_pipeline.defs.ranges import TOGETHER, Made, for_each, made, quarters_of
from mel_pipeline.defs.report import chart_name
from mel_pipeline.transform.catalogue import catalogue_of

if TYPE_CHECKING:
    from mel_pipeline.core.periods import Quarter
    from mel_pipeline.reporting.inputs.overview import Overview

ASSET = "quarter_overview"
TEXT, TOTALS = "overview", "totals"
PUBLISH = "/locations/mel/jobs/publish_quarter/playground"
NOTHING = "Nothing."


def build(settings: Settings) -> dg.Definitions:
    return dg.Definitions(assets=[_overview(quarter_partitions(settings))])


def _overview(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=ASSET,
        specs=[
            dg.AssetSpec(
                ASSET,
                deps=[TABLE],
                group_name=OVERVIEW,
                kinds={"markdown"},
                owners=["team:mel"],
                description="Look here first. One page for each quarter: the report in each language, what stands"
                " against publishing, sources that are late or down, rows in quarantine, attendance lists without"
                " their event, figures worth a look and what changed since the last run, each with the link that"
                " leads on. Choose the quarter under Partitions, or open the latest materialization, and read"
                " `overview`.",
            )
        ],
        partitions_def=partitions,
        backfill_policy=TOGETHER,
    )
    def quarter_overview(context: dg.AssetExecutionContext, mel: Mel) -> Iterator[Made]:
        written = yield from for_each(
            quarters_of(context, mel.settings),
            lambda quarter: _written(context.instance, mel, quarter),
            lambda quarter, metadata: [
                dg.AssetMaterialization(ASSET, metadata=metadata, partition=str(quarter))
            ],
        )
        yield made(context, written)

    return quarter_overview


def _written(instance: dg.DagsterInstance, mel: Mel, quarter: "Quarter") -> dict[str, Any]:
    from mel_pipeline.reporting.inputs.overview import read_overview

    overview = read_overview(mel.warehouse, mel.settings, quarter)
    before = last_totals(instance, str(quarter))
    drawn = (indicator for indicator in catalogue_of(mel.settings).indicators if indicator.is_drawn)
    charts = {indicator.id: chart_name(indicator) for indicator in drawn}
    return {
        TEXT: dg.MetadataValue.md(overview_text(overview, before, charts)),
        TOTALS: dg.MetadataValue.json(dict(overview.totals)),
    }


def last_totals(instance: dg.DagsterInstance, quarter: str) -> dict[str, str] | None:
    """The totals of the overview before; None if there is none."""
    wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey(ASSET), asset_partitions=[quarter])
    found = instance.fetch_materializations(wanted, limit=1).records
    event = found[0].asset_materialization if found else None
    totals = event.metadata.get(TOTALS) if event else None
    return dict(totals.data) if isinstance(totals, dg.JsonMetadataValue) and totals.data else None


def overview_text(overview: "Overview", before: Mapping[str, str] | None, charts: Mapping[str, str]) -> str:
    """The overview as Markdown.

    Args:
        charts: the asset of the chart, by indicator.
        before: totals of the overview before, by indicator.
    """
    folder = "reports" if overview.is_published else "drafts"
    pages = [f"[{name}](/{folder}/{overview.quarter}/{page})" for name, page in overview.pages.items()]
    parts = {
        "Report": " · ".join(pages),
        "Publishing": _publishing(overview),
        "Sources late or down": _listed(overview.sources),
        "Rows and cells in quarantine": _quarantine(overview.quarantined),
        "Attendance lists without their event": _lists(overview.lists),
        "Figures worth a look": _flagged(overview.flagged, charts),
        "Changed since the last run": _changes(overview.totals, before),
        "Due": _listed(overview.owed) + ("\n\n[Workbook](/workbook)" if overview.owed else ""),
    }
    if overview.comments:
        parts["Open comments"] = f"{_listed(overview.comments)}\n\n[Code comments](/workbook)"
    return "\n\n".join(
        [f"# {overview.quarter}", *(f"**{title}**\n\n{text}" for title, text in parts.items())]
    )


def _publishing(overview: "Overview") -> str:
    if overview.obstacles:
        return f"{_listed(overview.obstacles)}\n\n[Public figures](/assets/{TABLE})"
    return overview.sentence if overview.is_published else f"{overview.sentence} [Publish it]({PUBLISH})"


def _lists(sentences: Sequence[str]) -> str:
    """Lists that count nowhere, with what to do; none is the rule."""
    if not sentences:
        return NOTHING
    return (
        f"Nobody on them counts.\n\n{_listed(sentences)}\n\n[Choose their event](/workbook#lists), or"
        " correct the day of the list, or of the event in the CRM."
    )


def _flagged(flagged: Sequence[tuple[str, str]], charts: Mapping[str, str]) -> str:
    return _listed(
        [
            f"{sentence} [Chart](/assets/{charts[number]})" if number in charts else sentence
            for number, sentence in flagged
        ]
    )


def _quarantine(tables: Mapping[str, Sequence[str]]) -> str:
    parts = [
        f"[{table}](/assets/{table}): {len(lines):,}\n\n{_listed(lines)}" for table, lines in tables.items()
    ]
    return "\n\n".join(parts) or NOTHING


def _changes(now: Mapping[str, str], before: Mapping[str, str] | None) -> str:
    if before is None:
        return "This is the first overview of the quarter."
    return _listed(
        [
            f"{name}: {before.get(name, 'new')} → {now.get(name, 'gone')}"
            for name in dict.fromkeys([*now, *before])
            if now.get(name) != before.get(name)
        ]
    )


def _listed(sentences: Sequence[str]) -> str:
    lines = [f"- {sentence}" for sentence in sentences[:MOST_LINES]]
    rest = len(sentences) - MOST_LINES
    return "\n".join([*lines, *([f"- and {rest:,} more."] if rest > 0 else [])]) or NOTHING
