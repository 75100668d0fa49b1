"""Digests of content, files and code: the same digests give the same report."""

from __future__ import annotations

import hashlib
import json
import sys
import sysconfig
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mel_pipeline.reporting.palette import FILE, own_palette
from mel_pipeline.reporting.text.own_texts import own_files

PACKAGE = Path(__file__).parents[1]
SOURCES = ("palette.yml", "*.mplstyle", "locales/*.yml", "fonts/*", "templates/**/*")


def digest_of(value: object) -> str:
    """The same for the same content.

    Raises:
        TypeError: a value of a type that has no canonical form.
    """
    return hashlib.sha256(json.dumps(_canonical(value), ensure_ascii=False).encode()).hexdigest()


def _canonical(value: Any) -> Any:
    """Type-tagged canonical form, made of lists and texts."""
    if isinstance(value, pd.DataFrame):
        # A column at a time, for speed: an edition has ten thousand cells, all of them from a database.
        return ["frame", *([str(name), repr(value[name].tolist())] for name in value.columns)]
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, *([f.name, _canonical(getattr(value, f.name))] for f in fields(value))]
    if isinstance(value, dict):
        return ["dict", *([_canonical(key), _canonical(item)] for key, item in value.items())]
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(_canonical, value)]
    if isinstance(value, frozenset):
        return ["set", *sorted(repr(item) for item in value)]
    plain = value.item() if isinstance(value, np.generic) else value
    if plain is None or plain is pd.NA or isinstance(plain, (str, bool, int, float, Decimal, date)):
        return [type(plain).__name__, repr(plain)]
    raise TypeError(f"A {type(value).__name__} has no canonical form and cannot be hashed.")


def digest_of_pages(value: object, sources_dir: Path) -> str:
    """Of everything pages are made of: ``value``, templates, texts, styles and code. Errors as ``digest_of``."""
    parts = [digest_of(value), digest_of_sources(sources_dir, *SOURCES), digest_of_code()]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def digest_of_sources(sources_dir: Path, *patterns: str) -> str:
    """Of templates, texts, styles and fonts, which pages embed."""
    files = sorted(path for pattern in patterns for path in sources_dir.glob(pattern) if path.is_file())
    if FILE in patterns:
        own = own_palette()
        files += [*([own] if own else []), *own_files()]
    return _content(
        sources_dir, tuple((path, path.stat().st_size, path.stat().st_mtime_ns) for path in files)
    )


@lru_cache(maxsize=8)
def _content(folder: Path, files: tuple[tuple[Path, int, int], ...]) -> str:
    seen = hashlib.sha256()
    for path, size, _ in files:
        name = path.relative_to(folder) if path.is_relative_to(folder) else path.name
        seen.update(f"{name} {size}".encode())
        seen.update(path.read_bytes())
    return seen.hexdigest()


@lru_cache(maxsize=1)
def digest_of_code() -> str:
    """Of this package and of the versions of everything installed."""
    seen = hashlib.sha256(sys.version.encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        seen.update(path.read_bytes())
    for path in sorted(Path(sysconfig.get_path("purelib")).glob("*.dist-info")):
        seen.update(path.name.encode())
    return seen.hexdigest()
