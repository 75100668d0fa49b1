"""The rules of a contract, as SQL that selects what breaks them. About single rows, and about a whole table.

The verdict of a rule and the rows that go to quarantine come from the same query: changing a rule changes both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mel_pipeline.core.contracts import MALFORMED, Column, EntityContract

_LEAP = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
# What both warehouses can store: double precision, and for whole numbers bigint.
NUMBER = r"[+-]?[0-9]{1,38}(?:[.][0-9]+)?(?:[eE][+-]?[0-9]{1,2})?"


def _day(zero: str) -> str:
    """Year, month and day that exist; ``zero`` is ``0?`` where leading zeros may be missing."""
    months = (
        f"(?:{zero}[13578]|1[02])-(?:{zero}[1-9]|[12][0-9]|3[01])",
        f"(?:{zero}[469]|11)-(?:{zero}[1-9]|[12][0-9]|30)",
        f"{zero}2-(?:{zero}[1-9]|1[0-9]|2[0-8])",
    )
    return f"(?:[0-9]{{4}}-(?:{'|'.join(months)})|{_LEAP}-{zero}2-29)"


FORMS = {
    "integer": ("[+-]?[0-9]{1,18}", "is not a whole number"),
    "number": (NUMBER, "is not a number"),
    "boolean": ("true|false", "is neither true nor false"),
    "date": (_day("0?"), "is not a date like 2024-03-05"),
    "datetime": (f"{_day('0')}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9].*", "is not a date with time"),
}


@dataclass(frozen=True)
class Rule:
    """One rule. ``broken``: a query on ``{batch}`` for what breaks it; it never selects a value of a row.

    ``words`` complete "column ..."; ``loses``: whether quarantine takes the row or only its cell. ``blocks``: no figure
    may be calculated while it is broken. ``bounds``: of the number of rows, in place of a query.
    """

    name: str
    column: str = ""
    broken: str = ""
    words: str = ""
    loses: str = "row"
    blocks: bool = True
    bounds: Mapping[str, int] = field(default_factory=dict)

    def reason(self, value: str | None) -> str:
        """Values are repeated only where the contract lists the allowed ones: others may be personal."""
        shown = f" '{value}'" if self.name == "allowed" else ""
        return f"{self.column}{shown} {self.words}"


def row_rules(contract: EntityContract, dialect: str) -> list[Rule]:
    """Rules about the rows of a staging table; their queries select ``_seq``."""
    return [
        Rule(
            rule,
            name,
            f"select _seq from {{batch}} where {condition}",  # noqa: S608
            words,
            "row" if rule == "required" or contract.needs(name) else "cell",
        )
        for name, column in contract.columns.items()
        for rule, condition, words in _conditions(name, column, dialect)
    ]


def _conditions(name: str, column: Column, dialect: str) -> Iterator[tuple[str, str, str]]:
    """Rule, condition and words. Empty values break no rule but ``required``."""
    cell = f'"{name}"'
    if column.required:
        yield "required", f"{cell} is null", "is missing"
    if column.allowed:
        listed = ", ".join(map(_text, column.allowed))
        yield "allowed", f"{cell} not in ({listed})", f"is not one of: {', '.join(column.allowed)}"
    if column.pattern:
        lacks = f"not {_matches(cell, column.pattern, dialect)}"
        if column.person == "key":  # by now a pseudonym: the form was looked at before
            lacks = f"{MALFORMED} like {_text(f'%,{name},%')}"
        yield "pattern", lacks, "does not have the expected form"
    if column.type in FORMS:
        form, words = FORMS[column.type]
        lacks = f"not {_matches(cell, form, dialect)}"
        if column.type in ("date", "datetime"):
            lacks = f"({lacks} or {cell} like '0000%')"  # there is no year 0
        yield "type", lacks, words
    if column.minimum is not None or column.maximum is not None:
        number = f"(case when {_matches(cell, NUMBER, dialect)} then cast({cell} as double precision) end)"
        sides = [f"{number} < {column.minimum}"] if column.minimum is not None else []
        sides += [f"{number} > {column.maximum}"] if column.maximum is not None else []
        yield "range", f"({' or '.join(sides)})", f"is outside {_span(column)}"


def table_rules(
    contract: EntityContract, tables: Mapping[str, str], expected: int | None, waiting: int
) -> Iterator[Rule]:
    """Rules about a raw table.

    Args:
        tables: raw table of each entity that it may refer to.
        expected: the source's own count of rows.
        waiting: rows in quarantine.
    """
    yield Rule("rows", bounds={"min_value": contract.min_rows})
    if expected is not None:
        bounds = {"min_value": max(0, expected - waiting), "max_value": expected}
        yield Rule("counted", bounds=bounds, blocks=False)
    times = "select count(*) over (partition by _row_key) as times from {batch} where _row_key is not null"
    yield Rule("unique", broken=f"select 1 as one from ({times}) as keys where times > 1")  # noqa: S608
    for name, column in contract.columns.items():
        if column.required:
            yield Rule("required", name, f'select 1 as one from {{batch}} where "{name}" is null')  # noqa: S608
        if column.references is not None and column.references in tables:
            # A row may refer to one that arrives with the next load, so this only warns.
            query = (
                f'select 1 as one from {{batch}} where "{name}" is not null and "{name}" not in'  # noqa: S608
                f' (select _row_key from "{tables[column.references]}" where not _is_deleted)'
            )
            yield Rule("reference", name, query, blocks=False)


def _matches(cell: str, pattern: str, dialect: str) -> str:
    """A full match. A line break at the end is overlooked: it does not survive a cast."""
    whole = _text(f"^(?:{pattern})\\n?$")
    return f"regexp_matches({cell}, {whole})" if dialect == "duckdb" else f"({cell} ~ {whole})"


def _text(value: str) -> str:
    """A literal in a query that passes ``str.format`` and SQLAlchemy's ``text``."""
    quoted = value.replace("'", "''").replace("{", "{{").replace("}", "}}").replace(":", "\\:")
    return f"'{quoted}'"


def _span(column: Column) -> str:
    low, high = column.minimum, column.maximum
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    return f"{low:g} and more" if low is not None else f"{high:g} and less"
