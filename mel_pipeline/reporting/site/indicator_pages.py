"""A page per indicator, and the page that lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.reporting.page.tables import table_row
from mel_pipeline.reporting.site import indicators as view
from mel_pipeline.reporting.site.trend_views import quarters_of
from mel_pipeline.reporting.site.trends import trend

if TYPE_CHECKING:
    from mel_pipeline.reporting.figures.lookup import Figures
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.site.content import Content
    from mel_pipeline.reporting.site.templates import Pages


def indicator_pages(
    content: Content, known: list[Measure], figures: Figures, pages: Pages
) -> dict[str, bytes]:
    texts = pages.texts
    rows = {measure.id: table_row(measure, figures, texts) for measure in known}
    made = {
        pages.address("indicators/index"): pages.render(
            "indicators.html.jinja",
            "indicators/index",
            section="indicators",
            title=texts("site.indicators_title"),
            groups=view.groups(content.site.edition, known, texts),
            rows=rows,
        )
    }
    for measure in known:
        stem = f"indicators/{measure.id}"
        made[pages.address(stem)] = _page(content, measure, figures, pages, rows[measure.id], stem)
    return made


def _page(
    content: Content, measure: Measure, figures: Figures, pages: Pages, row: object, stem: str
) -> bytes:
    texts, edition = pages.texts, content.site.edition
    quarters = quarters_of(figures, measure, edition.period, content.quarters[0]) if content.quarters else []
    chart = trend(content.site, measure, figures, texts, quarters)
    years = figures.years(measure.id)
    lines = {str(int(line["number"])): line for line in edition.lines_of_action.to_dict("records")}
    return pages.render(
        "indicator.html.jinja",
        stem,
        section="indicators",
        title=measure.name,
        measure=measure,
        row=row,
        chart=chart,
        script="trend.js" if chart else "",
        quarters=[
            view.line(measure, figures.total(measure.id, quarter), quarter, texts)
            for quarter in reversed(quarters)
        ],
        years=[view.line(measure, figures.total(measure.id, year), year, texts) for year in reversed(years)],
        months=view.by_month(measure, figures, texts),
        details=view.details(edition, measure, figures, texts),
        targets=view.targets(measure, figures, texts),
        lines=[
            (number, str(lines[number].get(f"name_{texts.language}") or lines[number]["name_en"]))
            for number in measure.lines
            if number in lines
        ],
        origins=edition.origins.get(measure.id, []),
        reports=[
            (texts.period_title(available.period), page)
            for available in content.editions
            if (page := available.page(texts.language)) is not None
        ],
    )
