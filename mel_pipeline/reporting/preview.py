"""A chart as a small picture inside Markdown, for Dagster's metadata panel."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from mel_pipeline.errors import ReportError

if TYPE_CHECKING:
    from pathlib import Path

LIMIT_BYTES = 60_000
WIDTHS = (900, 700, 520, 360)


def chart_preview(png_path: Path) -> str:
    """Markdown with the picture inside, at most 60 KB long.

    Raises:
        ReportError: the file is missing or no picture.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(png_path) as opened:
            picture = opened.convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        raise ReportError(
            f"Making the preview of {png_path.name}: the picture cannot be read. Draw the chart again."
        ) from error
    for width in WIDTHS:
        height = round(picture.height * width / picture.width)
        small = picture.resize((width, height), Image.Resampling.LANCZOS)
        # Thirty-two colours are plenty for a chart and keep the event log small.
        small = small.quantize(colors=32, dither=Image.Dither.NONE)
        buffer = io.BytesIO()
        small.save(buffer, "PNG", optimize=True)
        text = "![chart](data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii") + ")"
        if len(text) <= LIMIT_BYTES:
            return text
    raise ReportError(f"Making the preview of {png_path.name}: it stays above {LIMIT_BYTES} bytes.")
