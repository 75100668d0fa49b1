"""Great Expectations, set up once: silent, offline, and on a connection that is already open.

Importing it costs seconds, so it happens on the first check and never when Dagster loads definitions.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlalchemy as sa
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext

    from mel_pipeline.quality.rules import Rule

_IMPORTING = threading.RLock()
# What GX imports for charts and distributions, which no rule of ours asks for: a quarter of its import time.
_SELDOM_USED = ("altair", "scipy.stats")


@lru_cache(maxsize=1)
def expectation_types() -> Any:
    """The module of expectation classes, imported without telemetry and without its import-time warnings."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings(), _out_of_sight("pyspark"), _on_demand(*_SELDOM_USED):
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


class _OnDemand(ModuleType):
    """Stands in for a module until something in it is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # code that looks through all modules asks for these
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def _on_demand(*names: str) -> Iterator[None]:
    """What is imported in the block imports these modules only when it uses them. Others import them as usual."""
    with _IMPORTING:
        standing = {name: _OnDemand(name) for name in names if name not in sys.modules}
        parents = {
            name: importlib.import_module(package)
            for name in standing
            if (package := name.rpartition(".")[0])
        }
        sys.modules.update(standing)
        for name, parent in parents.items():  # for `from package import module`
            setattr(parent, name.rpartition(".")[2], standing[name])
        try:
            yield
        finally:
            for name in standing:
                del sys.modules[name]
            for name, parent in parents.items():
                delattr(parent, name.rpartition(".")[2])


@lru_cache(maxsize=1)
def context() -> EphemeralDataContext:
    """One context for the process; progress bars off."""
    expectation_types()
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    made = gx.get_context(mode="ephemeral")
    made.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return made


@lru_cache(maxsize=1)
def _broken_rows() -> Any:
    """An expectation that no row is selected. Counts only: GX would fetch rows, which may hold personal values."""
    expectation_types()
    from great_expectations.expectations.core.unexpected_rows_expectation import UnexpectedRowsExpectation

    class BrokenRows(UnexpectedRowsExpectation):
        metric_dependencies = ("unexpected_rows_query.row_count",)

        def _validate(self, metrics: dict[str, Any], *given: Any, **named: Any) -> Any:
            return super()._validate(metrics | {"unexpected_rows_query.table": []}, *given, **named)

    return BrokenRows


@lru_cache(maxsize=1)
def _engine() -> Any:
    """GX's SQL engine on a connection that is open.

    It sees what the transaction has written. With a connection of its own it would not, and on DuckDB it gives that
    back before it has fetched.
    """
    expectation_types()
    from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine

    class OpenConnection(SqlAlchemyExecutionEngine):
        def __init__(self, connection: sa.Connection) -> None:
            self._open = connection
            self.failed: Exception | None = None  # GX puts it into the result as text
            super().__init__(engine=connection.engine, create_temp_table=False)

        @contextmanager
        def get_connection(self) -> Iterator[sa.Connection]:
            try:
                yield self._open
            except Exception as error:
                self.failed = error
                raise

        def close(self) -> None:
            """The connection belongs to the caller."""

    return OpenConnection


def expectation(rule: Rule) -> Any:
    """A rule as an expectation."""
    meta = {"rule": rule.name, "column": rule.column}
    if rule.broken:
        return _broken_rows()(unexpected_rows_query=rule.broken, meta=meta)
    return expectation_types().ExpectTableRowCountToBeBetween(**rule.bounds, meta=meta)


def validate(connection: sa.Connection, rows: str, rules: Sequence[Rule]) -> list[tuple[bool, int]]:
    """Run rules as one suite on the rows of a query; whether each holds, and how many rows it counted.

    Raises:
        sqlalchemy.exc.DBAPIError: the database could not run a rule, as when its memory is used up or the server is gone.
        RuntimeError: another reason that a rule could not be run.
    """
    made = context()
    from great_expectations.execution_engine.sqlalchemy_batch_data import SqlAlchemyBatchData
    from great_expectations.validator.validator import Validator

    engine = _engine()(connection)
    engine.load_batch_data("rows", SqlAlchemyBatchData(engine, query=rows, create_temp_table=False))
    results = Validator(execution_engine=engine, data_context=made).graph_validate(
        [expectation(rule).configuration for rule in rules], runtime_configuration={"result_format": "BASIC"}
    )
    found = []
    for rule, result in zip(rules, results, strict=True):
        if "observed_value" not in result.result:
            if engine.failed is not None:
                raise engine.failed
            raise RuntimeError(f"The rule {rule.name} on {rule.column or 'the table'} could not be run.")
        found.append((bool(result.success), int(result.result["observed_value"])))
    return found
