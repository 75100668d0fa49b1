"""The last outcome of every rule, stored in the warehouse for reports, publication and `mel quality`.

A table whose rows and rules are unchanged since its last check is not checked again; its outcome is reused.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.contracts import SourceContract, fingerprint_of
from mel_pipeline.quality.judging import DIMENSION, LoadFacts, RowRuleResults, TableVerdict
from mel_pipeline.quality.results import RuleResult
from mel_pipeline.warehouse.migrating import ensure_tables
from mel_pipeline.warehouse.tables import quality_result

if TYPE_CHECKING:
    from mel_pipeline.warehouse import Warehouse


def note_results(
    warehouse: Warehouse,
    results: Iterable[tuple[str, RuleResult]],
    *,
    quarter: str | None = None,
    source: str | None = None,
) -> None:
    """Replace the outcomes of the given assets, for one quarter or for all.

    Args:
        results: asset and rule.
    """
    rows = [
        {
            "asset": asset,
            "check_name": rule.name,
            "quarter": quarter,
            "source": source,
            "dimension": rule.dimension,
            "severity": rule.severity,
            "passed": rule.passed,
            "sentence": rule.sentence,
            "checked_at": utc_now(),
        }
        for asset, rule in results
    ]
    assets = sorted({str(row["asset"]) for row in rows})
    if not rows:
        return
    same = quality_result.c.quarter.is_(None) if quarter is None else quality_result.c.quarter == quarter
    with warehouse.transaction() as connection:
        ensure_tables(connection)
        connection.execute(sa.delete(quality_result).where(quality_result.c.asset.in_(assets), same))
        connection.execute(sa.insert(quality_result), rows)


def judge_table(warehouse: Warehouse, contract: SourceContract, entity: str) -> TableVerdict:
    """Check the raw table of an entity; its rows only if they or the rules have changed."""
    from mel_pipeline import quality
    from mel_pipeline.warehouse import raw
    from mel_pipeline.warehouse.fingerprints import Fingerprint, recall, remember

    rules, table = contract.entities[entity], contract.table(entity)
    tables = {name: contract.table(name) for name in contract.entities}
    facts = load_facts(warehouse, contract.name, entity)
    subject = f"table {contract.asset(entity)}"
    with warehouse.connect() as connection:
        there = {name for name in tables.values() if raw.is_made(connection, name)}
        made_of = _made_of(connection, contract, entity, there, facts)
        last = recall(connection, subject)
    known = None
    if last is not None and made_of and last.made_of == made_of:
        known = RowRuleResults(last.found["rows"], [RuleResult(**rule) for rule in last.found["rules"]])
    verdict = quality.check_table(warehouse, table, rules, tables, contract.name, facts, known, there)
    if made_of and known is None and verdict.row_results is not None:
        found = {
            "rows": verdict.row_results.rows,
            "rules": [vars(rule) for rule in verdict.row_results.rules],
        }
        with warehouse.transaction() as connection:
            ensure_tables(connection)
            remember(connection, subject, Fingerprint(made_of, found))
    return verdict


def _made_of(
    connection: sa.Connection,
    contract: SourceContract,
    entity: str,
    there: set[str],
    facts: LoadFacts,
) -> str:
    """Digest of the rows, the rows they refer to, and the rules; empty when there is no table yet."""
    from importlib.metadata import version

    from mel_pipeline.quality import rows_judged
    from mel_pipeline.warehouse.fingerprints import rows_digest, text_digest

    rules = contract.entities[entity]
    table = contract.table(entity)
    referred = {contract.table(column.references) for column in rules.columns.values() if column.references}
    if table not in there:
        return ""
    return text_digest(
        fingerprint_of(rules),
        f"{rules.title} {rules.blocking} {rules.min_rows} {facts.expected} {facts.waiting}",
        version("great-expectations"),
        *sorted(set(DIMENSION.values())),
        rows_digest(connection, table, rows_judged(rules, contract.name)),
        *(
            rows_digest(connection, name, "not _is_deleted") if name in there else f"no {name}"
            for name in sorted(referred)
        ),
    )


def load_facts(warehouse: Warehouse, source: str, entity: str) -> LoadFacts:
    """Facts about an entity from the ledger and the quarantine."""
    if not (warehouse.has_table("load_ledger") and warehouse.has_table("quarantine")):
        return LoadFacts()
    of_entity = {"source": source, "entity": entity}
    loads = warehouse.records(
        "select stored, expected, finished_at from load_ledger where source = :source and entity = :entity"
        " and status = 'loaded' order by finished_at desc limit 2",
        of_entity,
    )
    if not loads:
        return LoadFacts()
    waiting = warehouse.records(
        "select count(distinct coalesce(row_key, source_ref)) as n from quarantine"
        " where source = :source and entity = :entity and resolved_at is null and lost = 'row'",
        of_entity,
    )[0]["n"]
    last = loads[0]
    age = utc_now() - last["finished_at"]
    earlier = loads[1]["stored"] if len(loads) > 1 else None
    return LoadFacts(last["stored"], earlier, last["expected"], int(waiting), age.days)
