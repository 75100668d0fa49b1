"""Where the SQL models run: in the warehouse, or on Spark when the settings name a cluster. Chosen here alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from mel_pipeline.core.errors import SettingsError

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.transform import ModelResult, SqlProject
    from mel_pipeline.warehouse import Warehouse


class Engine(Protocol):
    """Whatever runs models."""

    def run(
        self,
        project: SqlProject,
        select: set[str] | None = None,
        variables: Mapping[str, object] | None = None,
        *,
        full_refresh: bool = False,
        with_tests: bool = True,
    ) -> Iterator[ModelResult]:
        """Run the selected models, upstream first, and tell of each as it ends."""


def runner_for(warehouse: Warehouse, settings: Settings) -> Engine:
    """The engine that the settings ask for. It builds only what new loads touch.

    Raises:
        SettingsError: a cluster is named, and no folder for its tables.
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
