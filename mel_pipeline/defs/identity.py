"""The asset that matches answered cities with members, between the raw tables and the models."""

from collections.abc import Iterator

import dagster as dg

from mel_pipeline.core.contracts import assets_of
from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.settings import Settings
from mel_pipeline.defs.context import COLLECT, Mel
from mel_pipeline.ingest.city_names import (
    ACCOUNTS,
    RESPONSES,
    TABLE,
    CityNames,
    ensure_empty,
    match_cities,
)
from mel_pipeline.sources.workbook.versions import current

CHECK = "cities_are_decided"


def build(settings: Settings) -> dg.Definitions:  # noqa: ARG001 - as every module is built
    @dg.asset(
        name=TABLE,
        group_name=COLLECT,
        kinds={"python", "table"},
        owners=["team:mel"],
        deps=[*assets_of(ACCOUNTS), *assets_of(RESPONSES)],
        description=(
            "Matches each city of a survey with a member, by exact names, aliases and decisions of the MEL"
            " lead. Similarity only makes suggestions.\n\n*If the check warns:* decide in the workbook, sheet"
            " Cities; `mel cities` lists them."
        ),
        check_specs=[
            dg.AssetCheckSpec(CHECK, asset=TABLE, description="No answered city waits for a decision.")
        ],
    )
    def city_names(context: dg.AssetExecutionContext, mel: Mel) -> Iterator[dg.MaterializeResult[None]]:
        try:
            found = match_cities(mel.warehouse, current(mel.settings))
        except ContractError as error:
            # Cities only disaggregate; no total depends on them. Earlier matches are kept.
            context.log.error(str(error))
            ensure_empty(mel.warehouse)
            yield dg.MaterializeResult(
                metadata={"status": str(error)}, check_results=[_check(passed=False, sentences=[str(error)])]
            )
            return
        yield dg.MaterializeResult(
            metadata={
                "status": found.sentence,
                "dagster/row_count": found.rows,
                "answers": found.answers,
                "matched": found.matched,
                "waiting": found.waiting,
            },
            check_results=[
                _check(passed=not found.waiting and not found.problems, sentences=list(_descriptions(found)))
            ],
        )

    return dg.Definitions(assets=[city_names])


def _descriptions(found: CityNames) -> Iterator[str]:
    yield found.sentence
    yield from found.problems
    if found.waiting:
        yield "Decide in the workbook, sheet Cities; `mel cities` lists them."


def _check(*, passed: bool, sentences: list[str]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=CHECK,
        asset_key=TABLE,
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n\n".join(sentences),
    )
