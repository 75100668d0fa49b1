"""Judge rows by their contract where they lie: staged ones before they are published, the raw table afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING

from mel_pipeline.core.contracts import EntityContract, fingerprint_of
from mel_pipeline.quality.results import Dimension, RuleResult
from mel_pipeline.quality.rules import Rule, row_rules, table_rules

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

    from mel_pipeline.warehouse import Warehouse

DIMENSION: dict[str, Dimension] = {
    "rows": "completeness",
    "counted": "completeness",
    "unique": "uniqueness",
    "reference": "consistency",
    "required": "completeness",
}
HOLDS = {
    "rows": "{title}: there are rows.",
    "counted": "{title}: as many rows as the source counts.",
    "unique": "{title}: every key once.",
    "reference": "{title}: every {column} is there.",
    "required": "{title}: {column} is never missing.",
}


def get_ready() -> None:
    """Import Great Expectations, once a process."""
    from mel_pipeline.quality.expectations import context

    context()


def judge_rows(connection: sa.Connection, staged: str, contract: EntityContract) -> list[Rule]:
    """The rules that staged rows break. Their queries say which rows: ``rule.broken`` on the staging table.

    Args:
        staged: the staging table; only its rows are judged, not deletions or rows rejected before.
    """
    from mel_pipeline.quality.expectations import validate

    dialect = connection.dialect.name
    if not (rules := row_rules(contract, dialect)):
        return []
    verdicts = validate(connection, rows_staged(staged), rules)
    return [rule for rule, (holds, _) in zip(rules, verdicts, strict=True) if not holds]


def rows_staged(staged: str) -> str:
    """The rows of a staging table that are judged, as a query."""
    return f"select * from \"{staged}\" where _kind = 'row'"  # noqa: S608


def content_of(frame: pd.DataFrame, contract: EntityContract) -> str:
    """Digest of values, their order and the rules; independent of where the rows were read."""
    import pandas as pd

    seen = hashlib.sha256(f"{fingerprint_of(contract)} {version('great-expectations')}".encode())
    hashes = pd.util.hash_pandas_object(frame[list(contract.columns)], index=False)
    seen.update(hashes.to_numpy().tobytes())
    return seen.hexdigest()


@dataclass(frozen=True)
class TableVerdict:
    """The result of checking a table. ``blocking``: no figure may be calculated from it. ``rules``: each with its outcome."""

    passed: bool
    blocking: bool
    sentences: list[str]
    counts: dict[str, int] = field(default_factory=dict)
    rules: list[RuleResult] = field(default_factory=list)
    row_results: RowRuleResults | None = None


@dataclass(frozen=True)
class RowRuleResults:
    """Number of rows, and results of the rules about them. The same for the same rows."""

    rows: int
    rules: list[RuleResult]


@dataclass(frozen=True)
class LoadFacts:
    """Facts about the loads of an entity, for rules beyond the rows themselves.

    ``stored`` and ``earlier``: its rows after the last load and after the one before. ``expected``: the
    source's own count. ``waiting``: rows in quarantine. ``age_days``: since the last successful load.
    """

    stored: int | None = None
    earlier: int | None = None
    expected: int | None = None
    waiting: int = 0
    age_days: int | None = None


NO_FACTS = LoadFacts()


def check_table(
    warehouse: Warehouse,
    table: str,
    contract: EntityContract,
    tables: Mapping[str, str],
    source: str = "",
    facts: LoadFacts = NO_FACTS,
    known: RowRuleResults | None = None,
    there: set[str] | None = None,
) -> TableVerdict:
    """Check the rows of a raw table that are not deleted.

    An empty table fails: without rows, every other rule would pass.

    Args:
        tables: raw table of each entity of the same source, for references.
        source: whose rows to check, where the table is shared.
        facts: of the loads, from the ledger.
        known: earlier results of the row rules, if rows and rules are unchanged: they are not run again.
        there: which of these tables exist, if already known.
    """
    from mel_pipeline.warehouse import raw

    with warehouse.connect() as connection:  # opened once for everything below
        if there is None:
            there = {name for name in tables.values() if raw.is_made(connection, name)}
        others = {entity: name for entity, name in tables.items() if name in there}
        present = raw.columns_of(connection, table)
        return _judged(warehouse, table, present, contract, others, source, facts, known)


def _judged(
    warehouse: Warehouse,
    table: str,
    present: Sequence[str],
    contract: EntityContract,
    others: Mapping[str, str],
    source: str,
    facts: LoadFacts,
    known: RowRuleResults | None,
) -> TableVerdict:
    if not present:
        return _unreadable(contract, f"{contract.title}: nothing has been loaded yet.", {"rows": 0})
    missing = [name for name in contract.columns if name not in present]
    if missing:
        sentence = f"{contract.title}: the columns {', '.join(missing)} are missing from the table."
        return _unreadable(contract, sentence, {})
    row_results = known or _run_table_rules(warehouse, table, contract, others, source, facts)
    rules = [*row_results.rules, _volume(contract, facts), *_rules_not_run(contract, others, facts)]
    if facts.age_days is not None:
        rules.append(_freshness(contract, facts.age_days))
    broken = [rule for rule in rules if not rule.passed]
    sentences = [rule.sentence for rule in broken] or [_all_well(contract, row_results.rows)]
    blocking = any(rule.severity == "error" for rule in broken)
    counts = {"rows": row_results.rows, "rules broken": len(broken)}
    return TableVerdict(not broken, blocking, sentences, counts, rules, row_results)


def rows_judged(contract: EntityContract, source: str) -> str:
    """SQL condition for the rows of an entity that are checked."""
    alive = "not _is_deleted"
    return alive if contract.discriminator is None else f"{alive} and {contract.discriminator} = '{source}'"


def _run_table_rules(
    warehouse: Warehouse,
    table: str,
    contract: EntityContract,
    others: Mapping[str, str],
    source: str,
    facts: LoadFacts,
) -> RowRuleResults:
    from mel_pipeline.quality.expectations import validate

    query = f'select * from "{table}" where {rows_judged(contract, source)}'  # noqa: S608
    rules = list(table_rules(contract, others, facts.expected, facts.waiting))
    with warehouse.connect() as connection:
        verdicts = validate(connection, query, rules)
    rows = verdicts[0][1]  # the first rule counts them
    results = [
        _result(contract, rule, holds, count, rows, facts)
        for rule, (holds, count) in zip(rules, verdicts, strict=True)
    ]
    return RowRuleResults(rows, results)


def _unreadable(contract: EntityContract, sentence: str, counts: dict[str, int]) -> TableVerdict:
    rule = RuleResult("rows", "completeness", "error" if contract.blocking else "warn", False, sentence)
    return TableVerdict(False, contract.blocking, [sentence], counts, [rule])


def _result(
    contract: EntityContract, rule: Rule, holds: bool, count: int, rows: int, facts: LoadFacts
) -> RuleResult:
    name = " ".join(filter(None, (rule.name, rule.column)))
    sentence = HOLDS[rule.name].format(title=contract.title, column=rule.column)
    if not holds:
        sentence = _sentence(contract, rule, count, rows, facts)
    blocks = contract.blocking and rule.blocks
    return RuleResult(name, DIMENSION[rule.name], "error" if blocks else "warn", holds, sentence)


def _rules_not_run(
    contract: EntityContract, known: Mapping[str, str], facts: LoadFacts
) -> Iterator[RuleResult]:
    """Rules that could not be run, still reported: the number of rules stays the same from load to load."""
    if facts.expected is None:
        sentence = f"{contract.title}: the source gave no row count at the last load."
        yield RuleResult("counted", "completeness", "warn", True, sentence)
    for name, column in contract.columns.items():
        if column.references is not None and column.references not in known:
            sentence = f"{contract.title}: what {name} refers to has not been loaded yet."
            yield RuleResult(f"reference {name}", "consistency", "warn", True, sentence)


def _volume(contract: EntityContract, facts: LoadFacts) -> RuleResult:
    """Compare with the entity's own history, from the ledger, as entities may share one table."""
    if not facts.earlier or facts.stored is None:
        sentence, fell = f"{contract.title}: the first load, with nothing to compare the rows with.", False
    else:
        fell = facts.stored < facts.earlier * (1 - contract.max_fall_pct / 100)
        sentence = f"{contract.title}: {facts.stored:,} rows, {facts.earlier:,} after the load before."
        if fell:
            sentence += f" A fall of more than {contract.max_fall_pct:g} % is rarely real: check whether the export is complete."
    return RuleResult("volume", "completeness", "warn", not fell, sentence)


