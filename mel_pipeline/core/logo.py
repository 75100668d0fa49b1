"""The organisation's logo: ``logo.svg`` or ``logo.png`` in its folder, checked before a page carries it.

A page shows it as a picture in an ``<img>``, where browsers run no script and load nothing. What could still act where
the file is opened by itself, or look different from one reader to the next, is refused here.
"""

from __future__ import annotations

import base64
import re
import struct
from pathlib import Path
from xml.etree import ElementTree

from mel_pipeline.core.errors import SettingsError

NAMES = ("logo.svg", "logo.png")
LARGEST = 300_000  # bytes; every page and PDF carries a copy
_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_PIXELS = 4_000_000
_DRAWN = frozenset(
    {
        *("svg", "g", "defs", "symbol", "use", "title", "desc", "metadata", "style", "text", "tspan"),
        *("path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "clipPath", "mask", "pattern"),
        *("linearGradient", "radialGradient", "stop"),
    }
)
_ACTIVE = ("http://www.w3.org/1999/xhtml", "http://www.w3.org/1998/Math/MathML")
_ELSEWHERE = re.compile(r"url\(\s*['\"]?(?!\s*['\"]?#)|@import|javascript:|expression\(", re.IGNORECASE)


def logo_of(folder: Path) -> str:
    """The logo as a data URL; empty where the folder has none.

    Raises:
        SettingsError: it is no picture that a page may carry; the message says why.
    """
    path = next((folder / name for name in NAMES if (folder / name).is_file()), None)
    if path is None:
        return ""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _wrong(path, f"it cannot be read ({error.strerror})") from None
    if len(content) > LARGEST:
        raise _wrong(path, f"it has {len(content):,} bytes, and every page carries it: at most {LARGEST:,}")
    kind = _svg(path, content) if path.suffix == ".svg" else _png(path, content)
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _png(path: Path, content: bytes) -> str:
    if not content.startswith(_PNG) or len(content) < 24:
        raise _wrong(path, "it is no PNG")
    width, height = struct.unpack(">II", content[16:24])
    if not 0 < width * height <= _MOST_PIXELS:
        raise _wrong(path, f"it is {width} by {height} pixels")
    return "image/png"


def _svg(path: Path, content: bytes) -> str:
    if b"<!ENTITY" in content or b"<?xml-stylesheet" in content:
        raise _wrong(path, "it declares entities or a stylesheet")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - without entities; expat loads nothing from elsewhere
    except ElementTree.ParseError as error:
        raise _wrong(path, f"it is no SVG ({error})") from None
    if _plain(root.tag) != "svg":
        raise _wrong(path, f"it begins with <{_plain(root.tag)}>, not <svg>")
    for element in root.iter():
        name = _plain(element.tag)
        if _namespace(element.tag) not in (*_ACTIVE, "http://www.w3.org/2000/svg", ""):
            continue  # what a drawing program notes for itself
        if name not in _DRAWN or _namespace(element.tag) in _ACTIVE:
            raise _wrong(path, f"<{name}> may not stand in it")
        if name == "style" and _ELSEWHERE.search(element.text or ""):
            raise _wrong(path, "its style loads something from elsewhere")
        _check_attributes(path, element)
    return "image/svg+xml"


def _check_attributes(path: Path, element: ElementTree.Element) -> None:
    for attribute, value in element.attrib.items():
        name = _plain(attribute).lower()
        if name.startswith("on"):
            raise _wrong(path, f"the attribute {name} runs a script")
        if name == "href" and not value.strip().startswith("#"):
            raise _wrong(path, f"<{_plain(element.tag)}> refers to something outside the file")
        if _ELSEWHERE.search(value):
            raise _wrong(path, f"the attribute {name} refers to something outside the file")


def _plain(tag: object) -> str:
    return str(tag).rsplit("}", maxsplit=1)[-1]


def _namespace(tag: object) -> str:
    found = re.match(r"\{(.*)\}", str(tag))
    return found[1] if found else ""


def _wrong(path: Path, why: str) -> SettingsError:
    return SettingsError(
        f"Reading {path}: {why}. Save the logo again as a plain SVG (shapes and text alone, no script, link or linked"
        " picture) or as a PNG, or remove the file."
    )
