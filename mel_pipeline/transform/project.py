"""The project as data: models with layer, configuration, tests and dependencies.

Imports neither sqlglot nor SQLAlchemy nor pandas: Dagster reads it at every definition load.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mel_pipeline.core.errors import ModelError
from mel_pipeline.transform.render import Rendered, Renderer
from mel_pipeline.transform.schema import ColumnTest, Described, SourceTable, read_schema_files, read_yaml

INDICATOR_PREFIX = "ind_"
_KINDS = ("view", "table", "incremental")


@dataclass(frozen=True)
class ModelConfig:
    """How a model is stored. ``incremental`` replaces the rows of its ``unique_key`` values."""

    materialized: Literal["view", "table", "incremental"] = "view"
    unique_key: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Model:
    """One SQL file. ``depends_on`` are models, ``sources`` physical raw tables."""

    name: str
    path: Path
    layer: str  # staging | intermediate | marts | indicators
    config: ModelConfig
    description: str
    columns: dict[str, str]
    column_tests: list[ColumnTest]
    singular_tests: list[str]
    meta: dict[str, Any]
    depends_on: list[str]
    sources: list[str]

    @property
    def tests(self) -> list[str]:
        """Names of all its tests."""
        return [*(test.name for test in self.column_tests), *self.singular_tests]


@dataclass(frozen=True)
class SingularTest:
    """A file in ``tests/``: every row it returns is a failure.

    ``tells``: the first column of its rows are sentences for the MEL lead. ``description``: what it checks, for them.
    """

    name: str
    path: Path
    depends_on: list[str]
    severity: str
    dimension: str  # of data quality: meta of its config
    tells: bool = False
    description: str = ""


@dataclass
class SqlProject:
    """An SQL project folder; dbt can run it, too."""

    folder: Path
    variables: dict[str, object]
    models: dict[str, Model] = field(repr=False)
    source_tables: dict[tuple[str, str], SourceTable] = field(repr=False)
    singular_tests: dict[str, SingularTest] = field(repr=False)
    _renderer: Renderer = field(repr=False)

    @classmethod
    def load(cls, folder: Path, variables: Mapping[str, object]) -> SqlProject:
        """Read the project.

        Args:
            variables: values for ``var``; those of ``dbt_project.yml`` fill what is missing, and
                ``indicator_models`` lists every ``ind_*`` model unless it is given.

        Raises:
            ModelError: a file cannot be read, a reference leads nowhere, or models form a cycle.
        """
        settings = read_yaml(folder / "dbt_project.yml")
        described, source_tables = read_schema_files(folder / "models")
        paths = _files_by_name(folder / "models")
        indicators = sorted(name for name in paths if name.startswith(INDICATOR_PREFIX))
        known = {**(settings.get("vars") or {}), "indicator_models": indicators, **variables}
        renderer = Renderer(list((folder / "macros").glob("*.sql")), _source_lookup(source_tables))
        for name in sorted(set(described) - set(paths)):
            raise ModelError(f"{described[name].path.name} describes {name}, but there is no {name}.sql.")
        models = {
            name: _model(
                name,
                path,
                folder,
                settings,
                described=described.get(name),
                rendered=renderer.render(path, name, known),
            )
            for name, path in paths.items()
        }
        project = cls(folder, known, models, source_tables, {}, renderer)
        project._check_references()
        project._attach_singular_tests()
        return project

    def order(self, select: set[str] | None = None) -> list[Model]:
        """Models in dependency order; ``select`` keeps only these names.

        Raises:
            ModelError: a selected name is unknown (the nearest one is shown).
        """
        for name in sorted((select or set()) - set(self.models)):
            raise ModelError(f"There is no model '{name}'.{self._nearest(name)}")
        return [self.models[name] for name in self._sorted() if select is None or name in select]

    def compile(
        self, name: str, variables: Mapping[str, object] | None = None, *, incremental: bool = False
    ) -> str:
        """The final SQL of a model."""
        if name not in self.models:
            raise ModelError(f"There is no model '{name}'.{self._nearest(name)}")
        return self._render(self.models[name].path, name, variables, incremental=incremental).sql

    def compile_test(self, name: str, variables: Mapping[str, object] | None = None) -> str:
        """The final SQL of a file in ``tests/``."""
        return self._render(self.singular_tests[name].path, name, variables).sql

    def source_table(self, table: str) -> SourceTable:
        """The declared raw table of a physical name."""
        return next(entry for entry in self.source_tables.values() if entry.table == table)

    def _render(
        self, path: Path, this: str, variables: Mapping[str, object] | None, *, incremental: bool = False
    ) -> Rendered:
        return self._renderer.render(
            path, this, {**self.variables, **(variables or {})}, incremental=incremental
        )

    def _check_references(self) -> None:
        for model in self.models.values():
            for name in model.depends_on:
                if name not in self.models:
                    raise ModelError(
                        f"{model.name} refers to '{name}', but there is no such model.{self._nearest(name)}"
                    )
        self._sorted()

    def _nearest(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.models, n=1)
        return f" Did you mean '{near[0]}'?" if near else ""

    def _sorted(self) -> list[str]:
        done: dict[str, None] = {}
        walking: list[str] = []

        def visit(name: str) -> None:
            if name in done:
                return
            if name in walking:
                circle = " → ".join([*walking[walking.index(name) :], name])
                raise ModelError(
                    f"Models refer to one another in a circle: {circle}. Break it at one of them."
                )
            walking.append(name)
            for upstream in [*sorted(self.models[name].depends_on), *self._compared_with(name)]:
                visit(upstream)
            walking.pop()
            done[name] = None

        for name in sorted(self.models):
            visit(name)
        return list(done)

    def _compared_with(self, name: str) -> list[str]:
        """Models its relationship tests refer to; they go first unless they depend on it."""
        parents = {test.parent for test in self.models[name].column_tests if test.parent in self.models}
        return sorted(parent for parent in parents if parent and name not in self.upstream(parent))

    def upstream(self, name: str) -> set[str]:
        """A model and everything it depends on."""
        found, waiting = {name}, [name]
        while waiting:
            for other in self.models[waiting.pop()].depends_on:
                if other not in found:
                    found.add(other)
                    waiting.append(other)
        return found

    def _attach_singular_tests(self) -> None:
        """A file in ``tests/`` runs with the last of the models it reads."""
        place = {name: index for index, name in enumerate(self._sorted())}
        for path in sorted((self.folder / "tests").glob("*.sql")):
            rendered = self._render(path, path.stem, None)
            for name in rendered.refs:
                if name not in self.models:
                    raise ModelError(
                        f"{path.name} refers to '{name}', but there is no such model.{self._nearest(name)}"
                    )
            if not rendered.refs:
                raise ModelError(f"{path.name} reads no model, so it would never run. Use ref in it.")
            severity = str(rendered.config.get("severity", "error")).lower()
            meta: Any = rendered.config.get("meta") or {}
            dimension = str(meta.get("dimension", "consistency"))
            self.singular_tests[path.stem] = SingularTest(
                path.stem,
                path,
                rendered.refs,
                severity,
                dimension,
                bool(meta.get("tells")),
                str(meta.get("description", "")),
            )
            self.models[max(rendered.refs, key=place.__getitem__)].singular_tests.append(path.stem)


def _files_by_name(folder: Path) -> dict[str, Path]:
    paths: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.sql")):
        if path.stem in paths:
            raise ModelError(f"Two models are named {path.stem}: {paths[path.stem]} and {path}. Rename one.")
        paths[path.stem] = path
    return paths


def _source_lookup(tables: Mapping[tuple[str, str], SourceTable]) -> Callable[[str, str], str]:
    def physical(source: str, table: str) -> str:
        if (source, table) not in tables:
            names = [".".join(key) for key in tables]
            near = difflib.get_close_matches(f"{source}.{table}", names, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise ModelError(f"no __sources.yml declares the table '{table}' of '{source}'.{hint}")
        return tables[source, table].table

    return physical


def _model(
    name: str,
    path: Path,
    folder: Path,
    settings: dict[str, Any],
    *,
    described: Described | None,
    rendered: Rendered,
) -> Model:
    parts = path.relative_to(folder / "models").parts[:-1]
    config = {**_folder_config(settings, parts), **(described.config if described else {}), **rendered.config}
    kind = config.get("materialized", "view")
    if kind not in _KINDS:
        raise ModelError(f"{path.name}: materialized is '{kind}'; it can be {', '.join(_KINDS)}.")
    if kind == "incremental" and not config.get("unique_key"):
        raise ModelError(f"{path.name}: an incremental model needs a unique_key, such as quarter.")
    tags = config.get("tags") or ()
    return Model(
        name=name,
        path=path,
        layer="staging" if parts[:1] == ("staging",) else parts[-1] if parts else "",
        config=ModelConfig(kind, config.get("unique_key"), (tags,) if isinstance(tags, str) else tuple(tags)),
        description=described.description if described else "",
        columns=dict(described.columns) if described else {},
        column_tests=list(described.tests) if described else [],
        singular_tests=[],
        meta=dict(config.get("meta") or {}),
        depends_on=rendered.refs,
        sources=rendered.sources,
    )


def _folder_config(settings: dict[str, Any], parts: tuple[str, ...]) -> dict[str, Any]:
    """Configuration of ``dbt_project.yml``: the deeper folder wins."""
    node: Any = (settings.get("models") or {}).get(settings["name"]) or {}
    config: dict[str, Any] = {}
    for part in (None, *parts):
        node = node if part is None else node.get(part)
        if not isinstance(node, dict):
            break
        config.update({key[1:]: value for key, value in node.items() if key.startswith("+")})
    return config
