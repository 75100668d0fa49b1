"""The page of projects: donor, money, logframe, partnerships and grants. Every value arrives in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mel_pipeline.reporting.figures.judgement import Status, status_of
from mel_pipeline.reporting.figures.logframe import Aim, Progress, periods_to, progress
from mel_pipeline.reporting.figures.lookup import SUPPRESSED
from mel_pipeline.reporting.figures.measures import missing, number, words
from mel_pipeline.reporting.site.indicators import category

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import pandas as pd

    from mel_pipeline.reporting.figures.lookup import Figures
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.site.content import Content
    from mel_pipeline.reporting.site.register import Register
    from mel_pipeline.reporting.site.templates import Pages
    from mel_pipeline.reporting.text.texts import Texts

UNSTATED = "Not stated"
LONGEST_RUN = 50  # years of a project that a search names
SPENT = "PRJ-02"  # the share of a project's budget that was spent


@dataclass(frozen=True)
class Money:
    """A year of a project."""

    year: str
    budget: str
    spent: str
    share: str


@dataclass(frozen=True)
class Statement:
    """A row of a logframe. ``aim`` and ``actual`` are empty where no value is stated. ``id``: its anchor.

    ``note``: what the value lacks, or why there is none. ``status`` is None where nothing is judged.
    """

    id: str
    level: str
    level_word: str
    text: str
    assumption: str
    verification: str
    indicator: str
    name: str
    baseline: str
    target: str
    actual: str
    is_missing: bool
    period: str
    anchor: str
    note: str
    status: Status | None


@dataclass(frozen=True)
class Agreement:
    partner: str
    kind: str
    name: str
    status: str
    day: str
    amount: str
    project: str


@dataclass(frozen=True)
class Project:
    code: str
    name: str
    facts: list[tuple[str, str]]
    money: list[Money]
    logframe: list[Statement]
    agreements: list[Agreement]
    outcomes: int
    years: str = ""  # in which it runs

    @property
    def found_by(self) -> str:
        """Everything that a search for it may name."""
        rows = " ".join(f"{row.name} {row.text}" for row in self.logframe)
        facts = " ".join(value for _, value in self.facts)
        return f"{self.code} {self.name} {self.years} {facts} {rows}"


@dataclass(frozen=True)
class Answer:
    """A figure of a project, as the search finds it. ``anchor``: its row on the page of projects."""

    name: str
    value: str
    anchor: str
    found_by: str


def project_pages(content: Content, known: list[Measure], figures: Figures, pages: Pages) -> dict[str, bytes]:
    """None where the workbook has no project and no partnership."""
    register = content.site.register
    if not register.has_projects:
        return {}
    edition = content.site.edition
    periods = periods_to(list(map(str, edition.figures["period"].unique())), edition.period)
    stem = "projects/index"
    page = pages.render(
        "projects.html.jinja",
        stem,
        section="projects",
        title=pages.texts("site.projects_title"),
        projects=projects_of(register, known, figures, pages.texts, periods),
        agreements=agreements_of(register.partnerships, pages.texts),
    )
    return {pages.address(stem): page}


def answers_of(projects: Sequence[Project]) -> list[Answer]:
    """The measured rows of every logframe; the value is the latest, with its period, or why there is none."""
    return [
        Answer(
            f"{project.code}: {row.name}",
            f"{row.actual} ({said})" if (said := row.note if row.is_missing else row.period) else row.actual,
            row.id,
            f"{project.code} {project.name} {project.years} {row.name} {row.text} {row.period} {row.target}",
        )
        for project in projects
        for row in project.logframe
        if row.indicator
    ]


def projects_of(
    register: Register, known: Sequence[Measure], figures: Figures, texts: Texts, periods: Sequence[str]
) -> list[Project]:
    measures = {measure.id: measure for measure in known}
    found = []
    for row in register.projects.to_dict("records"):
        code = words(row["project_id"])
        mine = register.logframe[register.logframe["project_id"] == code]
        grants = register.partnerships[register.partnerships["project_id"] == code]
        found.append(
            Project(
                code,
                words(row[f"name_{texts.language}"]) or words(row["name_en"]),
                _facts(row, texts),
                _money(register, code, measures.get(SPENT), figures, texts),
                [
                    _statement(f"{code}-{place}", item, measures, figures, texts, periods)
                    for place, item in enumerate(mine.to_dict("records"), start=1)
                ],
                agreements_of(grants, texts),
                sum(outcome.project == code for outcome in register.outcomes),
                _years(row),
            )
        )
    return found


def agreements_of(frame: pd.DataFrame, texts: Texts) -> list[Agreement]:
    found = []
    for row in frame.to_dict("records"):
        amount, currency = number(row["amount"]), words(row["currency"])
        day = row["agreed_on"] if not missing(row["agreed_on"]) else row["applied_on"]
        found.append(
            Agreement(
                words(row["partner"]),
                texts.choice("site.agreement_kind", words(row["kind"])),
                words(row[f"name_{texts.language}"]) or words(row["name_en"]),
                texts.choice("site.agreement_status", words(row["status"])),
                "" if missing(day) else texts.day(_plain(day)),
                "" if amount is None else _amount(amount, currency, texts),
                words(row["project_id"]),
            )
        )
    return found


def _years(row: Mapping[Any, Any]) -> str:
    days = [_plain(row[name]) for name in ("starts_on", "ends_on") if not missing(row[name])]
    if not days:
        return ""
    return " ".join(map(str, range(days[0].year, min(days[-1].year, days[0].year + LONGEST_RUN) + 1)))


def _facts(row: Mapping[Any, Any], texts: Texts) -> list[tuple[str, str]]:
    days = [
        texts.day(_plain(row[name])) if not missing(row[name]) else "…" for name in ("starts_on", "ends_on")
    ]
    line, donor = words(row["line_of_action"]), words(row["donor"])
    facts = [
        (texts("site.donor"), "" if donor == UNSTATED else donor),
        (texts("site.line_short"), "" if line == UNSTATED else line),
        (texts("site.status"), texts.choice("site.project_status", words(row["status"]))),
        (texts("site.runs"), " – ".join(days) if any(day != "…" for day in days) else ""),
        (texts("site.project_cities"), words(row["cities"]).replace(";", ",")),
        (texts("site.partners"), words(row["partners"]).replace(";", ",")),
    ]
    return [(name, value) for name, value in facts if value]


def _money(
    register: Register, code: str, measure: Measure | None, figures: Figures, texts: Texts
) -> list[Money]:
    found = []
    for row in register.finances[register.finances["project_id"] == code].to_dict("records"):
        year = str(int(row["year"]))
        share = figures.cells(SPENT, year, "project").get(code) if measure else None
        shown = (
            ""
            if share is None or share.value is None or measure is None
            else texts.value(measure, share.value)
        )
        budget, spent = (
            texts("status.not_available") if value is None else _amount(value, words(row["currency"]), texts)
            for value in (number(row["budget"]), number(row["spent"]))
        )
        found.append(Money(year, budget, spent, shown))
    return found


def _statement(
    anchor: str,
    row: Mapping[Any, Any],
    measures: Mapping[str, Measure],
    figures: Figures,
    texts: Texts,
    periods: Sequence[str],
) -> Statement:
    measure = measures.get(words(row["indicator_id"]))
    aim = Aim(
        words(row["dimension"]) or "total",
        words(row["category"]),
        number(row["baseline_value"]),
        words(row["baseline_on"]),
        number(row["target_value"]),
        words(row["target_by"]),
    )
    found = progress(measure, aim, figures, periods) if measure else None
    return Statement(
        id=f"row-{anchor}",
        level=words(row["level"]),
        level_word=texts.choice("site.logframe_level", words(row["level"])),
        text=words(row[f"statement_{texts.language}"]) or words(row["statement_en"]),
        assumption=words(row[f"assumption_{texts.language}"]) or words(row["assumption_en"]),
        verification=words(row["verification"]),
        indicator=measure.id if measure else "",
        name=measured_name(measure, aim, texts) if measure else "",
        baseline=_value(measure, aim.baseline, aim.baseline_on, texts),
        target=_value(measure, aim.target, aim.target_by, texts),
        actual=_actual(measure, found, texts),
        is_missing=found is None or found.standing.value is None,
        period=texts.period(found.period) if found and found.period else "",
        anchor=f"{'d' if aim.category else 'p'}-{found.period}" if found and found.period else "",
        note=_note(found, texts) if found else "",
        status=status_of(found.standing, texts) if found and found.standing.value is not None else None,
    )


def _note(found: Progress, texts: Texts) -> str:
    """What a value lacks, or for which period there is none and why: beside it, so that its status need not say it."""
    if found.standing.value is None and found.lacks:
        period = texts.period(found.lacks)
        if found.standing.code == SUPPRESSED:
            return texts("site.withheld_for", period=period)
        if found.why:
            return texts("site.missing_for", period=period, why=texts.say(found.why).rstrip("."))
        return texts("site.uncalculated_for", period=period)
    if not found.missing:
        return ""
    return texts("site.sum_lacks", periods=texts.listed(list(map(texts.period, found.missing))))


def measured_name(measure: Measure, aim: Aim, texts: Texts) -> str:
    """The indicator, and the part of it that a statement is about."""
    if not aim.category:
        return measure.name
    is_line = aim.dimension == "line_of_action" and aim.category.isdigit()
    shown = (
        texts("site.line", number=aim.category) if is_line else category(aim.dimension, aim.category, texts)
    )
    return f"{measure.name}: {shown}"


def _value(measure: Measure | None, value: float | None, when: str, texts: Texts) -> str:
    if value is None:
        return ""
    shown = (
        texts.value_with_unit(measure, value)
        if measure
        else texts.number(value, 0 if value.is_integer() else 1)
    )
    return f"{shown} ({texts.period(when)})" if when else shown


def _actual(measure: Measure | None, found: Progress | None, texts: Texts) -> str:
    if measure is None or found is None:
        return ""
    if found.standing.value is None:
        code = SUPPRESSED if found.standing.code == SUPPRESSED else "not_available"
        return texts.choice("status", code)
    return texts.value_with_unit(measure, found.standing.value)


def _amount(value: float, currency: str, texts: Texts) -> str:
    return f"{texts.number(value)}\N{NO-BREAK SPACE}{currency}"


def _plain(day: Any) -> date:
    found: date = day.date() if hasattr(day, "date") else day
    return found
