"""The content of a page, in words and in order: one model for the web page and the PDF. No files, no markup."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.core.languages import BASE
from mel_pipeline.reporting.chart_data.indicator import ChartFrame
from mel_pipeline.reporting.figures.lookup import SUPPRESSED, Figures, require_headlines
from mel_pipeline.reporting.figures.measures import Measure, measures, missing, words
from mel_pipeline.reporting.page.projects import project_lines
from mel_pipeline.reporting.page.restatement_notes import (
    PublicationLabel,
    RestatementRow,
    footnotes,
    publication_label,
    restatement_rows,
)
from mel_pipeline.reporting.page.said import sentences_of
from mel_pipeline.reporting.page.tables import Row, table_row
from mel_pipeline.reporting.page.topics import TOPICS, Rung, reach_ladder, topic_of
from mel_pipeline.reporting.pictures.charts import Drawing, drawings
from mel_pipeline.reporting.pictures.page import PageDrawing, page_charts
from mel_pipeline.reporting.text.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mel_pipeline.reporting.edition import Edition

SVG = "image/svg+xml"


@dataclass(frozen=True)
class Picture:
    """A chart for the page: a wide drawing and one for phones, as data URLs, and its numbers as a table.

    ``anchor`` is the indicator, or the name of an overview picture.
    """

    anchor: str
    name: str
    alt: str
    headings: Sequence[str]
    table: Sequence[Sequence[str]]
    svg: bytes  # the wide drawing
    wide: str
    narrow: str
    width: int
    height: int


@dataclass(frozen=True)
class Section:
    """A page of the report: its charts, and a row for each other indicator that belongs to it.

    ``own``: indicators placed here; rows of ``drawn`` ones link to their charts on another page.
    """

    key: str  # gender | reach | satisfaction, or the number of a line of action
    heading: str
    pictures: list[Picture]
    rows: list[Row]
    own: list[str]
    drawn: list[str]


@dataclass(frozen=True)
class PageModel:
    """An edition in one language: everything the templates place. Every figure is already formatted."""

    t: Texts
    edition: Edition
    rows: list[Row]
    sheets: list[Row]
    headline: list[Row]
    points: list[str]
    on_track: str
    changes: list[str]
    decisions: list[str]
    overviews: dict[str, Picture]
    sections: list[Section]
    topics: list[Section]
    ladder: list[Rung]
    answered: str
    projects: list[str]
    learning: dict[str, list[str]]
    quality: list[dict[str, str]]
    card: list[dict[str, str]]
    rules_held: list[str]
    worth_a_look: str
    restatements: list[RestatementRow]
    standing: PublicationLabel


@dataclass(frozen=True)
class DrawnPage:
    """The model with the drawings that are written beside the page."""

    model: PageModel
    charts: list[Drawing]
    overviews: dict[str, PageDrawing]


def drawn_page(edition: Edition, sources_dir: Path, texts: Texts) -> DrawnPage:
    """Draw every chart and format everything the page shows.

    Raises:
        ReportError: a text or style file cannot be read, or a headline figure was never calculated.
    """
    known = measures(edition, texts.language)
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
    spoken = sentences_of(edition, known, figures, [rows[measure.id] for measure in listed], texts)
    model = PageModel(
        t=texts,
        edition=edition,
        rows=[rows[measure.id] for measure in listed],
        sheets=list(rows.values()),
        headline=[rows[measure.id] for measure in known if measure.headline],
        points=spoken.points,
        on_track=spoken.on_track,
        changes=spoken.changes,
        decisions=spoken.decisions,
        overviews=_page_pictures(overviews, small_overviews, texts),
        sections=_lines(edition, listed, rows, pictures, texts),
        topics=_topics(listed, rows, pictures, texts),
        ladder=reach_ladder(known, figures, texts),
        answered=spoken.answered,
        projects=project_lines(edition, known, figures, texts),
        learning=spoken.learning,
        quality=_quality(edition, texts),
        card=_card(edition, texts),
        rules_held=_rules_held(edition, texts),
        worth_a_look=texts.plural("page.worth_a_look", edition.worth_a_look) if edition.rules_held else "",
        restatements=restatement_rows(edition.restatements, by_id, texts),
        standing=publication_label(edition, texts),
    )
    return DrawnPage(model, wide, overviews)


def _pictures(wide: list[Drawing], narrow: list[Drawing], texts: Texts) -> dict[str, Picture]:
    return {
        big.frame.measure.id: Picture(
            big.frame.measure.id,
            big.frame.measure.name,
            big.frame.alt,
            *_table(big.frame, texts),
            big.picture.svg,
            data_address(big.picture.svg, SVG),
            data_address(small.picture.svg, SVG),
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
            big.picture.svg,
            data_address(big.picture.svg, SVG),
            data_address(narrow[name].picture.svg, SVG),
            big.picture.width,
            big.picture.height,
        )
        for name, big in wide.items()
    }


def _lines(
    edition: Edition, known: list[Measure], rows: dict[str, Row], pictures: dict[str, Picture], texts: Texts
) -> list[Section]:
    """The lines of action. A chart appears once, under one line or its topic; a row wherever the indicator belongs."""
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
    """Indicator without a topic → its first line of action; with a chart, the line with the fewest charts so far."""
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
    """Gender balance, reach and satisfaction: the topics across the lines of action."""
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
    """One line per source, numbers formatted for the language."""
    counted = ("rows", "aside", "corrected", "late")
    return [
        {
            "source": texts.say(line["title"]),
            "status": texts.say(line["status"]),
            **{name: _count(line[name], texts) for name in counted},
        }
        for line in edition.card
    ]


def _count(number: int | None, texts: Texts) -> str:
    """A number of rows; None where they are about too few people."""
    return texts.choice("status", SUPPRESSED) if number is None or missing(number) else texts.number(number)


def _quality(edition: Edition, texts: Texts) -> list[dict[str, str]]:
    never = texts("page.never")
    return [
        {
            "source": texts.say(words(row["source_title"])),
            "entity": texts.say(words(row["entity_title"])),
            "read": _count(row["rows_read"], texts),
            "stored": _count(row["rows_stored"], texts),
            "aside": texts.number(row["rows_quarantined"]),
            "sentence": texts.say(words(row["status_sentence"])),
            "changed": never if missing(row["last_changed_on"]) else texts.day(row["last_changed_on"]),
        }
        for row in edition.quality.to_dict("records")
    ]


def plan_of(edition: Edition, texts: Texts) -> str:
    """Title and years of the strategic plan in the language of the page, or in English; empty where there is none."""
    return edition.plan.get(texts.language) or edition.plan.get(BASE, "")


def data_address(content: bytes, kind: str) -> str:
    """The content as a data URL, for pages that load nothing."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
