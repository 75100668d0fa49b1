"""Cells with the right form that no column holds: quarantined, so that no cast in SQL stops every model."""

from __future__ import annotations

import pandas as pd
import pytest

from mel_pipeline import quality
from mel_pipeline.core.contracts import Column, EntityContract

CONTRACT = EntityContract(
    title="T",
    description="D",
    grain="G",
    row_key=["id"],
    load="snapshot",
    columns={
        "id": Column(required=True),
        "text": Column(),
        "count": Column(type="integer"),
        "share": Column(type="number"),
        "day": Column(type="date"),
        "at": Column(type="datetime"),
    },
)
GOOD = {
    "id": "1",
    "text": "a",
    "count": "12",
    "share": "1e3",
    "day": "2024-02-29",
    "at": "2024-02-29T10:00:00Z",
}


@pytest.mark.fault(41)
@pytest.mark.parametrize(
    ("column", "text"),
    [("day", "2024-02-31"), ("at", "2024-02-31T10:00:00+00:00"), ("at", "2023-02-29 10:00"), ("at", "2024-02-01T10:00junk"),
     ("at", "9999-12-31T23:59:59-14:00"), ("at", "0001-01-01T00:00:00+14:00"), ("count", "9" * 30), ("count", "-" + "9" * 30),
     ("share", "1e999"), ("share", "-1e99"), ("text", "a\x00b"), ("text", "x" * 100_001), ("id", "x" * 1_001)],
)  # fmt: skip
def test_what_no_column_holds_is_quarantined_and_its_neighbours_are_kept(column: str, text: str) -> None:
    rows = [GOOD, {**GOOD, "id": "2", column: text}, {**GOOD, "id": "3"}]
    frame = pd.DataFrame([{**row, "_source_ref": f"row {n}"} for n, row in enumerate(rows)], dtype="str")
    verdict = quality.check_rows(frame, CONTRACT)
    assert verdict.good["id"].tolist() == ["1", "3"]
    (bad,) = verdict.bad
    assert (bad.column, bad.source_ref) == (column, "row 1")
    assert text not in bad.reason


def test_long_texts_and_line_separators_are_kept_as_they_came() -> None:
    rows = [
        {**GOOD, "text": "x" * 50_000, "_source_ref": "a"},
        {**GOOD, "text": "a\u2028b", "_source_ref": "b"},
    ]
    verdict = quality.check_rows(pd.DataFrame(rows, dtype="str"), CONTRACT)
    assert verdict.good["text"].tolist() == ["x" * 50_000, "a\u2028b"]
