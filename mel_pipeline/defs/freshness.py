"""Two nightly checks: the sources are fresh, and the last quarter is complete."""

import dagster as dg

from mel_pipeline.core.settings import Settings
from mel_pipeline.defs.context import Mel, as_list
from mel_pipeline.defs.publication import TABLE
from mel_pipeline.defs.report import PAGE


def build(settings: Settings) -> dg.Definitions:  # noqa: ARG001 - as every module is built
    @dg.asset_check(
        asset=TABLE,
        name="sources_are_fresh",
        description="Every source in use was loaded within the days its contract allows.",
    )
    def sources_are_fresh(mel: Mel) -> dg.AssetCheckResult:
        from mel_pipeline.quality.freshness import late_sources

        return _result(late_sources(mel.warehouse), "Every source in use was loaded in time.")

    @dg.asset_check(
        asset=PAGE,
        name="last_quarter_is_there",
        description="The quarter that ended last has its figures and its report, some weeks after its end.",
    )
    def last_quarter_is_there(mel: Mel) -> dg.AssetCheckResult:
        from mel_pipeline.quality.freshness import last_quarter

        missing, sentence = last_quarter(mel.warehouse, mel.settings)
        return _result(missing, sentence)

    return dg.Definitions(asset_checks=[sources_are_fresh, last_quarter_is_there])


def _result(broken: list[str], well: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=not broken, severity=dg.AssetCheckSeverity.WARN, description=as_list(broken) or well
    )
