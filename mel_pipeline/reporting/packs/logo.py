"""The organisation's logo as PNG: office programs show no SVG that is alone."""

from __future__ import annotations

import base64
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

PIXELS_PER_INCH = 220


@lru_cache(maxsize=4)
def logo_picture(address: str) -> bytes:
    """The picture of a data URL; empty where there is none. An SVG is drawn by Typst."""
    if not address:
        return b""
    head, _, packed = address.partition(",")
    content = base64.b64decode(packed)
    if "svg" not in head:
        return content
    import typst

    page = b'#set page(width: auto, height: auto, margin: 0pt, fill: none)\n#image("logo.svg", height: 1in)'
    with TemporaryDirectory() as folder:  # Typst opens pictures as files
        source = Path(folder) / "main.typ"
        source.write_bytes(page)
        (Path(folder) / "logo.svg").write_bytes(content)
        return bytes(typst.compile(source, format="png", ppi=PIXELS_PER_INCH))
