"""Tables longer than what is read of them at once."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from mel_pipeline.sources.shared.files import read_table
from mel_pipeline.sources.shared.survey import reading
from mel_pipeline.sources.survey_files.client import Rules, SurveyFiles
from mel_pipeline_tests.benchmarks.survey_import import fabricate

ROWS = 30_000  # some 600 kB, more than any reader buffers


def table_text(delimiter: str) -> str:
    lines = [delimiter.join(("id", "City", "said"))]
    lines += [delimiter.join((str(n), "Montréal", f'"a, {n}\nb"')) for n in range(ROWS)]
    return "\n".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        table_text(",").encode(),
        table_text(";").encode("utf-8-sig"),
        table_text("\t").encode("utf-16"),
        f"Exported on 3 May\n{table_text(',')}".encode(),
    ],
    ids=["UTF-8", "with a mark", "UTF-16", "below a title"],
)
def test_a_table_can_be_read_again_while_it_is_being_read(content: bytes) -> None:
    table = read_table(content)
    begun, rows = table.frames(500), table.rows()
    first, row = next(begun), next(rows)
    whole = pd.concat(table.frames(7_000))
    assert len(whole) == ROWS == sum(1 for _ in table.rows())
    pd.testing.assert_frame_equal(pd.concat([first, *begun]), whole)
    assert [row, *rows] == whole.to_numpy().tolist()


@pytest.mark.slow
@pytest.mark.fault(200)
def test_a_survey_read_in_parts_is_the_survey_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(tmp_path / "large.csv", 1_500)
    os.utime(tmp_path / "large.csv", (1_700_000_000,) * 2)

    def read() -> tuple[pd.DataFrame, list[str], list[str]]:
        batches = list(SurveyFiles(tmp_path, Rules()).pull("responses").batches)
        refused = [row.reason for batch in batches for row in batch.rejected]
        notes = [note for batch in batches for note in batch.notes]
        return pd.concat([batch.frame for batch in batches], ignore_index=True), refused, notes

    whole, none, notes = read()
    assert len(whole) == 1_500 and not none
    monkeypatch.setattr(reading, "CHUNK", 200)
    in_parts, refused, told = read()
    pd.testing.assert_frame_equal(in_parts, whole)
    assert not refused and dict.fromkeys(told) == dict.fromkeys(notes)
