"""The report page: one self-contained HTML file from an edition. Frames in, file out.

What stands where is in ``reports/templates``, the words are in ``reports/locales``; templates compute nothing.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from markupsafe import Markup

from mel_pipeline.errors import ReportError
from mel_pipeline.reporting.charting import Drawing, drawings, write_charts
from mel_pipeline.reporting.edition import check_columns
from mel_pipeline.reporting.figures import Figures, require_headlines
from mel_pipeline.reporting.files import write_if_changed
from mel_pipeline.reporting.findings import main_points
from mel_pipeline.reporting.frames import ChartFrame
from mel_pipeline.reporting.measures import Measure, measures, missing, words
from mel_pipeline.reporting.restated import footnotes, restatement_rows, standing_of
from mel_pipeline.reporting.tables import Row, table_row
from mel_pipeline.reporting.texts import Texts, load_texts

if TYPE_CHECKING:
    from pathlib import Path

    from mel_pipeline.reporting.charting import ChartFile
    from mel_pipeline.reporting.edition import Edition

TEMPLATE = "report.html.jinja"
FONTS = ("Inter-Regular.woff2", "Inter-SemiBold.woff2")


@dataclass(frozen=True)
class Picture:
    """A chart for the page: a wide drawing and one for phones, as data addresses."""

    frame: ChartFrame
    wide: str
    narrow: str
    width: int
    height: int


@dataclass(frozen=True)
class Section:
    """A line of action: charts of headline indicators first, others as rows, links to what stands elsewhere."""

    number: str
    heading: str
    pictures: list[Picture]
    rows: list[Row]
    elsewhere: list[Measure]


@dataclass(frozen=True)
class BuiltReport:
    """A page and the charts that lie beside it, in report order."""

    page: Path
    charts: list[ChartFile]


def build_report(edition: Edition, out_dir: Path, sources_dir: Path, language: str) -> Path:
    """Write the page and its charts; returns the page. As ``build_report_and_charts``."""
    return build_report_and_charts(edition, out_dir, sources_dir, language).page


def build_report_and_charts(edition: Edition, out_dir: Path, sources_dir: Path, language: str) -> BuiltReport:
    """Write ``<out_dir>/<period>/report-<language>.html`` and the charts beside it, each drawn once.

    The same edition gives the same bytes, and files that would not change are not touched.

    Raises:
        ReportError: a frame, text, template or style file cannot be read, a headline figure
            was never calculated, or the folder cannot be written.
    """
    check_columns(edition)
    texts = load_texts(sources_dir, language, edition.min_cell)
    known = measures(edition, language)
    figures = Figures(edition, known)
    require_headlines(figures, known, edition.period)
    headline = [measure for measure in known if measure.headline]
    wide, narrow = (
        drawings(edition, headline, figures, sources_dir, texts, narrow=small) for small in (False, True)
    )
    notes = footnotes(edition.restatements, {measure.id: measure for measure in known}, texts)
    rows = {measure.id: table_row(measure, figures, texts, notes.get(measure.id, "")) for measure in known}
    page = _template(sources_dir).render(
        t=texts,
        edition=edition,
        css=Markup(_text(sources_dir / "templates" / "report.css")),  # noqa: S704 - our own file
        fonts=[_data_address(sources_dir / "fonts" / name, "font/woff2") for name in FONTS],
        rows=list(rows.values()),
        headline=[rows[measure.id] for measure in headline],
        points=main_points(known, figures, edition.period, texts),
        sections=_sections(edition, known, rows, _pictures(wide, narrow), texts),
        quality=_quality(edition, texts),
        card=_card(edition, texts),
        rules_held=[
            texts(
                "page.rules_held",
                dimension=texts.choice("dimension_of_quality", held["dimension"]),
                hold=texts.number(held["hold"]),
                rules=texts.number(held["rules"]),
            )
            for held in edition.rules_held
        ],
        restatements=restatement_rows(
            edition.restatements, {measure.id: measure for measure in known}, texts
        ),
        standing=standing_of(edition, texts),
        css_string=css_string,
    )
    if "<main" not in page:
        raise ReportError(
            f"Writing {edition.period}: the template {TEMPLATE} gave no page. Restore reports/templates."
        )
    charts = write_charts(wide, edition.period, out_dir, language)
    path = out_dir / edition.period / f"report-{language}.html"
    write_if_changed(path, page.encode("utf-8"))
    return BuiltReport(path, charts)


def css_string(text: str) -> Markup:
    """A quoted CSS string in which nothing can end the string or the style element."""
    safe = "".join(char if char.isalnum() or char in " .,·" else f"\\{ord(char):x} " for char in text)
    return Markup(f'"{safe}"')  # noqa: S704 - every other character is escaped above


def _template(sources_dir: Path) -> _Page:
    folder = sources_dir / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return _Page(environment, folder)


@dataclass(frozen=True)
class _Page:
    """The page template; whatever is wrong with it is told as a ReportError."""

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
                " Restore or mend the template."
            ) from error


def _pictures(wide: list[Drawing], narrow: list[Drawing]) -> dict[str, Picture]:
    return {
        big.frame.measure.id: Picture(
            big.frame,
            _address(big.svg, "image/svg+xml"),
            _address(small.svg, "image/svg+xml"),
            big.width,
            big.height,
        )
        for big, small in zip(wide, narrow, strict=True)
    }


def _sections(
    edition: Edition, known: list[Measure], rows: dict[str, Row], pictures: dict[str, Picture], texts: Texts
) -> list[Section]:
    """An indicator stands under one of its lines of action; the others name it."""
    homes = _homes(known, pictures)
    lines = [
        (str(int(line["number"])), words(line.get(f"name_{texts.language}")) or words(line["name_en"]))
        for line in edition.lines_of_action.to_dict("records")
    ]
    if any(not measure.lines for measure in known):
        lines.append(("", texts("page.across")))
    sections = []
    for number, heading in lines:
        here = [measure for measure in known if number in (measure.lines or ("",))]
        mine = [measure for measure in here if homes[measure.id] == number]
        sections.append(
            Section(
                number,
                heading,
                pictures=[pictures[measure.id] for measure in mine if measure.id in pictures],
                rows=[rows[measure.id] for measure in mine if measure.id not in pictures],
                elsewhere=[measure for measure in here if measure not in mine],
            )
        )
    return sections


def _homes(known: list[Measure], pictures: dict[str, Picture]) -> dict[str, str]:
    """Indicator → its first line of action; with a chart the one with the fewest so far, so that none is bare."""
    homes = {measure.id: (measure.lines or ("",))[0] for measure in known if measure.id not in pictures}
    drawn: dict[str, str] = {}
    for measure in known:
        if measure.id in pictures:
            drawn[measure.id] = min(measure.lines or ("",), key=list(drawn.values()).count)
    return homes | drawn


def _card(edition: Edition, texts: Texts) -> list[dict[str, str]]:
    """A line a source, every number in the language's form."""
    counted = ("rows", "aside", "corrected", "late")
    return [
        {
            "source": line["title"],
            "status": line["status"],
            **{name: texts.number(line[name]) for name in counted},
        }
        for line in edition.card
    ]


def _quality(edition: Edition, texts: Texts) -> list[dict[str, str]]:
    never = texts("page.never")
    return [
        {
            "source": words(row["source_title"]),
            "entity": words(row["entity_title"]),
            "read": texts.number(row["rows_read"]),
            "stored": texts.number(row["rows_stored"]),
            "aside": texts.number(row["rows_quarantined"]),
            "sentence": words(row["status_sentence"]),
            "loaded": never if missing(row["last_loaded_on"]) else texts.day(row["last_loaded_on"]),
        }
        for row in edition.quality.to_dict("records")
    ]


def _text(path: Path) -> str:
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"Reading {path}: it cannot be read. Restore the file.") from error
    if not content.strip():
        raise ReportError(f"Reading {path}: it is empty. Restore the file.")
    return content


def _data_address(path: Path, kind: str) -> str:
    try:
        return _address(path.read_bytes(), kind)
    except OSError as error:
        raise ReportError(f"Reading {path}: it cannot be read. Restore the file.") from error


def _address(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
