"""Which models are up to date: a run skips those, and builds what new loads affect.

A model depends on its SQL and on the rows it reads. The rows themselves are compared, not a record of changes, so a
table edited by hand, restored from a backup or built by another engine is noticed. A model that grows by quarter and
lists an input under ``reads_slice_of`` (meta) depends only on the rows of its own periods, by the input's ``slice_by``
(meta: a column with a day, a period or a quarter); new data for one quarter then leave the others untouched. A test
proves each such line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ModelError
from mel_pipeline.transform.checks import check_query, check_results, has_failed, tables_read

if TYPE_CHECKING:
    import sqlalchemy as sa

    from mel_pipeline.transform.project import Model, SqlProject
    from mel_pipeline.warehouse.fingerprints import Fingerprint

QUARTER = "quarter"


@dataclass(frozen=True)
class Built:
    """What came out of the last build of a model, or of one quarter of it.

    ``checked_against``: digest of its tests and of the rows they read. ``output``: digest of its own rows. ``failures``: rows
    that break a test, by its number.
    """

    made_of: str
    checked_against: str
    output: str
    rows: int
    failures: Mapping[int, int]

    @classmethod
    def of(cls, stored: Fingerprint) -> Built:
        failures = {int(number): count for number, count in stored.found["failures"].items()}
        return cls(stored.made_of, **{**stored.found, "failures": failures})


Digests = dict[tuple[str, str | None], str]  # by table and condition


class BuildFingerprints:
    """Fingerprints of the tables in a database, for the length of one run.

    Args:
        variables: of the run; ``quarter`` names the part of the models that grow.
        relations: names of the tables and views that exist; updated by the run.
    """

    def __init__(
        self,
        connection: sa.Connection,
        project: SqlProject,
        variables: Mapping[str, object],
        relations: Mapping[str, str],
    ) -> None:
        from mel_pipeline.warehouse.fingerprints import recall_models

        self.connection, self.project, self.variables = connection, project, variables
        self.relations = relations
        self._rows: Digests = {}
        self._views: dict[str, str] = {}
        with connection.begin():
            self._builds = {
                subject: Built.of(stored) for subject, stored in recall_models(connection).items()
            }

    def about(self, variables: Mapping[str, object]) -> BuildFingerprints:
        """The same tables for another part: rows that were looked at are not looked at again."""
        other = copy(self)
        other.variables, other._views = variables, {}
        return other

    def look_ahead(self, parts: Sequence[BuildFingerprints], models: Sequence[Model]) -> None:
        """Take the digests of the rows that these parts of the models read and hold, each table in one pass."""
        from mel_pipeline.warehouse.fingerprints import rows_digests

        wanted: dict[str, dict[str, None]] = {}
        for part in parts:
            for model in models:
                for name, condition in part._rows_of(model):
                    if condition is not None and name in self.relations:
                        wanted.setdefault(name, {})[condition] = None
        for name, conditions in wanted.items():
            for condition, digest in rows_digests(self.connection, name, list(conditions)).items():
                self._rows[name, condition] = self._with_presence(name, digest)

    def _rows_of(self, model: Model) -> Iterator[tuple[str, str | None]]:
        """Tables with the condition of the rows: those it reads, and its own."""
        for name in sorted({*model.depends_on, *model.sources}):
            yield name, slice_read(self.project, self.variables, model, name)
        if model.config.materialized != "view":
            yield model.name, _own_quarter(self._part(model))

    def is_done(self, model: Model) -> bool:
        """Whether a run would leave it as it is, and has nothing to say of it that it did not say before."""
        existing, known = self.relations.get(model.name), self.recall(model)
        if known is None or existing is None or not self.can_recall(model):
            return False
        if {*model.depends_on, *model.sources} - self.relations.keys():
            return False
        if any(known.failures.values()) and has_failed(check_results(self.project, model, known.failures)):
            return False  # a rule that was a warning is an error now
        grows = model.config.materialized == "incremental" and existing == "table"
        sql = self.project.compile(model.name, self.variables, incremental=grows)
        return self.is_current(model, sql) and known.checked_against == self.checked_against(model)

    def recall(self, model: Model) -> Built | None:
        """The last build of the model, or of its quarter."""
        return self._builds.get(self._subject(model))

    def _subject(self, model: Model) -> str:
        return f"model {model.name} {self._part(model)}".strip()

    def is_current(self, model: Model, sql: str) -> bool:
        """Whether building it now would give the existing rows."""
        known = self.recall(model)
        return (
            known is not None
            and known.made_of == self.made_of(model, sql)
            and known.output == self.output(model)
        )

    def made_of(self, model: Model, sql: str) -> str:
        """Digest of its SQL and the rows it reads."""
        from mel_pipeline.warehouse.fingerprints import text_digest

        inputs = sorted({*model.depends_on, *model.sources})
        return text_digest(
            sql,
            *(self._digest(name, slice_read(self.project, self.variables, model, name)) for name in inputs),
        )

    def checked_against(self, model: Model) -> str:
        """Digest of its tests and the other tables they read."""
        from mel_pipeline.warehouse.fingerprints import text_digest

        others = tables_read(self.project, model)
        absent = others - set(self.relations)
        query = check_query(self.project, model, self.variables, absent)
        return text_digest(query, *(self._digest(name, None) for name in sorted(others - absent)))

    def output(self, model: Model) -> str:
        """A digest of its own rows (of the quarter, where it grows). A view has none: its inputs are compared."""
        if model.config.materialized == "view":
            return ""
        return self._digest(model.name, _own_quarter(self._part(model)))

    def note(
        self, model: Model, made_of: str, checked_against: str, rows: int, failures: Mapping[int, int]
    ) -> None:
        """Record a build, within its own transaction."""
        from mel_pipeline.warehouse.fingerprints import Fingerprint, remember
        from mel_pipeline.warehouse.migrating import ensure_tables

        self.forget(model)
        built = Built(made_of, checked_against, self.output(model), rows, dict(failures))
        found = {name: value for name, value in asdict(built).items() if name != "made_of"}
        ensure_tables(self.connection)
        remember(self.connection, self._subject(model), Fingerprint(made_of, found))
        self._builds[self._subject(model)] = built

    def forget(self, model: Model) -> None:
        """Drop digests of a model whose rows change, and of views, which may read it."""
        views = {name for name, other in self.project.models.items() if other.config.materialized == "view"}
        self._views.clear()
        for name, condition in list(self._rows):
            if name == model.name or name in views:
                del self._rows[name, condition]

    def can_recall(self, model: Model) -> bool:
        """Models that grow by something else than the quarter are always built."""
        return model.config.materialized != "incremental" or model.config.unique_key == QUARTER

    def _part(self, model: Model) -> str:
        return own_part(model, self.variables)

    def _digest(self, name: str, condition: str | None) -> str:
        from mel_pipeline.warehouse.fingerprints import rows_digest

        model = self.project.models.get(name)
        if condition is None and model is not None and model.config.materialized == "view":
            if name not in self._views:
                self._views[name] = self.made_of(model, self.project.compile(name, self.variables))
            return self._views[name]
        key = name, condition
        if key not in self._rows:
            digest = rows_digest(self.connection, name, condition)
            self._rows[key] = digest if condition is None else self._with_presence(name, digest)
        return self._rows[key]

    def _with_presence(self, name: str, digest: str) -> str:
        """A model may distinguish "nothing was ever loaded" from "nothing in this quarter"."""
        from mel_pipeline.warehouse.fingerprints import holds_rows

        model = self.project.models.get(name)
        if model and model.config.unique_key == QUARTER:
            return digest
        return f"{digest} {holds_rows(self.connection, name)}"


def own_part(model: Model, variables: Mapping[str, object]) -> str:
    """The quarter that a run builds of a model that grows by quarter; empty for others."""
    return str(variables[QUARTER]) if model.config.unique_key == QUARTER else ""


def slice_read(project: SqlProject, variables: Mapping[str, object], reader: Model, name: str) -> str | None:
    """SQL condition for the rows of ``name`` that the reader's quarter depends on; None for all rows.

    Raises:
        ModelError: the reader names an input without ``slice_by``.
    """
    model = project.models.get(name)
    if model is None or reader.config.unique_key != QUARTER:
        return None
    quarter = str(variables[QUARTER])
    if model.config.unique_key == QUARTER:
        return _own_quarter(quarter)
    if name not in reader.meta.get("reads_slice_of", ()):
        return None
    column = model.meta.get("slice_by")
    if not column:
        raise ModelError(f"{reader.name} reads a slice of {name}, which has no slice_by in its meta.")
    return _rows_of(str(column), quarter)


def _own_quarter(quarter: str) -> str | None:
    return f"quarter = '{quarter}'" if quarter else None


def _rows_of(column: str, quarter: str) -> str:
    """Rows of the quarter's periods: the quarter, its months, and the year when the fourth quarter closes it."""
    from mel_pipeline.core.periods import Quarter, quarters

    last = Quarter.parse(quarter)
    is_year_end = last.number == 4
    first = Quarter(last.year, 1) if is_year_end else last
    if column == QUARTER:
        return "quarter in (" + ", ".join(f"'{quarter}'" for quarter in quarters(first, last)) + ")"
    if column == "period":
        months = [f"{last.year}-{number:02d}" for number in range(3 * last.number - 2, 3 * last.number + 1)]
        periods = [str(last), *months, *([str(last.year)] if is_year_end else [])]
        return "period in (" + ", ".join(f"'{period}'" for period in periods) + ")"
    return f"{column} >= date '{first.start}' and {column} < date '{last.end}'"
