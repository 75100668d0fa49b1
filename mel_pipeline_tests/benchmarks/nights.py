"""Nights of the sample organisation, one day after another, in one process and a home of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path

import dagster as dg

from mel_pipeline.core import clock
from mel_pipeline.defs.ranges import TO, tags_of

QUARTER, TODAY = "2024-Q4", date(2026, 11, 20)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Tomorrow(datetime):
    """A clock that runs ahead: reporting on yesterday's loads is part of a nightly run."""

    days = 0

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return datetime.now(tz) + timedelta(days=cls.days)


@dataclass(frozen=True)
class Nights:
    """The job ``nightly`` with its definitions, and where its runs are stored."""

    definitions: dg.Definitions
    job: dg.JobDefinition
    instance: dg.DagsterInstance
    quarter: str = QUARTER

    def run(self) -> str:
        """One night; returns the id of its run."""
        done = self.job.execute_in_process(
            instance=self.instance, partition_key=self.quarter, run_config=QUIET
        )
        assert done.success
        return done.run_id

    def calculate(self, first: str) -> str:
        """The figures of all quarters from the first to that of the nights, in one run; returns its id."""
        job = self.definitions.resolve_job_def("figures_only")
        span = tags_of(f"{first}{TO}{self.quarter}")
        done = job.execute_in_process(instance=self.instance, tags=span, run_config=QUIET)
        assert done.success
        return done.run_id


@contextmanager
def nights(home: Path, today: date = TODAY, quarter: str = QUARTER) -> Iterator[Nights]:
    """The sample organisation as of a fixed day, with everything it writes in ``home``.

    Args:
        quarter: what each night is about.
    """
    from mel_pipeline.defs import build
    from mel_pipeline.sandbox.server import running

    clock.datetime = Tomorrow  # type: ignore[misc]
    with running(
        today=today, survey_dir=home / "survey_exports", attendance_dir=home / "attendance_lists"
    ) as box:
        os.environ |= {
            "MEL_HOME": str(home),
            "MEL_SANDBOX_PORT": str(box.port),
            "MEL_TODAY": str(today),
            "MEL_REPORTS_DIR": str(home / "published"),
            "DAGSTER_HOME": str(home),
            "DAGSTER_EVENT_BATCH_SIZE": "50",  # as the shipped instance sets it
        }
        (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
        definitions = build()
        with dg.DagsterInstance.get() as instance:
            yield Nights(definitions, definitions.resolve_job_def("nightly"), instance, quarter)
