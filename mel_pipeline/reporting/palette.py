"""Colours, fonts and sizes of everything that is written, from ``reports/palette.yml``. Decides nothing about layout.

What an organisation's own ``palette.yml`` has goes before it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml
from jinja2 import Environment, StrictUndefined, TemplateError
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from mel_pipeline.core import organisation
from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.yaml_io import yaml_file

if TYPE_CHECKING:
    from pathlib import Path

FILE = "palette.yml"
COLOUR = re.compile(r"#[0-9a-f]{6}")
Colours = dict[str, str]


class Palette(BaseModel):
    """Colours by name for each kind of output, fonts and sizes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    light: Colours
    dark: Colours
    print: Colours
    charts: dict[str, str | list[str]]
    charts_dark: dict[str, str | list[str]]
    workbook: Colours
    fonts: dict[str, str | list[str]]
    sizes: dict[str, Any]

    @field_validator("light", "dark", "print", "charts", "charts_dark", "workbook")
    @classmethod
    def _colours_only(cls, named: dict[str, str | list[str]]) -> dict[str, str | list[str]]:
        for name, value in named.items():
            for colour in value if isinstance(value, list) else [value]:
                if not COLOUR.fullmatch(colour):
                    raise ValueError(f"{name}: '{colour}' is not a colour; write it like #12436d")
        return named


def load_palette(sources_dir: Path) -> Palette:
    """The palette of a reports folder, changed by that of the organisation.

    Raises:
        ReportError: a file is missing or wrong; the message names the entry.
    """
    path = sources_dir / FILE
    try:
        written = dict(yaml_file(path))
        if (own := own_palette()) is not None:
            path = own
            written |= {
                name: {**written.get(name, {}), **entries} for name, entries in yaml_file(own).items()
            }
        return Palette.model_validate(written)
    except (TypeError, AttributeError) as error:
        raise ReportError(f"Reading {path}: it needs colours, fonts or sizes by name ({error}).") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ReportError(f"Reading {path}: it cannot be read. Restore the file.") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise ReportError(f"Reading {path}: {wrong}. Correct it.") from None


def own_palette() -> Path | None:
    """The organisation's own file, if it has one; it may hold some of the entries only."""
    path = organisation.folder() / FILE
    return path if path.is_file() else None


def stylesheet(sources_dir: Path, *names: str) -> str:
    """Stylesheets of the templates, one after the other, with what they ask of the palette: ``{{ light.navy }}``.

    Raises:
        ReportError: one cannot be read, or asks for something the palette does not have.
    """
    palette = dict(load_palette(sources_dir))
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701 - CSS, our own
    styles = []
    for path in [sources_dir / "templates" / name for name in names]:
        try:
            style = path.read_text(encoding="utf-8")
            styles.append(environment.from_string(style).render(**palette))
        except (OSError, UnicodeDecodeError) as error:
            raise ReportError(f"Reading {path}: it cannot be read. Restore the file.") from error
        except TemplateError as error:
            raise ReportError(f"Filling {path}: {error}. Add it to {FILE}, or restore the file.") from error
        if not style.strip():
            raise ReportError(f"Reading {path}: it is empty. Restore the file.")
    return "\n".join(styles)
