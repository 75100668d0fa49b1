"""Public figures, and the job that publishes a quarter. The rules are in ``publication``."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.defs.context import (
    CALCULATE,
    DOES,
    Mel,
    as_list,
    filled_form,
    quarter_partitions,
)
from mel_pipeline.defs.ranges import TOGETHER, Made, for_each, made, quarters_of, together

if TYPE_CHECKING:
    from mel_pipeline.publication.restatement import Difference
    from mel_pipeline.quality.anomalies import Total
    from mel_pipeline.transform.catalogue import Indicator

TABLE = "released_figures"
PLAUSIBLE = "figures_are_plausible"  # as in quality.scorecard, which a definition load need not import
PROTECTED, HOLD, READY = "small_groups_are_protected", "published_figures_hold", "quarter_can_be_published"


def build(settings: Settings) -> dg.Definitions:
    partitions = quarter_partitions(settings)
    return dg.Definitions(assets=[_released(partitions)], jobs=[_publish_job(partitions)])


def _released(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=TABLE,
        specs=[
            dg.AssetSpec(
                TABLE,
                deps=["indicator_values", "disclosure_people", "dim_indicator", "earlier_quarters"],
                group_name=CALCULATE,
                kinds={"table"},
                owners=["team:mel"],
                description="The public figures: those about few people withheld, with as many others as needed"
                " to keep them from being derived; published quarters exactly as they were published. Every"
                " report, chart and list reads this table.\n\n*If a check warns:* read its message. Nothing is"
                " stopped; `quarter_can_be_published` lists the obstacles to publishing.",
            )
        ],
        partitions_def=partitions,
        backfill_policy=TOGETHER,
        check_specs=[
            dg.AssetCheckSpec(
                PROTECTED,
                asset=TABLE,
                description="No withheld figure can be derived from others. Warns with those that can.",
            ),
            dg.AssetCheckSpec(
                HOLD,
                asset=TABLE,
                description="The data still give what was published. Warns with the differences and reasons.",
            ),
            dg.AssetCheckSpec(
                PLAUSIBLE,
                asset=TABLE,
                description="No total is far from the quarter before, the year before or its own series. Warns"
                " with what to look at.",
            ),
            dg.AssetCheckSpec(
                READY,
                asset=TABLE,
                description="There are no obstacles to publishing the quarter, if it has ended. Warns with the obstacles.",
            ),
        ],
    )
    def released_figures(context: dg.AssetExecutionContext, mel: Mel) -> Iterator[Made]:
        from mel_pipeline.publication.release import release

        done = release(mel.warehouse, mel.settings)
        counts = {"dagster/row_count": done.figures, "withheld figures": done.withheld}
        states = yield from for_each(
            quarters_of(context, mel.settings),
            lambda quarter: _follow_up(mel, quarter),
            lambda quarter, state: [
                dg.AssetMaterialization(TABLE, metadata={**counts, **state.metadata}, partition=str(quarter))
            ],
        )
        protected = _check(
            PROTECTED, list(done.unprotected), f"{done.withheld:,} of {done.figures:,} figures withheld."
        )
        checks = [
            together({quarter: state.checks[number] for quarter, state in states.items()})
            for number in range(3)
        ]
        metadata = {quarter: {**counts, **state.metadata} for quarter, state in states.items()}
        yield made(context, metadata, [protected, *checks])

    return released_figures


@dataclass(frozen=True)
class _State:
    """A quarter whose public figures are there."""

    metadata: dict[str, str | int]
    checks: tuple[dg.AssetCheckResult, ...]


def _follow_up(mel: Mel, quarter: Quarter) -> _State:
    """Bring the ledger of a quarter up to date, and look at its figures."""
    from mel_pipeline.publication.publishing import check
    from mel_pipeline.publication.restatement import update
    from mel_pipeline.publication.settled import settle
    from mel_pipeline.reporting.inputs.publishing import keep_editions

    keep_editions(mel.warehouse, mel.settings, quarter)
    differences = update(mel.warehouse, mel.settings, str(quarter))
    settle(mel.warehouse, str(quarter))
    look = _worth_a_look(mel, str(quarter))
    status = check(mel.warehouse, mel.settings, quarter)
    ready = not status.obstacles or status.obstacles[0].key == "open"
    return _State(
        {"state": status.state, "published version": status.version or "none yet"},
        (
            _check(HOLD, _sentences(differences), "Nothing published differs from what the data give."),
            _check(PLAUSIBLE, look, "No total is out of line with earlier quarters."),
            _check(READY, [] if ready else [status.sentence], status.sentence),
        ),
    )


def _worth_a_look(mel: Mel, quarter: str) -> list[str]:
    """Totals of the quarter worth a look; stored with the other outcomes."""
    from mel_pipeline.quality.anomalies import flags
    from mel_pipeline.quality.results import PLAUSIBILITY, RuleResult
    from mel_pipeline.quality.results_log import note_results
    from mel_pipeline.transform.catalogue import catalogue_of

    found = [
        flag
        for indicator in catalogue_of(mel.settings).indicators
        for flag in flags(indicator, _comparable_totals(mel, indicator, quarter), quarter)
    ]
    rules = [
        (TABLE, RuleResult(f"{flag.indicator_id} {flag.rule}", PLAUSIBILITY, "warn", False, flag.sentence))
        for flag in found
    ]
    plain = RuleResult(
        PLAUSIBLE, PLAUSIBILITY, "warn", not found, f"{len(found)} totals of {quarter} are out of line."
    )
    note_results(mel.warehouse, [(TABLE, plain), *rules], quarter=quarter)
    return [flag.sentence for flag in found]


def _comparable_totals(mel: Mel, indicator: "Indicator", quarter: str) -> "dict[str, Total]":
    from mel_pipeline.quality.comparable import Cell, comparable

    cells: dict[str, dict[str, dict[str, Cell]]] = {"total": {}, indicator.parts or "": {}}
    for row in mel.warehouse.records(
        "select dimension, category, period, value, numerator, denominator, n, expected, covered from released_figures"
        " where indicator_id = :indicator and grain = 'quarter' and dimension in ('total', :parts)",
        {"indicator": indicator.id, "parts": indicator.parts or "total"},
    ):
        names = ("value", "numerator", "denominator", "n", "expected", "covered")
        cell = Cell(*(row[name] for name in names))
        cells[row["dimension"]].setdefault(row["period"], {})[row["category"] or ""] = cell
    totals = {period: of[""] for period, of in cells["total"].items()}
    return comparable(
        totals,
        cells[indicator.parts or ""],
        quarter,
        unit=indicator.unit,
        can_be_added=indicator.aggregation != "distinct",
    )


def _check(name: str, broken: list[str], well: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=TABLE,
        passed=not broken,
        severity=dg.AssetCheckSeverity.WARN,
        description=as_list(broken) or well,
    )


def _sentences(differences: "list[Difference]") -> list[str]:
    return [difference.sentence for difference in differences]


FORM = {
    "approver_role": dg.Field(
        str,
        default_value="",
        description="Role of the approver, such as Secretary General: never a name.",
    ),
    "note": dg.Field(
        str, default_value="", description="The approver's note, such as: Checked with the regions."
    ),
    "without": dg.Field(
        str,
        default_value="",
        description="Missing sources the quarter can do without, each with the reason, such as"
        " linkedin=account closed in March; mailchimp=no longer used. Usually empty.",
    ),
}


def _publish_job(partitions: dg.StaticPartitionsDefinition) -> dg.JobDefinition:
    @dg.op(
        config_schema=FORM,
        description="Freeze the edition of the quarter: figures, targets, judgements, texts.",
    )
    def publish_figures(context: dg.OpExecutionContext, mel: Mel) -> None:
        from mel_pipeline.core.errors import PublicationError, ReportError
        from mel_pipeline.reporting.inputs.publishing import approve_edition, publish_edition

        quarter, form = Quarter.parse(context.partition_key), context.op_config
        try:
            without = _reasons(form["without"])
            approve_edition(
                mel.warehouse, mel.settings, quarter, form["approver_role"], form["note"], without
            )
            entry = publish_edition(mel.warehouse, mel.settings, quarter)
        except (PublicationError, ReportError) as error:
            raise dg.Failure(description=str(error), allow_retries=False) from None
        context.log.info(f"{quarter} is published, version {entry.version}.")

    @dg.job(
        name="publish_quarter",
        tags={DOES: "publish"},
        config=filled_form("publish_figures", FORM, partitions),
        description="Approve and publish one quarter: its edition is frozen, and later runs never change it"
        " silently. Refuses, with the reasons, while there are obstacles.",
    )
    def publish_quarter() -> None:
        publish_figures()

    return publish_quarter


def _reasons(text: str) -> dict[str, str]:
    """``linkedin=account closed; mailchimp=not used``: every source with its reason."""
    from mel_pipeline.core.errors import PublicationError

    pairs = [part.partition("=") for part in text.split(";") if part.strip()]
    if wrong := [name.strip() for name, _, reason in pairs if not reason.strip()]:
        raise PublicationError(
            f"Reading the field `without`: give {wrong[0]} a reason, such as"
            f" {wrong[0]}=account closed in March. Separate sources by a semicolon."
        )
    return {name.strip(): reason.strip() for name, _, reason in pairs}
