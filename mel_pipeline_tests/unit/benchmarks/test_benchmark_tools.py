"""Benchmark output: verdicts, ratios of neighbouring turns, failures of a contender."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from mel_pipeline_tests.benchmarks import plot, scaling
from mel_pipeline_tests.benchmarks.measuring import Turns, child, in_turns, ratio
from mel_pipeline_tests.benchmarks.sampling import sampled
from mel_pipeline_tests.benchmarks.targets import TARGETS, Verdict


def test_a_value_at_the_limit_meets_the_target_and_one_beyond_does_not() -> None:
    assert Verdict("models", TARGETS["models"].limit).is_met
    assert not Verdict("models", TARGETS["models"].limit + 0.01).is_met


def test_a_strict_target_needs_a_ratio_below_the_limit() -> None:
    assert not Verdict("tests polars", 1.0).is_met
    assert Verdict("tests polars", 0.99).is_met


def test_a_verdict_says_value_target_and_outcome() -> None:
    assert Verdict("models", 1.5, "5 rows").sentence == (
        "SQL models without tests beside one hand-written DuckDB script (5 rows): 1.50×, target at most 1.15×: NOT met"
    )


def test_the_ratio_compares_turns_that_ran_one_after_the_other() -> None:
    # The machine was three times slower in the second turn, for both.
    assert ratio(Turns("a", [2.0, 6.0]), Turns("b", [1.0, 3.0])) == 2.0


def test_every_second_turn_runs_in_reverse_order() -> None:
    order: list[str] = []

    def work(name: str) -> dict[str, float]:
        order.append(name)
        return {"seconds": 1.0, "peak": 1.0}

    found = in_turns({name: lambda name=name: work(name) for name in "abc"}, 2)  # type: ignore[misc]
    assert "".join(order) == "abccba"
    assert found["b"].seconds == [1.0, 1.0]


def test_a_failing_contender_ends_the_benchmark_with_its_output() -> None:
    with pytest.raises(RuntimeError, match="no such table"):
        child([sys.executable, "-c", "raise SystemExit('no such table')"])


@pytest.mark.slow
def test_memory_is_that_of_the_child_and_not_of_its_parent() -> None:
    ballast = bytearray(200_000_000)
    code = (
        "import sys, json; sys.path.insert(0, 'mel_pipeline_tests/benchmarks/contenders');"
        "from clock import peak_mb; print(json.dumps({'peak': peak_mb()}))"
    )
    assert child([sys.executable, "-c", code])["peak"] < 100
    assert len(ballast) == 200_000_000


@pytest.mark.slow
def test_the_sampler_sees_where_the_time_goes() -> None:
    with sampled() as samples:
        while samples.total < 10:  # as long as it takes on a busy machine
            sum(range(1000))
    assert samples.total >= 10
    [(name, count)] = samples.functions.most_common(1)
    assert "test_the_sampler_sees_where_the_time_goes" in name
    assert count > samples.total / 2


def test_points_that_were_measured_are_kept_but_for_the_one_that_was_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scaling, "DONE", tmp_path / "scaling.jsonl")
    assert scaling.done() == []
    points = [scaling.Point("quarters", 4, first=70.0, night=25.0), scaling.Point("quarters", 8, first=80.0)]
    lines = [json.dumps(vars(point)) for point in points]
    scaling.DONE.write_text(f"{lines[0]}\n{lines[1][:20]}", encoding="utf-8")
    assert scaling.done() == points[:1]
    scaling.keep(points[1])
    assert scaling.done() == points


@pytest.mark.slow
def test_growth_is_drawn_for_each_axis_that_has_points_to_compare(tmp_path: Path) -> None:
    points = [
        scaling.Point(axis, size, first=size, night=10.0, protect_all=0.5)
        for axis, size in (("quarters", 4), ("quarters", 40), ("members", 160))
    ]
    results = tmp_path / "scaling.json"
    results.write_text(json.dumps({"found": {"points": [vars(point) for point in points]}}), encoding="utf-8")
    plot.draw_growth(results, tmp_path / "growth.png")
    width = int.from_bytes((tmp_path / "growth.png").read_bytes()[16:20])
    assert 500 < width < 700, "one panel"
