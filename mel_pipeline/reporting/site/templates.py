"""Pages from templates: escaped, strict, with a policy that blocks everything else. All addresses are relative."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from markupsafe import Markup

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.template_cache import template_cache
from mel_pipeline.reporting.site.slugs import search_key
from mel_pipeline.reporting.site.store import GENERATOR

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.reporting.text.texts import Texts

SCRIPT = "site/search.js"
# "file:" beside 'self': a page opened from a share has no origin of its own, and not every browser then counts the
# files beside it as 'self'. Pages of a web server cannot load file: addresses whatever the policy says.
POLICY = (
    "default-src 'none'; img-src data:; style-src 'self' file:; font-src 'self' file:;"
    " base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class Pages:
    """Renders the pages of one language."""

    sources_dir: Path
    edition: Edition
    texts: Texts
    every: Sequence[Texts]

    def address(self, stem: str, language: str | None = None) -> str:
        """``index`` → ``index.html`` or ``index-fr.html``; pages of indicators and cities always name their language."""
        wanted = language or self.texts.language
        plain = stem.rsplit("/", maxsplit=1)[-1] == "index" and wanted == self.every[0].language
        return f"{stem}.html" if plain else f"{stem}-{wanted}.html"

    def render(
        self, template: str, stem: str, *, section: str, title: str, script: bool = False, **values: object
    ) -> bytes:
        """One page.

        Raises:
            ReportError: the template is missing or wrong; the message names it and the line.
        """
        root = "../" * stem.count("/")
        shared = {
            "t": self.texts,
            "edition": self.edition,
            "root": root,
            "key": search_key,
            "to": lambda other: root + self.address(other),
            "section": section,
            "title": title,
            "generator": GENERATOR,
            "policy": POLICY + (f"; script-src '{self._script_digest}'" if script else ""),
            "script": Markup(self._script) if script else "",  # noqa: S704 - our own file
            "languages": [
                (text.language, text("site.language_name"), root + self.address(stem, text.language))
                for text in self.every
            ],
        }
        try:
            page = self._environment.get_template(f"site/{template}").render(**shared, **values)
        except (OSError, UnicodeDecodeError, TemplateError) as error:
            line = getattr(error, "lineno", None)
            where = f" (line {line})" if line else ""
            raise ReportError(
                f"Filling templates/site/{template}{where}: {type(error).__name__}: {error}."
                " Restore or fix the template."
            ) from error
        return page.encode("utf-8")

    @cached_property
    def _environment(self) -> Environment:
        return Environment(
            loader=FileSystemLoader(self.sources_dir / "templates"),
            bytecode_cache=template_cache(),
            auto_reload=False,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    @cached_property
    def _script(self) -> str:
        return _read_script(self.sources_dir)

    @cached_property
    def _script_digest(self) -> str:
        return script_digest(self.sources_dir)


def script_digest(sources_dir: Path) -> str:
    """The site's only script, as a Content-Security-Policy names it.

    Raises:
        ReportError: the script cannot be read.
    """
    digest = hashlib.sha256(_read_script(sources_dir).encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _read_script(sources_dir: Path) -> str:
    path = sources_dir / "templates" / SCRIPT
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"Reading {path}: it cannot be read. Restore the file.") from error
