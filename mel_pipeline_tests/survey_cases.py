"""Drop survey exports into a folder and read what a load makes of them: rows, refusals, warnings."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pandas as pd

from mel_pipeline.sources.shared.base import Pull
from mel_pipeline.sources.survey_files.client import Rules, SurveyFiles

CASES = Path(__file__).parent / "fixtures" / "survey_cases"


def dropped(folder: Path, *names: str) -> None:
    """Copy fixtures into a folder, each older than the next one, and none still being written."""
    for number, name in enumerate(names):
        path = folder / name
        path.write_bytes((CASES / name).read_bytes())
        os.utime(path, (time.time() - 600 + number,) * 2)


def read(folder: Path, rules: Rules | None = None) -> tuple[pd.DataFrame, dict[str, str], list[str]]:
    """Rows in the order read, why files and rows were refused by their place, and warnings."""
    pull: Pull = SurveyFiles(folder, rules or Rules(order="day_first"), settle_seconds=0).pull("responses")
    batches = list(pull.batches)
    frame = pd.concat([batch.frame for batch in batches], ignore_index=True).astype(object)
    refused = {row.source_ref: row.reason for batch in batches for row in batch.rejected}
    return frame.where(frame.notna(), None), refused, pull.warnings()


def responses(folder: Path, rules: Rules | None = None) -> list[dict[str, Any]]:
    """The rows of a folder that is read without a refusal."""
    frame, refused, _ = read(folder, rules)
    assert refused == {}
    return frame.to_dict("records")


def refusals(folder: Path, rules: Rules | None = None) -> dict[str, str]:
    """Why files were refused, by name; nothing of them was read."""
    frame, refused, _ = read(folder, rules)
    assert frame.empty
    return refused
