"""What every asset shares: the ``mel`` resource, quarter partitions, words for the UI."""

from __future__ import annotations

from functools import cached_property

import dagster as dg

from mel_pipeline.periods import Quarter, quarters
from mel_pipeline.settings import Settings, load_settings
from mel_pipeline.warehouse.engine import Warehouse

COLLECT, PREPARE, CALCULATE, REPORT = "1_collect", "2_prepare", "3_calculate", "4_report"


LINGER_SECONDS = 2.0  # from one step to the next; a slow source is waited for longer
DOES = "mel/does"  # tag of a run: what it does, in words a person filters runs by


class Mel(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Settings and warehouse, read when an asset runs and never at definition load."""

    @cached_property
    def settings(self) -> Settings:
        return load_settings()

    @cached_property
    def warehouse(self) -> Warehouse:
        return Warehouse(
            self.settings.database_url, self.settings.lock_wait_seconds, linger_seconds=LINGER_SECONDS
        )


def quarter_partitions(settings: Settings) -> dg.StaticPartitionsDefinition:
    """Quarters as people write them. Static keys: ``%q`` in a time-window format fails silently."""
    span = quarters(Quarter.parse(settings.first_quarter), settings.open_quarter)
    return dg.StaticPartitionsDefinition([str(quarter) for quarter in span])


def year_partitions(settings: Settings) -> dg.StaticPartitionsDefinition:
    span = range(Quarter.parse(settings.first_quarter).year, settings.open_quarter.year + 1)
    return dg.StaticPartitionsDefinition([str(year) for year in span])


def quarter_of(context: dg.AssetExecutionContext, settings: Settings) -> Quarter:
    """The quarter a run is about: its partition, or the open quarter when an asset has none."""
    return Quarter.parse(context.partition_key) if context.has_partition_key else settings.open_quarter
