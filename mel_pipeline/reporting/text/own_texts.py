"""Texts that the organisation words itself: ``locales/<language>.yml`` of its folder, laid out as the package's files.

It holds what differs and nothing else, such as what the network calls its programmes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mel_pipeline.core import organisation
from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.yaml_io import yaml_file

FOLDER = "locales"


def own_files() -> list[Path]:
    """The files of the organisation's folder."""
    return sorted((organisation.folder() / FOLDER).glob("*.yml"))


def own_texts(language: str) -> tuple[Path, Mapping[str, Any], Mapping[str, str]]:
    """The file of a language, its texts as a tree, and its ``phrases``; both empty without the file.

    Raises:
        ReportError: it cannot be read, or is no mapping.
    """
    path = organisation.folder() / FOLDER / f"{language}.yml"
    if not path.is_file():
        return path, {}, {}
    try:
        written = yaml_file(path) or {}
        tree = {key: value for key, value in written.items() if key != "phrases"}
        return path, tree, {str(key): str(text) for key, text in (written.get("phrases") or {}).items()}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError) as error:
        raise ReportError(
            f"Reading {path}: it needs texts by name, as in reports/locales ({error})."
        ) from None


def require_known(path: Path, given: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Refuse a text that no report asks for.

    Raises:
        ReportError: the message names file and text.
    """
    if unknown := sorted(given.keys() - known.keys()):
        raise ReportError(
            f"Reading {path}: there is no text {unknown[0]}. reports/locales/en.yml has all of them."
        )
