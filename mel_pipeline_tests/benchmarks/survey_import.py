"""The import of a large survey export compared with `pandas.read_csv` of the same file, and its memory.

Each is a separate process; timing starts after the imports. ``reading`` makes rows that are ready to land, ``import``
lands them.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mel_pipeline_tests.benchmarks.contenders.clock import peak_mb
from mel_pipeline_tests.benchmarks.measuring import child, in_turns, keep, ratio, show
from mel_pipeline_tests.benchmarks.targets import Verdict

RESPONSES = 1_000_000
QUICK = 20_000
SCALE = [
    "Very satisfied",
    "Satisfied",
    "Neither satisfied nor dissatisfied",
    "Dissatisfied",
    "Very dissatisfied",
]
CITIES = [
    "Dakar",
    "Montréal",
    "Quito",
    "Barcelona",
    "Seoul",
    "Tehrān",
    "São Paulo",
    "Lagos",
    "Brussels",
    "Guangzhou",
]
WORDS = [
    "more",
    "time",
    "for",
    "exchange",
    "between",
    "cities",
    "please",
    "the",
    "session",
    "was",
    "clear",
    "and",
    "the",
    "room",
    "too",
    "small",
    "for",
    "us",
]


LABS = [f"LAB-{number}" for number in range(40)]


def fabricate(path: Path, responses: int, events: Sequence[str] = LABS, first: int = 0) -> None:
    """A Zoho Survey export of 60 columns: built-in ones, labels, numbers, choices and two comments.

    Args:
        first: number of the first response; other numbers are other responses.
    """
    rng = random.Random(1)
    header = [
        "Response ID", "Response Status", "Response Start Time", "Response End Time", "IP Address", "User Agent",
        "event_code", "Language", "Net Promoter Score (out of 10)",
        "Overall, how satisfied are you with the session?", "How do you describe your gender?", "City",
        "What should we keep or change?", "Why?",
        *(f"How did you find part {n}?" for n in range(26)),
        *(f"How many colleagues will use part {n}?" for n in range(20)),
    ]  # fmt: skip
    assert len(header) == 60
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for number in range(responses):
            minute, day = number % 60, 1 + number % 28
            pick = rng.random()
            labels = [SCALE[(number * 7 + n * 3 + int(pick * 5)) % 5] for n in range(26)]
            numbers = [(number * 3 + n * 5) % 41 if (number + n) % 4 else "" for n in range(20)]
            comment = " ".join(rng.choices(WORDS, k=9)) if pick < 0.4 else ""
            writer.writerow(
                [
                    f"R{first + number}",
                    "Completed",
                    f"2024-{1 + number % 12:02}-{day:02} 10:{minute:02}:11",
                    f"2024-{1 + number % 12:02}-{day:02} 11:{minute:02}:40",
                    "192.0.2.1",
                    "Mozilla/5.0",
                    events[number % len(events)],
                    "English",
                    number % 11,
                    SCALE[int(pick * 5)],
                    ("Woman", "Man")[number % 2],
                    CITIES[number % 10],
                    comment,
                    comment[::-1] if pick < 0.1 else "",
                    *labels,
                    *numbers,
                ]
            )


def plain_reading(path: Path) -> int:
    import pandas as pd

    return len(pd.read_csv(path))


def reading(path: Path) -> int:
    from mel_pipeline.sources.survey_files.client import Rules, SurveyFiles

    return sum(len(batch.frame) for batch in SurveyFiles(path.parent, Rules()).pull("responses").batches)


def whole_import(path: Path) -> int:
    from mel_pipeline.core.contracts import contract_of
    from mel_pipeline.ingest.load import load_entity
    from mel_pipeline.sources.survey_files.client import Rules, SurveyFiles
    from mel_pipeline.warehouse import Warehouse

    with tempfile.TemporaryDirectory() as home:
        warehouse = Warehouse(f"duckdb:///{home}/warehouse.duckdb")
        source = SurveyFiles(path.parent, Rules())
        return load_entity(source, contract_of("survey_files"), "responses", warehouse).new


WORKS = {"read_csv": plain_reading, "reading": reading, "import": whole_import}


def measured(work: str, path: Path) -> None:
    import pandas as pd  # noqa: F401

    import mel_pipeline.ingest.load
    import mel_pipeline.quality.expectations
    import mel_pipeline.sources.survey_files.client

    if work == "import":
        mel_pipeline.quality.expectations.expectation_types()
    begun = time.perf_counter()
    count = WORKS[work](path)
    seconds = time.perf_counter() - begun
    print(json.dumps({"count": count, "seconds": seconds, "peak": peak_mb()}), flush=True)
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--quick", action="store_true", help="twenty thousand responses")
    parser.add_argument("--work", nargs=2)
    asked = parser.parse_args()
    if asked.work:
        measured(asked.work[0], Path(asked.work[1]))
        return
    responses = asked.rows or (QUICK if asked.quick else RESPONSES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.csv"
        fabricate(path, responses)
        os.utime(path, (1_700_000_000,) * 2)
        size = path.stat().st_size >> 20

        def one(work: str) -> dict[str, Any]:
            told = child([sys.executable, "-W", "ignore", "-m", __spec__.name, "--work", work, path])
            assert told["count"] == responses, f"{work}: not every response came"
            return told

        found = in_turns({work: partial(one, work) for work in WORKS}, 1)
    show(f"{responses:,} responses of 60 columns, {size} MB", found, "read_csv")
    verdicts = [
        Verdict("survey", ratio(found["reading"], found["read_csv"]), f"{responses:,} responses"),
        Verdict("survey memory", found["import"].most, f"{responses:,} responses"),
    ]
    keep("survey_import", {str(responses): found}, verdicts)


if __name__ == "__main__":
    main()
