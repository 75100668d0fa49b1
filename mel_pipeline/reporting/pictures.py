"""A drawn picture as bytes. One whose numbers, words and style are those of a picture drawn before is not drawn again.

Drawing is most of what a report costs, and from one night to the next few pictures change. What is drawn depends on
its frame, its texts, the style and the code alone, so the bytes kept are those that drawing would give.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import sysconfig
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from mel_pipeline.reporting.files import write_if_changed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.figure import Figure

    from mel_pipeline.reporting.texts import Texts

KEPT_DAYS = 60  # a picture nobody asked for in so many days goes
_FOLDER: ContextVar[Path | None] = ContextVar("folder of kept pictures", default=None)
Frame = TypeVar("Frame")


@dataclass(frozen=True)
class Picture:
    """Its bytes, and its size in CSS pixels. Without ``png`` where none was asked for."""

    svg: bytes
    png: bytes
    width: int
    height: int


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Pictures drawn inside are kept in ``folder``, and taken from there when they would come out the same."""
    before = _FOLDER.set(folder)
    try:
        yield
    finally:
        _FOLDER.reset(before)
        _forget_old(folder)


def picture(
    frame: Frame,
    texts: Texts,
    draw: Callable[[Frame, Texts], Figure],
    sources_dir: Path,
    *,
    title: str,
    with_png: bool,
) -> Picture:
    """Draw a frame; call inside ``canvas.house_style(sources_dir)``.

    Args:
        title: of the SVG, read out by screen readers.
    """
    folder = _FOLDER.get()
    if folder is None:
        return _drawn(frame, texts, draw, title, with_png)
    key = _key(frame, texts, sources_dir, title, with_png)
    found = _found(folder / key, with_png)
    if found is None:
        asked = replace(texts, missing=set())
        found = _drawn(frame, asked, draw, title, with_png), sorted(asked.missing)
        _keep(folder / key, *found)
    texts.missing.update(found[1])
    return found[0]


def _drawn(
    frame: Frame, texts: Texts, draw: Callable[[Frame, Texts], Figure], title: str, with_png: bool
) -> Picture:
    from mel_pipeline.reporting.charts import canvas

    figure = draw(frame, texts)
    width, height = figure.get_size_inches() * 96
    png = canvas.png(figure) if with_png else b""
    return Picture(canvas.svg(figure, title), png, round(width), round(height))


def _found(place: Path, with_png: bool) -> tuple[Picture, list[str]] | None:
    """The picture and the texts that are not translated in it; the last file written tells that all are there."""
    try:
        told = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
        svg = place.with_suffix(".svg").read_bytes()
        png = place.with_suffix(".png").read_bytes() if with_png else b""
        if told["bytes"] != hashlib.sha256(svg + png).hexdigest():
            return None
        os.utime(place.with_suffix(".json"))
        return Picture(svg, png, int(told["width"]), int(told["height"])), list(told["missing"])
    except (OSError, ValueError, KeyError):
        return None  # not drawn yet, or somebody's hand was here: it is drawn anew


def _keep(place: Path, drawn: Picture, missing: list[str]) -> None:
    told = {
        "bytes": hashlib.sha256(drawn.svg + drawn.png).hexdigest(),
        "width": drawn.width,
        "height": drawn.height,
        "missing": missing,
    }
    write_if_changed(place.with_suffix(".svg"), drawn.svg)
    if drawn.png:
        write_if_changed(place.with_suffix(".png"), drawn.png)
    write_if_changed(place.with_suffix(".json"), json.dumps(told).encode())


def _forget_old(folder: Path) -> None:
    """Pictures that nobody asked for in a long while; errors leave them for the next time."""
    oldest = time.time() - KEPT_DAYS * 24 * 3600
    for told in folder.glob("*.json"):
        try:
            if told.stat().st_mtime < oldest:
                for kind in (".json", ".svg", ".png"):
                    told.with_suffix(kind).unlink(missing_ok=True)
        except OSError:
            continue


def _key(frame: object, texts: Texts, sources_dir: Path, title: str, with_png: bool) -> str:
    words = repr((texts.language, texts.min_cell, texts.entries, texts.fallback, title, with_png))
    parts = [digest_of(frame), words, _style(sources_dir), _code()]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def _style(sources_dir: Path) -> str:
    """Of what house_style sets, and of all texts. A font is known by its name and size."""
    files = [
        sources_dir / "mel.mplstyle",
        *sorted(sources_dir.glob("locales/*.yml")),
        *sorted(sources_dir.glob("fonts/*")),
    ]
    return _content(tuple((path, path.stat().st_size, path.stat().st_mtime_ns) for path in files))


@lru_cache(maxsize=4)
def _content(files: tuple[tuple[Path, int, int], ...]) -> str:
    seen = hashlib.sha256()
    for path, size, _ in files:
        seen.update(f"{path.name} {size}".encode())
        if path.parent.name != "fonts":
            seen.update(path.read_bytes())
    return seen.hexdigest()


@lru_cache(maxsize=1)
def _code() -> str:
    """Of this room and of the versions of everything installed."""
    seen = hashlib.sha256(sys.version.encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        seen.update(path.read_bytes())
    for path in sorted(Path(sysconfig.get_path("purelib")).glob("*.dist-info")):
        seen.update(path.name.encode())
    return seen.hexdigest()


def digest_of(value: object) -> str:
    """The same for the same content.

    Raises:
        TypeError: a kind of value whose content cannot be told.
    """
    return hashlib.sha256(json.dumps(_plain(value), ensure_ascii=False).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """As lists and texts, in which kinds are told apart."""
    if isinstance(value, pd.DataFrame):
        return ["frame", _plain(value.to_dict("list"))]
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, *([f.name, _plain(getattr(value, f.name))] for f in fields(value))]
    if isinstance(value, dict):
        return ["dict", *([_plain(key), _plain(item)] for key, item in value.items())]
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(_plain, value)]
    plain = value.item() if isinstance(value, np.generic) else value
    if plain is None or plain is pd.NA or isinstance(plain, (str, bool, int, float, date)):
        return [type(plain).__name__, repr(plain)]
    raise TypeError(f"The content of a {type(value).__name__} cannot be told.")
