"""The content of a page, in words and in order: one model for the web page and the PDF. No files, no markup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.core.languages import BASE
from mel_pipeline.reporting.chart_data import waterfall
from mel_pipeline.reporting.chart_data.indicator import ChartFrame
from mel_pipeline.reporting.chart_data.page import Stage
from mel_pipeline.reporting.figures.findings import finding
from mel_pipeline.reporting.figures.lookup import SUPPRESSED, Figures, require_headlines
from mel_pipeline.reporting.figures.measures import Measure, measures, missing, words
from mel_pipeline.reporting.page.front import Front, front_page
from mel_pipeline.reporting.page.projects import project_lines
from mel_pipeline.reporting.page.restatement_notes import (
    PublicationLabel,
    RestatementRow,
    footnotes,
    publication_label,
    restatement_rows,
)
from mel_pipeline.reporting.page.said import Sentences, sentences_of
from mel_pipeline.reporting.page.sections import Picture, Section, lines_of_action, topics_across
from mel_pipeline.reporting.page.tables import Row, table_row
from mel_pipeline.reporting.page.topics import Ladder, reach_ladder
from mel_pipeline.reporting.palette import Palette, load_palette
from mel_pipeline.reporting.pictures.charts import Drawing, drawings, plainly
from mel_pipeline.reporting.pictures.dark import page_address
from mel_pipeline.reporting.pictures.page import PageDrawing, page_charts
from mel_pipeline.reporting.text.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mel_pipeline.reporting.edition import Edition


@dataclass(frozen=True)
class PageModel:
    """An edition in one language: everything the templates place. Every figure is already formatted."""

    t: Texts
    edition: Edition
    rows: list[Row]
    sheets: list[Row]
    front: Front
    hero: Picture | None
    membership: str
    overviews: dict[str, Picture]
    sections: list[Section]
    topics: list[Section]
    ladder: Ladder
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
    palette = load_palette(sources_dir)
    pictures = _pictures(wide, narrow, palette, texts)
    spoken = sentences_of(edition, known, figures, [rows[measure.id] for measure in listed], texts)
    shown = _page_pictures(overviews, small_overviews, palette, texts)
    if "member_map" in shown:
        pictures.pop(waterfall.MEMBERS, None)  # its bars by region say what the map says
    hero = _hero(spoken, pictures, shown)
    front = front_page(
        edition, [rows[measure.id] for measure in listed], spoken, texts, hero.anchor if hero else ""
    )
    if hero is not None and hero.anchor in spoken.told:
        told = finding(by_id[hero.anchor], figures, edition.period, texts)
        own = [pair for pair in zip(wide, narrow, strict=True) if pair[0].frame.title == told]
        hero = _named(hero, own, sources_dir, texts)
    model = PageModel(
        t=texts,
        edition=edition,
        rows=[rows[measure.id] for measure in listed],
        sheets=list(rows.values()),
        front=front,
        hero=hero,
        membership=_membership(edition, known, figures, texts),
        overviews=shown,
        sections=lines_of_action(edition, listed, rows, pictures, hero, texts),
        topics=topics_across(listed, rows, pictures, hero, texts),
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


def _hero(spoken: Sentences, pictures: dict[str, Picture], overviews: dict[str, Picture]) -> Picture | None:
    """The one picture of page one, taken from its section: of what the title tells, else where the members are."""
    told = [pictures[id] for id in spoken.told if id in pictures]
    chosen = next(iter(told), None) or overviews.get("member_map") or next(iter(pictures.values()), None)
    if chosen is not None:
        (pictures if chosen.anchor in pictures else overviews).pop(chosen.anchor)
    return chosen


def _named(hero: Picture, own: Sequence[tuple[Drawing, Drawing]], sources_dir: Path, texts: Texts) -> Picture:
    """The picture with the indicator's name as its title, where its own is what the title of the page says already."""
    if not own:
        return hero
    wide, narrow = ([plainly(one, sources_dir, texts)] for one in own[0])
    return _pictures(wide, narrow, load_palette(sources_dir), texts)[hero.anchor]


def _membership(edition: Edition, known: Sequence[Measure], figures: Figures, texts: Texts) -> str:
    """From how many members to how many, and by which steps; empty where that is not known."""
    frame = waterfall.frame(Stage(edition, known, figures, texts, narrow=False))
    return f"{frame.title}." if frame is not None and not frame.is_empty else ""


def _pictures(
    wide: list[Drawing], narrow: list[Drawing], palette: Palette, texts: Texts
) -> dict[str, Picture]:
    return {
        big.frame.measure.id: Picture(
            big.frame.measure.id,
            big.frame.measure.name,
            big.frame.alt,
            *_table(big.frame, texts),
            big.picture.svg,
            small.picture.svg,
            page_address(big.picture.svg, palette),
            page_address(small.picture.svg, palette),
            big.picture.width,
            big.picture.height,
            small.picture.width,
            small.picture.height,
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
    wide: Mapping[str, PageDrawing], narrow: Mapping[str, PageDrawing], palette: Palette, texts: Texts
) -> dict[str, Picture]:
    return {
        name: Picture(
            name,
            big.frame.title,
            big.frame.alt,
            [texts.period(heading) for heading in big.frame.headings],
            [[texts.period(cell) for cell in cells] for cells in big.frame.table],
            big.picture.svg,
            narrow[name].picture.svg,
            page_address(big.picture.svg, palette),
            page_address(narrow[name].picture.svg, palette),
            big.picture.width,
            big.picture.height,
            narrow[name].picture.width,
            narrow[name].picture.height,
        )
        for name, big in wide.items()
    }


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
