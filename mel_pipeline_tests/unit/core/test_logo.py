"""The organisation's logo: what a page may carry, and what is refused with a sentence."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.logo import LARGEST, logo_of
from mel_pipeline_tests.fixtures.second_network import FOLDER

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HARMLESS = [
    "<title>Sun</title><circle r='4' fill='url(#a)'/><defs><linearGradient id='a'/></defs>",
    "<style>.a { fill: #123456 }</style><use href='#a'/><use xlink:href='#b'/>",
    "<x:grid xmlns:x='http://www.inkscape.org/namespaces/inkscape'/><metadata/>",
]
HARMFUL = [
    "<script>alert(1)</script>",
    "<a href='https://elsewhere.example'><path/></a>",
    "<path onclick='alert(1)'/>",
    "<path ONLOAD='alert(1)'/>",
    "<foreignObject><div xmlns='http://www.w3.org/1999/xhtml'/></foreignObject>",
    "<h:script xmlns:h='http://www.w3.org/1999/xhtml'>alert(1)</h:script>",
    "<image href='https://elsewhere.example/a.png'/>",
    "<use xlink:href='https://elsewhere.example/a.svg#a'/>",
    "<use href='data:image/svg+xml;base64,AAAA'/>",
    "<path style='fill: url(https://elsewhere.example/a)'/>",
    "<path fill='url( \"//elsewhere.example/a\")'/>",
    "<style>@import 'https://elsewhere.example/a.css';</style>",
    "<set attributeName='href' to='javascript:alert(1)'/>",
    "<animate attributeName='href' values='javascript:alert(1)'/>",
    "<not closed",
]


def written(folder: Path, content: str | bytes, name: str = "logo.svg") -> Path:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def test_a_folder_without_a_logo_has_none(tmp_path: Path) -> None:
    assert logo_of(tmp_path) == ""


@pytest.mark.parametrize("drawn", HARMLESS)
def test_shapes_text_and_notes_of_drawing_programs_are_accepted(tmp_path: Path, drawn: str) -> None:
    content = SVG.format(drawn)
    kind, _, carried = logo_of(written(tmp_path, content)).partition(";base64,")
    assert kind == "data:image/svg+xml"
    assert base64.b64decode(carried).decode() == content


@pytest.mark.fault(130)
@pytest.mark.parametrize("drawn", HARMFUL)
def test_what_acts_or_loads_from_elsewhere_is_refused_with_what_to_do(tmp_path: Path, drawn: str) -> None:
    with pytest.raises(SettingsError, match=r"logo\.svg: .*\. Save the logo again as a plain SVG"):
        logo_of(written(tmp_path, SVG.format(drawn)))


@pytest.mark.fault(130)
@pytest.mark.parametrize(
    "content",
    [
        "<!DOCTYPE svg [<!ENTITY a 'b'>]>" + SVG.format("&a;"),
        "<?xml-stylesheet href='https://elsewhere.example/a.css'?>" + SVG.format(""),
        "<html/>",
        SVG.format("<path/>" * LARGEST),
    ],
)
def test_an_svg_with_entities_or_styles_from_elsewhere_another_page_or_a_large_file_is_refused(
    tmp_path: Path, content: str
) -> None:
    with pytest.raises(SettingsError, match="Save the logo again"):
        logo_of(written(tmp_path, content))


def test_a_png_is_carried_and_what_only_has_its_name_is_refused(tmp_path: Path) -> None:
    assert logo_of(written(tmp_path, PNG, "logo.png")).startswith("data:image/png;base64,")
    with pytest.raises(SettingsError, match="it is no PNG"):
        logo_of(written(tmp_path, b"GIF89a" + b"x" * 40, "logo.png"))
    with pytest.raises(SettingsError, match="pixels"):
        logo_of(written(tmp_path, PNG[:16] + b"\xff\xff\xff\xff" * 2 + PNG[24:], "logo.png"))


def test_the_logo_of_the_second_network_is_accepted() -> None:
    assert logo_of(FOLDER).startswith("data:image/svg+xml")
