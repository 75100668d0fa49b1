"""Puts into a wheel what the package reads of the clone: SQL project, templates, texts, fonts. Not into editable ones."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = (
    "dbt_like_sql",
    "reports/fonts",
    "reports/locales",
    "reports/mel.mplstyle",
    "reports/palette.yml",
    "reports/templates",
    "workspace.yaml",
)


class ShippedFiles(BuildHookInterface[Any]):
    """Hatchling finds it by its base class."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """``version`` is "editable" or "standard"."""
        if version != "editable":
            build_data["force_include"] |= {path: f"mel_pipeline/shipped/{path}" for path in SHIPPED}
