"""A drawn picture for a page: as a data address that follows a dark screen. Nothing is drawn again.

matplotlib names its colours in the drawing itself, so a short style inside the picture replaces those of the palette.
Files beside the page and the PDF keep the drawing as it is.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mel_pipeline.reporting.palette import Palette

SVG = "image/svg+xml"
END = b"</svg>"


def page_address(svg: bytes, palette: Palette) -> str:
    """The picture as a data URL with its dark colours, which a printer and a light screen ignore."""
    return data_address(with_dark_colours(svg, palette), SVG)


def with_dark_colours(svg: bytes, palette: Palette) -> bytes:
    """The drawing with a style for dark screens; the colours it does not contain are left out."""
    text = svg.decode("utf-8")
    rules = [
        rule
        for light, dark in dark_colours(palette).items()
        if light in text
        for rule in (
            f'[style*="fill: {light}"],[fill="{light}"]{{fill:{dark}!important}}',
            f'[style*="stroke: {light}"]{{stroke:{dark}!important}}',
        )
    ]
    style = f"<style>@media screen and (prefers-color-scheme:dark){{{''.join(rules)}}}</style>"
    head, _, tail = svg.rpartition(END)
    return head + style.encode() + END + tail


def dark_colours(palette: Palette) -> dict[str, str]:
    """Light colour of a chart → the one in its place. Names that share a light colour take that of the first."""
    found: dict[str, str] = {}
    for name, light in palette.charts.items():
        dark = palette.charts_dark.get(name, light)
        for one, other in zip(_listed(light), _listed(dark), strict=False):
            found.setdefault(one, other)
    return found


def data_address(content: bytes, kind: str) -> str:
    """The content as a data URL, for pages that load nothing."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
