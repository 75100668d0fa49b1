"""All contenders of the SQL model benchmark build the same tables; those not installed are skipped."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from mel_pipeline_tests.benchmarks.equality import differing
from mel_pipeline_tests.benchmarks.measuring import PYTHONS
from mel_pipeline_tests.benchmarks.sql_models import PEERS, Bench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    home = tmp_path_factory.mktemp("benchmark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEL_BENCHMARK_DIR", str(home))
        made = Bench(10_000, home)
    made.turn("script", False, check=False)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.long
def test_every_contender_makes_the_tables_of_the_hand_written_script(bench: Bench, peer: str) -> None:
    if not PYTHONS[PEERS[peer][0]].exists():
        pytest.skip(f"{peer} is not installed: make benchmark-quick does it.")
    measured = bench.turn(peer, with_tests=True, check=True)
    assert measured["tests"] > 20
    assert measured["seconds"] > 0
    assert measured["peak"] > 20


@pytest.mark.slow
@pytest.mark.long
def test_a_contender_with_one_different_figure_would_not_pass(bench: Bench, tmp_path: Path) -> None:
    other = tmp_path / "other.duckdb"
    shutil.copy(bench.reference, other)
    with duckdb.connect(str(other)) as database:
        database.execute(
            "update agg_satisfaction set satisfied = satisfied + 1"
            " where quarter = (select min(quarter) from agg_satisfaction) and region = 'Africa'"
        )
    tables = [model.name for model in bench.models]
    assert set(differing(bench.reference, other, tables)) == {"agg_satisfaction"}
