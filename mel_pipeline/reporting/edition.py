"""What one edition of the report is made of: prepared frames. Reads nothing and draws nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.errors import ReportError

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

NEEDED = {
    "figures": (
        "indicator_id",
        "period",
        "grain",
        "dimension",
        "category",
        "value",
        "numerator",
        "denominator",
        "n",
        "status",
        "note",
    ),
    "indicators": (
        "indicator_id",
        "position",
        "headline",
        "pictured",
        "name_en",
        "definition_en",
        "unit",
        "numerator_text",
        "denominator_text",
        "aggregation",
        "direction",
        "band_low",
        "band_high",
        "baseline_value",
        "baseline_period",
        "baseline_note",
        "lines_of_action",
        "source",
        "frequency",
        "owner_role",
        "level",
        "collection",
        "rationale_en",
        "assessed_on",
        "limitations_en",
        "decimals",
        "chart",
        "chart_dimension",
    ),
    "targets": ("indicator_id", "period", "value", "origin"),
    "lines_of_action": ("number", "name_en"),
    "quality": (
        "source_title",
        "entity_title",
        "rows_read",
        "rows_stored",
        "rows_quarantined",
        "status_sentence",
        "last_changed_on",
    ),
}


@dataclass(frozen=True)
class Recall:
    """That a published version must not be used any more: since when, decided by which role, and why."""

    day: date
    role: str
    reason: str


@dataclass(frozen=True)
class Publication:
    """The published version of the period's figures: its number, since when, approved by which role."""

    version: int
    day: date
    role: str
    note: str
    recall: Recall | None = None


@dataclass(frozen=True)
class Wording:
    """A text written by the MEL lead, by language; English is used where another is missing."""

    by_language: dict[str, str]


@dataclass(frozen=True)
class Theme:
    """What several open comments were about. ``people``: how many mentioned it."""

    theme: Wording
    people: int


@dataclass(frozen=True)
class CodersAgree:
    """Agreement of two people who gave comments their themes: Cohen's kappa with its 95% interval."""

    comments: int
    kappa: float
    low: float
    high: float


@dataclass(frozen=True)
class Decision:
    """A decision, taken or still open, and its owner: a role, never a name."""

    text: Wording
    owner_role: str
    due: date | None
    is_open: bool


@dataclass(frozen=True)
class Narrative:
    """What the MEL lead wrote for an edition. ``main_points`` replace the drafted ones; they hold placeholders."""

    main_points: list[Wording] = field(default_factory=list)
    lessons: list[Wording] = field(default_factory=list)
    comments: list[Theme] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    agreement: CodersAgree | None = None  # about ``comments``


@dataclass(frozen=True)
class Judged:
    """How a figure stood against its target or band when its edition was published (see ``judgement.Standing``)."""

    code: str
    value: float | None
    expected: float | None
    is_due: bool


@dataclass(frozen=True)
class Said:
    """What a published edition said: judgements by indicator; by language, sentences by the part of the page."""

    judgements: dict[str, Judged]
    sentences: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Stated:
    """Where a figure counted by hand comes from. ``day``: when it was accepted; None: before the first version.

    ``category`` is empty for a total.
    """

    indicator_id: str
    period: str
    dimension: str
    category: str
    evidence: str
    role: str
    day: date | None
    version: int


@dataclass(frozen=True)
class EarlierFigure:
    """A figure published before the pipeline, with where it was printed. Never one of the calculated figures."""

    indicator_id: str
    period: str
    dimension: str
    category: str
    value: float
    document: str
    page: str
    note: str


@dataclass(frozen=True)
class ProjectAim:
    """A measured statement of a project's logframe; see ``figures.logframe.Aim``."""

    indicator_id: str
    dimension: str
    category: str
    baseline: float | None
    baseline_on: str
    target: float | None
    target_by: str


@dataclass(frozen=True)
class ProjectNote:
    """A project as an annual edition mentions it. ``outcomes``: of its year."""

    code: str
    name: Wording
    status: str
    ends_on: date | None
    aims: list[ProjectAim]
    outcomes: int


@dataclass(frozen=True)
class CityVoice:
    """What changed in a city or organisation within the period; it agreed to be named."""

    organisation: str
    day: date
    words: Wording


@dataclass(frozen=True)
class Region:
    """A region of the network: its names by language, and its column and row in the picture of the members."""

    name: dict[str, str]
    place: tuple[int, int] | None = None


@dataclass(frozen=True)
class Edition:
    """One quarter (``2024-Q4``) or year (``2024``) to be reported.

    ``figures`` holds every calculated period, not only this one: charts and comparisons look back.
    Percentages are numbers from 0 to 100, money is in the currency that is its unit, nothing is rounded yet.
    """

    period: str
    grain: str  # 'quarter' | 'year'
    organisation: str
    is_sample: bool
    data_as_of: date
    figures: pd.DataFrame
    indicators: pd.DataFrame
    targets: pd.DataFrame
    lines_of_action: pd.DataFrame
    quality: pd.DataFrame
    notes: list[str]
    min_cell: int = 5  # figures about fewer people have been withheld
    card: list[dict[str, Any]] = field(
        default_factory=list
    )  # per source: rows (None: too few people), quarantined, corrected, late
    rules_held: list[dict[str, Any]] = field(default_factory=list)  # by dimension of data quality
    worth_a_look: int = 0  # totals out of line, which a person was asked to check
    origins: dict[str, list[str]] = field(default_factory=dict)  # by indicator: model, raw tables with loads
    publication: Publication | None = None  # none: a draft
    restatements: list[dict[str, Any]] = field(default_factory=list)  # rows of the ledger for this period
    movements: dict[str, dict[str, float]] = field(
        default_factory=dict
    )  # indicator of which a published figure was revised: reason, part of change
    narrative: Narrative | None = None
    logo: str = ""  # data URL of an SVG or PNG
    plan: dict[str, str] = field(default_factory=dict)  # language → title and years of the strategic plan
    licence: str | None = None  # short name of a Creative Commons licence: 'CC-BY-4.0'
    regions: list[Region] = field(default_factory=list)
    sentences: dict[str, dict[str, str]] = field(
        default_factory=dict
    )  # the organisation's: language → English → text
    said: Said | None = None  # of a published edition: stays as it was published
    statements: list[Stated] = field(default_factory=list)  # of released figures that were counted by hand
    earlier: list[EarlierFigure] = field(default_factory=list)
    months: list[dict[str, Any]] = field(
        default_factory=list
    )  # of flows, by part: a month of the period, or the one before it
    projects: list[ProjectNote] = field(default_factory=list)  # of an annual edition
    voices: list[CityVoice] = field(default_factory=list)  # the one for page one first
    release_days: dict[str, date] = field(default_factory=dict)  # period → day its edition is due
    revision_policy: dict[str, str] = field(default_factory=dict)  # by language
    verbatim: tuple[str, ...] = ()  # words of people, printed in every language as they were written


def check_columns(edition: Edition) -> None:
    """Reject an edition whose frames lack columns.

    Raises:
        ReportError: a frame lacks a column; the message names both.
    """
    for frame, columns in NEEDED.items():
        missing = [column for column in columns if column not in getattr(edition, frame).columns]
        if missing:
            raise ReportError(
                f"Reading the edition {edition.period}: its frame '{frame}' lacks {', '.join(missing)}."
                " Rebuild the SQL models, then the report."
            )
