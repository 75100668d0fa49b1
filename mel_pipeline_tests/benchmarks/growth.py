"""What an installation grows by: the disk after each night of the sample organisation, and its slope.

Every night is a day after the one before and reads everything again, as real ones do. Dagster's runs are removed as the
sensor ``housekeeping`` does it, so the slope that counts is that of the nights after the first ones were removed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from mel_pipeline.defs.housekeeping import remove_old_runs
from mel_pipeline_tests.benchmarks.measuring import save
from mel_pipeline_tests.benchmarks.nights import Nights, Tomorrow, nights
from mel_pipeline_tests.benchmarks.targets import Verdict

NIGHTS, KEPT = 300, 90  # MEL_KEEP_RUNS_DAYS
QUICK, QUICK_KEPT = 20, 6
DAGSTER = ("history", "storage", "schedules")


def sizes(home: Path) -> dict[str, float]:
    """Megabytes by what they are."""
    found: defaultdict[str, float] = defaultdict(float)
    for path in home.rglob("*"):
        if path.is_file():
            top = path.relative_to(home).parts[0]
            part = "Dagster" if top in DAGSTER else "warehouse" if top.startswith("warehouse") else top
            found[part] += path.stat().st_size / 1e6
    return dict(found)


def slept(one: Nights, home: Path, count: int, kept: int) -> list[dict[str, float]]:
    """The sizes after each night."""
    after: list[dict[str, float]] = []
    ended: list[datetime] = []
    for number in range(1, count + 1):
        one.run()
        Tomorrow.days += 1
        ended.append(datetime.now(UTC))
        if number > kept:
            remove_old_runs(one.instance, ended[number - kept - 1])
        after.append(sizes(home))
        if number in (1, 2) or number % max(1, count // 10) == 0:
            parts = ", ".join(f"{name} {size:.1f}" for name, size in sorted(after[-1].items()) if size >= 0.1)
            print(f"  after night {number}: {sum(after[-1].values()):.1f} MB ({parts})", flush=True)
    return after


def slope(after: list[dict[str, float]], part: str | None, first: int) -> float:
    """Megabytes a night by least squares, from night ``first`` on."""
    rows = after[first - 1 :]
    sums = [night.get(part, 0.0) if part else sum(night.values()) for night in rows]
    return float(np.polyfit(range(len(sums)), sums, 1)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} nights")
    parser.add_argument("--nights", type=int)
    asked = parser.parse_args()
    count, kept = (QUICK, QUICK_KEPT) if asked.quick else (NIGHTS, KEPT)
    count = asked.nights or count
    kept = min(kept, max(1, count // 3))
    home = Path(tempfile.mkdtemp(prefix="mel-growth-"))
    print(f"{count} nights; runs are kept for {kept}.")
    with nights(home) as one:
        after = slept(one, home, count, kept)
    by_part = {part: slope(after, part, kept + 2) for part in sorted(after[-1])}
    print("MB a night once old runs are removed: " + ", ".join(f"{p} {s:.2f}" for p, s in by_part.items()))
    save("growth", {"nights": after, "slopes": by_part}, [Verdict("growth", slope(after, None, kept + 2))])


if __name__ == "__main__":
    main()
