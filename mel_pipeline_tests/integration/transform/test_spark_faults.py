"""Spark failures on a real cluster: a killed run, lost workers, no cluster."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mel_pipeline.core.errors import ModelError
from mel_pipeline.core.settings import PROJECT
from mel_pipeline.transform import Runner, SqlProject
from mel_pipeline.transform.spark import SparkRunner
from mel_pipeline.warehouse.parquet_mirror import ParquetMirror
from mel_pipeline_tests.fixtures.spark import Cluster, stop_session
from mel_pipeline_tests.sql.test_runner import Small

pytestmark = pytest.mark.slow
ROUND = 1200  # squared: rows that one task of the slow model counts
PART = (
    f"select sum(a.x % 7 + b.x) as n from generate_series(1, {ROUND}) as a(x)"
    f" cross join generate_series(1, {ROUND}) as b(x)"
)
SLOW = "select cast(sum(n) as bigint) as n from (" + " union all ".join([PART] * 6) + ") as t"


def lake_of(small: Small) -> ParquetMirror:
    return ParquetMirror(small.warehouse, small.folder.parent / "lake")


def run(small: Small, master: str, wait_seconds: float = 60) -> dict[str, object]:
    runner = SparkRunner(lake_of(small), master, wait_seconds)
    return {result.name: result for result in runner.run(SqlProject.load(small.folder, {}))}


def both_executors(cluster: Cluster) -> None:
    begun = time.monotonic()
    alive = [f"worker-{n}" for n, worker in enumerate(cluster.workers) if worker.poll() is None]
    while not all(list(cluster.folder.glob(f"{name}/app-*/*/stderr")) for name in alive):
        assert time.monotonic() - begun < 300
        time.sleep(0.2)


def test_a_run_killed_in_the_middle_leaves_the_old_rows_and_the_next_run_is_right(
    tmp_path: Path,
    spark_cluster: Cluster,
) -> None:
    small = Small(tmp_path, f"duckdb:///{tmp_path / 'small.duckdb'}")
    small.write("models/figures.sql", "select 1 as amount")
    assert run(small, spark_cluster.url)["figures"].status == "ok"
    before = lake_of(small).parts()
    stop_session()  # its cores are for the child
    # Tests run before the switch: this one holds the model open after its rows have been written.
    small.write("models/figures.sql", "select 2 as amount")
    small.write("tests/never_ends.sql", f"select n from ({SLOW}) as s, {{{{ ref('figures') }}}} where n < 0")
    script = f"""
from pathlib import Path
from mel_pipeline.transform import SqlProject
from mel_pipeline.transform.spark import SparkRunner
from mel_pipeline.warehouse import Warehouse
from mel_pipeline.warehouse.parquet_mirror import ParquetMirror
lake = ParquetMirror(Warehouse({small.warehouse.url!r}), Path({str(lake_of(small).folder)!r}))
list(SparkRunner(lake, {spark_cluster.url!r}).run(SqlProject.load(Path({str(small.folder)!r}), {{}})))
print("ended", flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    begun = time.monotonic()
    folder = lake_of(small).folder / "figures"
    while not any(folder.glob("*/*.parquet")) or len(list(folder.iterdir())) < 2:
        assert child.poll() is None
        assert time.monotonic() - begun < 300
        time.sleep(0.05)
    child.kill()
    rest, _ = child.communicate()
    assert "ended" not in rest
    assert small.rows("select amount from figures") == [(1,)]
    assert lake_of(small).parts() == before
    (small.folder / "tests" / "never_ends.sql").unlink()
    assert run(small, spark_cluster.url)["figures"].status == "ok"
    assert small.rows("select amount from figures") == [(2,)]


def test_a_model_survives_the_loss_of_a_worker_and_says_so_when_all_are_lost(
    tmp_path: Path,
    spark_cluster: Cluster,
) -> None:
    spark_cluster.add_worker()
    small = Small(tmp_path, f"duckdb:///{tmp_path / 'small.duckdb'}")
    small.write("models/slow.sql", SLOW)
    [expected] = Runner(small.warehouse).run(SqlProject.load(small.folder, {}))
    assert expected.status == "ok"
    right = small.rows("select n from slow")
    warm = Small(tmp_path / "warm", f"duckdb:///{tmp_path / 'warm.duckdb'}")
    warm.write("models/one.sql", "select 1 as one")
    assert run(warm, spark_cluster.url)["one"].status == "ok"
    both_executors(spark_cluster)

    killed = []
    losing = threading.Timer(1.0, lambda: killed.append(spark_cluster.workers[0].kill()))
    losing.start()
    result = run(small, spark_cluster.url)["slow"]
    assert killed, "the model had ended before the worker was lost"
    assert (result.status, result.message) == ("ok", "")
    assert small.rows("select n from slow") == right

    before = lake_of(small).parts()
    small.write("models/slow.sql", SLOW.replace("% 7", "% 5"))
    threading.Timer(1.0, spark_cluster.workers[1].kill).start()
    lost = run(small, spark_cluster.url, wait_seconds=5)["slow"]
    assert lost.status == "failed"
    assert "slow.sql" in lost.message
    assert small.rows("select n from slow") == right
    assert lake_of(small).parts() == before

    with pytest.raises(ModelError, match="no worker took a task within 5 seconds"):
        run(small, spark_cluster.url, wait_seconds=5)
    spark_cluster.add_worker()
    assert run(small, spark_cluster.url)["slow"].status == "ok"
