"""A query on a table that nothing has made yet: said with what makes it, not with the query."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from mel_pipeline.core.errors import WarehouseError

# DuckDB: Table with name x does not exist!   PostgreSQL: relation "x" does not exist
_TABLE = re.compile(r'(?:Table with name|relation) "?(\w+)"? does not exist')


@contextmanager
def missing_table_explained() -> Iterator[None]:
    """Raises WarehouseError where the queries of the block meet a table that does not exist."""
    try:
        yield
    except Exception as error:
        met: BaseException | None = error
        while met is not None:
            if found := _TABLE.search(str(met)):
                raise WarehouseError(
                    f"Reading {found[1]}: the warehouse has no such table yet. Collect and calculate a quarter first:"
                    " `mel run --quarter 2024-Q4`, with the quarter you need."
                ) from None
            met = met.__cause__
        raise
