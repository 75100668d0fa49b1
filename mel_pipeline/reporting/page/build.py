"""The report page: one self-contained HTML file from an edition. Frames in, file out.

The layout is in ``reports/templates``, the words are in ``reports/locales``; templates compute nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from markupsafe import Markup

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.template_cache import template_cache
from mel_pipeline.reporting.edition import check_columns
from mel_pipeline.reporting.files import write_if_changed
from mel_pipeline.reporting.page.agreement import require_agreement
from mel_pipeline.reporting.page.model import DrawnPage, drawn_page, plan_of
from mel_pipeline.reporting.palette import stylesheet
from mel_pipeline.reporting.pdf.build import pdf_of
from mel_pipeline.reporting.pictures.charts import ChartFile, write_charts
from mel_pipeline.reporting.pictures.dark import data_address
from mel_pipeline.reporting.pictures.page import write_page_charts
from mel_pipeline.reporting.text.texts import Texts, texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.reporting.edition import Edition

TEMPLATE = "report.html.jinja"
FONTS = ("Inter-Regular.woff2", "Inter-SemiBold.woff2")


@dataclass(frozen=True)
class BuiltReport:
    """A page, the charts beside it in report order, the untranslated texts, and the PDF if requested."""

    page: Path
    charts: list[ChartFile]
    untranslated: list[str] = field(default_factory=list)
    pdf: Path | None = None


def build_report(edition: Edition, out_dir: Path, sources_dir: Path, language: str) -> Path:
    """Write the page and its charts in one language; returns the page. As ``build_editions``."""
    return build_editions(edition, out_dir, sources_dir, [language])[language].page


def build_editions(
    edition: Edition, out_dir: Path, sources_dir: Path, languages: Sequence[str], *, with_pdf: bool = False
) -> dict[str, BuiltReport]:
    """Write ``<out_dir>/<period>/report-<language>.html`` and the charts beside it, in every language.

    The same edition gives the same bytes, and unchanged files are not touched. Nothing is written unless all
    languages agree.

    Args:
        with_pdf: also write ``report-<language>.pdf``, with the content of the page.

    Raises:
        ReportError: a frame, text, template or style file cannot be read, a headline figure was never
            calculated, two languages differ in a figure, the PDF cannot be set, or the folder cannot be written.
    """
    check_columns(edition)
    made = {language: _compose(edition, sources_dir, language) for language in languages}
    require_agreement(edition.period, {language: (page.html, page.texts) for language, page in made.items()})
    papers = {
        language: pdf_of(page.drawn.model, sources_dir) if with_pdf else None
        for language, page in made.items()
    }
    return {
        language: _write(page, edition.period, out_dir, papers[language]) for language, page in made.items()
    }


@dataclass(frozen=True)
class _Composed:
    html: str
    drawn: DrawnPage

    @property
    def texts(self) -> Texts:
        return self.drawn.model.t


def _compose(edition: Edition, sources_dir: Path, language: str) -> _Composed:
    texts = texts_of(edition, sources_dir, language)
    drawn = drawn_page(edition, sources_dir, texts)
    page = _template(sources_dir).render(
        plan=plan_of(edition, texts),
        **vars(drawn.model),
        css=Markup(stylesheet(sources_dir, "report.css")),  # noqa: S704 - our own file
        fonts=[_font_address(sources_dir / "fonts" / name) for name in FONTS],
        css_string=css_string,
    )
    if "<main" not in page:
        raise ReportError(
            f"Writing {edition.period}: the template {TEMPLATE} produced no page. Restore reports/templates."
        )
    return _Composed(page, drawn)


def _write(made: _Composed, period: str, out_dir: Path, paper: bytes | None) -> BuiltReport:
    language, drawn = made.texts.language, made.drawn
    charts = write_charts(drawn.charts, period, out_dir, language)
    write_page_charts(drawn.overviews, period, out_dir, language)
    path = out_dir / period / f"report-{language}.html"
    write_if_changed(path, made.html.encode("utf-8"))
    if paper is not None:
        write_if_changed(path.with_suffix(".pdf"), paper)
    return BuiltReport(
        path, charts, sorted(made.texts.missing), path.with_suffix(".pdf") if paper is not None else None
    )


def css_string(text: str) -> Markup:
    """A quoted CSS string in which nothing can end the string or the style element."""
    safe = "".join(char if char.isalnum() or char in " .,·" else f"\\{ord(char):x} " for char in text)
    return Markup(f'"{safe}"')  # noqa: S704 - every other character is escaped above


def _template(sources_dir: Path) -> _Page:
    folder = sources_dir / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder),
        bytecode_cache=template_cache(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return _Page(environment, folder)


@dataclass(frozen=True)
class _Page:
    """The page template; any fault in it is raised as a ReportError."""

    environment: Environment
    folder: Path

    def render(self, **values: object) -> str:
        try:
            return self.environment.get_template(TEMPLATE).render(**values)
        except (OSError, UnicodeDecodeError, TemplateError) as error:
            line = getattr(error, "lineno", None)
            where = f" (line {line})" if line else ""
            raise ReportError(
                f"Filling {self.folder / TEMPLATE}{where}: {type(error).__name__}: {error}."
                " Restore or fix the template."
            ) from error


def _font_address(path: Path) -> str:
    try:
        return data_address(path.read_bytes(), "font/woff2")
    except OSError as error:
        raise ReportError(f"Reading {path}: it cannot be read. Restore the file.") from error
