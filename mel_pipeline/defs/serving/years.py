"""Run the jobs of a year in order; its reports in parallel, where a second process is available."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mel_pipeline.defs.serving.report_process import ReportProcess, report_process
from mel_pipeline.defs.serving.running import Jobs, Outcome, Stage
from mel_pipeline.defs.site import NAME as SITE

FIGURES, REPORT = "figures_only", "quarterly_report"  # together the same as the job nightly
NIGHTLY = "nightly"


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
    """Run jobs in order and yield each result; on a failure the caller stops iterating.

    With a second processor the report of a quarter is created while the next one is collected, and yielded when done.

    Args:
        runs: job and partition, as ``runs_of_year`` gives them.
        on_begin: called with job and partition.
        on_stage: called with the partition as each stage ends.

    Raises:
        ReportError: an edition cannot be read, or the second process was killed.
    """
    with report_process(runner) as process:
        each = _Runs(runner, process, on_begin, on_stage, tags)
        for number, (job, partition) in enumerate(runs, start=1):
            yield from each.run(job, partition, is_first=number == 1, is_last=number == len(runs))
            yield from each.reports()
        yield from each.reports(wait=True)
        if process:
            yield each.site(*runs[-1])


@dataclass(frozen=True)
class _Runs:
    runner: Jobs
    process: ReportProcess | None
    on_begin: BeginCallback
    on_stage: StageCallback
    tags: dict[str, str] | None

    def run(self, job: str, partition: str, *, is_first: bool, is_last: bool) -> Iterator[Ended]:
        self.on_begin(job, partition)
        process = self.process if job == NIGHTLY else None
        outcome = self.runner.run(
            FIGURES if process else job,
            partition,
            lambda stage: self.on_stage(partition, stage),
            self.tags,
            is_first=is_first,
            is_last=is_last and self.process is None,
        )
        if process and outcome.success:
            process.begin(REPORT, partition, self.tags)
        yield Ended(job, partition, outcome)

    def reports(self, *, wait: bool = False) -> Iterator[Ended]:
        """Reports of the second process, as they finish."""
        for report in self.process.ended(wait=wait) if self.process else ():
            for stage in report.stages:
                self.on_stage(report.partition, stage)
            yield Ended(NIGHTLY, report.partition, report.outcome)

    def site(self, job: str, partition: str) -> Ended:
        """The reading site links to every report, so it is written when all are there."""
        of_it = REPORT if job == NIGHTLY else job
        outcome = self.runner.run(
            of_it, partition, lambda stage: self.on_stage(partition, stage), self.tags, only=[SITE]
        )
        return Ended(job, partition, outcome)
