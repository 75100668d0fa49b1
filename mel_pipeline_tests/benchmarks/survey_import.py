"""The import of a large survey export beside `pandas.read_csv` of the same file, and the memory it takes.

Each is a process of its own; times begin after the imports. Target: reading a million responses of 60
columns into rows ready to land takes at most 3 times read_csv, and the whole import at most 2 GB.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESPONSES = 1_000_000
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


def fabricate(path: Path, responses: int) -> None:
    """A Zoho Survey export of 60 columns: built-in ones, labels, numbers, choices and two comments."""
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
                    f"R{number}",
                    "Completed",
                    f"2024-{1 + number % 12:02}-{day:02} 10:{minute:02}:11",
                    f"2024-{1 + number % 12:02}-{day:02} 11:{minute:02}:40",
                    "192.0.2.1",
                    "Mozilla/5.0",
                    f"LAB-{number % 40}",
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
    from mel_pipeline.contracts import contract_of
    from mel_pipeline.landing import land
    from mel_pipeline.sources.survey_files.client import Rules, SurveyFiles
    from mel_pipeline.warehouse import Warehouse

    with tempfile.TemporaryDirectory() as home:
        warehouse = Warehouse(f"duckdb:///{home}/warehouse.duckdb")
        source = SurveyFiles(path.parent, Rules())
        return land(source, contract_of("survey_files"), "responses", warehouse).new


WORKS = {"read_csv": plain_reading, "reading": reading, "import": whole_import}


def measured(work: str, path: Path) -> None:
    import pandas as pd  # noqa: F401

    import mel_pipeline.landing
    import mel_pipeline.quality.expectations
    import mel_pipeline.sources.survey_files.client

    if work == "import":
        mel_pipeline.quality.expectations.expectation_types()
    begun = time.perf_counter()
    count = WORKS[work](path)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"count": count, "seconds": seconds, "peak": peak}), flush=True)
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("responses", nargs="?", type=int, default=RESPONSES)
    parser.add_argument("--work", nargs=2)
    asked = parser.parse_args()
    if asked.work:
        measured(asked.work[0], Path(asked.work[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.csv"
        fabricate(path, asked.responses)
        os.utime(path, (1_700_000_000,) * 2)
        print(f"{asked.responses:,} responses of 60 columns, {path.stat().st_size >> 20} MB")
        base = 0.0
        for work in WORKS:
            command = [sys.executable, "-W", "ignore", "-m", __spec__.name, "--work", work, str(path)]
            answer = subprocess.run(command, capture_output=True, text=True, check=True)
            told = json.loads(answer.stdout.splitlines()[-1])
            assert told["count"] == asked.responses, f"{work}: not every response came"
            base = base or told["seconds"]
            ratio = told["seconds"] / base
            print(f"  {work:<10} {told['seconds']:8.1f} s   ratio {ratio:5.2f}   peak {told['peak']:6.0f} MB")


if __name__ == "__main__":
    main()
