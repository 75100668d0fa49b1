"""The page of releases: when each edition was due and came out, recalls, and the policy on revisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.core.languages import BASE
from mel_pipeline.core.periods import closing_quarter

if TYPE_CHECKING:
    from datetime import date

    from mel_pipeline.reporting.site.content import Content
    from mel_pipeline.reporting.site.templates import Pages
    from mel_pipeline.reporting.text.texts import Texts


@dataclass(frozen=True)
class ReleaseLine:
    """``state`` in words; ``is_recalled`` marks it."""

    title: str
    due: str
    out: str
    state: str
    is_recalled: bool


def has_releases(content: Content) -> bool:
    return bool(
        content.site.edition.release_days or content.site.edition.revision_policy or content.site.recalls
    )


def release_pages(content: Content, pages: Pages) -> dict[str, bytes]:
    """None without a calendar, a policy and a recall."""
    if not has_releases(content):
        return {}
    texts, edition = pages.texts, content.site.edition
    policy = edition.revision_policy.get(texts.language) or edition.revision_policy.get(BASE, "")
    stem = "releases/index"
    page = pages.render(
        "releases.html.jinja",
        stem,
        section="releases",
        title=texts("release.title"),
        lines=release_lines(content, texts),
        revision_policy=policy,
    )
    return {pages.address(stem): page}


def release_lines(content: Content, texts: Texts) -> list[ReleaseLine]:
    """Every period that is announced or published, the latest first; a year after its last quarter."""
    site = content.site
    periods = {*site.edition.release_days, *site.standings}
    order = sorted(periods, key=lambda period: (closing_quarter(period), "-" not in period), reverse=True)
    return [_line(content, period, texts) for period in order]


def _line(content: Content, period: str, texts: Texts) -> ReleaseLine:
    site = content.site
    due, standing, recall = (
        site.edition.release_days.get(period),
        site.standings.get(period),
        site.recalls.get(period),
    )
    out = texts("release.version", version=standing[0], day=texts.day(standing[1])) if standing else ""
    if recall is not None:
        state = texts("release.recalled", day=texts.day(recall.day), reason=recall.reason)
    else:
        state = _timing(due, standing, texts)
    return ReleaseLine(
        texts.period_title(period),
        texts.day(due) if due else texts("release.no_date"),
        out,
        state,
        recall is not None,
    )


def _timing(due: date | None, standing: tuple[int, date] | None, texts: Texts) -> str:
    """Of a first version, how it kept to its day; a later one has no announced day."""
    if standing is None:
        return texts("release.expected")
    version, day = standing
    if due is None or version > 1:
        return ""
    late = (day - due).days
    if late == 0:
        return texts("release.on_time")
    if late > 0:
        return texts.plural("release.late", late)
    return texts.plural("release.early", -late)
