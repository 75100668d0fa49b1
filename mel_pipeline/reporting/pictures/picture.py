"""A drawn picture as bytes, cached: the same numbers, words and style are not drawn again.

Drawing is most of a report's cost, and few pictures change from one night to the next. A picture depends only on its
frame, texts, style and code, so the cached bytes are those that drawing would give.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from mel_pipeline.reporting import cache
from mel_pipeline.reporting.digests import digest_of, digest_of_code, digest_of_sources
from mel_pipeline.reporting.files import write_if_changed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.figure import Figure

    from mel_pipeline.reporting.text.texts import Texts

STYLE = ("palette.yml", "mel.mplstyle", "locales/*.yml", "fonts/*")  # what house_style reads, and all texts
Frame = TypeVar("Frame")


@dataclass(frozen=True)
class Picture:
    """Its bytes, and its size in CSS pixels. ``png`` is empty unless requested."""

    svg: bytes
    png: bytes
    width: int
    height: int


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
    # What the organisation words itself stands in the frame; without it, a new sentence about a target draws nothing
    # again. ``missing`` collects the untranslated texts of this picture alone.
    plain = replace(texts, names={}, own={}, missing=set())
    folder = cache.folder()
    key = _key(frame, plain, sources_dir, title, with_png)
    found = _cached(folder / key, with_png) if folder else None
    if found is None:
        found = _drawn(frame, plain, draw, title, with_png), sorted(plain.missing)
        if folder:
            _put(folder / key, *found)
    texts.missing.update(found[1])
    return found[0]


def _drawn(
    frame: Frame, texts: Texts, draw: Callable[[Frame, Texts], Figure], title: str, with_png: bool
) -> Picture:
    from mel_pipeline.reporting.charts import canvas

    figure = draw(frame, texts)
    width, height = figure.get_size_inches() * 96
    svg = canvas.svg(figure, title)
    return Picture(svg, canvas.png(svg) if with_png else b"", round(width), round(height))


def _cached(place: Path, with_png: bool) -> tuple[Picture, list[str]] | None:
    """The picture and its untranslated texts. The JSON is written last, so it proves that all files are there."""
    try:
        entry = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
        svg = place.with_suffix(".svg").read_bytes()
        png = place.with_suffix(".png").read_bytes() if with_png else b""
        if entry["bytes"] != hashlib.sha256(svg + png).hexdigest():
            return None
        os.utime(place.with_suffix(".json"))
        return Picture(svg, png, int(entry["width"]), int(entry["height"])), list(entry["missing"])
    except (OSError, ValueError, KeyError):
        return None  # not drawn yet, edited or damaged: draw it again


def _put(place: Path, drawn: Picture, missing: list[str]) -> None:
    entry = {
        "bytes": hashlib.sha256(drawn.svg + drawn.png).hexdigest(),
        "width": drawn.width,
        "height": drawn.height,
        "missing": missing,
    }
    write_if_changed(place.with_suffix(".svg"), drawn.svg, durable=False)
    if drawn.png:
        write_if_changed(place.with_suffix(".png"), drawn.png, durable=False)
    write_if_changed(place.with_suffix(".json"), json.dumps(entry).encode(), durable=False)


def _key(frame: object, texts: Texts, sources_dir: Path, title: str, with_png: bool) -> str:
    words = repr((texts.language, texts.min_cell, texts.entries, texts.fallback, title, with_png))
    style = digest_of_sources(sources_dir, *STYLE)
    parts = [digest_of(frame), words, style, digest_of_code()]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()
