"""The quick check of a text file: what it passes, the reader row by row passes as well."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mel_pipeline.sources.shared.files.widths import even_rows
from mel_pipeline_tests.depth import examples

PIECES = st.sampled_from(["a", '"', ",", "\n", "\r\n", 'x","y', '""', " ", "é"])


@pytest.mark.slow
@pytest.mark.deep
@given(text=st.lists(PIECES, max_size=24).map("".join))
@example(text='a,b\n1,"x"y\n2,"z"w\n')
@example(text='a,b\n1,"x\n2,y"z\n')
@settings(max_examples=examples(300, 4_000), deadline=None)
def test_what_the_quick_check_passes_has_rows_of_one_width_and_quotes_in_place(text: str) -> None:
    found = even_rows(io.BytesIO(text.encode()), "utf-8", ",")
    if found is not None:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert len(rows) == found
        assert len({len(row) for row in rows}) == 1


def test_a_quotation_mark_at_the_edge_of_a_chunk_is_judged_by_what_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good, bad = 'a,b\n1,"x"\n2,"y z"\n', 'a,b\n1,"x"z\n2,"y"\n'
    for size in range(1, len(good)):
        monkeypatch.setattr("mel_pipeline.sources.shared.files.widths._CHUNK", size)
        assert even_rows(io.BytesIO(good.encode()), "utf-8", ",") == 3
        assert even_rows(io.BytesIO(bad.encode()), "utf-8", ",") is None
