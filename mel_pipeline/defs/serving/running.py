"""Run a job in this process and report its progress by stage."""

from __future__ import annotations

import platform
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from mel_pipeline.core.gc_paused import gc_rarely
from mel_pipeline.core.settings import Settings
from mel_pipeline.defs import build
from mel_pipeline.defs.context import COLLECT
from mel_pipeline.defs.failure_messages import failure_message
from mel_pipeline.defs.ranges import tags_of
from mel_pipeline.defs.serving.history import keep_history_open
from mel_pipeline.defs.serving.instance import open_instance
from mel_pipeline.defs.serving.left_runs import HOST
from mel_pipeline.defs.site import NAME as SITE
from mel_pipeline.warehouse import Warehouse

ENDED = {"STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED"}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Stage:
    """One stage of a run that has ended: collect, prepare, calculate or report."""

    name: str
    seconds: float
    steps: int
    failed: int


@dataclass(frozen=True)
class Outcome:
    """How a run ended. ``problems`` are readable sentences; ``warnings`` are by asset."""

    success: bool
    run_id: str
    problems: list[str] = field(default_factory=list)
    warnings: dict[str, str] = field(default_factory=dict)


class Jobs:
    """The jobs of this code location, run in this process.

    Args:
        opens_warehouse: false if all input is handed over by another process.
    """

    def __init__(
        self, settings: Settings, instance: dg.DagsterInstance, *, opens_warehouse: bool = True
    ) -> None:
        self.definitions = build()
        self.opens_warehouse = opens_warehouse
        self.warehouse = Warehouse(settings.database_url, settings.lock_wait_seconds)
        self.settings = settings
        self.instance = instance
        assets = [item for item in self.definitions.assets or [] if isinstance(item, dg.AssetsDefinition)]
        groups = {key: group for item in assets for key, group in item.group_names_by_key.items()}
        self.stage_of = {item.op.name: sorted(set(item.group_names_by_key.values()))[0] for item in assets}
        self.stage_of |= {
            checks.op.name: groups[spec.asset_key]
            for checks in self.definitions.asset_checks or []
            if isinstance(checks, dg.AssetChecksDefinition)
            for spec in checks.check_specs
        }
        self._unpartitioned = {  # sources loaded as a whole, not by quarter
            key
            for item in assets
            if item.partitions_def is None
            for key, group in item.group_names_by_key.items()
            if group == COLLECT
        }

    def run(
        self,
        job: str,
        partition: str,
        on_stage: Callable[[Stage], None],
        tags: Mapping[str, str] | None = None,
        *,
        is_first: bool = True,
        is_last: bool = True,
        only: Collection[str] = (),
    ) -> Outcome:
        """Run a job for one quarter, a range of quarters or a year; ``on_stage`` is called as each stage ends.

        Args:
            partition: a range is written ``2023-Q1...2023-Q4``.
            is_first: of a series of runs. Later ones load only the sources that are loaded by quarter.
            is_last: of a series of runs. Only the last one writes the reading site.
            only: assets of the job to materialize; all by default.
        """
        run_id = str(uuid.uuid4())
        progress = _Progress(self.stage_of, on_stage)
        self.instance.add_event_listener(run_id, progress.on_event)
        definition = self.definitions.resolve_job_def(job)
        span = tags_of(partition)
        result = definition.execute_in_process(
            instance=self.instance,
            partition_key=None if span else partition,
            run_id=run_id,
            raise_on_error=False,
            run_config=QUIET,
            tags={**(tags or {}), **span, HOST: platform.node()},
            asset_selection=self._part(definition, set(only), is_first=is_first, is_last=is_last),
        )
        progress.close()
        if self.opens_warehouse:
            Warehouse(self.settings.database_url, self.settings.lock_wait_seconds).fold()
        return Outcome(result.success, run_id, progress.problems, progress.warnings)

    def _part(
        self, job: dg.JobDefinition, only: set[str], *, is_first: bool, is_last: bool
    ) -> list[dg.AssetKey] | None:
        """The assets to materialize, or None for all of the job."""
        every = set(job.asset_layer.selected_asset_keys)
        left_out = (set() if is_first else self._unpartitioned) | (set() if is_last else {dg.AssetKey(SITE)})
        wanted = every & {dg.AssetKey(name) for name in only} if only else every - left_out
        return sorted(wanted) if wanted != every else None


@contextmanager
def jobs(settings: Settings, *, opens_warehouse: bool = True) -> Iterator[Jobs]:
    """The jobs of this code location and Dagster's instance, while the block lasts. Errors as of ``open_instance``."""
    with gc_rarely(), keep_history_open(settings.dagster_home), open_instance(settings) as instance:
        yield Jobs(settings, instance, opens_warehouse=opens_warehouse)


class _Progress:
    """Listens to Dagster's events of one run."""

    def __init__(self, stage_of: dict[str, str], on_stage: Callable[[Stage], None]) -> None:
        self.stage_of = stage_of
        self.on_stage = on_stage
        self.current: str | None = None
        self.begun = time.perf_counter()
        self.steps = self.failed = 0
        self.problems: list[str] = []
        self.warnings: dict[str, str] = {}

    def on_event(self, entry: Any) -> None:
        event = entry.dagster_event
        if event is None:
            return
        if event.event_type_value == "STEP_START":
            self._enter(self.stage_of.get(event.step_key, event.step_key))
        elif event.event_type_value in ENDED:
            self.steps += 1
            if event.event_type_value == "STEP_FAILURE":
                self.failed += 1
                if reason := failure_message(event):
                    self.problems.append(reason)
        elif event.event_type_value == "ASSET_CHECK_EVALUATION":
            check = event.asset_check_evaluation_data
            asset = check.asset_key.to_user_string()
            if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR:
                self.problems.append(f"{asset}: {check.description}")
            elif not check.passed:
                self.warnings[asset] = check.description or ""

    def _enter(self, stage: str) -> None:
        if stage == self.current:
            return
        self.close()
        self.current, self.begun, self.steps, self.failed = stage, time.perf_counter(), 0, 0

    def close(self) -> None:
        if self.current is not None and self.steps:
            self.on_stage(Stage(self.current, time.perf_counter() - self.begun, self.steps, self.failed))
        self.current = None
