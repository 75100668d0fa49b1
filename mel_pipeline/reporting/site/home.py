"""The first page: search, the headline figures of the latest edition, every edition, indicator, project and city."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.reporting.figures.logframe import periods_to
from mel_pipeline.reporting.page.tables import table_row
from mel_pipeline.reporting.site.city_pages import by_region
from mel_pipeline.reporting.site.indicators import groups
from mel_pipeline.reporting.site.project_pages import answers_of, projects_of

if TYPE_CHECKING:
    from mel_pipeline.reporting.figures.lookup import Figures
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.site.available_editions import AvailableEdition, File
    from mel_pipeline.reporting.site.content import Content
    from mel_pipeline.reporting.site.templates import Pages
    from mel_pipeline.reporting.text.texts import Texts


@dataclass(frozen=True)
class EditionLine:
    """An edition in the list: ``documents`` by language, in the reader's language first."""

    period: str
    title: str
    status: str
    published: bool
    documents: list[tuple[str, list[tuple[str, File]]]]
    charts: list[File]


def home_page(content: Content, known: list[Measure], figures: Figures, pages: Pages) -> dict[str, bytes]:
    texts, edition = pages.texts, content.site.edition
    lines = [_line(available, content, texts) for available in content.editions]
    latest = next((available for available in content.editions if available.period == edition.period), None)
    periods = periods_to(list(map(str, edition.figures["period"].unique())), edition.period)
    projects = projects_of(content.site.register, known, figures, texts, periods)
    page = pages.render(
        "index.html.jinja",
        "index",
        section="home",
        title=texts("site.home_title"),
        script="search.js",
        headline=[table_row(measure, figures, texts) for measure in known if measure.headline],
        latest=texts("site.latest", title=texts.period_title(edition.period)),
        report=latest.page(texts.language) if latest else None,
        lines=lines,
        workbook=content.site.workbook,
        groups=groups(edition, known, texts),
        projects=projects,
        answers=answers_of(projects),
        regions=by_region(content.cities, texts),
    )
    return {pages.address("index"): page}


def _line(available: AvailableEdition, content: Content, texts: Texts) -> EditionLine:
    standing = content.site.standings.get(available.period)
    status = texts("site.provisional")
    if standing is not None:
        status = texts("site.published", version=standing[0], day=texts.day(standing[1]))
    recall = content.site.recalls.get(available.period)
    if recall is not None:
        status = f"{status}; {texts('release.recalled', day=texts.day(recall.day), reason=recall.reason)}"
    return EditionLine(
        available.period,
        texts.period_title(available.period),
        status,
        standing is not None and recall is None,
        _documents(available, texts),
        available.charts,
    )


def _documents(available: AvailableEdition, texts: Texts) -> list[tuple[str, list[tuple[str, File]]]]:
    there = dict.fromkeys(file.language for file in available.files)
    order = sorted(there, key=lambda code: (code != texts.language, code == "", code))
    found = []
    for code in order:
        mine = [file for file in available.files if file.language == code]
        formats = [file.format for file in mine]
        links = [
            # Two files of the same format are distinguished by name.
            (
                texts.choice("site.format", file.format)
                + (f" · {file.name}" if formats.count(file.format) > 1 else ""),
                file,
            )
            for file in mine
        ]
        found.append((language_word(code, texts), links))
    return found


def language_word(code: str, texts: Texts) -> str:
    """The name of a file's language, as the reader's language has it; ``code`` is empty for data."""
    if not code:
        return texts("site.language_of_file.none")
    name = texts.locale.languages.get(code)
    return name[:1].upper() + name[1:] if name else texts("site.language_other", code=code)
