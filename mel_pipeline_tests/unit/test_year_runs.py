"""The order of a year's runs, with and without a second process for reports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.defs.serving import years
from mel_pipeline.defs.serving.report_process import Report
from mel_pipeline.defs.serving.running import Outcome, Stage
from mel_pipeline.defs.year import runs_of_quarter

QUARTERS = "2023-Q1...2024-Q2"
RUNS = [
    ("figures_only", QUARTERS),
    ("quarterly_report", "2024-Q1"), ("quarterly_report", "2024-Q2"), ("annual_edition", "2024"),
]  # fmt: skip


SETTINGS = Settings(first_quarter="2023-Q1", today=date(2026, 11, 20), _env_file=None)


class Recorder:
    """Replaces this process and the report process; records the calls to each, in order."""

    def __init__(self, fails: str = "", report_fails: str = "") -> None:
        self.fails, self.report_fails = fails, report_fails
        self.asked: list[str] = []
        self.waiting: list[tuple[str, str]] = []

    def run(self, job: str, partition: str, on_stage: Any, tags: Any, **how: Any) -> Outcome:
        only = f" only {' '.join(how['only'])}" if "only" in how else ""
        rest = "".join(f" {name}" for name in ("is_first", "is_last") if how.get(name))
        self.asked.append(f"{job} {partition}{only}{rest}")
        on_stage(Stage("1_collect", 1.0, 1, 0))
        return Outcome(partition != self.fails, "")

    def begin(self, job: str, partition: str, tags: Any) -> None:
        self.asked.append(f"beside: {job} {partition}")
        self.waiting.append((job, partition))

    def take_back(self) -> tuple[str, str, None] | None:
        return (*self.waiting.pop(), None) if len(self.waiting) > 1 else None  # the first has begun

    def ended(self, *, wait: bool = False) -> Iterator[Report]:
        while self.waiting and wait:
            job, partition = self.waiting.pop(0)
            self.asked.append(f"told: {partition}")
            yield Report(
                job, partition, Outcome(partition != self.report_fails, ""), [Stage("4_report", 2.0, 1, 0)]
            )


def outcomes(
    monkeypatch: pytest.MonkeyPatch, recorder: Recorder, *, beside: bool
) -> list[tuple[str, str, bool]]:
    @contextmanager
    def reports_beside(_: object) -> Iterator[Recorder | None]:
        yield recorder if beside else None

    monkeypatch.setattr(years, "report_process", reports_beside)
    found = []
    for ended in years.run_all(recorder, RUNS):  # type: ignore[arg-type]
        found.append((ended.job, ended.partition, ended.outcome.success))
        if not ended.outcome.success:
            break
    return found


def test_in_one_process_the_runs_follow_each_other_and_the_last_writes_the_site(monkeypatch):
    recorder = Recorder()
    found = outcomes(monkeypatch, recorder, beside=False)
    assert [(job, partition) for job, partition, _ in found] == RUNS
    assert recorder.asked == [
        f"figures_only {QUARTERS} is_first",
        "quarterly_report 2024-Q1", "quarterly_report 2024-Q2", "annual_edition 2024 is_last",
    ]  # fmt: skip


def test_with_a_second_process_two_reports_are_made_at_a_time_and_the_site_comes_last(monkeypatch):
    recorder = Recorder()
    found = outcomes(monkeypatch, recorder, beside=True)
    assert recorder.asked == [
        f"figures_only {QUARTERS} is_first",
        "beside: quarterly_report 2024-Q1", "beside: quarterly_report 2024-Q2",
        "annual_edition 2024", "quarterly_report 2024-Q2", "told: 2024-Q1",
        "annual_edition 2024 only reading_site",
    ]  # fmt: skip
    assert all(success for _, _, success in found)
    assert sorted((job, partition) for job, partition, _ in found[:-1]) == sorted(RUNS)


def test_failed_figures_start_no_report_and_a_failed_report_is_told_wherever_it_was_made(monkeypatch):
    recorder = Recorder(fails=QUARTERS)
    assert outcomes(monkeypatch, recorder, beside=True) == [("figures_only", QUARTERS, False)]
    assert len(recorder.asked) == 1
    for recorder in (Recorder(report_fails="2024-Q1"), Recorder(fails="2024-Q2")):
        failed = recorder.report_fails or recorder.fails
        assert outcomes(monkeypatch, recorder, beside=True)[-1] == ("quarterly_report", failed, False)
        assert not recorder.asked[-1].endswith("reading_site")


@pytest.mark.parametrize(
    ("quarter", "figures"),
    [
        ("2024-Q2", "2023-Q2...2024-Q2"),
        ("2023-Q2", "2023-Q1...2023-Q2"),
        ("2023-Q1", "2023-Q1"),
    ],
)
def test_the_figures_of_one_quarter_begin_with_what_its_report_compares_with(
    quarter: str, figures: str
) -> None:
    runs = [("figures_only", figures), ("quarterly_report", quarter)]
    assert runs_of_quarter(SETTINGS, Quarter.parse(quarter)) == runs


@pytest.mark.parametrize(
    ("quarter", "why"), [("2022-Q4", "data begin with 2023-Q1"), ("2027-Q1", "has not begun")]
)
def test_a_quarter_without_data_is_refused(quarter: str, why: str) -> None:
    with pytest.raises(ReportError, match=why):
        runs_of_quarter(SETTINGS, Quarter.parse(quarter))
