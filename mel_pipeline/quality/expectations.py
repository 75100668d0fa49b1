"""Great Expectations, set up once: silent, offline, and able to work on DuckDB.

Importing it costs seconds, so it happens on the first check and never when Dagster loads definitions.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext

    from mel_pipeline.warehouse import Warehouse

_IMPORTING = threading.RLock()
_CHECKING = threading.RLock()  # the one context holds a check's data by name: loads in threads take turns
# Values of broken rows stay out of results: they would end up in Dagster's event log.
RESULT_FORMAT: dict[str, Any] = {
    "result_format": "COMPLETE",
    "include_unexpected_rows": False,
    "exclude_unexpected_values": True,
}


class _Dialect(str):
    """A dialect name with the ``value`` that Great Expectations' enumeration members have."""

    @property
    def value(self) -> str:
        return str(self)


@lru_cache(maxsize=1)
def expectation_types() -> Any:
    """The module of expectation classes, imported without telemetry and without its import-time warnings."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings(), _out_of_sight("pyspark"):
        warnings.simplefilter("ignore")  # it imports modules that Python has deprecated
        import great_expectations.expectations as gxe
    gc.freeze()  # the import leaves a million objects for good; without this each full collection walks them
    atexit.register(_let_go)
    return gxe


def _let_go() -> None:
    """Let Python free GX at exit before the modules it ties together.

    Otherwise DuckDB's types outlive DuckDB, which then prints a hundred lines about leaks. A test tells when
    this is no longer enough.
    """
    gc.unfreeze()
    for name in [name for name in sys.modules if name.split(".")[0] in ("great_expectations", "altair")]:
        del sys.modules[name]


@contextmanager
def _out_of_sight(package: str) -> Iterator[None]:
    """As if a package were not installed.

    GX imports Spark wherever it finds it: two seconds, and PySpark ends the whole process (``sys.exit``) where
    libraries of its Connect part are missing.
    """
    with _IMPORTING:  # loads may begin in several threads at once
        hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == package}
        sys.modules[package] = None  # type: ignore[assignment]  # Python's own way to say "cannot be imported"
        try:
            yield
        finally:
            del sys.modules[package]
            sys.modules.update(hidden)


@lru_cache(maxsize=1)
def context() -> EphemeralDataContext:
    """One context for the process; progress bars off."""
    expectation_types()
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    made = gx.get_context(mode="ephemeral")
    made.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    keep_duckdb_connections()
    leave_out_fingerprints()
    leave_out_saving()
    form_configurations_once()
    return made


def keep_duckdb_connections() -> None:
    """Let GX keep one connection on DuckDB: it gives connections back before it has fetched the result.

    A test tells when GX does this by itself.
    """
    from great_expectations.execution_engine import sqlalchemy_execution_engine as engine

    kept = engine._PERSISTED_CONNECTION_DIALECTS
    if not any(dialect.value == "duckdb" for dialect in kept):
        engine._PERSISTED_CONNECTION_DIALECTS = (*kept, _Dialect("duckdb"))  # type: ignore[assignment]


def leave_out_fingerprints() -> None:
    """Let GX not hash every frame for a marker that nobody reads: a third of the time of a check."""
    from great_expectations.execution_engine import pandas_execution_engine as engine

    engine.hash_pandas_dataframe = lambda _frame: ""


def leave_out_saving() -> None:
    """Let GX not write its configuration as YAML whenever a source is added: an ephemeral one is read by nobody."""
    from great_expectations.data_context.data_context_variables import EphemeralDataContextVariables

    setattr(EphemeralDataContextVariables, "save", lambda _self: None)  # noqa: B010 - to mypy a method


_FORMED: ContextVar[dict[int, tuple[Any, Any]] | None] = ContextVar("configurations formed", default=None)


def form_configurations_once() -> None:
    """Let GX form the configuration of an expectation once a check, not once an argument: a third of a check's time.

    An expectation does not change while it is checked; GX copies its configuration before it adds anything.
    """
    from great_expectations.expectations.expectation import Expectation

    form = vars(Expectation)["configuration"].fget

    def configuration(self: Any) -> Any:
        formed = _FORMED.get()
        if formed is None:
            return form(self)
        if id(self) not in formed:
            formed[id(self)] = (self, form(self))  # the expectation as well, so that nobody else gets its id
        return formed[id(self)][1]

    setattr(Expectation, "configuration", property(configuration))  # noqa: B010 - to mypy a method


@contextmanager
def _formed_once() -> Iterator[None]:
    before = _FORMED.set({})
    try:
        yield
    finally:
        _FORMED.reset(before)


def validate_frame(frame: pd.DataFrame, expectations: list[Any]) -> ExpectationSuiteValidationResult:
    """Run expectations on a frame; the result says which rows by position."""
    import great_expectations as gx

    with _CHECKING:
        sources = context().data_sources
        source = sources.add_or_update_pandas("rows")
        asset = source.add_dataframe_asset("rows")
        batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
        suite = gx.ExpectationSuite("rows", expectations=expectations)
        with _formed_once():
            return batch.validate(suite, result_format=RESULT_FORMAT)


@contextmanager
def validated_query(
    warehouse: Warehouse, query: str, expectations: list[Any]
) -> Iterator[ExpectationSuiteValidationResult]:
    """Run expectations in the warehouse, on the rows of a query. Gives the file back afterwards."""
    expectation_types()
    import great_expectations as gx
    from great_expectations.datasource.fluent.interfaces import GxDatasourceWarning

    # Our own connection waits for the file; Great Expectations' one then shares it.
    with warehouse.connect(), _CHECKING:
        sources = context().data_sources
        url = warehouse.engine.url.render_as_string(hide_password=False)
        with warnings.catch_warnings():
            # Its PostgreSQL source is advised instead, which refuses URLs without host, as a socket has.
            warnings.simplefilter("ignore", category=GxDatasourceWarning)
            source = sources.add_or_update_sql("warehouse", connection_string=url)
        try:
            batch = source.add_query_asset("table", query=query).add_batch_definition("all").get_batch()
            suite = gx.ExpectationSuite("table", expectations=expectations)
            with _formed_once():
                result = batch.validate(suite, result_format="BASIC")
            yield result
        finally:
            source.get_execution_engine().close()
            source.get_engine().dispose()
            sources.delete("warehouse")
