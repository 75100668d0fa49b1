"""Credentials that ``mel connect`` was given: a file of their own in MEL_HOME, where a service may renew them.

Settings files are often read-only credentials of a service. What stands there goes before what is kept here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import SecretStr

from mel_pipeline.core import environment
from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.secret_files import write_secret

FILE = "connected.json"


def read(secrets: Path) -> dict[str, str]:
    """Values by the name of their setting; empty without a file.

    Raises:
        SettingsError: the file cannot be read.
    """
    path = secrets / FILE
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise SettingsError(
            f"Reading {path}: it cannot be read or is damaged. Restore it, or remove it and run `mel connect` again."
        ) from None
    return {str(name): str(value) for name, value in kept.items()}


def keep(secrets: Path, values: Mapping[str, str]) -> None:
    """Add or replace values, with mode 600."""
    write_secret(secrets / FILE, json.dumps({**read(secrets), **values}, indent=1))


def settings(secrets: Path, fields: Iterable[str]) -> dict[str, object]:
    """What is kept and written nowhere else, as settings: of the package (``fields``) and of its sources."""
    kept = {name: value for name, value in read(secrets).items() if not environment.value_of(name)}
    if not kept:
        return {}
    own = {field: SecretStr(kept[name]) for field in fields if (name := f"MEL_{field.upper()}") in kept}
    of_sources: dict[str, dict[str, str]] = {}
    for source in source_names():
        for setting in contract_of(source).settings:
            if (name := f"MEL_{source}_{setting}".upper()) in kept:
                of_sources.setdefault(source, {})[setting] = kept[name]
    return {**own, "source_values": of_sources}
