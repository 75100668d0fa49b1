"""The YAML files of the models: descriptions, columns, tests, sources. Reads files, runs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mel_pipeline.core.errors import ModelError
from mel_pipeline.core.yaml_io import yaml_file

_REF = re.compile(r"ref\(\s*['\"](\w+)['\"]\s*\)")
GENERIC_TESTS = ("unique", "not_null", "accepted_values", "relationships")


@dataclass(frozen=True)
class ColumnTest:
    """A rule on one column. ``arguments`` are those of the dbt test of the same name."""

    kind: str
    column: str
    arguments: dict[str, Any] = field(default_factory=dict)
    severity: str = "error"

    @property
    def name(self) -> str:
        return f"{self.kind}_{self.column}"

    @property
    def parent(self) -> str | None:
        """The model a relationships test refers to."""
        match = _REF.search(str(self.arguments.get("to", "")))
        return match[1] if match else None


@dataclass(frozen=True)
class Described:
    """The entry of one model in a schema file."""

    description: str
    columns: dict[str, str]
    tests: list[ColumnTest]
    config: dict[str, Any]
    path: Path


@dataclass(frozen=True)
class SourceTable:
    """A raw table the project reads, with its declared columns."""

    source: str
    name: str
    table: str
    columns: dict[str, str]


def read_yaml(path: Path) -> dict[str, Any]:
    """One YAML mapping; an error names the file."""
    try:
        content = yaml_file(path)
    except (OSError, yaml.YAMLError) as error:
        raise ModelError(f"Reading {path}: {error}") from error
    if not isinstance(content, dict):
        raise ModelError(f"Reading {path}: expected a mapping at the top, found {type(content).__name__}.")
    return content


def read_schema_files(folder: Path) -> tuple[dict[str, Described], dict[tuple[str, str], SourceTable]]:
    """Every schema file under ``folder``: models by name, raw tables by (source, table)."""
    models: dict[str, Described] = {}
    sources: dict[tuple[str, str], SourceTable] = {}
    for path in sorted(folder.rglob("*.yml")):
        content = read_yaml(path)
        for entry in content.get("models") or []:
            if entry["name"] in models:
                raise ModelError(
                    f"{path.name} describes {entry['name']}, and so does {models[entry['name']].path.name}. Remove one."
                )
            models[entry["name"]] = _described(entry, path)
        for table in _source_tables(content):
            sources[table.source, table.name] = table
    return models, sources


def _described(entry: dict[str, Any], path: Path) -> Described:
    listed = [*_indicator_columns(entry), *(entry.get("columns") or [])]
    columns = {column["name"]: (column.get("description") or "").strip() for column in listed}
    tests = [
        test
        for column in listed
        for test in _column_tests(column["name"], column.get("data_tests") or [], path)
    ]
    return Described(
        (entry.get("description") or "").strip(), columns, tests, dict(entry.get("config") or {}), path
    )


def _indicator_columns(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """The columns every indicator has, with their tests; its file says only how it is broken down.

    Real dbt tests them on ``indicator_values``, which is made of all indicators.
    """
    indicator = ((entry.get("config") or {}).get("meta") or {}).get("indicator")
    if not isinstance(indicator, dict):
        return []
    one_of = {
        "dimension": ["total", *(indicator.get("disaggregations") or [])],
        "status": ["ok", "not_available"],
    }
    return [
        *({"name": name, "data_tests": ["not_null"]} for name in ("period", "quarter")),
        *(
            {"name": name, "data_tests": ["not_null", {"accepted_values": {"arguments": {"values": values}}}]}
            for name, values in one_of.items()
        ),
    ]


def _column_tests(column: str, listed: list[Any], path: Path) -> Iterator[ColumnTest]:
    for item in listed:
        kind, body = (item, {}) if isinstance(item, str) else next(iter(item.items()))
        if kind not in GENERIC_TESTS:
            raise ModelError(f"{path.name}: '{kind}' on {column} is not one of {', '.join(GENERIC_TESTS)}.")
        severity = str((body.get("config") or {}).get("severity", "error")).lower()
        yield ColumnTest(kind, column, dict(body.get("arguments") or {}), severity)


def _source_tables(content: dict[str, Any]) -> Iterator[SourceTable]:
    for source in content.get("sources") or []:
        for table in source.get("tables") or []:
            yield SourceTable(
                source["name"],
                table["name"],
                table.get("identifier", table["name"]),
                {
                    column["name"]: str(column.get("data_type", "text"))
                    for column in table.get("columns") or []
                },
            )
