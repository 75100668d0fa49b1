"""Does what arrived keep to its contract? The only room that imports Great Expectations.

``check_rows`` judges the rows of a load before they land, ``check_table`` the table afterwards. Both
answer in words a person without SQL understands. Nothing is written here.
"""

from mel_pipeline.quality.results import DIMENSIONS, RuleResult
from mel_pipeline.quality.rows import BadRow, RowVerdict, check_rows, content_of
from mel_pipeline.quality.tables import Asked, LoadFacts, TableVerdict, check_table, rows_judged

__all__ = [
    "DIMENSIONS",
    "Asked",
    "BadRow",
    "LoadFacts",
    "RowVerdict",
    "RuleResult",
    "TableVerdict",
    "check_rows",
    "check_table",
    "content_of",
    "rows_judged",
]
