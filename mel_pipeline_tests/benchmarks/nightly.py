"""The nightly run compared with the same number of empty Dagster assets and checks, in one process.

The sample organisation is loaded once first, so that the measured runs are ordinary nightly runs, a day after the
last one: one without news, and one after answers to a survey have arrived. They alternate and the median counts.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import date
from pathlib import Path

import dagster as dg

from mel_pipeline.core.settings import load_settings
from mel_pipeline.sandbox.organisation import build
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.benchmarks.contenders.clock import peak_mb
from mel_pipeline_tests.benchmarks.measuring import Turns, keep, ratio, show
from mel_pipeline_tests.benchmarks.nights import QUIET, TODAY, Tomorrow, nights
from mel_pipeline_tests.benchmarks.sampling import sampled
from mel_pipeline_tests.benchmarks.survey_import import fabricate
from mel_pipeline_tests.benchmarks.targets import Verdict

TURNS = 3
ANSWERS = 60


def empty_definitions(assets: int, checks: int) -> dg.Definitions:
    """``assets`` empty assets, the first ``checks`` of them with a check, as a team without this package would start."""

    def asset(number: int) -> dg.AssetsDefinition:
        name = f"empty_{number}"
        specs = [dg.AssetCheckSpec("check", asset=name)] if number < checks else []

        @dg.asset(name=name, check_specs=specs)
        def empty():  # type: ignore[no-untyped-def]
            results = [dg.AssetCheckResult(passed=True, check_name="check")] if specs else []
            yield dg.MaterializeResult(check_results=results)

        return empty

    job = dg.define_asset_job("empty", selection=dg.AssetSelection.all())
    return dg.Definitions(
        assets=[asset(n) for n in range(assets)], jobs=[job], executor=dg.in_process_executor
    )


def drop_answers(home: Path, turn: int) -> None:
    """Another survey export in the drop folder: answers about events of the quarter."""
    events = [event.code for event in build(TODAY).events if event.start.date() >= date(2024, 10, 1)]
    path = home / "survey_exports" / f"news {turn}.csv"
    fabricate(path, ANSWERS, events[:5], first=turn * ANSWERS)
    os.utime(path, (1_700_000_000 + turn,) * 2)


def answered() -> float:
    """How many answers the figures are from."""
    rows = Warehouse(load_settings().database_url).records("select sum(n) as n from indicator_values")
    return float(rows[0]["n"])


def timed(run: Callable[[], object]) -> dict[str, float]:
    begun, used = time.perf_counter(), time.process_time()
    run()
    return {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - used, "peak": peak_mb()}


def slowest_steps(instance: dg.DagsterInstance, run: str, most: int = 12) -> list[tuple[str, float]]:
    """Steps of a run with their seconds, the longest first."""
    stats = instance.get_run_step_stats(run)
    took = [(one.step_key, one.end_time - one.start_time) for one in stats if one.end_time and one.start_time]
    return sorted(took, key=lambda step: -step[1])[:most]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one turn")
    parser.add_argument("--profile", action="store_true", help="one turn, and where the night's time goes")
    asked = parser.parse_args()
    turns = 1 if asked.quick or asked.profile else TURNS
    runs: list[str] = []
    home = Path(tempfile.mkdtemp(prefix="mel-benchmark-"))
    with nights(home) as each:
        keys = each.job.asset_layer.executable_asset_keys
        checks = len(each.definitions.resolve_asset_graph().asset_check_keys)
        empty = empty_definitions(len(keys), checks).resolve_job_def("empty")
        print(f"Nightly: {len(keys)} assets, {checks} checks. Empty: as many of each, a step an asset.")

        def night() -> None:
            runs.append(each.run())

        def nothing() -> None:
            assert empty.execute_in_process(instance=each.instance, run_config=QUIET).success

        first = timed(night)
        found = {name: Turns(name) for name in ("empty assets", "ordinary night", "night with news")}
        for turn in range(turns):
            found["empty assets"].note(timed(nothing))
            drop_answers(home, turn)
            Tomorrow.days += 1
            before = answered()
            found["night with news"].note(timed(night))
            assert answered() > before, "the news reached no figure"
            Tomorrow.days += 1
            with sampled() if asked.profile else nullcontext() as samples:
                found["ordinary night"].note(timed(night))
        longest = slowest_steps(each.instance, runs[-1])
    show(f"In one process, after a first night of {first['seconds']:.1f} s", found, "empty assets")
    print("  longest steps of the last night: " + ", ".join(f"{name} {took:.1f} s" for name, took in longest))
    if samples:
        samples.show()
    verdicts = [
        Verdict("nightly", ratio(found["ordinary night"], found["empty assets"])),
        Verdict("nightly news", ratio(found["night with news"], found["empty assets"])),
    ]
    keep("nightly", {"sample": found}, verdicts)


if __name__ == "__main__":
    main()
