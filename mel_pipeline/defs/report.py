"""Charts and report pages as assets. Reads figures and dimensions, hands frames to reporting."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg

from mel_pipeline.catalogue import Indicator, load_catalogue
from mel_pipeline.defs.context import REPORT, Mel, quarter_of, quarter_partitions, year_partitions
from mel_pipeline.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

LANGUAGE = "en"


def build(settings: Settings) -> dg.Definitions:
    catalogue = load_catalogue(settings.sql_dir)
    quarters, years = quarter_partitions(settings), year_partitions(settings)
    headline = [indicator for indicator in catalogue.indicators if indicator.headline]
    closing = {f"{year}-Q4": year for year in years.get_partition_keys()}
    closing = {quarter: year for quarter, year in closing.items() if quarters.has_partition_key(quarter)}
    return dg.Definitions(
        assets=[_charts(headline, quarters), _quarterly_report(quarters), _annual_report(years, closing)]
    )


def chart_name(indicator: Indicator) -> str:
    return f"chart_{indicator.id.lower().replace('-', '_')}"


def _charts(indicators: list[Indicator], partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    by_name = {chart_name(indicator): indicator for indicator in indicators}

    @dg.multi_asset(
        name="draw_charts",
        specs=[
            dg.AssetSpec(
                name,
                deps=["indicator_values", "dim_indicator", "dim_target"],
                group_name=REPORT,
                kinds={"matplotlib"},
                owners=["team:mel"],
                description=f"**{indicator.name.en}** as a chart (SVG for the page, PNG for slides).",
            )
            for name, indicator in by_name.items()
        ],
        partitions_def=partitions,
        can_subset=True,
    )
    def charts(context: dg.AssetExecutionContext, mel: Mel) -> Iterator[dg.MaterializeResult[None]]:
        from mel_pipeline.editions import read_edition
        from mel_pipeline.reporting import chart_preview, draw_chart

        settings = mel.settings
        edition = read_edition(mel.warehouse, settings, str(quarter_of(context, settings)))
        for key in sorted(context.selected_asset_keys):
            name = key.to_user_string()
            chart = draw_chart(
                edition, by_name[name].id, settings.published_dir, settings.report_sources, LANGUAGE
            )
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={
                    "chart": dg.MetadataValue.md(chart_preview(chart.png)),
                    "what it shows": chart.alt,
                    "file": dg.MetadataValue.path(str(chart.png)),
                },
            )

    return charts


def _quarterly_report(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    spec = dg.AssetSpec(
        "quarterly_report",
        deps=["indicator_values", "dim_indicator", "dim_target"],
        description="The page leadership reads for one quarter: headline figures, charts, definitions, data"
        " quality. One file that opens anywhere and prints on A4.",
    )
    return _report("write_quarterly_report", spec, partitions)


def _annual_report(years: dg.StaticPartitionsDefinition, closing: dict[str, str]) -> dg.AssetsDefinition:
    figures = dg.AssetDep("indicator_values", partition_mapping=dg.StaticPartitionMapping(closing))
    spec = dg.AssetSpec(
        "annual_report",
        deps=[figures, "dim_indicator", "dim_target"],
        description="The annual edition. Figures of the year are counted over the year, not added up from"
        " quarters. Run it once the fourth quarter has been calculated.",
    )
    return _report("write_annual_report", spec, years)


def _report(step: str, spec: dg.AssetSpec, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """A page as an asset; the step has a name of its own because a job is called like the asset."""

    @dg.multi_asset(
        name=step,
        specs=[spec.replace_attributes(group_name=REPORT, kinds={"html"}, owners=["team:mel"])],
        partitions_def=partitions,
    )
    def write(context: dg.AssetExecutionContext, mel: Mel) -> dg.MaterializeResult[None]:
        return _built(mel, context.partition_key)

    return write


def _built(mel: Mel, period: str) -> dg.MaterializeResult[None]:
    from mel_pipeline.editions import read_edition
    from mel_pipeline.reporting import build_report

    settings = mel.settings
    edition = read_edition(mel.warehouse, settings, period)
    page: Path = build_report(edition, settings.published_dir, settings.report_sources, LANGUAGE)
    return dg.MaterializeResult(
        metadata={
            "report": dg.MetadataValue.path(str(page)),
            "open": dg.MetadataValue.url(page.resolve().as_uri()),
            "figures": int((edition.figures["period"] == period).sum()),
        }
    )
