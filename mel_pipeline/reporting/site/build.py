"""The whole site from frames: every page in every language. The layout is in ``reports/templates/site``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.languages import BASE
from mel_pipeline.reporting import cache
from mel_pipeline.reporting.digests import digest_of_pages
from mel_pipeline.reporting.edition import check_columns
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.palette import stylesheet
from mel_pipeline.reporting.site.available_editions import available_editions
from mel_pipeline.reporting.site.cities import read_cities, regional_medians
from mel_pipeline.reporting.site.city_pages import city_pages
from mel_pipeline.reporting.site.content import Content
from mel_pipeline.reporting.site.downloads import figures_csv
from mel_pipeline.reporting.site.home import home_page
from mel_pipeline.reporting.site.indicator_pages import indicator_pages
from mel_pipeline.reporting.site.outcome_pages import FILE, outcome_pages, outcomes_csv
from mel_pipeline.reporting.site.plan_pages import plan_pages, plan_years
from mel_pipeline.reporting.site.project_pages import project_pages
from mel_pipeline.reporting.site.release_pages import has_releases, release_pages
from mel_pipeline.reporting.site.store import MANIFEST, store
from mel_pipeline.reporting.site.templates import Pages
from mel_pipeline.reporting.text.languages import languages as locales
from mel_pipeline.reporting.text.texts import texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.reporting.site.data import Site
    from mel_pipeline.reporting.text.texts import Texts

FONTS = ("Inter-Regular.woff2", "Inter-SemiBold.woff2")
STYLES = ("report.css", "site/site.css")
NAME = "reading-site"


@dataclass(frozen=True)
class BuiltSite:
    """The start page of the site, and what the build changed."""

    index: Path
    files: int
    written: int
    removed: int


def build_site(
    site: Site, out_dir: Path, sources_dir: Path, languages: Sequence[str] | None = None
) -> BuiltSite:
    """Write the site into ``out_dir``, beside the editions there.

    The same frames and editions give the same bytes and only changed files are written. Inside ``cache.using``
    nothing is built while all inputs and all written files are unchanged.

    Args:
        languages: the first is that of ``index.html``; all locales by default.

    Raises:
        ReportError: a frame, text, template, font or style cannot be read, or the folder cannot be written.
    """
    chosen = list(languages or locales(sources_dir))
    check_columns(site.edition)
    digest = digest_of_pages(
        [site, available_editions(out_dir), str(out_dir.absolute()), chosen], sources_dir
    )
    cached = cache.get(NAME, digest, BuiltSite)
    if cached is not None:
        return replace(cached, written=0, removed=0)
    texts = [texts_of(site.edition, sources_dir, language) for language in chosen]
    content = _content(site, out_dir, sources_dir)
    files = _assets(sources_dir)
    for measure in measures(site.edition, BASE):
        files[f"indicators/{measure.id}.csv"] = figures_csv(
            site.edition.figures, measure.id, site.edition.months, measure.parts
        )
    if site.register.outcomes:
        files[FILE] = outcomes_csv(site.register)
    for text in texts:
        files |= _pages(content, text, texts)
    written, removed = store(out_dir, files)
    built = BuiltSite(out_dir / "index.html", len(files), written, removed)
    cache.put(NAME, digest, built, [out_dir / address for address in [*files, MANIFEST]])
    return built


def _content(site: Site, out_dir: Path, sources_dir: Path) -> Content:
    quarters = sorted({str(period) for period in site.edition.figures["period"] if "-Q" in str(period)})
    cities = read_cities(site, quarters)
    return Content(
        site=site,
        editions=available_editions(out_dir),
        cities=cities,
        medians=regional_medians(cities, quarters, site.edition.min_cell),
        quarters=quarters,
        sources_dir=sources_dir,
    )


def _pages(content: Content, texts: Texts, every: Sequence[Texts]) -> dict[str, bytes]:
    known = measures(content.site.edition, texts.language)
    figures = Figures(content.site.edition, known)
    pages = Pages(content.sources_dir, content.site.edition, texts, every, _sections(content))
    return (
        home_page(content, known, figures, pages)
        | indicator_pages(content, known, figures, pages)
        | city_pages(content, known, figures, pages)
        | plan_pages(content, known, pages)
        | project_pages(content, known, figures, pages)
        | outcome_pages(content, known, pages)
        | release_pages(content, pages)
    )


def _sections(content: Content) -> tuple[str, ...]:
    """Pages that are there only with something to show."""
    register = content.site.register
    there = {
        "plan": bool(plan_years(content)),
        "projects": register.has_projects,
        "outcomes": register.has_outcomes,
        "releases": has_releases(content),
    }
    return tuple(name for name, is_there in there.items() if is_there)


def _assets(sources_dir: Path) -> dict[str, bytes]:
    try:
        fonts = {f"assets/{name}": (sources_dir / "fonts" / name).read_bytes() for name in FONTS}
    except OSError as error:
        raise ReportError(
            f"Making the reading site: {error.filename} cannot be read. Restore the file."
        ) from error
    return {"assets/site.css": stylesheet(sources_dir, *STYLES).encode(), **fonts}
