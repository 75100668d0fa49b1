"""Run contenders as separate processes, in turns, and keep their results. No particular benchmark belongs here."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mel_pipeline.core.settings import PROJECT
from mel_pipeline_tests.benchmarks.targets import Verdict

HOME = Path(os.environ.get("MEL_BENCHMARK_DIR") or PROJECT / ".mel" / "benchmarks")
PYTHONS = {
    "own": Path(sys.executable),
    "bench": PROJECT / ".venv-bench" / "bin" / "python",
    "dbt": PROJECT / ".venv-dbt" / "bin" / "python",
}
CONTENDERS = Path(__file__).parent / "contenders"


@dataclass
class Turns:
    """What one contender took, per turn. ``whole`` is the entire process, including imports."""

    name: str
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def most(self) -> float:
        return max(self.peak)

    def note(self, told: Mapping[str, Any]) -> None:
        for name in ("seconds", "cpu", "whole", "peak"):
            if name in told:
                getattr(self, name).append(float(told[name]))


def ratio(first: Turns, second: Turns) -> float:
    """Median ratio of consecutive turns, so that a temporarily busy machine does not count."""
    return statistics.median(a / b for a, b in zip(first.seconds, second.seconds, strict=True))


def child(command: Sequence[str | Path], extra: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Run a program that prints JSON on its last line, and add ``whole``. An error shows its output."""
    begun = time.perf_counter()
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT), **(extra or {})},
    )
    whole = time.perf_counter() - begun
    if done.returncode != 0:
        raise RuntimeError(
            f"{Path(str(command[-2])).name} failed: {(done.stderr or '')[-3000:]}{done.stdout[-1500:]}"
        )
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return {**told, "whole": whole}


def contender(python: str, script: str, task: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Run one program of ``contenders/`` with its task as a file."""
    path = folder / "task.json"
    path.write_text(json.dumps(task), encoding="utf-8")
    return child([PYTHONS[python], "-W", "ignore", CONTENDERS / script, path])


def in_turns(works: Mapping[str, Callable[[], Mapping[str, Any]]], turns: int) -> dict[str, Turns]:
    """Run each work in each turn; every second turn in reverse order."""
    found = {name: Turns(name) for name in works}
    for turn in range(turns):
        for name in list(works) if turn % 2 == 0 else reversed(list(works)):
            found[name].note(works[name]())
    return found


def show(title: str, found: Mapping[str, Turns], base: str) -> None:
    """A table of medians, their spread and the ratio to ``base``."""
    print(f"\n{title}")
    for name, turns in found.items():
        spread = f"{min(turns.seconds):.2f}-{max(turns.seconds):.2f}"
        cpu = f"   processor {statistics.median(turns.cpu):7.2f} s" if turns.cpu else ""
        whole = f"   whole process {statistics.median(turns.whole):7.2f} s" if turns.whole else ""
        print(
            f"  {name:<28} {turns.median:8.2f} s ({spread:>13})   ratio {ratio(turns, found[base]):5.2f}"
            f"   peak {turns.most:6.0f} MB{cpu}{whole}",
            flush=True,
        )


def keep(name: str, found: Mapping[str, Mapping[str, Turns]], verdicts: Sequence[Verdict]) -> None:
    """As ``save``; ``found`` is keyed by what was measured (say, rows)."""
    parts = {
        part: {each: asdict(turns) for each, turns in by_name.items()} for part, by_name in found.items()
    }
    save(name, parts, verdicts)


def save(name: str, found: Mapping[str, object], verdicts: Sequence[Verdict]) -> None:
    """Print the verdicts and keep everything as JSON."""
    for verdict in verdicts:
        print(f"  → {verdict.sentence}")
    folder = HOME / "results"
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "name": name,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cpus": os.cpu_count(),
            "load": os.getloadavg()[0],
            "python": platform.python_version(),
            "system": platform.system(),
        },
        "found": found,
        "verdicts": [
            {**asdict(verdict), "met": verdict.is_met, "sentence": verdict.sentence} for verdict in verdicts
        ],
    }
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
