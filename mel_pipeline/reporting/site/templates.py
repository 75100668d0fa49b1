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

SCRIPTS = ("search.js", "register.js", "trend.js")  # each page has at most one
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
    sections: tuple[str, ...] = ()  # pages that this site has beside editions, indicators and cities

    def address(self, stem: str, language: str | None = None) -> str:
        """``index`` → ``index.html`` or ``index-fr.html``; pages of indicators and cities always name their language."""
        wanted = language or self.texts.language
        plain = stem.rsplit("/", maxsplit=1)[-1] == "index" and wanted == self.every[0].language
        return f"{stem}.html" if plain else f"{stem}-{wanted}.html"

    def render(
        self, template: str, stem: str, *, section: str, title: str, script: str = "", **values: object
    ) -> bytes:
        """One page. ``script``: the name of its script, one of ``SCRIPTS``.

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
            "policy": POLICY + (f"; script-src '{_digest(self._scripts[script])}'" if script else ""),
            "script": Markup(self._scripts[script]) if script else "",  # noqa: S704 - our own file
            "sections": self.sections,
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
    def _scripts(self) -> dict[str, str]:
        return _read_scripts(self.sources_dir)


def script_digests(sources_dir: Path) -> list[str]:
    """The site's scripts, as a Content-Security-Policy names them.

    Raises:
        ReportError: a script cannot be read.
    """
    return [_digest(script) for script in _read_scripts(sources_dir).values()]


def _digest(script: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}"


def _read_scripts(sources_dir: Path) -> dict[str, str]:
    found = {}
    for name in SCRIPTS:
        path = sources_dir / "templates" / "site" / name
        try:
            found[name] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ReportError(f"Reading {path}: it cannot be read. Restore the file.") from error
    return found
