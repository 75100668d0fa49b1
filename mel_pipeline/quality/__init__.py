"""Check loaded data against the contract. The only package that imports Great Expectations.

``judge_rows`` checks the staged rows of a load before they are published, ``check_table`` the raw table afterwards; both
run the rules of the contract as SQL in the warehouse and report in sentences that need no SQL. Nothing is written here.
"""

from mel_pipeline.quality.judging import (
    LoadFacts,
    RowRuleResults,
    TableVerdict,
    check_table,
    content_of,
    get_ready,
    judge_rows,
    rows_judged,
    rows_staged,
)
from mel_pipeline.quality.results import DIMENSIONS, RuleResult
from mel_pipeline.quality.rules import Rule, row_rules

__all__ = [
    "DIMENSIONS",
    "LoadFacts",
    "RowRuleResults",
    "Rule",
    "RuleResult",
    "TableVerdict",
    "check_table",
    "content_of",
    "get_ready",
    "judge_rows",
    "row_rules",
    "rows_judged",
    "rows_staged",
]