def _freshness(contract: EntityContract, age_days: int) -> RuleResult:
    late = age_days > contract.max_age_days
    sentence = f"{contract.title}: last loaded {age_days:,} days ago; {contract.max_age_days} are allowed."
    if late:
        sentence += " The figures are late, not wrong: run the load again."
    return RuleResult("fresh", "timeliness", "warn", not late, sentence)


def _sentence(contract: EntityContract, rule: Rule, count: int, rows: int, facts: LoadFacts) -> str:
    if rule.name == "rows":
        return (
            f"{contract.title}: {rows:,} rows where at least {contract.min_rows:,} are expected. An empty or cut-off"
            " export is not a zero: nothing is calculated from it. Export again and repeat the load."
        )
    if rule.name == "counted":
        return (
            f"{contract.title}: {rows:,} rows here and {facts.waiting:,} in quarantine, but the source"
            f" counts {facts.expected:,}. Run the load again; if the difference remains, inform the source's owner."
        )
    if rule.name == "unique":
        return f"{contract.title}: {count:,} rows share a key with another row."
    if rule.name == "required":
        return f"{contract.title}: {rule.column} is missing in {count:,} rows."
    return f"{contract.title}: {count:,} rows name a record in {rule.column} that is not there."


def _all_well(contract: EntityContract, rows: int) -> str:
    required = [name for name, column in contract.columns.items() if column.required]
    return f"{contract.title}: {rows:,} rows, every key once, nothing missing in {', '.join(required)}."
