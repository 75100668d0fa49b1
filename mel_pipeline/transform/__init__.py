"""Read, order, render and run the models in ``dbt_like_sql/``. Knows no indicator and no source.

Loading is cheap: Dagster reads the project each time it loads its definitions. Running and column
lineage are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.transform.project import Model, ModelConfig, SqlProject

if TYPE_CHECKING:
    from mel_pipeline.transform.lineage import column_lineage
    from mel_pipeline.transform.results import ModelResult, TestResult
    from mel_pipeline.transform.runner import Runner

__all__ = ["Model", "ModelConfig", "ModelResult", "Runner", "SqlProject", "TestResult", "column_lineage"]

_LAZY = {
    "Runner": "runner",
    "ModelResult": "results",
    "TestResult": "results",
    "column_lineage": "lineage",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
