"""What Spark can read in a run: raw tables, built tables and views, by name. Registered on first use."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ModelError
from mel_pipeline.transform.dialects import to_dialect

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from mel_pipeline.transform.project import Model, SqlProject
    from mel_pipeline.warehouse.parquet_mirror import ParquetMirror, Part

DIALECT = "spark"
# Spark's types and those of the warehouse.
_KINDS = {
    "string": "text",
    "boolean": "boolean",
    "smallint": "smallint",
    "int": "integer",
    "bigint": "bigint",
    "float": "real",
    "double": "double precision",
    "date": "date",
    "timestamp": "timestamp",
}
_SPARK = {kind: name for name, kind in _KINDS.items()}
_DECIMAL = re.compile(r"decimal(\(\d+,\d+\))")


class Tables:
    """The tables of one run in one session.

    Args:
        parts: current folders, by table; updated as models are built.
    """

    def __init__(
        self,
        session: SparkSession,
        mirror: ParquetMirror,
        project: SqlProject,
        variables: Mapping[str, object],
        parts: dict[str, list[Part]],
    ) -> None:
        self.session, self.mirror, self.project = session, mirror, project
        self.variables, self.parts = variables, parts
        self._ready: set[str] = set()

    def is_there(self, name: str) -> bool:
        """Whether a model has been built, or is a view on existing tables."""
        model = self.project.models.get(name)
        if model is None or model.config.materialized != "view":
            return model is None or bool(self.parts.get(name))
        return all(self.is_there(other) for other in model.depends_on)

    def fingerprint(self, name: str) -> str:
        """Fingerprint of a table's rows, from its SQL and raw rows."""
        model = self.project.models.get(name)
        if model is None or model.config.materialized != "view":
            return fingerprint(*(f"{part.part}={part.fingerprint}" for part in self.parts.get(name, [])))
        return fingerprint(self.sql(model), *map(self.fingerprint, [*model.depends_on, *model.sources]))

    def sql(self, model: Model, *, incremental: bool = False) -> str:
        return to_dialect(self.project.compile(model.name, self.variables, incremental=incremental), DIALECT)

    def make_ready(self, names: Sequence[str]) -> None:
        """Register these tables with Spark."""
        for name in names:
            if name in self._ready:
                continue
            model = self.project.models.get(name)
            if model is None:
                self._show(name, self._raw(name))
            elif model.config.materialized == "view":
                self.make_ready([*model.depends_on, *model.sources])
                self._show(name, self.session.sql(self.sql(model)))
            elif parts := self.parts.get(name):
                self._show(name, self.read(parts))

    def show(self, name: str, parts: Sequence[Part]) -> None:
        """Register these parts under the name of a table, whether current or not."""
        self._show(name, self.read(parts))

    def hide(self, name: str) -> None:
        """Unregister a name; the next use registers the current parts."""
        self._ready.discard(name)
        self.session.catalog.dropTempView(name)

    def read(self, parts: Sequence[Part]) -> DataFrame:
        filled = [part for part in parts if part.rows]
        if not filled:
            return self._empty(parts[0].columns)
        schema = ", ".join(f"`{name}` {_spark_kind(kind)}" for name, kind in parts[0].columns)
        return self.session.read.schema(schema).parquet(*(str(self.mirror.path(part)) for part in filled))

    def _raw(self, table: str) -> DataFrame:
        """A source that was never loaded is an empty table."""
        if parts := self.parts.get(table):
            return self.read(parts)
        return self._empty(declared_columns(self.project, table))

    def _empty(self, columns: Sequence[tuple[str, str]]) -> DataFrame:
        """Written so that Spark knows it is empty and plans no work for it."""
        listed = ", ".join(f"cast(null as {_spark_kind(kind)}) as `{name}`" for name, kind in columns)
        return self.session.sql(f"select {listed} where 1 = 0")

    def _show(self, name: str, frame: DataFrame) -> None:
        frame.createOrReplaceTempView(name)
        self._ready.add(name)


def declared_columns(project: SqlProject, table: str) -> list[tuple[str, str]]:
    return list(project.source_table(table).columns.items())


def fingerprint(*texts: str) -> str:
    return hashlib.sha256("\x1f".join(texts).encode()).hexdigest()


def columns_of(frame: DataFrame) -> list[tuple[str, str]]:
    """Columns of a frame with the warehouse's types.

    Raises:
        ModelError: a type has no counterpart there.
    """
    return [(field.name, _kind(field.name, field.dataType.simpleString())) for field in frame.schema]


def _kind(column: str, name: str) -> str:
    if decimal := _DECIMAL.fullmatch(name):
        return f"numeric{decimal[1]}"
    if name not in _KINDS:
        raise ModelError(f"the column {column} is of Spark's type {name}. Cast it in the model")
    return _KINDS[name]


def _spark_kind(kind: str) -> str:
    return f"decimal{kind.removeprefix('numeric')}" if kind.startswith("numeric") else _SPARK[kind]
