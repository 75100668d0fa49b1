"""Which backups are kept, over random histories of backups."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mel_pipeline.backup.manifest import NAME
from mel_pipeline.backup.retention import superfluous

NOW = datetime(2026, 11, 30, 3)
ages = st.lists(st.integers(0, 300 * 24), min_size=1, max_size=60, unique=True)


def _folders(hours: list[int]) -> list[Path]:
    return [Path((NOW - timedelta(hours=one)).strftime(NAME)) for one in sorted(hours, reverse=True)]


@pytest.mark.slow
@given(ages, st.integers(1, 200))
def test_the_newest_stays_and_none_is_kept_longer_than_stated(hours: list[int], days: int) -> None:
    folders = _folders(hours)
    kept = [folder for folder in folders if folder not in superfluous(folders, NOW, days)]
    assert folders[-1] in kept
    assert [one for one in kept[:-1] if _age(one) > timedelta(days=days)] == []


@pytest.mark.slow
@given(ages)
def test_two_weeks_are_kept_whole_and_every_week_before_has_one(hours: list[int]) -> None:
    folders = _folders(hours)
    kept = {folder for folder in folders if folder not in superfluous(folders, NOW, 90)}
    assert {one for one in folders if _age(one) <= timedelta(days=14)} <= kept
    within = [one for one in folders if _age(one) <= timedelta(days=90)]
    assert {_week(one) for one in within} == {_week(one) for one in kept if one in within}


@given(ages)
@pytest.mark.long
def test_pruning_each_night_keeps_no_less_than_pruning_once(hours: list[int]) -> None:
    folders = _folders(hours)
    once = set(superfluous(folders, NOW, 90))
    left = [folder for folder in folders if folder not in once]
    assert superfluous(left, NOW, 90) == []


def _age(folder: Path) -> timedelta:
    return NOW - datetime.strptime(folder.name, NAME)


def _week(folder: Path) -> tuple[int, int]:
    year, week, _ = datetime.strptime(folder.name, NAME).isocalendar()
    return year, week
