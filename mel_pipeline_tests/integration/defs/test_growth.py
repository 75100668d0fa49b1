"""Thirty nights in a row: what a night adds to the disk once old runs are removed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mel_pipeline.core.settings import PROJECT
from mel_pipeline_tests.benchmarks.growth import Night, done, slopes, table

NIGHTS, KEPT = 30, 8
# Megabytes a night, as docs/performance.md states them; above what single nights showed.
LIMITS = {"Dagster": 0.1, "logs": 0.02, "warehouse": 0.5, "pictures": 0.1}
ALL = 0.7


def nights(home: Path, results: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mel_pipeline_tests.benchmarks.growth", f"--home={home}"]
    return subprocess.Popen(
        [*command, f"--nights={NIGHTS}", f"--kept={KEPT}"],
        cwd=PROJECT,
        env={**os.environ, "MEL_BENCHMARK_DIR": str(results)},
        stdout=(results / "said").open("ab"),
        stderr=subprocess.STDOUT,
    )


@pytest.mark.fault(188)
@pytest.mark.exhaustive
def test_thirty_nights_hold_the_slopes_that_the_guide_states_and_go_on_after_a_kill(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = nights(home, tmp_path)
    while len(done(home)) < 2 and first.poll() is None:
        time.sleep(0.2)
    first.kill()
    first.wait()
    assert len(done(home)) >= 2, (tmp_path / "said").read_text()
    assert nights(home, tmp_path).wait() == 0, (tmp_path / "said").read_text()
    after = done(home)
    assert len(after) == NIGHTS
    found = slopes(after, KEPT + 2)
    assert {name: slope for name, slope in found.items() if slope > LIMITS.get(name, 0.05)} == {}, table(
        after, KEPT
    )
    assert sum(found.values()) < ALL
    assert after[-1].history == after[KEPT].history > 0, (
        "nights without news write no earlier versions of rows"
    )
    growing = slopes(after[:KEPT], 2)
    assert growing["Dagster"] > 1, "until old runs are removed it grows, so the measure would show it"


def test_a_slope_is_that_of_the_nights_after_the_first_ones_were_removed() -> None:
    night = [
        Night("2026-11-30T03:00:00+00:00", {"Dagster": min(n, 4) * 7.5, "warehouse": 54 + 0.1 * n}, 9)
        for n in range(1, 13)
    ]
    assert {name: round(slope, 6) for name, slope in slopes(night, 6).items()} == {
        "Dagster": 0.0,
        "warehouse": 0.1,
    }
    assert "| 12 | 30.0 | 55.2 | 85.2 |" in table(night, 4)
    assert "| a night, until old runs are removed | 7.50 | 0.10 | 7.60 |" in table(night, 4)
    assert "| a night, after old runs are removed | 0.00 | 0.10 | 0.10 |" in table(night, 4)


def test_a_night_that_was_being_written_when_it_was_stopped_is_none(tmp_path: Path) -> None:
    assert done(tmp_path) == []
    line = '{"ended": "2026-11-30T03:00:00+00:00", "sizes": {"Dagster": 1.5}, "history": 3}'
    (tmp_path / "growth.jsonl").write_text(f"{line}\n{line[:40]}", encoding="utf-8")
    assert done(tmp_path) == [Night("2026-11-30T03:00:00+00:00", {"Dagster": 1.5}, 3)]
