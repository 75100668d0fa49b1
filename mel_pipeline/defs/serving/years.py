"""The runs of a year one after the other, its reports beside them where a second process may make them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mel_pipeline.defs.serving.beside import Beside, reports_beside
from mel_pipeline.defs.serving.running import Jobs, Outcome, Stage
from mel_pipeline.defs.site import NAME as SITE

FIGURES, REPORT = "figures_only", "quarterly_report"  # together what the job nightly does
AS_ALWAYS = "nightly"


@dataclass(frozen=True)
class Ended:
    """A run that has ended. ``job`` and ``partition`` are those that were asked for."""

    job: str
    partition: str
    outcome: Outcome


Begins = Callable[[str, str], None]
Told = Callable[[str, Stage], None]


def run_all(
    runner: Jobs,
    runs: Sequence[tuple[str, str]],
    on_begin: Begins = lambda *_: None,
    on_stage: Told = lambda *_: None,
    tags: dict[str, str] | None = None,
) -> Iterator[Ended]:
    """Run jobs one after the other and tell of each as it ends; whoever is told of a failure stops asking.

    With a second processor the report of a quarter is made while the next one is collected, and told when it is there.

    Args:
        runs: job and partition, as ``runs_of_year`` gives them.
        on_begin: called with job and partition.
        on_stage: called with the partition as each stage ends.

    Raises:
        ReportError: an edition cannot be read, or the second process was killed.
    """
    with reports_beside(runner) as beside:
        each = _Runs(runner, beside, on_begin, on_stage, tags)
        for number, (job, partition) in enumerate(runs, start=1):
            yield from each.run(job, partition, is_first=number == 1, is_last=number == len(runs))
            yield from each.reports()
        yield from each.reports(wait=True)
        if beside:
            yield each.site(*runs[-1])


@dataclass(frozen=True)
class _Runs:
    runner: Jobs
    beside: Beside | None
    on_begin: Begins
    on_stage: Told
    tags: dict[str, str] | None

    def run(self, job: str, partition: str, *, is_first: bool, is_last: bool) -> Iterator[Ended]:
        self.on_begin(job, partition)
        beside = self.beside if job == AS_ALWAYS else None
        outcome = self.runner.run(
            FIGURES if beside else job,
            partition,
            lambda stage: self.on_stage(partition, stage),
            self.tags,
            is_first=is_first,
            is_last=is_last and self.beside is None,
        )
        if beside and outcome.success:
            beside.begin(REPORT, partition, self.tags)
        yield Ended(job, partition, outcome)

    def reports(self, *, wait: bool = False) -> Iterator[Ended]:
        """Reports made beside, as they end."""
        for report in self.beside.ended(wait=wait) if self.beside else ():
            for stage in report.stages:
                self.on_stage(report.partition, stage)
            yield Ended(AS_ALWAYS, report.partition, report.outcome)

    def site(self, job: str, partition: str) -> Ended:
        """The reading site links to every report, so it comes when all are there."""
        of_it = REPORT if job == AS_ALWAYS else job
        outcome = self.runner.run(
            of_it, partition, lambda stage: self.on_stage(partition, stage), self.tags, only=[SITE]
        )
        return Ended(job, partition, outcome)
