"""Jinja for models: ``ref``, ``source``, ``var``, ``config``, ``this``, ``is_incremental`` and local macros.

The part of dbt's language that the project uses; anything else fails with the name of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import jinja2

from mel_pipeline.core.errors import ModelError
from mel_pipeline.core.template_cache import template_cache

MACROS = "macros"


@dataclass
class Rendered:
    """Final SQL, and what the template referred to."""

    sql: str = ""
    refs: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    config: dict[str, object] = field(default_factory=dict)


class Renderer:
    """Renders the texts of one project.

    Args:
        macros: files of ``macros/``; every macro is visible in every model.
        source_table: gives the physical table of a (source, table) pair, or raises ModelError.
    """

    def __init__(self, macros: list[Path], source_table: Callable[[str, str], str]) -> None:
        self._source_table = source_table
        self._current = Rendered()
        self._variables: Mapping[str, object] = {}
        self._incremental = False
        self._environment = jinja2.Environment(
            undefined=jinja2.StrictUndefined,
            extensions=["jinja2.ext.do"],
            keep_trailing_newline=True,
            autoescape=False,  # noqa: S701 - SQL, not HTML; only files of the project are rendered
            loader=jinja2.FunctionLoader(self._text),
            bytecode_cache=template_cache(),
        )
        self._environment.globals.update(
            ref=self._ref, source=self._source, var=self._var, config=self._config,
            is_incremental=lambda: self._incremental,
        )  # fmt: skip
        self._macros = sorted(macros)
        self._load_macros()

    def render(
        self, path: Path, this: str, variables: Mapping[str, object], *, incremental: bool = False
    ) -> Rendered:
        """Render one file.

        Raises:
            ModelError: the template is wrong, or refers to something that does not exist.
        """
        self._current, self._variables, self._incremental = Rendered(), variables, incremental
        try:
            template = self._environment.get_template(str(path))
            self._current.sql = template.render(this=this).strip()
        except jinja2.TemplateError as error:
            line = f", line {error.lineno}" if isinstance(error, jinja2.TemplateSyntaxError) else ""
            raise ModelError(f"Rendering {path.name}{line}: {error}") from error
        except ModelError as error:
            raise ModelError(f"Rendering {path.name}: {error}") from error
        return self._current

    def _text(self, name: str) -> tuple[str, str, Callable[[], bool]]:
        """The template source of a name. A project keeps the state in which it was read; later edits do not affect it."""
        paths = self._macros if name == MACROS else [Path(name)]
        # One template for all macros, so that they can call one another.
        text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
        return text, str(paths[0]) if paths else name, lambda: True

    def _load_macros(self) -> None:
        try:
            module = self._environment.get_template(MACROS).module
        except jinja2.TemplateError as error:
            raise ModelError(f"Reading the macros in macros/: {error}") from error
        exported = {name: value for name, value in vars(module).items() if not name.startswith("_")}
        self._environment.globals.update(exported)

    def _ref(self, name: str) -> str:
        if name not in self._current.refs:
            self._current.refs.append(name)
        return name

    def _source(self, source: str, table: str) -> str:
        physical = self._source_table(source, table)
        if physical not in self._current.sources:
            self._current.sources.append(physical)
        return physical

    def _var(self, name: str, default: object = None) -> object:
        if name in self._variables:
            return self._variables[name]
        if default is None:
            known = ", ".join(sorted(self._variables))
            raise ModelError(f"the variable '{name}' is not set. Known: {known}.")
        return default

    def _config(self, **settings: object) -> str:
        self._current.config.update(settings)
        return ""
