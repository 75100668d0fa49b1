"""Choose where the SQL models run: in the warehouse, or on Spark if the settings name a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from mel_pipeline.core.errors import SettingsError

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.transform import ModelResult, SqlProject
    from mel_pipeline.warehouse import Warehouse


class Engine(Protocol):
    """Runs models."""

    def run(
        self,
        project: SqlProject,
        select: set[str] | None = None,
        variables: Mapping[str, object] | None = None,
        *,
        full_refresh: bool = False,
        with_tests: bool = True,
    ) -> Iterator[ModelResult]:
        """Run the selected models, upstream first; yields each result as it finishes."""

    def touched(
        self, project: SqlProject, select: set[str], parts: Sequence[Mapping[str, object]]
    ) -> list[bool]:
        """Of parts by their variables, whether a run has something to do."""


def runner_for(warehouse: Warehouse, settings: Settings) -> Engine:
    """The engine chosen by the settings. It builds only what new loads affect.

    Raises:
        SettingsError: a cluster is set, but no folder for its tables.
    """
    if not settings.spark_master:
        from mel_pipeline.transform import Runner

        return Runner(warehouse, only_touched=True)
    if settings.spark_lake is None:
        raise SettingsError(
            "Running models on Spark: MEL_SPARK_MASTER is set and MEL_SPARK_LAKE is not. Set it to a folder that this"
            " machine and every worker reach under the same path."
        )
    from mel_pipeline.transform.spark import SparkRunner
    from mel_pipeline.warehouse.parquet_mirror import ParquetMirror

    return SparkRunner(
        ParquetMirror(warehouse, settings.spark_lake), settings.spark_master, settings.spark_wait_seconds
    )
