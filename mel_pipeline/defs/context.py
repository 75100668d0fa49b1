"""What every asset shares: the ``mel`` resource, quarter partitions, words for the UI."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from mel_pipeline.core.periods import Quarter, quarters
from mel_pipeline.core.settings import Settings, load_settings
from mel_pipeline.warehouse.engine import Warehouse

if TYPE_CHECKING:
    from mel_pipeline.reporting.edition import Edition

OVERVIEW = "0_look_here_first"
COLLECT, PREPARE, CALCULATE, REPORT = "1_collect", "2_prepare", "3_calculate", "4_report"

STAGES = (OVERVIEW, COLLECT, PREPARE, CALCULATE, REPORT)

MOST_LINES = 10
DOES = "mel/does"  # tag of a run: what it does, in words people filter runs by
NEEDS_ROLE = (
    "mel/needs_role"  # tag of a job: the least role that may launch it where people sign in; else the lead's
)
FOR_OPERATORS = {NEEDS_ROLE: "operator"}


class Mel(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Settings and warehouse, read when an asset runs and never at definition load."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Mel]:
        """For one run; Dagster's own files stay open for it, too."""
        from mel_pipeline.defs.serving.history import keep_history_open

        if context.instance is None:  # outside a run
            yield self
            return
        with keep_history_open(Path(context.instance.root_directory)):
            yield self

    @cached_property
    def settings(self) -> Settings:
        from mel_pipeline.defs.serving.sample import answering

        return answering(load_settings(), dg.get_dagster_logger().info)

    @cached_property
    def warehouse(self) -> Warehouse:
        from mel_pipeline.warehouse.migrating import upgraded

        seconds = self.settings.lock_wait_seconds
        return upgraded(Warehouse(self.settings.database_url, seconds))

    def edition(self, period: str) -> Edition:
        """The edition of the period: as handed over, otherwise from the current warehouse.

        Raises:
            ReportError: the period has not been calculated yet.
        """
        from mel_pipeline.reporting.inputs.editions import read_edition

        handed = _HANDED_OVER.get()
        if handed is not None and handed.period == period:
            return handed
        return read_edition(self.warehouse, self.settings, period)


_HANDED_OVER: ContextVar[Edition | None] = ContextVar("edition handed over by another process", default=None)


@contextmanager
def handed_over(edition: Edition) -> Iterator[None]:
    """Within the block, reports of its period use this edition instead of the warehouse."""
    before = _HANDED_OVER.set(edition)
    try:
        yield
    finally:
        _HANDED_OVER.reset(before)


def quarter_partitions(settings: Settings) -> dg.StaticPartitionsDefinition:
    """Quarters as people write them. Static keys: ``%q`` in a time-window format fails silently."""
    span = quarters(Quarter.parse(settings.first_quarter), settings.open_quarter)
    return dg.StaticPartitionsDefinition([str(quarter) for quarter in span])


def year_partitions(settings: Settings) -> dg.StaticPartitionsDefinition:
    span = range(Quarter.parse(settings.first_quarter).year, settings.open_quarter.year + 1)
    return dg.StaticPartitionsDefinition([str(year) for year in span])


def filled_form(
    step: str, fields: dict[str, dg.Field], partitions: dg.StaticPartitionsDefinition
) -> dg.PartitionedConfig[Any]:
    """The launchpad form of a single-step job: every field with its default."""
    config = {"ops": {step: {"config": {name: field.default_value for name, field in fields.items()}}}}

    @dg.static_partitioned_config(partition_keys=partitions.get_partition_keys())
    def form(partition_key: str) -> dict[str, Any]:  # noqa: ARG001 - the form is the same for every quarter
        return config

    return form


def as_list(sentences: Sequence[str], most: int = MOST_LINES) -> str:
    """Sentences of a check as a list: the UI does not show single line breaks."""
    if len(sentences) < 2:
        return "".join(sentences)
    lines = [f"- {sentence}" for sentence in sentences[:most]]
    return "\n".join([*lines, *([f"- and {len(sentences) - most:,} more."] if len(sentences) > most else [])])
