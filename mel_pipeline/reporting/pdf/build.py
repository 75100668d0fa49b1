"""The report as a tagged PDF, made from the very page people open. Decides nothing about words or figures.

WeasyPrint lays the page out; what paper needs and a screen does not is in ``print_tree`` and ``print.css``.
"""

from __future__ import annotations

import hashlib
import io
import logging
from contextlib import contextmanager, redirect_stdout
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting.files import write_if_changed
from mel_pipeline.reporting.print_tree import for_paper, page_footer
from mel_pipeline.reporting.text.texts import load_texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.reporting.text.texts import Texts

PDF_NEEDS = (
    "PDF needs the Pango libraries of the system."
    " Install them (Debian: sudo apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0);"
    " page, workbook and data files are written without them."
)


def pdf_available() -> bool:
    """Whether this machine can make a PDF; where it cannot, ``PDF_NEEDS`` says what to install."""
    try:
        _weasyprint()
    except ReportError:
        return False
    return True


def build_pdf(edition: Edition, out_dir: Path, sources_dir: Path, language: str) -> Path:
    """Write ``<out_dir>/<period>/report-<language>.pdf`` from the page beside it; the same page, the same bytes.

    Tagged, targets PDF/UA-1. Nothing but what the page itself holds is fetched.

    Raises:
        ReportError: the page has not been written, Pango is missing, something the page shows cannot be drawn,
            or the folder cannot be written.
    """
    current = pdf_of_page(edition, out_dir, sources_dir, language)
    if current:
        return current  # laying it out again takes seconds and gives the same bytes
    html, css = _read(edition, out_dir, sources_dir, language)
    path = out_dir / edition.period / f"report-{language}.pdf"
    texts = load_texts(sources_dir, language, edition.min_cell)
    content = pdf_of(html, css, texts, organisation=edition.organisation, day=edition.data_as_of)
    write_if_changed(path, content)
    return path


def pdf_of_page(edition: Edition, out_dir: Path, sources_dir: Path, language: str) -> Path | None:
    """The PDF that was made from the page as it lies there; None where it has to be made. Errors as ``build_pdf``."""
    html, css = _read(edition, out_dir, sources_dir, language)
    path = out_dir / edition.period / f"report-{language}.pdf"
    return path if path.is_file() and _identifier(html, css).encode("ascii") in path.read_bytes() else None


def _read(edition: Edition, out_dir: Path, sources_dir: Path, language: str) -> tuple[bytes, str]:
    """The page and the style of paper."""
    try:
        html = (out_dir / edition.period / f"report-{language}.html").read_bytes()
        return html, (sources_dir / "templates" / "print.css").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(
            f"Making the PDF of {edition.period}: {getattr(error, 'filename', None) or 'print.css'} cannot be read."
            " Build the page first and restore reports/templates."
        ) from error


def _identifier(html: bytes, css: str) -> str:
    """Named after what it is made from and with: no clock and no chance in it."""
    return hashlib.sha256(html + css.encode("utf-8") + version("weasyprint").encode("ascii")).hexdigest()[:32]


def pdf_of(html: bytes, css: str, texts: Texts, *, organisation: str, day: date) -> bytes:
    """The bytes of the PDF; ``day`` is the date of the document. Errors as ``build_pdf``."""
    weasyprint = _weasyprint()
    from weasyprint.urls import URLFetcher

    from mel_pipeline.reporting.print_tags import mend_tags

    fetcher = URLFetcher(allowed_protocols={"data"}, allow_redirects=False)
    with _complaints() as complaints:
        document = weasyprint.HTML(
            file_obj=io.BytesIO(html), encoding="utf-8", base_url="about:blank", url_fetcher=fetcher
        )
        links = for_paper(
            document.etree_element, css + page_footer(texts), texts, organisation=organisation, day=day
        )
        identifier = _identifier(html, css)
        content: bytes = document.write_pdf(
            pdf_variant="pdf/ua-1",
            pdf_identifier=identifier.encode("ascii"),
            finisher=lambda _, pdf: mend_tags(pdf, links),
        )
    if complaints:
        raise ReportError(
            f"Making the PDF: {complaints[0]}. The page must hold everything it shows; build it again."
        )
    return content


def _weasyprint() -> Any:
    try:
        with redirect_stdout(io.StringIO()):  # it prints its own advice, without saying what was tried
            import weasyprint
    except (ImportError, OSError) as error:
        raise ReportError(f"Making the PDF: {PDF_NEEDS}") from error
    return weasyprint


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What WeasyPrint could not fetch or draw: it only logs that, and a page with a hole must not go out."""
    found: list[str] = []
    handler = _Collector(found)
    logger = logging.getLogger("weasyprint")
    logger.addHandler(handler)
    try:
        yield found
    finally:
        logger.removeHandler(handler)


class _Collector(logging.Handler):
    def __init__(self, found: list[str]) -> None:
        super().__init__(logging.ERROR)
        self.found = found

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record.getMessage().split("\n")[0][:200])
