"""The report as a tagged PDF, typeset by Typst from the page model. Decides nothing about words or figures.

``reports/templates/report.typ`` defines the layout; Typst itself checks the result against PDF/UA-1.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting.palette import load_palette
from mel_pipeline.reporting.pdf.document import pdf_document
from mel_pipeline.reporting.pdf.row_headers import with_row_headers

if TYPE_CHECKING:
    from pathlib import Path

    from mel_pipeline.reporting.page.model import PageModel

TEMPLATE = "report.typ"
NO_LETTER = "could not be displayed with font"


def pdf_of(page: PageModel, sources_dir: Path) -> bytes:
    """The bytes of the PDF; the same page gives the same bytes. Targets PDF/UA-1.

    Characters that the report font lacks are taken from a system font, if one has them.

    Raises:
        ReportError: the template cannot be read or typeset, or no font has a character that the page shows.
    """
    import typst

    # Texts are passed as data: Typst does not parse them as markup, and can open nothing outside the templates.
    document = json.dumps(pdf_document(page), ensure_ascii=False)
    where = f"Making the PDF of {page.edition.period} in '{page.t.language}'"
    try:
        try:
            return _set(document, page, sources_dir, other_fonts=False)
        except typst.TypstError as error:
            if NO_LETTER not in error.message:
                raise
            return _set(document, page, sources_dir, other_fonts=True)
    except typst.TypstError as error:
        if NO_LETTER in error.message:
            raise ReportError(
                f"{where}: {error.message.removeprefix('PDF/UA-1 error: ')}, and no other installed font has it."
                " Add a font that has it to reports/fonts, or replace the character in the text."
            ) from error
        raise ReportError(
            f"{where}: {' '.join(error.diagnostic.split())[:500]}. Restore or fix reports/templates/{TEMPLATE}."
        ) from error
    except (OSError, RuntimeError) as error:  # Typst raises these for files it cannot open
        raise ReportError(
            f"{where}: {sources_dir / 'templates' / TEMPLATE}: {error}. Restore reports/templates."
        ) from error


def palette_input(sources_dir: Path) -> str:
    """Colours, font and sizes as the JSON that the template reads."""
    palette = load_palette(sources_dir)
    return json.dumps({"colours": palette.print, "font": palette.fonts["pdf"], "sizes": palette.sizes["pdf"]})


def _set(document: str, page: PageModel, sources_dir: Path, *, other_fonts: bool) -> bytes:
    import typst

    fonts: Any = typst.Fonts(
        include_system_fonts=other_fonts,
        include_embedded_fonts=False,
        font_paths=[sources_dir / "fonts"],
    )
    compiler = typst.Compiler(
        sources_dir / "templates" / TEMPLATE,
        root=sources_dir / "templates",
        font_paths=fonts,
        sys_inputs={"document": document, "palette": palette_input(sources_dir)},
    )
    day = datetime.combine(page.edition.data_as_of, time(), UTC)
    content: Any = compiler.compile(format="pdf", pdf_standards=["ua-1"], timestamp=day)
    return with_row_headers(bytes(content))
