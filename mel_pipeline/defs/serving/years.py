"""Run the jobs of a year in order; two reports at a time, where a second process is available."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.defs.context import handed_over
from mel_pipeline.defs.serving.report_process import ReportProcess, report_process
from mel_pipeline.defs.serving.running import Jobs, Outcome, Stage
from mel_pipeline.defs.site import NAME as SITE
from mel_pipeline.defs.year import FIGURES

if TYPE_CHECKING:
    from mel_pipeline.reporting.edition import Edition


@dataclass(frozen=True)
class Ended:
    """A finished run. ``job`` and ``partition`` are the requested ones."""

    job: str
    partition: str
    outcome: Outcome


BeginCallback = Callable[[str, str], None]
StageCallback = Callable[[str, Stage], None]


def run_all(
    runner: Jobs,
    runs: Sequence[tuple[str, str]],
    on_begin: BeginCallback = lambda *_: None,
    on_stage: StageCallback = lambda *_: None,
    tags: dict[str, str] | None = None,
) -> Iterator[Ended]:
    """Run jobs and yield each result; on a failure the caller stops iterating.

    Figures come first, in order. With a second processor two reports are created at a time, and the reading site, which
    links to all of them, at the end; otherwise the last run writes it.

    Args:
        runs: job and partition, as ``runs_of_year`` gives them: the figures before the reports.
        on_begin: called with job and partition.
        on_stage: called with the partition as each stage ends.

    Raises:
        ReportError: an edition cannot be read, or the second process was killed.
    """
    figures = [run for run in runs if run[0] == FIGURES]
    reports = [run for run in runs if run[0] != FIGURES]
    # A single report is drawn by as many processes as there are processors.
    with report_process(runner) if len(reports) > 1 else nullcontext() as process:
        each = _Runs(runner, on_begin, on_stage, tags)
        for number, (job, partition) in enumerate(figures, start=1):
            yield each.run(job, partition, is_first=number == 1, is_last=number == len(runs))
        if process is None:
            for number, (job, partition) in enumerate(reports, start=1):
                yield each.run(job, partition, is_first=False, is_last=number == len(reports))
        elif reports:
            yield from each.reports_of_two(process, reports)
            yield each.site(*reports[-1])


@dataclass(frozen=True)
class _Runs:
    runner: Jobs
    on_begin: BeginCallback
    on_stage: StageCallback
    tags: dict[str, str] | None

    def run(
        self, job: str, partition: str, edition: Edition | None = None, *, is_first: bool, is_last: bool
    ) -> Ended:
        self.on_begin(job, partition)
        with handed_over(edition) if edition else nullcontext():
            outcome = self.runner.run(
                job,
                partition,
                lambda stage: self.on_stage(partition, stage),
                self.tags,
                is_first=is_first,
                is_last=is_last,
            )
        return Ended(job, partition, outcome)

    def reports_of_two(self, process: ReportProcess, reports: Sequence[tuple[str, str]]) -> Iterator[Ended]:
        """The second process begins with the first report, this one with the last; each takes what is left."""
        *others, last = reports
        for job, partition in others:
            process.begin(job, partition, self.tags)
        yield self.run(*last, is_first=False, is_last=False)
        yield from self._ended(process)
        while left := process.take_back():
            yield self.run(*left, is_first=False, is_last=False)
            yield from self._ended(process)
        yield from self._ended(process, wait=True)

    def _ended(self, process: ReportProcess, *, wait: bool = False) -> Iterator[Ended]:
        """Reports of the second process, as they finish."""
        for report in process.ended(wait=wait):
            for stage in report.stages:
                self.on_stage(report.partition, stage)
            yield Ended(report.job, report.partition, report.outcome)

    def site(self, job: str, partition: str) -> Ended:
        outcome = self.runner.run(
            job, partition, lambda stage: self.on_stage(partition, stage), self.tags, only=[SITE]
        )
        return Ended(job, partition, outcome)
