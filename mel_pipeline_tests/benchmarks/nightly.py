"""The nightly run beside the same number of empty Dagster assets and checks, in one process.

``make benchmark`` prints seconds, the ratio and the target. The sample organisation is collected once before, so
that what is measured is an ordinary night; both take turns and the median counts.
"""

from __future__ import annotations

import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import dagster as dg

TARGET = 2.0
TURNS = 3
QUARTER = "2024-Q4"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def empty_definitions(assets: int, checks: int) -> dg.Definitions:
    """So many assets, each a step with a check, as a team without this package would begin."""

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


def timed(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def main() -> None:
    from mel_pipeline.defs import build
    from mel_pipeline.sandbox.server import running

    home = Path(tempfile.mkdtemp(prefix="mel-benchmark-"))
    with running(today=date(2026, 11, 20), survey_dir=home / "survey_exports") as box:
        os.environ |= {
            "MEL_HOME": str(home),
            "MEL_SANDBOX_PORT": str(box.port),
            "MEL_TODAY": "2026-11-20",
            "MEL_REPORTS_DIR": str(home / "published"),
            "DAGSTER_HOME": str(home),
            "DAGSTER_EVENT_BATCH_SIZE": "50",  # for both, as the shipped instance sets it
        }
        (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
        ours = build()
        graph = ours.resolve_asset_graph()
        nightly = ours.resolve_job_def("nightly")
        keys = nightly.asset_layer.executable_asset_keys
        checks = len(graph.asset_check_keys)
        empty = empty_definitions(len(keys), checks).resolve_job_def("empty")
        print(f"Nightly: {len(keys)} assets, {checks} checks. Empty: as many of each, a step an asset.")
        with dg.DagsterInstance.get() as instance:

            def night() -> None:
                assert nightly.execute_in_process(
                    instance=instance, partition_key=QUARTER, run_config=QUIET
                ).success

            def nothing() -> None:
                assert empty.execute_in_process(instance=instance, run_config=QUIET).success

            first = timed(night)
            pairs = [(timed(night), timed(nothing)) for _ in range(TURNS)]
    nights, nothings = (statistics.median(values) for values in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"first night {first:.1f} s · ordinary night {nights:.1f} s · empty assets {nothings:.1f} s · peak {peak:.0f} MB"
    )
    print(f"ratio {ratio:.2f} (target: at most {TARGET:.1f}) {'met' if ratio <= TARGET else 'NOT met'}")


if __name__ == "__main__":
    main()
