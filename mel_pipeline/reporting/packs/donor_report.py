"""The report to a donor: its projects' logframes with the current values, money, outcomes, and places to be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.target_path import last_day
from mel_pipeline.reporting.figures.judgement import JUDGED, ON_TRACK
from mel_pipeline.reporting.packs.content import outcomes_of
from mel_pipeline.reporting.packs.word import WIDE, Document

if TYPE_CHECKING:
    from mel_pipeline.core.donors import Donor
    from mel_pipeline.reporting.packs.content import View
    from mel_pipeline.reporting.site.project_pages import Project, Statement

STATUS_COLOURS = {"over": "good", "on": "good", "near": "near", "off": "bad"}


def donor_report(view: View, donor: Donor, codes: list[str]) -> bytes:
    """The report as a DOCX file.

    Args:
        codes: of the donor's projects.
    """
    t = view.t
    title = t("pack.donor_report", donor=donor.name)
    document = Document(view, title)
    projects = [project for project in view.projects if project.code in codes]
    document.cover(title, _cover_facts(view, donor, projects))
    document.heading(t("pack.summary"))
    if view.is_recalled:
        document.paragraph(view.label.sentence)
    for project in projects:
        document.bullet(summary_of(project, view))
    document.to_write(t("pack.write_summary"))
    for project in projects:
        _project(document, view, donor, project)
    _outcomes(document, view, codes)
    document.heading(t("pack.risks"))
    document.to_write(t("pack.write_risks"))
    _method(document, view)
    return document.saved()


def span_of(period: str) -> str:
    """First and last day of a period, as ``texts.period`` reads them."""
    first = Quarter.parse(period if "-" in period else f"{period}-Q1").start
    return f"{first.isoformat()}/{last_day(period).isoformat()}"


def _cover_facts(view: View, donor: Donor, projects: list[Project]) -> list[tuple[str, str]]:
    t = view.t
    agreements = [
        f"{project.code}: {donor.references.get(project.code) or t('pack.agreement_missing')}"
        for project in projects
    ]
    return [
        (t("site.donor"), donor.name),
        (t("site.project"), "; ".join(project.name for project in projects)),
        (t("pack.agreement"), "; ".join(agreements)),
        (t("pack.reporting_period"), f"{view.title} ({t.period(span_of(view.edition.period))})"),
        (t("formats.data_as_of"), t.day(view.edition.data_as_of)),
        (t("page.status"), f"{view.label.tag}. {view.label.sentence}"),
    ]


def summary_of(project: Project, view: View) -> str:
    """``Name. 3 of 4 aims on track · 87% of the budget spent``, from what can be judged."""
    t = view.t
    judged = [one for one in project.logframe if one.status and one.status.code in JUDGED]
    good = [one for one in judged if one.status and one.status.code in ON_TRACK]
    facts = [t.plural("projects.on_track", len(judged), good=t.number(len(good)))] if judged else []
    year = next((money for money in project.money if money.year == view.edition.period[:4]), None)
    if year is not None and year.share:
        facts.append(t("projects.spent", share=year.share))
    if project.outcomes:
        facts.append(t.plural("projects.outcomes", project.outcomes))
    return t("projects.line", name=project.name, facts=" · ".join(facts) or t("page.no_figures").rstrip("."))


def _project(document: Document, view: View, donor: Donor, project: Project) -> None:
    t = view.t
    document.heading(project.name)
    facts = [
        (t("pack.agreement"), donor.references.get(project.code) or t("pack.agreement_missing")),
        *project.facts,
    ]
    document.table([list(fact) for fact in facts], [4.2, WIDE - 4.2], head=False)
    document.heading(t("pack.progress"), 2)
    document.paragraph(t("pack.progress_intro", period=view.edition.period))
    _logframe(document, view, project.logframe)
    document.to_write(t("pack.write_progress"))
    document.heading(t("pack.money"), 2)
    document.paragraph(t("pack.money_intro"))
    head = [t("pack.reporting_period"), t("site.budget"), t("site.spent"), t("site.spent_share")]
    rows = [[money.year, money.budget, money.spent, money.share] for money in project.money]
    if rows:
        document.table([head, *rows], [4.4, 4.2, 4.2, 4.2], numbers=(1, 2, 3))
    document.to_write(t("pack.write_money"))
    if project.agreements:
        document.heading(t("pack.agreements"), 2)
        head = [
            t("site.partner"),
            t("site.agreement"),
            t("page.status"),
            t("site.agreed_on"),
            t("site.amount"),
        ]
        listed = [
            [one.partner, f"{one.kind}: {one.name}", one.status, one.day, one.amount]
            for one in project.agreements
        ]
        document.table([head, *listed], [4.2, 5.2, 2.1, 2.8, 2.7], numbers=(4,), size=8.5)


def _logframe(document: Document, view: View, statements: list[Statement]) -> None:
    t = view.t
    light = view.palette.light
    head = [
        t("site.statement"),
        t("site.measured_by"),
        t("page.baseline"),
        t("page.target"),
        t("site.actual"),
        t("page.status"),
    ]
    rows, colours = [head], {}
    for one in statements:
        word = f"{one.status.shape} {one.status.word}" if one.status else ""
        rows.append([
            f"{one.level_word}: {one.text}", one.name or one.verification, one.baseline, one.target,
            actual_of(one) or f"[{t('pack.write_here')}]", word,
        ])  # fmt: skip
        if one.status and one.status.code in STATUS_COLOURS:
            colours[len(rows) - 1, 5] = light[STATUS_COLOURS[one.status.code]]
    document.table(rows, [4.2, 3.2, 2.4, 2.6, 2.4, 2.2], numbers=(2, 3, 4), size=8.5, colours=colours)
    for one in statements:
        if one.note:
            document.paragraph(f"{one.name}: {one.note}", style="Caption")


def actual_of(one: Statement) -> str:
    """The value with its period."""
    return f"{one.actual} ({one.period})" if one.period and not one.is_missing else one.actual


def _outcomes(document: Document, view: View, codes: list[str]) -> None:
    t = view.t
    document.heading(t("pack.outcomes"))
    printed = outcomes_of(codes, view.pack.register)
    document.paragraph(t("pack.outcomes_intro") if printed else t("pack.no_outcomes"))
    for outcome in printed:
        document.heading(f"{outcome.organisation}, {t.day(outcome.happened_on)}", 2)
        document.paragraph(view.local(outcome.change))
        state = t("site.substantiated" if outcome.is_substantiated else "site.not_substantiated")
        rows = [
            [t("site.significance"), view.local(outcome.significance)],
            [t("site.contribution"), view.local(outcome.contribution)],
            [t("site.evidence"), f"{'; '.join(outcome.evidence)} ({state})"],
        ]
        document.table([row for row in rows if row[1]], [4.2, WIDE - 4.2], head=False)
    document.to_write(t("pack.write_outcomes"))


def _method(document: Document, view: View) -> None:
    t = view.t
    document.heading(t("pack.method"))
    withheld = t.choice("status", "suppressed")
    document.paragraph(
        t(
            "pack.based_on",
            period=view.edition.period,
            day=t.day(view.edition.data_as_of),
            status=view.label.sentence,
        )
    )
    document.paragraph(t("page.suppression_text", shown=withheld))
    document.paragraph(t("page.rounding"))
    if view.edition.is_sample:
        document.paragraph(t("page.sample_banner"))
