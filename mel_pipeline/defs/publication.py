"""Figures as anybody may see them, and the job that publishes a quarter. The rules live in ``publication``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from mel_pipeline.defs.context import CALCULATE, DOES, Mel, quarter_of, quarter_partitions
from mel_pipeline.settings import Settings

if TYPE_CHECKING:
    from mel_pipeline.publication.restatement import Difference

TABLE = "released_figures"
PROTECTED, HOLD, READY = "small_groups_are_protected", "published_figures_hold", "quarter_can_be_published"
PLAUSIBLE = "figures_are_plausible"
MOST_LINES = 10


def build(settings: Settings) -> dg.Definitions:
    partitions = quarter_partitions(settings)
    return dg.Definitions(assets=[_released(partitions)], jobs=[_publish_job(partitions)])


def _released(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    @dg.asset(
        name=TABLE,
        deps=["indicator_values", "dim_indicator", "earlier_quarters"],
        group_name=CALCULATE,
        kinds={"table"},
        owners=["team:mel"],
        partitions_def=partitions,
        description="The figures as anybody may see them: those about few people withheld, with as many others as it"
        " takes to keep them from being worked out; published quarters exactly as they were published. Every"
        " report, chart and list reads this table.",
        check_specs=[
            dg.AssetCheckSpec(
                PROTECTED, asset=TABLE, description="No withheld figure can be worked out from others."
            ),
            dg.AssetCheckSpec(
                HOLD,
                asset=TABLE,
                description="The data still give what was published. Warns with the differences and reasons.",
            ),
            dg.AssetCheckSpec(
                PLAUSIBLE,
                asset=TABLE,
                description="Totals against the quarter before, the year before, their bounds and their series.",
            ),
            dg.AssetCheckSpec(
                READY, asset=TABLE, description="What stands against publishing the quarter, if it has ended."
            ),
        ],
    )
    def released_figures(context: dg.AssetExecutionContext, mel: Mel) -> Iterator[dg.MaterializeResult[None]]:
        from mel_pipeline.publication.publishing import check
        from mel_pipeline.publication.release import release
        from mel_pipeline.publication.restatement import update

        quarter = quarter_of(context, mel.settings)
        done = release(mel.warehouse, mel.settings)
        differences = update(mel.warehouse, mel.settings, str(quarter))
        look = _worth_a_look(mel, str(quarter))
        standing = check(mel.warehouse, mel.settings, quarter)
        ready = not standing.obstacles or standing.obstacles[0].key == "open"
        yield dg.MaterializeResult(
            metadata={
                "dagster/row_count": done.figures,
                "withheld": done.withheld,
                "state": standing.state,
                "version": standing.version,
            },
            check_results=[
                _check(
                    PROTECTED,
                    list(done.unprotected),
                    f"{done.withheld:,} of {done.figures:,} figures withheld.",
                ),
                _check(HOLD, _told(differences), "Nothing published differs from what the data give."),
                _check(PLAUSIBLE, look, "No total is out of line with earlier quarters."),
                _check(READY, [] if ready else [standing.sentence], standing.sentence),
            ],
        )

    return released_figures


def _worth_a_look(mel: Mel, quarter: str) -> list[str]:
    """Totals of the quarter that somebody should look at; kept with the other outcomes."""
    from mel_pipeline.catalogue import load_catalogue
    from mel_pipeline.plausibility import flags
    from mel_pipeline.quality.results import RuleResult
    from mel_pipeline.quality_log import note_results

    series: dict[str, dict[str, float]] = {}
    # Only quarters with the same coverage: what is not counted, as the notes say, has to be the same.
    for row in mel.warehouse.records(
        "select f.indicator_id, f.period, f.value from released_figures f join released_figures q"
        " on q.indicator_id = f.indicator_id and q.period = :quarter and q.dimension = 'total'"
        " where f.dimension = 'total' and f.grain = 'quarter' and f.value is not null"
        " and f.note is not distinct from q.note",
        {"quarter": quarter},
    ):
        series.setdefault(row["indicator_id"], {})[row["period"]] = row["value"]
    found = [
        flag
        for indicator in load_catalogue(mel.settings.sql_dir).indicators
        for flag in flags(indicator, series.get(indicator.id, {}), quarter)
    ]
    rules = [
        (TABLE, RuleResult(f"{flag.indicator_id} {flag.rule}", "precision", "warn", False, flag.sentence))
        for flag in found
    ]
    plain = RuleResult(
        PLAUSIBLE, "precision", "warn", not found, f"{len(found)} totals of {quarter} are out of line."
    )
    note_results(mel.warehouse, [(TABLE, plain), *rules], quarter=quarter)
    return [flag.sentence for flag in found]


def _check(name: str, broken: list[str], well: str) -> dg.AssetCheckResult:
    lines = broken[:MOST_LINES]
    if len(broken) > MOST_LINES:
        lines.append(f"... and {len(broken) - MOST_LINES:,} more.")
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=TABLE,
        passed=not broken,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(lines) or well,
    )


def _told(differences: "list[Difference]") -> list[str]:
    return [difference.sentence for difference in differences]


class Approval(dg.Config):
    """Who approves, as a role, and what they want to be known."""

    approver_role: str = Field(
        "", description="Role of whoever approves, such as Secretary General: never a name."
    )
    note: str = Field("", description="What they want to be known.")
    without: dict[str, str] = Field(
        default_factory=dict, description="Missing sources the quarter can do without: source and reason."
    )


def _publish_job(partitions: dg.StaticPartitionsDefinition) -> dg.JobDefinition:
    @dg.op(
        description="Freeze the figures of the quarter. Give the role of whoever approves (never a name) and a note;"
        " under `without`, sources that are missing with the reason why the quarter can do without them."
    )
    def publish_figures(context: dg.OpExecutionContext, config: Approval, mel: Mel) -> None:
        from mel_pipeline.errors import PublicationError
        from mel_pipeline.periods import Quarter
        from mel_pipeline.publication.publishing import approve, publish
        from mel_pipeline.publication.release import release

        quarter = Quarter.parse(context.partition_key)
        try:
            approve(mel.warehouse, mel.settings, quarter, config.approver_role, config.note, config.without)
            entry = publish(mel.warehouse, mel.settings, quarter)
        except PublicationError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from error
        release(mel.warehouse, mel.settings)
        context.log.info(f"{quarter} is published, version {entry.version}.")

    @dg.static_partitioned_config(partition_keys=partitions.get_partition_keys())
    def form(partition_key: str) -> dict[str, Any]:  # noqa: ARG001 - the form is the same for every quarter
        empty = {"approver_role": "", "note": "", "without": {}}
        return {"ops": {"publish_figures": {"config": empty}}}

    @dg.job(
        name="publish_quarter",
        run_tags={DOES: "publish"},
        config=form,
        description="Approve and publish one quarter: its figures are frozen, and later runs never change them"
        " silently. Refuses, with the reasons, while something stands against it.",
    )
    def publish_quarter() -> None:
        publish_figures()

    return publish_quarter
