"""The report page: one self-contained HTML file from an edition. Frames in, file out.

What stands where is in ``reports/templates``, the words are in ``reports/locales``; templates compute nothing.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from markupsafe import Markup

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting.chart_data.indicator import ChartFrame
from mel_pipeline.reporting.edition import check_columns
from mel_pipeline.reporting.figures.lookup import Figures, require_headlines
from mel_pipeline.reporting.figures.measures import Measure, measures, missing, words
from mel_pipeline.reporting.files import write_if_changed
from mel_pipeline.reporting.page.agreement import require_agreement
from mel_pipeline.reporting.page.restatement_notes import footnotes, restatement_rows, standing_of
from mel_pipeline.reporting.page.summary import (
    changes,
    decisions_needed,
    learning_of,
    on_track,
    opening_points,
)
from mel_pipeline.reporting.page.tables import Row, table_row
from mel_pipeline.reporting.page.topics import TOPICS, reach_ladder, topic_of, who_answered
from mel_pipeline.reporting.pictures.charts import ChartFile, Drawing, drawings, write_charts
from mel_pipeline.reporting.pictures.page import PageDrawing, page_charts, write_page_charts
from mel_pipeline.reporting.text.texts import Texts, load_texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mel_pipeline.reporting.edition import Edition

TEMPLATE = "report.html.jinja"
FONTS = ("Inter-Regular.woff2", "Inter-SemiBold.woff2")


@dataclass(frozen=True)
class Picture:
    """A chart for the page: a wide drawing and one for phones, as data addresses, and its numbers as a table.

    ``anchor`` is the indicator, or the name of a picture of several.
    """

    anchor: str
    name: str
    alt: str
    headings: Sequence[str]
    table: Sequence[Sequence[str]]
    wide: str
    narrow: str
    width: int
    height: int


@dataclass(frozen=True)
class Section:
    """A page of the report: its charts, and a row for each other indicator that belongs to it.

    ``own``: indicators whose place is here; rows of ``drawn`` ones lead to their charts on another page.
    """

    key: str  # gender | reach | satisfaction, or the number of a line of action
    heading: str
    pictures: list[Picture]
    rows: list[Row]
    own: list[str]
    drawn: list[str]


@dataclass(frozen=True)
class BuiltReport:
    """A page, the charts that lie beside it in report order, and what is not translated."""

    page: Path
    charts: list[ChartFile]
    untranslated: list[str] = field(default_factory=list)


def build_report(edition: Edition, out_dir: Path, sources_dir: Path, language: str) -> Path:
    """Write the page and its charts in one language; returns the page. As ``build_editions``."""
    return build_editions(edition, out_dir, sources_dir, [language])[language].page


def build_editions(
    edition: Edition, out_dir: Path, sources_dir: Path, languages: Sequence[str]
) -> dict[str, BuiltReport]:
    """Write ``<out_dir>/<period>/report-<language>.html`` and the charts beside it, in every language.

    The same edition gives the same bytes, and files that would not change are not touched. Nothing is written
    unless every language says the same.

    Raises:
        ReportError: a frame, text, template or style file cannot be read, a headline figure was never
            calculated, two languages differ in a figure, or the folder cannot be written.
    """
    check_columns(edition)
    made = {language: _compose(edition, sources_dir, language) for language in languages}
    require_agreement(edition.period, {language: (page.html, page.texts) for language, page in made.items()})
    return {language: _write(page, edition.period, out_dir) for language, page in made.items()}


@dataclass(frozen=True)
class _Composed:
    html: str
    drawn: list[Drawing]
    overviews: dict[str, PageDrawing]
    texts: Texts


def _compose(edition: Edition, sources_dir: Path, language: str) -> _Composed:
    texts = load_texts(sources_dir, language, edition.min_cell)
    known = measures(edition, language)
    figures = Figures(edition, known)
    require_headlines(figures, known, edition.period)
    drawn = [measure for measure in known if measure.pictured]
    wide, narrow = (
        drawings(edition, drawn, figures, sources_dir, texts, narrow=small) for small in (False, True)
    )
    by_id = {measure.id: measure for measure in known}
    notes = footnotes(edition.restatements, by_id, texts)
    rows = {measure.id: table_row(measure, figures, texts, notes.get(measure.id, "")) for measure in known}
    listed = [measure for measure in known if not measure.is_distribution]
    overviews, small_overviews = (
        page_charts(edition, known, figures, texts, sources_dir, narrow=small) for small in (False, True)
    )
    pictures = _pictures(wide, narrow, texts)
    page = _template(sources_dir).render(
        t=texts,
        edition=edition,
        css=Markup(_text(sources_dir / "templates" / "report.css")),  # noqa: S704 - our own file
        fonts=[_data_address(sources_dir / "fonts" / name, "font/woff2") for name in FONTS],
        rows=[rows[measure.id] for measure in listed],
        sheets=list(rows.values()),
        headline=[rows[measure.id] for measure in known if measure.headline],
        points=opening_points(edition, known, figures, texts),
        on_track=on_track([rows[measure.id] for measure in listed], texts),
        changes=changes(edition, known, figures, texts),
        decisions=decisions_needed(edition, [rows[measure.id] for measure in listed], texts),
        overviews=_page_pictures(overviews, small_overviews, texts),
        sections=_lines(edition, listed, rows, pictures, texts),
        topics=_topics(listed, rows, pictures, texts),
        ladder=reach_ladder(known, figures, texts),
        answered=who_answered(known, figures, texts),
        learning=learning_of(edition, texts),
        quality=_quality(edition, texts),
        card=_card(edition, texts),
        rules_held=_rules_held(edition, texts),
        restatements=restatement_rows(edition.restatements, by_id, texts),
        standing=standing_of(edition, texts),
        css_string=css_string,
    )
    if "<main" not in page:
        raise ReportError(
            f"Writing {edition.period}: the template {TEMPLATE} gave no page. Restore reports/templates."
        )
    return _Composed(page, wide, overviews, texts)


def _write(made: _Composed, period: str, out_dir: Path) -> BuiltReport:
    charts = write_charts(made.drawn, period, out_dir, made.texts.language)
    write_page_charts(made.overviews, period, out_dir, made.texts.language)
    path = out_dir / period / f"report-{made.texts.language}.html"
    write_if_changed(path, made.html.encode("utf-8"))
    return BuiltReport(path, charts, sorted(made.texts.missing))


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


def _pictures(wide: list[Drawing], narrow: list[Drawing], texts: Texts) -> dict[str, Picture]:
    return {
        big.frame.measure.id: Picture(
            big.frame.measure.id,
            big.frame.measure.name,
            big.frame.alt,
            *_table(big.frame, texts),
            _address(big.picture.svg, "image/svg+xml"),
            _address(small.picture.svg, "image/svg+xml"),
            big.picture.width,
            big.picture.height,
        )
        for big, small in zip(wide, narrow, strict=True)
    }


def _table(frame: ChartFrame, texts: Texts) -> tuple[list[str], list[list[str]]]:
    """The numbers of a chart: label and value, with n and notes where any mark has them."""
    headings = [frame.column, texts("table.value")]
    headings += [texts("table.base")] if frame.has_base else []
    headings += [texts("table.note")] if frame.has_notes else []
    rows = [
        [
            texts.period(mark["label"]),
            mark["full"],
            *([mark["base"]] if frame.has_base else []),
            *([mark["note"]] if frame.has_notes else []),
        ]
        for mark in frame.marks
    ]
    return headings, rows


def _page_pictures(
    wide: Mapping[str, PageDrawing], narrow: Mapping[str, PageDrawing], texts: Texts
) -> dict[str, Picture]:
    return {
        name: Picture(
            name,
            big.frame.title,
            big.frame.alt,
            [texts.period(heading) for heading in big.frame.headings],
            [[texts.period(cell) for cell in cells] for cells in big.frame.table],
            _address(big.picture.svg, "image/svg+xml"),
            _address(narrow[name].picture.svg, "image/svg+xml"),
            big.picture.width,
            big.picture.height,
        )
        for name, big in wide.items()
    }


def _lines(
    edition: Edition, known: list[Measure], rows: dict[str, Row], pictures: dict[str, Picture], texts: Texts
) -> list[Section]:
    """The lines of action. A chart stands once, under one line or its topic; a row wherever the indicator belongs."""
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
        mine = [measure for measure in here if homes.get(measure.id) == number]
        sections.append(
            Section(
                number,
                heading,
                pictures=[pictures[measure.id] for measure in mine if measure.id in pictures],
                rows=[
                    rows[measure.id] for measure in here if measure not in mine or measure.id not in pictures
                ],
                own=[measure.id for measure in mine],
                drawn=list(pictures),
            )
        )
    return sections


def _homes(known: list[Measure], pictures: dict[str, Picture]) -> dict[str, str]:
    """Indicator without a topic → its first line of action; with a chart the line that has the fewest so far."""
    mine = [measure for measure in known if not topic_of(measure)]
    homes = {measure.id: (measure.lines or ("",))[0] for measure in mine if measure.id not in pictures}
    drawn: dict[str, str] = {}
    for measure in mine:
        if measure.id in pictures:
            drawn[measure.id] = min(measure.lines or ("",), key=list(drawn.values()).count)
    return homes | drawn


def _topics(
    known: list[Measure], rows: dict[str, Row], pictures: dict[str, Picture], texts: Texts
) -> list[Section]:
    """Gender balance, reach and satisfaction: what crosses the lines of action."""
    sections = []
    for topic in dict.fromkeys(TOPICS.values()):
        mine = [measure for measure in known if topic_of(measure) == topic]
        if mine:
            drawn = [pictures[measure.id] for measure in mine if measure.id in pictures]
            others = [rows[measure.id] for measure in mine if measure.id not in pictures]
            own = [measure.id for measure in mine]
            sections.append(Section(topic, texts.choice("topic", topic), drawn, others, own, []))
    return sections


def _rules_held(edition: Edition, texts: Texts) -> list[str]:
    return [
        texts(
            "page.rules_held",
            dimension=texts.choice("dimension_of_quality", held["dimension"]),
            hold=texts.number(held["hold"]),
            rules=texts.number(held["rules"]),
        )
        for held in edition.rules_held
    ]


def _card(edition: Edition, texts: Texts) -> list[dict[str, str]]:
    """A line a source, every number in the language's form."""
    counted = ("rows", "aside", "corrected", "late")
    return [
        {
            "source": texts.say(line["title"]),
            "status": texts.say(line["status"]),
            **{name: texts.number(line[name]) for name in counted},
        }
        for line in edition.card
    ]


def _quality(edition: Edition, texts: Texts) -> list[dict[str, str]]:
    never = texts("page.never")
    return [
        {
            "source": texts.say(words(row["source_title"])),
            "entity": texts.say(words(row["entity_title"])),
            "read": texts.number(row["rows_read"]),
            "stored": texts.number(row["rows_stored"]),
            "aside": texts.number(row["rows_quarantined"]),
            "sentence": texts.say(words(row["status_sentence"])),
            "changed": never if missing(row["last_changed_on"]) else texts.day(row["last_changed_on"]),
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
