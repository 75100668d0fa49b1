"""Charts and report pages as assets. Reads figures and dimensions, hands frames to reporting."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dagster as dg

from mel_pipeline.core.languages import BASE
from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.core.settings import Settings
from mel_pipeline.defs.context import REPORT, Mel, quarter_partitions, year_partitions
from mel_pipeline.defs.ranges import TOGETHER, Made, for_each, made, quarters_of, together
from mel_pipeline.transform.catalogue import Indicator, catalogue_of

if TYPE_CHECKING:
    from pathlib import Path

    from mel_pipeline.reporting import BuiltEdition, ChartFile, Edition

PAGE = "quarterly_report"
COMPLETE = "languages_are_complete"
READS = ["released_figures", "dim_indicator", "dim_target", "dim_translation"]


def build(settings: Settings) -> dg.Definitions:
    catalogue = catalogue_of(settings)
    quarters, years = quarter_partitions(settings), year_partitions(settings)
    drawn = [indicator for indicator in catalogue.indicators if indicator.is_drawn]
    closing = {f"{year}-Q4": year for year in years.get_partition_keys()}
    closing = {quarter: year for quarter, year in closing.items() if quarters.has_partition_key(quarter)}
    return dg.Definitions(assets=[_quarterly(drawn, quarters), _annual_report(years, closing)])


def chart_name(indicator: Indicator) -> str:
    """``chart_member_cities``: a readable name in characters Dagster accepts."""
    return "chart_" + "_".join(re.findall(r"[a-z0-9]+", normalize_text(indicator.name.en)))


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
                description="What leadership reads for one quarter, in every configured language: a page that opens"
                " anywhere, PDF, workbook, open data. Metadata links to all of them."
                "\n\n*If it fails:* read its message. A quarter has to be calculated before it can be reported"
                " (job `nightly` or `figures_only`).",
            ),
        ],
        check_specs=[_languages_check(PAGE)],
        partitions_def=partitions,
        backfill_policy=TOGETHER,
        can_subset=True,
    )
    def write(context: dg.AssetExecutionContext, mel: Mel) -> Iterator[Made]:
        selected = {key.to_user_string() for key in context.selected_asset_keys}
        numbers = {name: by_name[name].id for name in sorted(selected - {PAGE})}
        written = yield from for_each(
            quarters_of(context, mel.settings),
            lambda quarter: _write_quarter(context, mel, str(quarter), numbers, with_page=PAGE in selected),
            lambda quarter, assets: [
                dg.AssetMaterialization(name, metadata=metadata, partition=str(quarter))
                for name, metadata in assets.metadata.items()
            ],
        )
        for name in next(iter(written.values())).metadata:
            checks: list[dg.AssetCheckResult] = []
            if name == PAGE and context.selected_asset_check_keys:
                checks = [together({quarter: assets.checks[0] for quarter, assets in written.items()})]
            yield made(
                context, {quarter: assets.metadata[name] for quarter, assets in written.items()}, checks, name
            )

    return write


@dataclass
class _Written:
    """Metadata by asset, the page first."""

    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    checks: list[dg.AssetCheckResult] = field(default_factory=list)


def _write_quarter(
    context: dg.AssetExecutionContext, mel: Mel, period: str, charts: dict[str, str], *, with_page: bool
) -> _Written:
    """Page and charts of a quarter. ``charts``: indicator by name of the asset."""
    from mel_pipeline.reporting import cache, draw_chart
    from mel_pipeline.reporting.inputs.editions import write_edition
    from mel_pipeline.reporting.inputs.folders import editions_dir

    settings = mel.settings
    edition = mel.edition(period)
    folder = editions_dir(settings, published=edition.publication is not None)
    drawn: dict[str, ChartFile] = {}
    written = _Written()
    if with_page:
        built = write_edition(edition, settings)
        drawn = {chart.indicator_id: chart for chart in built.reports[BASE].charts}
        written.metadata[PAGE] = _page_metadata(built, edition)
        written.checks = _checks(context, built)
    for name, number in charts.items():
        with cache.using(settings.pictures_dir):
            chart = drawn.get(number) or draw_chart(edition, number, folder, settings.report_sources, BASE)
            written.metadata[name] = _chart_metadata(chart)
    return written


def _chart_spec(name: str, indicator: Indicator) -> dg.AssetSpec:
    return dg.AssetSpec(
        name,
        deps=READS,
        group_name=REPORT,
        kinds={"matplotlib"},
        owners=["team:mel"],
        description=f"{indicator.name.en} ({indicator.id}) as a picture: SVG for the page, PNG for slides."
        f"\n\n{indicator.definition.en}",
    )


def _chart_metadata(chart: "ChartFile") -> dict[str, Any]:
    from mel_pipeline.reporting import chart_preview

    return {
        "chart": dg.MetadataValue.md(chart_preview(chart.png)),
        "what it shows": chart.alt,
        "file": dg.MetadataValue.path(str(chart.png)),
    }


def _languages_check(page: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        COMPLETE,
        asset=page,
        description="Every configured language has all its texts. One that has not is left out: an edition is never"
        " half in English.",
    )


def _checks(context: dg.AssetExecutionContext, built: "BuiltEdition") -> list[dg.AssetCheckResult]:
    return [
        dg.AssetCheckResult(
            check_name=key.name,
            asset_key=key.asset_key,
            passed=not built.refused,
            severity=dg.AssetCheckSeverity.WARN,
            description=" ".join(built.refused.values()) or "Every configured language is complete.",
        )
        for key in context.selected_asset_check_keys
    ]


def _page_metadata(built: "BuiltEdition", edition: "Edition") -> dict[str, Any]:
    from mel_pipeline.reporting.text.languages import language_name

    address = f"/{'reports' if edition.publication else 'drafts'}/{edition.period}"
    pages = {
        f"page in {language_name(language)}": dg.MetadataValue.url(f"{address}/{report.page.name}")
        for language, report in built.reports.items()
    }
    others = [f"- [{path.name}]({address}/{path.relative_to(_folder(built))})" for path in built.files]
    untranslated = [
        f"{language_name(language)}: {text}"
        for language, report in built.reports.items()
        for text in report.untranslated
    ]
    return {
        **pages,
        "other formats": dg.MetadataValue.md("\n".join(others) or "none"),
        "folder": dg.MetadataValue.path(str(_folder(built))),
        "figures in it": int((edition.figures["period"] == edition.period).sum()),
        "not translated": dg.MetadataValue.md("\n".join(f"- {line}" for line in untranslated) or "nothing"),
    }


def _folder(built: "BuiltEdition") -> "Path":
    return built.reports[BASE].page.parent


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
                description="The annual edition, in every configured language. Figures of the year are counted over"
                " the year, not added up from quarters.\n\n*If it fails:* read its message. The fourth quarter"
                " has to be calculated first (job `backfill_year` runs a whole year).",
            )
        ],
        check_specs=[_languages_check("annual_report")],
        partitions_def=years,
    )
    def write(context: dg.AssetExecutionContext, mel: Mel) -> Iterator[dg.MaterializeResult[None]]:
        from mel_pipeline.reporting.inputs.editions import write_edition

        edition = mel.edition(context.partition_key)
        built = write_edition(edition, mel.settings)
        yield dg.MaterializeResult(
            metadata=_page_metadata(built, edition), check_results=_checks(context, built)
        )

    return write
