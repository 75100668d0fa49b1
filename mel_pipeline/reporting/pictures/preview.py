"""A chart as a small picture inside Markdown, for Dagster's metadata panel."""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting import cache
from mel_pipeline.reporting.digests import digest_of_code

if TYPE_CHECKING:
    from pathlib import Path

LIMIT_BYTES = 60_000
WIDTHS = (900, 700, 520, 360)


@dataclass(frozen=True)
class Preview:
    """Markdown with a small picture inside."""

    text: str


def chart_preview(png_path: Path) -> str:
    """Markdown with the picture inside, at most 60 KB long; inside ``cache.using`` made once per picture.

    Raises:
        ReportError: the file is missing or not a picture.
    """
    try:
        content = png_path.read_bytes()
    except OSError as error:
        raise _unreadable(png_path) from error
    name, digest = f"preview-{hashlib.sha256(content).hexdigest()}", digest_of_code()
    preview = cache.get(name, digest, Preview)
    if preview is None:
        preview = Preview(_shrunk(png_path, content))
        cache.put(name, digest, preview, [])
    return preview.text


def _unreadable(path: Path) -> ReportError:
    return ReportError(
        f"Making the preview of {path.name}: the picture cannot be read. Draw the chart again."
    )


def _shrunk(png_path: Path, content: bytes) -> str:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content)) as opened:
            picture = opened.convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        raise _unreadable(png_path) from error
    for width in WIDTHS:
        height = round(picture.height * width / picture.width)
        small = picture.resize((width, height), Image.Resampling.LANCZOS)
        # Sixty-four colours are plenty for a chart and keep the event log small.
        small = small.quantize(colors=64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        buffer = io.BytesIO()
        small.save(buffer, "PNG")
        text = "![chart](data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii") + ")"
        if len(text) <= LIMIT_BYTES:
            return text
    raise ReportError(f"Making the preview of {png_path.name}: it stays above {LIMIT_BYTES} bytes.")
