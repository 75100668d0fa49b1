"""Check loaded data against the contract. The only package that imports Great Expectations.

``check_rows`` checks the rows of a load before they are stored, ``check_table`` the table afterwards. Both report in
sentences that need no SQL. Nothing is written here.
"""

from mel_pipeline.quality.results import DIMENSIONS, RuleResult
from mel_pipeline.quality.rows import BadRow, RowVerdict, check_rows, content_of
from mel_pipeline.quality.tables import LoadFacts, RowRuleResults, TableVerdict, check_table, rows_judged

__all__ = [
    "DIMENSIONS",
    "BadRow",
    "LoadFacts",
    "RowRuleResults",
    "RowVerdict",
    "RuleResult",
    "TableVerdict",
    "check_rows",
    "check_table",
    "content_of",
    "rows_judged",
]
