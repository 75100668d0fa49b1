"""How cost grows with an organisation: quarters of history, members, survey responses, social accounts.

    python -m mel_pipeline_tests.benchmarks.scaling [AXIS] --minutes 30

One axis at a time, the others as in the sample, a process and a home of its own for each point. May be stopped at any
moment and started again: points that are done are kept in ``scaling.jsonl`` of the benchmarks' folder, a line each.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from mel_pipeline_tests.benchmarks.contenders.clock import peak_mb
from mel_pipeline_tests.benchmarks.measuring import HOME, child, save
from mel_pipeline_tests.benchmarks.targets import Verdict

FIRST = "2023-Q1"
STEPS = {"report": "write_quarterly_report", "site": "reading_site", "protection": "released_figures"}
DONE = HOME / "scaling.jsonl"
POINTS = {
    "quarters": (4, 8, 16, 40),
    "members": (160, 1_000, 5_000, 20_000),
    "responses": (10_000, 100_000, 1_000_000, 20_000_000),
    "accounts": (3, 10, 30, 100),
}
QUICK = {"quarters": (4, 8), "members": (160, 1_000), "responses": (10_000, 20_000), "accounts": (3, 10)}


@dataclass
class Point:
    """Costs of one organisation. ``first`` and ``night``: processor seconds of the first night, and of one without news."""

    axis: str
    size: int
    first: float = 0.0
    night: float = 0.0
    night_seconds: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)  # seconds, of the first night
    protect_all: float = 0.0  # processor seconds, as if nothing were known
    peak: float = 0.0  # MB
    disk: float = 0.0  # MB


# -- organisations of a size ---------------------------------------------------------------------------------


@contextmanager
def with_members(count: int) -> Iterator[None]:
    """The sample organisation with more member cities, and ten contacts in each: fewer cannot fill its labs."""
    from mel_pipeline.sandbox.organisation import members, people

    build, regions = members.build_accounts, ("Africa", "Asia", "Europe", "Latin America and the Caribbean")

    def more(calibration: dict[str, Any]) -> list[members.Account]:
        own = build(calibration)
        added = [
            members._account(
                len(own) + 10 + number,
                f"City {number:05}",
                "City government",
                "Member",
                date(1990 + number % 30, 1 + number % 12, 1 + number % 28),
                None,
                regions[number % len(regions)],
            )
            for number in range(max(0, count - 160))
        ]
        return own + added

    members.build_accounts = more
    people.CONTACTS = max(people.CONTACTS, 10 * count)
    yield


@contextmanager
def with_accounts(count: int) -> Iterator[None]:
    """The sample organisation with more Instagram accounts, each with its posts."""
    from mel_pipeline.sandbox.organisation import presence

    build = presence.build_accounts
    ids = [f"178414000001{number:05}" for number in range(max(0, count - len(presence.ACCOUNT_IDS)))]

    def more(last_day: date, calibration: dict[str, Any]) -> list[presence.SocialAccount]:
        added = [
            presence._plain(one, f"account{one[-5:]}", date(2023, 1, 1), 900, 150, 0.8, last_day)
            for one in ids
        ]
        return build(last_day, calibration) + added

    presence.build_accounts = more
    os.environ["MEL_INSTAGRAM_ACCOUNT_IDS"] = ",".join([*presence.ACCOUNT_IDS, *ids])
    yield


@contextmanager
def as_it_is(_size: int) -> Iterator[None]:
    yield


WITH: dict[str, Callable[[int], Any]] = {"members": with_members, "accounts": with_accounts}


def drop_responses(home: Path, count: int) -> None:
    """A survey export in the drop folder, about events that the CRM knows."""
    from mel_pipeline.sandbox.organisation import build
    from mel_pipeline_tests.benchmarks.nights import TODAY
    from mel_pipeline_tests.benchmarks.survey_import import fabricate

    events = [event.code for event in build(TODAY).events if event.start.year == 2024]
    path = home / "survey_exports" / "large.csv"
    fabricate(path, count, events)
    os.utime(path, (1_700_000_000,) * 2)


# -- one point -----------------------------------------------------------------------------------------------


def measured(axis: str, size: int, home: Path) -> Point:
    """A first night and two without news; runs in a process of its own."""
    from mel_pipeline_tests.benchmarks.nights import QUARTER, TODAY, Tomorrow, nights

    quarter, today = QUARTER, TODAY
    if axis == "quarters":
        year, number = 2023 + (size - 1) // 4, 1 + (size - 1) % 4
        quarter, today = f"{year}-Q{number}", date(year, 3 * number, 28) + timedelta(days=25)
    point = Point(axis, size)
    with WITH.get(axis, as_it_is)(size), nights(home, today, quarter) as one:
        if axis == "quarters":
            one.calculate(FIRST)
        if axis == "responses":
            drop_responses(home, size)
        run, _, point.first = timed(one.run)
        took = {
            stats.step_key: (stats.end_time or 0) - (stats.start_time or 0)
            for stats in one.instance.get_run_step_stats(run)
        }
        point.steps = {name: took.get(step, 0.0) for name, step in STEPS.items()}
        turns = []
        for _ in range(2):
            Tomorrow.days += 1
            turns.append(timed(one.run)[1:])
        point.night_seconds, point.night = min(turns)
        point.protect_all = timed(protect_all)[2]
    point.peak = peak_mb()
    point.disk = sum(path.stat().st_size for path in home.rglob("*") if path.is_file()) / 1e6
    return point


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """The result, seconds and processor seconds."""
    begun, used = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - begun, time.process_time() - used


def protect_all() -> None:
    """The public figures of every quarter, with nothing known from before."""
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.publication.disclosure import protection
    from mel_pipeline.publication.release import release
    from mel_pipeline.warehouse import Warehouse

    protection._protected.cache_clear()
    protection._exposed.cache_clear()
    settings = load_settings()
    warehouse = Warehouse(settings.database_url)
    with warehouse.transaction() as connection:
        connection.exec_driver_sql("delete from fingerprint where subject = 'release'")
    release(warehouse, settings)


# -- all points ----------------------------------------------------------------------------------------------


def done() -> list[Point]:
    lines = DONE.read_text(encoding="utf-8").split("\n")[:-1] if DONE.exists() else []
    return [Point(**json.loads(line)) for line in lines]


def next_point(axis: str, size: int) -> Point:
    home = Path(tempfile.mkdtemp(prefix="mel-scaling-"))
    try:
        command = [sys.executable, "-W", "ignore", "-m", __spec__.name, "--point", axis, str(size), home]
        told = child(command)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    told.pop("whole")
    point = Point(**told)
    keep(point)
    return point


def keep(point: Point) -> None:
    """Add it to those that are done, without a line that was being written when it was stopped."""
    DONE.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(vars(each)) + "\n" for each in [*done(), point]]
    DONE.write_text("".join(lines), encoding="utf-8")


def show(point: Point) -> None:
    steps = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in point.steps.items())
    print(
        f"  {point.axis} {point.size:>10,}: first night {point.first:6.1f}, another {point.night:5.1f} processor seconds;"
        f" {steps}; protection of all {point.protect_all:.1f}; {point.peak:,.0f} MB, on disk {point.disk:,.0f} MB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("axes", nargs="*", choices=[*POINTS, []], help="only these")
    parser.add_argument("--quick", action="store_true", help="two small points an axis")
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="begin no further point after these"
    )
    parser.add_argument("--most", type=int, default=None, help="no point beyond this size")
    parser.add_argument("--point", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.point:
        axis, size, home = asked.point
        print(json.dumps(vars(measured(axis, int(size), Path(home)))), flush=True)
        os._exit(0)
    until = time.monotonic() + asked.minutes * 60
    found = {(point.axis, point.size): point for point in done()}
    for axis in asked.axes or POINTS:
        for size in (QUICK if asked.quick else POINTS)[axis]:
            is_wanted = asked.most is None or size <= asked.most
            if (axis, size) not in found and is_wanted and time.monotonic() < until:
                found[axis, size] = next_point(axis, size)
            if (axis, size) in found:
                show(found[axis, size])
    verdicts = []
    if {("quarters", 8), ("quarters", 40)} <= found.keys():
        eight, forty = found["quarters", 8], found["quarters", 40]
        verdicts.append(Verdict("history", forty.night / eight.night))
    save("scaling", {"points": [vars(point) for point in found.values()]}, verdicts)


if __name__ == "__main__":
    main()
