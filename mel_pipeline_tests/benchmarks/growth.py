"""What an installation grows by: the disk after each night of the sample organisation, and its slope.

    python -m mel_pipeline_tests.benchmarks.growth --home FOLDER --minutes 20

Every night is a day after the one before and reads everything again, as real ones do. Dagster's runs are removed as the
sensor ``housekeeping`` does it, so the slope that counts is that of the nights after the first ones were removed.

With ``--home`` it may be stopped at any moment and started again with the same folder: the nights that are done are kept
in ``growth.jsonl`` there, a line each. ``--minutes`` begins no further night after that time; what is measured by then is
shown.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TextIO

import numpy as np

from mel_pipeline.core.settings import load_settings
from mel_pipeline.defs.housekeeping import remove_old_runs
from mel_pipeline.defs.serving.history import keep_history_open
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.benchmarks.measuring import save
from mel_pipeline_tests.benchmarks.nights import Nights, Tomorrow, nights
from mel_pipeline_tests.benchmarks.targets import Verdict

NIGHTS, KEPT = 300, 90  # MEL_KEEP_RUNS_DAYS
QUICK, QUICK_KEPT = 20, 6
DONE = "growth.jsonl"
PARTS = {"history": "Dagster", "schedules": "Dagster", "storage": "logs"}
HISTORY = "select sum(estimated_size) from duckdb_tables() where table_name like 'raw!_%!_history' escape '!'"


@dataclass(frozen=True)
class Night:
    """``ended``: when its run ended, ISO 8601. ``sizes``: megabytes by part. ``history``: rows of earlier versions."""

    ended: str
    sizes: dict[str, float]
    history: int

    @property
    def whole(self) -> float:
        return sum(self.sizes.values())


def sizes(home: Path) -> dict[str, float]:
    """Megabytes by what they are."""
    found: defaultdict[str, float] = defaultdict(float)
    for path in home.rglob("*"):
        if path.is_file() and path.name != DONE:
            top = path.relative_to(home).parts[0]
            part = "warehouse" if top.startswith("warehouse") else PARTS.get(top, top)
            found[part] += path.stat().st_size / 1e6
    return dict(found)


def done(home: Path) -> list[Night]:
    """The nights so far; a line that was being written when it was stopped is none."""
    path = home / DONE
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
    return [Night(**json.loads(line)) for line in lines]


def slept(one: Nights, home: Path, count: int, kept: int, until: float) -> Iterator[Night]:
    """Each night that is still to be done. ``until``: by the monotonic clock, when no further one begins."""
    before = done(home)
    ended = [night.ended for night in before]
    Tomorrow.days = len(before)
    with (home / DONE).open("w", encoding="utf-8") as file:  # without the line that was being written
        for night in before:
            _note(file, night)
        for number in range(len(before) + 1, count + 1):
            if monotonic() > until:
                return
            with keep_history_open(home):  # as a run of the service does; closed, its log is part of the file
                one.run()
            Tomorrow.days += 1
            ended.append(datetime.now(UTC).isoformat())
            if number > kept:
                remove_old_runs(one.instance, datetime.fromisoformat(ended[number - kept - 1]))
            yield _note(file, Night(ended[-1], sizes(home), _history()))


def _note(file: TextIO, night: Night) -> Night:
    file.write(json.dumps(asdict(night)) + "\n")
    file.flush()
    return night


def _history() -> int:
    return int(Warehouse(load_settings().database_url).records(HISTORY)[0]["sum(estimated_size)"] or 0)


def slopes(after: Sequence[Night], first: int) -> dict[str, float]:
    """Megabytes a night by part, by least squares, from night ``first`` on."""
    counted = after[first - 1 :]
    parts = sorted({part for night in counted for part in night.sizes})
    return {part: _slope([night.sizes.get(part, 0.0) for night in counted]) for part in parts}


def _slope(values: Sequence[float]) -> float:
    return float(np.polyfit(range(len(values)), values, 1)[0]) if len(values) > 1 else float("nan")


def table(after: Sequence[Night], kept: int) -> str:
    """Markdown: the sizes after some nights, and the slopes before and after the first runs were removed."""
    count = len(after)
    shown = sorted({1, min(kept, count), *(count * step // 4 for step in range(1, 5))} - {0})
    parts = [part for part in sorted(after[-1].sizes) if after[-1].sizes[part] >= 0.1]
    lines = [f"| MB after night | {' | '.join(parts)} | all |", "|---" * (len(parts) + 2) + "|"]
    for number in shown:
        night = after[number - 1]
        cells = " | ".join(f"{night.sizes.get(part, 0.0):.1f}" for part in parts)
        lines.append(f"| {number} | {cells} | {night.whole:.1f} |")
    for words, first, some in (("until", 2, after[:kept]), ("after", kept + 2, after)):
        found = slopes(some, first)
        cells = " | ".join(f"{found.get(part, float('nan')):.2f}" for part in parts)
        whole = _slope([night.whole for night in some[first - 1 :]])
        lines.append(f"| a night, {words} old runs are removed | {cells} | {whole:.2f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} nights")
    parser.add_argument("--nights", type=int)
    parser.add_argument("--kept", type=int, help="nights whose runs are kept")
    parser.add_argument("--home", type=Path, help="folder of the nights, to go on with after it was stopped")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no night after these")
    asked = parser.parse_args()
    count, kept = (QUICK, QUICK_KEPT) if asked.quick else (NIGHTS, KEPT)
    count = asked.nights or count
    kept = asked.kept or min(kept, max(1, count // 3))
    home = (asked.home or Path(tempfile.mkdtemp(prefix="mel-growth-"))).resolve()
    home.mkdir(parents=True, exist_ok=True)
    until = monotonic() + asked.minutes * 60
    print(f"{count} nights in {home}; runs are kept for {kept}. Done: {len(done(home))}.", flush=True)
    with nights(home) as one:
        for _ in slept(one, home, count, kept, until):
            after = done(home)
            if len(after) in (1, 2) or len(after) % max(1, count // 10) == 0:
                print(f"  after night {len(after)}: {after[-1].whole:.1f} MB", flush=True)
    after = done(home)
    print(f"\n{table(after, kept)}\nRows of earlier versions: {after[0].history}, then {after[-1].history}.")
    if len(after) < kept + 3:
        print("Too few nights for a slope. Start it again with the same --home.")
        return
    found = {"nights": [asdict(night) for night in after], "kept": kept, "slopes": slopes(after, kept + 2)}
    save("growth", found, [Verdict("growth", _slope([night.whole for night in after[kept + 1 :]]))])


if __name__ == "__main__":
    main()
