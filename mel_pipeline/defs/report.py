"""Charts and report pages as assets. Reads figures and dimensions, hands frames to reporting."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from mel_pipeline.catalogue import Indicator, load_catalogue
from mel_pipeline.defs.context import REPORT, Mel, quarter_partitions, year_partitions
from mel_pipeline.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from mel_pipeline.reporting import ChartFile, Edition

LANGUAGE = "en"
PAGE = "quarterly_report"
READS = ["released_figures", "dim_indicator", "dim_target"]


def build(settings: Settings) -> dg.Definitions:
    catalogue = load_catalogue(settings.sql_dir)
    quarters, years = quarter_partitions(settings), year_partitions(settings)
    headline = [indicator for indicator in catalogue.indicators if indicator.headline]
    closing = {f"{year}-Q4": year for year in years.get_partition_keys()}
    closing = {quarter: year for quarter, year in closing.items() if quarters.has_partition_key(quarter)}
    return dg.Definitions(assets=[_quarterly(headline, quarters), _annual_report(years, closing)])


def chart_name(indicator: Indicator) -> str:
    return f"chart_{indicator.id.lower().replace('-', '_')}"


def _quarterly(indicators: list[Indicator], partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """Charts and page of a quarter in one step: the page needs the charts, so each is drawn once."""
    by_name = {chart_name(indicator): indicator for indicator in indicators}

    @dg.multi_asset(
        name="write_quarterly_report",
        specs=[
            *[_chart_spec(name, indicator) for name, indicator in by_name.items()],
            dg.AssetSpec(
                PAGE,
                deps=READS,
                group_name=REPORT,
                kinds={"html"},
                owners=["team:mel"],
                description="The page leadership reads for one quarter: headline figures, charts, definitions,"
                " data quality. One file that opens anywhere and prints on A4.",
            ),
        ],
        partitions_def=partitions,
        can_subset=True,
    )
    def write(context: dg.AssetExecutionContext, mel: Mel) -> Iterator[dg.MaterializeResult[None]]:
        from mel_pipeline.editions import read_edition
        from mel_pipeline.reporting import build_report_and_charts, draw_chart

        settings = mel.settings
        edition = read_edition(mel.warehouse, settings, context.partition_key)
        places = settings.published_dir, settings.report_sources, LANGUAGE
        selected = {key.to_user_string() for key in context.selected_asset_keys}
        drawn: dict[str, ChartFile] = {}
        if PAGE in selected:
            built = build_report_and_charts(edition, *places)
            drawn = {chart.indicator_id: chart for chart in built.charts}
            yield dg.MaterializeResult(asset_key=PAGE, metadata=_page_metadata(built.page, edition))
        for name in sorted(selected - {PAGE}):
            number = by_name[name].id
            chart = drawn.get(number) or draw_chart(edition, number, *places)
            yield dg.MaterializeResult(asset_key=name, metadata=_chart_metadata(chart))

    return write


def _chart_spec(name: str, indicator: Indicator) -> dg.AssetSpec:
    return dg.AssetSpec(
        name,
        deps=READS,
        group_name=REPORT,
        kinds={"matplotlib"},
        owners=["team:mel"],
        description=f"**{indicator.name.en}** as a chart (SVG for the page, PNG for slides).",
    )


def _chart_metadata(chart: "ChartFile") -> dict[str, Any]:
    from mel_pipeline.reporting import chart_preview

    return {
        "chart": dg.MetadataValue.md(chart_preview(chart.png)),
        "what it shows": chart.alt,
        "file": dg.MetadataValue.path(str(chart.png)),
    }


def _page_metadata(page: "Path", edition: "Edition") -> dict[str, Any]:
    return {
        "report": dg.MetadataValue.path(str(page)),
        "open": dg.MetadataValue.url(page.resolve().as_uri()),
        "figures": int((edition.figures["period"] == edition.period).sum()),
    }


def _annual_report(years: dg.StaticPartitionsDefinition, closing: dict[str, str]) -> dg.AssetsDefinition:
    figures = dg.AssetDep("released_figures", partition_mapping=dg.StaticPartitionMapping(closing))

    @dg.multi_asset(
        name="write_annual_report",
        specs=[
            dg.AssetSpec(
                "annual_report",
                deps=[figures, *READS[1:]],
                group_name=REPORT,
                kinds={"html"},
                owners=["team:mel"],
                description="The annual edition. Figures of the year are counted over the year, not added up"
                " from quarters. Run it once the fourth quarter has been calculated.",
            )
        ],
        partitions_def=years,
    )
    def write(context: dg.AssetExecutionContext, mel: Mel) -> dg.MaterializeResult[None]:
        from mel_pipeline.editions import read_edition
        from mel_pipeline.reporting import build_report

        settings = mel.settings
        edition = read_edition(mel.warehouse, settings, context.partition_key)
        page = build_report(edition, settings.published_dir, settings.report_sources, LANGUAGE)
        return dg.MaterializeResult(metadata=_page_metadata(page, edition))

    return write
