"""Raw tables: one asset per entity of a source's contract, with two checks. No source-specific logic here."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import dagster as dg

from mel_pipeline.core.contracts import EntityContract, SourceContract, contract_of, source_names
from mel_pipeline.core.errors import ContractError, NotSetUpError, OriginError, SettingsError, SourceError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.defs.context import COLLECT, MOST_LINES, Mel, quarter_partitions
from mel_pipeline.defs.ranges import TOGETHER, Made, for_each, made, quarters_of, together

if TYPE_CHECKING:
    from mel_pipeline.ingest.load_result import LoadResult
    from mel_pipeline.ingest.row_processing import RowProcessing
    from mel_pipeline.quality.results import Dimension, RuleResult
    from mel_pipeline.sources.shared.base import Source

ROWS, TABLE, FIELDS = "rows_are_readable", "table_is_complete", "fields_are_as_before"


def build(settings: Settings) -> dg.Definitions:
    partitions = quarter_partitions(settings)
    return dg.Definitions(
        assets=[
            _raw_asset(contract, entity, partitions)
            for contract in map(contract_of, source_names())
            for entity in contract.entities
        ]
    )


def _raw_asset(
    contract: SourceContract, entity: str, partitions: dg.PartitionsDefinition[str]
) -> dg.AssetsDefinition:
    details = contract.entities[entity]
    name = contract.asset(entity)

    is_quarterly = details.load == "quarter"

    @dg.multi_asset(
        name=name,
        specs=[
            dg.AssetSpec(
                name,
                group_name=COLLECT,
                description=_description(contract, details),
                owners=[contract.owner],
                kinds={"api" if details.load != "files" else "csv", "table"},
            )
        ],
        partitions_def=partitions if is_quarterly else None,
        backfill_policy=TOGETHER if is_quarterly else None,
        check_specs=[
            dg.AssetCheckSpec(
                ROWS,
                asset=name,
                description="The source answered, and its rows fulfil the contract.",
                metadata={"dimension": "validity"},
            ),
            dg.AssetCheckSpec(
                TABLE,
                asset=name,
                blocking=details.blocking,
                description="The table is not empty and about as long as before, as the source counts it; keys are"
                " unique, references exist; it is not late. Stops the run where figures would be wrong.",
                metadata={"dimension": "integrity, reliability, timeliness"},
            ),
            *_fields_spec(contract, name),
        ],
    )
    def raw(context: dg.AssetExecutionContext, mel: Mel) -> Iterator[Made]:
        from mel_pipeline.core.clock import utc_now
        from mel_pipeline.ingest.privacy.holdings import remove_expired
        from mel_pipeline.ingest.raw_tables import ensure_empty, recent_drift
        from mel_pipeline.quality.results_log import judge_table, note_results

        quarters = quarters_of(context, mel.settings)
        try:
            loads = yield from for_each(
                quarters if is_quarterly else quarters[-1:],
                lambda quarter: _load(context, mel, contract, entity, quarter),
                lambda quarter, load: [
                    dg.AssetMaterialization(name, metadata=load.metadata, partition=str(quarter))
                ],
                ends=(NotSetUpError,),
            )
        except NotSetUpError as error:
            ensure_empty(contract, entity, mel.warehouse)
            yield _not_used(str(error), contract)
            return
        checks = [together({quarter: load.check for quarter, load in loads.items()})]
        metadata = {quarter: load.metadata for quarter, load in loads.items()}
        with mel.warehouse.connect():  # opened once for all of it
            if contract.describes_fields:
                checks.append(_fields_check(recent_drift(mel.warehouse, contract.name, entity), contract))
            verdict = judge_table(mel.warehouse, contract, entity)
            # A source that has never been loaded stops nothing: only its own figures are not available.
            is_missing = any(not load.answered for load in loads.values())
            stops = verdict.blocking and not (is_missing and verdict.counts.get("rows") == 0)
            table_check = dg.AssetCheckResult(
                check_name=TABLE,
                passed=verdict.passed,
                severity=dg.AssetCheckSeverity.ERROR if stops else dg.AssetCheckSeverity.WARN,
                description=" ".join(verdict.sentences),
                metadata={name: int(count) for name, count in verdict.counts.items()},
            )
            rules = [
                *map(_as_rule, checks),
                *_warnings([words for load in loads.values() for words in load.warnings]),
                *([replace(rule, severity="warn") for rule in verdict.rules] if not stops else verdict.rules),
            ]
            note_results(mel.warehouse, [(name, rule) for rule in rules], source=contract.name)
            if details.keep_months is not None:
                removed = remove_expired(mel.warehouse, utc_now(), (contract.name, entity))
                next(iter(metadata.values()))["removed, older than may be kept"] = sum(removed.values())
        yield made(context, metadata, [*checks, table_check])

    return raw


@dataclass(frozen=True)
class _Loaded:
    """One load of an entity; ``answered``: the source did."""

    check: dg.AssetCheckResult
    metadata: dict[str, int | str]
    answered: bool = True
    warnings: tuple[str, ...] = ()


def _load(
    context: dg.AssetExecutionContext, mel: Mel, contract: SourceContract, entity: str, quarter: Quarter
) -> _Loaded:
    """Load an entity for a quarter.

    Raises:
        dagster.Failure: another organisation's data are in the warehouse, or the contract is broken.
        NotSetUpError: the organisation does not use the source.
    """
    from mel_pipeline.ingest.load import load_entity
    from mel_pipeline.ingest.origin import note_origin
    from mel_pipeline.ingest.raw_tables import ensure_empty
    from mel_pipeline.ingest.replay import replay_new, unused_corrections

    account = None
    try:
        source, processing = _opened(contract.name, entity, mel)
        account = _required_account(source, contract.name, mel)
        corrected = replay_new(mel.warehouse, contract.name, entity, processing)
        result = load_entity(source, contract, entity, mel.warehouse, quarter=quarter, processing=processing)
        note_origin(mel.warehouse, mel.settings, contract.name, account)
        unused = unused_corrections(mel.warehouse, processing.corrections)
        check = _rows_check(result, contract.entities[entity], unused)
        earlier = {"corrected in rows loaded before": corrected.changed + corrected.new} if corrected else {}
        return _Loaded(check, {**_metadata(result), **earlier}, warnings=tuple(result.warnings))
    except (OriginError, ContractError) as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    except NotSetUpError:
        raise
    except (SourceError, SettingsError) as error:
        # An outage or a missing setting is reported and the other sources continue; earlier data stay.
        context.log.error(str(error))
        note_origin(mel.warehouse, mel.settings, contract.name, account)
        ensure_empty(contract, entity, mel.warehouse)
        check = dg.AssetCheckResult(
            check_name=ROWS, passed=False, description=f"Nothing new was loaded. {error}"
        )
        return _Loaded(check, {"status": f"The source did not answer. {error}"}, answered=False)


def _as_rule(check: dg.AssetCheckResult) -> "RuleResult":
    """A check of the load as a rule: readable rows are about validity, fields as before about consistency."""
    from mel_pipeline.quality.results import RuleResult

    # An outage is reported as a missing source, which the approver of a quarter may waive.
    blocks = check.severity == dg.AssetCheckSeverity.ERROR and bool(check.metadata)
    severity: Literal["error", "warn"] = "error" if blocks and not check.passed else "warn"
    dimension: Dimension = "consistency" if check.check_name == FIELDS else "validity"
    first = (check.description or "").splitlines()[0].removeprefix("- ")
    return RuleResult(str(check.check_name), dimension, severity, bool(check.passed), first)


def _warnings(sentences: list[str]) -> "list[RuleResult]":
    """What the source reports, as broken rules of their own: `mel quality` lists them, the quality page counts them."""
    from mel_pipeline.quality.results import RuleResult

    return [
        RuleResult(f"warning {number}", "validity", "warn", False, sentence)
        for number, sentence in enumerate(dict.fromkeys(sentences), start=1)
    ]


def _opened(name: str, entity: str, mel: Mel) -> "tuple[Source, RowProcessing]":
    """The source, if its settings are those of the data in the warehouse; and what is done to its rows.

    A codebook, mapping or list of corrections that people wrote wrongly is a setting of this source: it ends no night.
    """
    from mel_pipeline.ingest.origin import require_origin
    from mel_pipeline.ingest.row_processing import row_processing_for
    from mel_pipeline.sources import open_source

    require_origin(mel.warehouse, mel.settings, name)
    try:
        return open_source(name, mel.settings), row_processing_for(mel.warehouse, mel.settings, name, entity)
    except ContractError as error:
        raise SettingsError(str(error)) from error


def _required_account(source: "Source", name: str, mel: Mel) -> str | None:
    """The account at the service, if the service tells; it must be the one whose data are in the warehouse."""
    from mel_pipeline.ingest.origin import require_origin
    from mel_pipeline.sources.shared.base import Client

    if mel.settings.sample or not isinstance(source, Client):
        return None
    if account := source.account():
        require_origin(mel.warehouse, mel.settings, name, account)
    return account


def _not_used(sentence: str, contract: SourceContract) -> dg.MaterializeResult[None]:
    """A source the organisation does not use is not a failure."""
    names = [ROWS, TABLE, *([FIELDS] if contract.describes_fields else [])]
    return dg.MaterializeResult(
        metadata={"status": sentence},
        check_results=[
            dg.AssetCheckResult(check_name=name, passed=True, description=sentence) for name in names
        ],
    )


def _description(contract: SourceContract, details: EntityContract) -> str:
    return (
        f"{details.title} from {contract.title}. {details.description} {details.grain}\n\n"
        f"*If a check fails:* read its message; quarantined rows and cells are in the table `quarantine` with file or"
        f" page and reason. Correct them in {contract.title} and run this asset again."
    )


def _fields_spec(contract: SourceContract, table: str) -> list[dg.AssetCheckSpec]:
    """Only for sources that describe their own fields."""
    words = "No field is new, gone or of another type at the source. Warns for 30 days when one is."
    spec = dg.AssetCheckSpec(FIELDS, asset=table, description=words, metadata={"dimension": "consistency"})
    return [spec] if contract.describes_fields else []


def _fields_check(drift: list[str], contract: SourceContract) -> dg.AssetCheckResult:
    lines = [f"- {change}" for change in drift[:MOST_LINES]]
    if len(drift) > MOST_LINES:
        lines.append(f"- and {len(drift) - MOST_LINES:,} more.")
    if drift:
        lines.append(
            f"\nNew fields are not read until the mapping of {contract.title} names them; the other figures are"
            " unaffected. Inform the person responsible for the settings."
        )
    return dg.AssetCheckResult(
        check_name=FIELDS,
        passed=not drift,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(lines) or "All fields are as they were.",
        metadata={"changes": len(drift)},
    )


def _rows_check(result: "LoadResult", details: EntityContract, unused: list[str]) -> dg.AssetCheckResult:
    """Warns while a row or cell is in quarantine, the source has a warning or a correction matches nothing; an error if
    this load quarantined too many."""
    lost = result.quarantined + result.lost_cells
    share = 100 * lost / result.fetched if result.fetched else 0.0
    warnings = [*result.warnings, *(f"{place}: this correction matches nothing." for place in unused)]
    lines = [result.sentence, *warnings]
    if result.waiting:
        count = len(result.waiting)
        lines.append(f"{count:,} {'entry' if count == 1 else 'entries'} in quarantine:")
        lines += [f"- {row}" for row in result.waiting[:MOST_LINES]]  # the UI shows them as a list
    if len(result.waiting) > MOST_LINES:
        lines.append(f"- and {len(result.waiting) - MOST_LINES:,} more: `mel quality quarantine` lists all.")
    too_many = share > details.max_quarantined_pct
    return dg.AssetCheckResult(
        check_name=ROWS,
        passed=not (result.waiting or warnings),
        severity=dg.AssetCheckSeverity.ERROR if too_many else dg.AssetCheckSeverity.WARN,
        description="\n".join(lines),
        metadata={
            "read": result.fetched,
            "quarantined": result.quarantined,
            "cells left empty": result.lost_cells,
            "quarantined (%)": round(share, 2),
            "waiting": len(result.waiting),
        },
    )


def _metadata(result: "LoadResult") -> dict[str, int | str]:
    usage = dict(result.usage)
    how = [str(usage.pop("read", "")).capitalize(), *result.notes]
    return {
        "status": result.sentence,
        "how it was read": " ".join(filter(None, how)) or "as exported",
        "load": result.load_id,
        "dagster/row_count": result.new + result.changed + result.unchanged,
        "new": result.new,
        "changed": result.changed,
        "unchanged": result.unchanged,
        "quarantined": result.quarantined,
        "cells left empty": result.lost_cells,
        "deleted at the source": result.deleted,
        **({"alive at the source": result.expected} if result.expected is not None else {}),
        **usage,
    }
