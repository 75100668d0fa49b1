"""Create reports in a second process beside this one.

The edition is read here and handed over as frames: the second process never opens the warehouse, which one process
writes at a time. It runs Dagster's report job, so the assets appear in the UI like those of any other run.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.util import Finalize
from pathlib import Path

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.processes import cores, interruptible, may_start_more, workers
from mel_pipeline.core.settings import load_settings
from mel_pipeline.defs.context import handed_over
from mel_pipeline.defs.serving.running import Jobs, Outcome, Stage, jobs
from mel_pipeline.reporting.edition import Edition
from mel_pipeline.reporting.inputs.editions import read_edition


@dataclass(frozen=True)
class Report:
    """A finished or failed report, with the stages of its run."""

    job: str
    partition: str
    outcome: Outcome
    stages: list[Stage]


@dataclass(frozen=True)
class _Request:
    job: str
    edition: Edition
    future: Future[Report]


class ReportProcess:
    """One extra process; reports are created in the order of the requests."""

    def __init__(self, runner: Jobs, pool: ProcessPoolExecutor) -> None:
        self._runner, self._pool = runner, pool
        self._requested: list[_Request] = []

    def begin(self, job: str, partition: str, tags: dict[str, str] | None = None) -> None:
        """Read the current edition of ``partition`` and queue its report."""
        edition = read_edition(self._runner.warehouse, self._runner.settings, partition)
        self._requested.append(_Request(job, edition, self._pool.submit(_make, job, edition, tags)))

    def take_back(self) -> tuple[str, str, Edition] | None:
        """Job, partition and edition of the last report that has not begun; it will not be created by the process."""
        for request in reversed(self._requested):
            if request.future.cancel():
                self._requested.remove(request)
                return request.job, request.edition.period, request.edition
        return None

    def ended(self, *, wait: bool = False) -> Iterator[Report]:
        """Reports that have ended since the last call; with ``wait`` all that were requested.

        Raises:
            ReportError: the process was killed.
        """
        while self._requested and (wait or self._requested[0].future.done()):
            request = self._requested.pop(0)
            try:
                yield request.future.result()
            except BrokenProcessPool as error:
                raise ReportError(
                    f"Creating the report of {request.edition.period}: its process was killed, perhaps for lack of memory."
                    " Run the command again; MEL_PROCESSES=1 runs everything in one process."
                ) from error


@contextmanager
def report_process(runner: Jobs) -> Iterator[ReportProcess | None]:
    """A process for the reports, or None with a single processor or if the settings require one process."""
    wanted = runner.settings.processes or cores()
    # The second process opens the instance of the settings; a temporary one, as in tests, belongs to this process only.
    is_shared = Path(runner.instance.root_directory).resolve() == runner.settings.dagster_home.resolve()
    if wanted < 2 or not is_shared or not may_start_more():
        yield None
        return
    with workers(1, _open) as pool:
        pool.submit(_warm_up)  # start the process now, not with the first report
        yield ReportProcess(runner, pool)


_RUNNER: list[Jobs] = []  # of the second process


def _open() -> None:
    stack = ExitStack()
    _RUNNER.append(stack.enter_context(jobs(load_settings(), opens_warehouse=False)))
    Finalize(None, stack.close, exitpriority=10)


def _warm_up() -> None:
    """Import what a report needs ahead of the first one."""
    import mel_pipeline.reporting.charts.canvas
    import mel_pipeline.reporting.workbook.build  # noqa: F401


def _make(job: str, edition: Edition, tags: dict[str, str] | None) -> Report:
    stages: list[Stage] = []
    with interruptible(), handed_over(edition):
        outcome = _RUNNER[0].run(job, edition.period, stages.append, tags, is_last=False)
    return Report(job, edition.period, outcome, stages)
