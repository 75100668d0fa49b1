"""The way from a baseline to a target: what is expected by a day, and what a figure of that day is judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mel_pipeline.core.target_path import Stage, TargetPath, judge, last_day
from mel_pipeline_tests.depth import examples

pytestmark = pytest.mark.deep
START, DUE = date(2024, 12, 31), date(2026, 12, 31)
RANK = {code: place for place, code in enumerate(("off", "near", "ahead", "no_baseline", "on", "over"))}
MEMBERS = TargetPath(DUE, 184.0, Stage(START, 164.0))
many = settings(max_examples=examples(60, 1000), deadline=None)
numbers = st.integers(-3000, 3000).map(float)
days = st.integers(-400, 1200).map(lambda count: START + timedelta(count))


@st.composite
def paths(draw: st.DrawFn) -> TargetPath:
    stages = st.builds(Stage, days, numbers)
    return TargetPath(
        DUE,
        draw(numbers),
        draw(st.none() | st.builds(Stage, st.just(START), numbers)),
        tuple(draw(st.lists(stages, max_size=2))),
        tuple(draw(st.lists(stages, max_size=2))),
    )


@pytest.mark.parametrize(
    ("day", "value", "code"),
    [
        (START, 164, "ahead"),  # nothing is expected on the day of the baseline
        (date(2025, 12, 31), 174, "on"),
        (date(2025, 12, 31), 164, "off"),  # 89 % of the target, and no progress
        (date(2025, 12, 31), 160, "off"),  # members were lost
        (date(2025, 12, 31), 172, "near"),  # 80 % of the ten expected
        (date(2025, 12, 31), 190, "over"),
        (DUE, 183, "on"),  # 95 % of the way
        (DUE, 180, "near"),
        (DUE, 178, "off"),
        (date(2027, 6, 30), 178, "off"),
    ],
)
def test_progress_counts_from_the_baseline_and_only_what_is_expected_by_now(day, value, code):
    assert judge(value, MEMBERS, day).code == code


def test_half_of_the_time_expects_half_of_the_way():
    assert MEMBERS.expected_on(date(2025, 12, 31)) == 174.0
    assert MEMBERS.expected_on(date(2024, 6, 30)) is None
    assert MEMBERS.expected_on(date(2028, 1, 1)) == 184.0


def test_a_target_equal_to_the_baseline_means_to_maintain_it():
    held = TargetPath(DUE, 164.0, Stage(START, 164.0))
    found = {value: judge(value, held, date(2025, 6, 30)).code for value in (165, 164, 163, 150)}
    assert found == {165: "on", 164: "on", 163: "near", 150: "off"}


def test_milestones_bend_the_way():
    slow_start = replace(MEMBERS, milestones=(Stage(date(2025, 12, 31), 166.0),))
    assert slow_start.expected_on(date(2025, 12, 31)) == 166.0
    assert judge(166, slow_start, date(2025, 12, 31)).code == "on"
    assert judge(166, slow_start, date(2026, 6, 30)).code == "off"


def test_a_revision_changes_what_is_expected_from_its_day_on_and_nothing_before():
    eased = replace(MEMBERS, revisions=(Stage(date(2025, 12, 31), 176.0),))
    assert eased.expected_on(date(2025, 12, 30)) == MEMBERS.expected_on(date(2025, 12, 30))
    assert eased.expected_on(date(2025, 12, 31)) == 174.0  # what was late by then stays late
    assert eased.expected_on(DUE) == eased.target_on(DUE) == 176.0
    assert eased.target_on(date(2025, 6, 30)) == 184.0


def test_without_a_baseline_a_target_is_judged_on_its_day_alone():
    bare = TargetPath(DUE, 85.0)
    assert judge(80, bare, date(2025, 12, 31)).code == "no_baseline"
    assert judge(85, bare, date(2025, 12, 31)).code == "on"
    assert judge(84, bare, DUE).code == "near" and judge(70, bare, DUE).code == "off"


def test_what_is_judged_is_what_is_printed():
    way = TargetPath(DUE, 168.0, Stage(START, 164.0))
    soon = date(2025, 2, 10)  # 0.2 members are expected
    assert judge(164, way, soon).code == "ahead" and judge(163, way, soon).code == "near"
    assert judge(83.96, TargetPath(DUE, 84.0), DUE, decimals=1).code == "on"


@pytest.mark.slow
@many
@given(paths(), days, numbers, st.integers(0, 500), st.booleans())
def test_doing_better_never_reads_worse(path, day, value, more, fewer):
    better = value - more if fewer else value + more
    worse, best = (judge(item, path, day, fewer=fewer) for item in (value, better))
    assert RANK[worse.code] <= RANK[best.code]


@pytest.mark.slow
@many
@given(paths(), days, numbers, st.booleans())
def test_less_is_better_mirrors_more_is_better(path, day, value, fewer):
    def turned(stage: Stage) -> Stage:
        return Stage(stage.on, -stage.value)

    mirrored = TargetPath(
        path.due,
        -path.value,
        turned(path.baseline) if path.baseline else None,
        tuple(map(turned, path.milestones)),
        tuple(map(turned, path.revisions)),
    )
    here, there = judge(value, path, day, fewer=fewer), judge(-value, mirrored, day, fewer=not fewer)
    assert (here.code, here.share, here.is_due) == (there.code, there.share, there.is_due)


@pytest.mark.slow
@many
@given(paths(), days, st.integers(0, 500), st.booleans())
@example(MEMBERS, date(2025, 12, 31), 0, False)
def test_no_progress_is_never_on_track_once_something_is_expected(path, day, lost, fewer):
    if path.baseline is None:
        return
    sign = -1.0 if fewer else 1.0
    found = judge(path.baseline.value - sign * lost, path, day, fewer=fewer)
    expected = found.expected is not None and sign * (found.expected - path.baseline.value) > 0
    if expected and day > path.baseline.on:
        assert found.code in ("near", "off")


@pytest.mark.slow
@many
@given(paths(), days, numbers, st.booleans())
def test_losing_ground_is_never_on_track_where_a_level_is_to_be_held(path, day, value, fewer):
    path = replace(path, value=value, baseline=Stage(START, value), milestones=(), revisions=())
    sign = -1.0 if fewer else 1.0
    assert judge(value, path, day, fewer=fewer).code in ("on", "ahead")
    if day > START:
        assert judge(value - sign, path, day, fewer=fewer).code in ("near", "off")


@pytest.mark.slow
@many
@given(paths(), days, numbers, st.booleans())
def test_reaching_what_is_expected_is_always_on_track(path, day, value, fewer):
    found = judge(value, path, day, fewer=fewer)
    if found.expected is not None:
        assert judge(found.expected, path, day, fewer=fewer).code in ("on", "over", "ahead")


@many
@given(paths(), days)
def test_a_revision_leaves_everything_before_it_as_it_was(path, day):
    unrevised = replace(path, revisions=())
    if all(change.on > day for change in path.revisions):
        assert path.expected_on(day) == unrevised.expected_on(day)
        assert path.target_on(day) == unrevised.target_on(day)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2024", date(2024, 12, 31)),
        ("2024-Q3", date(2024, 9, 30)),
        ("2024-02-29", date(2024, 2, 29)),
        ("2024-11-25/2024-12-31", date(2024, 12, 31)),
    ],
)
def test_a_period_stands_for_its_last_day(written, day):
    assert last_day(written) == day
