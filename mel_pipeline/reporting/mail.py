"""The e-mail of an edition, readable on its own. Composes only; it sends nothing."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.periods import previous_period, year_before
from mel_pipeline.core.template_cache import template_cache
from mel_pipeline.reporting.edition import check_columns
from mel_pipeline.reporting.figures.findings import compared_period
from mel_pipeline.reporting.figures.lookup import Figures, require_headlines
from mel_pipeline.reporting.figures.measures import measures
from mel_pipeline.reporting.page.front import front_page
from mel_pipeline.reporting.page.restatement_notes import publication_label
from mel_pipeline.reporting.page.said import sentences_of
from mel_pipeline.reporting.page.tables import Row, table_row
from mel_pipeline.reporting.palette import load_palette
from mel_pipeline.reporting.text.texts import Texts, texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.reporting.page.front import Risk

TEMPLATE = "mail.html.jinja"
WIDTH = 72
MOST_POINTS = 5


@dataclass(frozen=True)
class MailFigure:
    """A headline figure as the e-mail shows it."""

    name: str
    actual: str
    target: str
    change: str
    shape: str
    status: str
    code: str
    missing: bool


@dataclass(frozen=True)
class EditionMail:
    """Subject and body in one language, as HTML and as text. It loads nothing from anywhere."""

    language: str
    subject: str
    html: str
    text: str


@dataclass(frozen=True)
class _Content:
    """What both bodies say."""

    organisation: str
    title: str
    opening: str
    tag: str
    standing: str
    as_of: str
    draft: str
    sample: str
    message: str
    points: list[str]
    at_risk: list[Risk]
    decision: str
    figures: list[MailFigure]
    link: str
    place: str
    attached: str
    why: str


def edition_mail(
    edition: Edition,
    sources_dir: Path,
    language: str,
    *,
    draft: bool,
    place: str,
    attached: bool = False,
) -> EditionMail:
    """Compose the e-mail.

    Args:
        draft: marks subject and body.
        place: where the report can be opened: an http(s) address becomes a link, anything else is shown as text.

    Raises:
        ReportError: a frame, text or the template cannot be read, or a headline figure was never calculated.
    """
    check_columns(edition)
    texts = texts_of(edition, sources_dir, language)
    known = measures(edition, language)
    figures = Figures(edition, known)
    require_headlines(figures, known, edition.period)
    standing = publication_label(edition, texts)
    rows = [table_row(measure, figures, texts) for measure in known if not measure.is_distribution]
    front = front_page(edition, rows, sentences_of(edition, known, figures, rows, texts), texts)
    title = texts.period_title(edition.period)
    subject = texts("mail.subject", organisation=edition.organisation, period=title, status=standing.tag)
    if draft:
        subject = texts("mail.draft_subject", subject=subject)
    is_link = place.startswith(("https://", "http://"))
    content = _Content(
        organisation=edition.organisation,
        title=title,
        opening=texts("mail.opening", period=title),
        tag=standing.tag,
        standing=standing.sentence,
        as_of=texts("page.as_of", day=texts.day(edition.data_as_of)),
        draft=texts("mail.draft") if draft else "",
        sample=texts("page.sample_banner") if edition.is_sample else "",
        message=front.title,
        points=[*front.lead, *front.points, *front.moved][:MOST_POINTS],
        at_risk=front.at_risk,
        decision=front.decision,
        figures=[_figure(row, edition.period, texts) for row in rows if row.measure.headline],
        link=place if is_link else "",
        place="" if is_link else texts("mail.place", place=place),
        attached=texts("mail.attached") if attached else "",
        why=texts("mail.why", organisation=edition.organisation),
    )
    one_line = " ".join(subject.split())  # a header holds no line break
    return EditionMail(
        language, one_line, _html(content, one_line, texts, sources_dir), _text(content, texts)
    )


def _figure(row: Row, period: str, texts: Texts) -> MailFigure:
    cells = {year_before(period): row.year_before, previous_period(period): row.previous}
    usual = compared_period(row.measure, period)
    # As in the main points: the previous period where the usual one has no figure.
    earlier = next((then for then in (usual, previous_period(period)) if cells[then].change), usual)
    cell = cells[earlier]
    if cell.change:
        change = texts("mail.change", change=cell.change, period=earlier, value=cell.text)
    elif not cell.missing:  # the figure of this period is what is missing
        change = texts("mail.earlier", period=earlier, value=cell.text)
    else:
        change = texts("mail.no_change", period=earlier)
    aim = ""  # then the status says so
    if not row.target.missing:
        aim = " ".join(filter(None, (texts("mail.target", value=row.target.text), row.target.change)))
    return MailFigure(
        name=row.measure.name,
        actual=row.actual.text,
        target=aim,
        change=change,
        shape=row.status.shape,
        status=row.status.word,
        code=row.status.code,
        missing=row.actual.missing,
    )


def _html(content: _Content, subject: str, texts: Texts, sources_dir: Path) -> str:
    environment = Environment(
        loader=FileSystemLoader(sources_dir / "templates"),
        bytecode_cache=template_cache(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.get_template(TEMPLATE).render(
            **dict(load_palette(sources_dir)), t=texts, m=content, subject=subject
        )
    except (OSError, UnicodeDecodeError, TemplateError) as error:
        raise ReportError(
            f"Filling {sources_dir / 'templates' / TEMPLATE}: {type(error).__name__}: {error}."
            " Restore or fix the template."
        ) from error


def _text(content: _Content, texts: Texts) -> str:
    """Plain text in 72 columns."""
    head = [content.organisation, content.opening, f"{content.tag}. {content.standing}", f"{content.as_of}."]
    parts = [
        *[_wrapped(f"*** {warning} ***") for warning in (content.draft, content.sample) if warning],
        "\n".join(_wrapped(line) for line in head),
        _wrapped(f"{content.message}."),
        *(
            [
                _heading(texts("story.changes")),
                *["\n".join(_wrapped(point, first="- ", rest="  ") for point in content.points)],
            ]
            if content.points
            else []
        ),
        *([_heading(texts("story.at_risk")), *_risk_lines(content.at_risk)] if content.at_risk else []),
        *([_heading(texts("story.decide")), _wrapped(content.decision)] if content.decision else []),
        _heading(texts("page.headline")),
        "\n\n".join(_figure_lines(figure) for figure in content.figures),
        _heading(texts("mail.full_report")),
        "\n".join(filter(None, (content.attached, content.link, content.place))),
        "-" * WIDTH + "\n" + _wrapped(content.why),
    ]
    return "\n\n".join(parts) + "\n"


def _risk_lines(risks: Sequence[Risk]) -> list[str]:
    lines = [f"{risk.status.word} – {risk.names}" if risk.status else risk.names for risk in risks]
    return ["\n".join(_wrapped(line, first="- ", rest="  ") for line in lines)]


def _figure_lines(figure: MailFigure) -> str:
    room = WIDTH - len(figure.actual) - 1
    if len(figure.name) <= room:
        first = f"{figure.name:<{room}} {figure.actual}"
    else:
        first = f"{_wrapped(figure.name)}\n{figure.actual:>{WIDTH}}"
    lines = [". ".join(filter(None, (figure.status, figure.target))), figure.change]
    return "\n".join([first, *(_wrapped(line, first="  ", rest="  ") for line in lines)])


def _heading(words: str) -> str:
    return f"{words.upper()}\n{'=' * len(words)}"


def _wrapped(text: str, first: str = "", rest: str = "") -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
