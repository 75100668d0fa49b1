"""Schema of the catalogue files. Strict: an unknown field or an empty text is an error."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from mel_pipeline.core.languages import BASE, Text, Words
from mel_pipeline.core.target_path import last_day

PERIOD = r"^\d{4}(-Q[1-4])?$"
UNITS = (
    "members", "percent", "score", "views", "follows", "people", "visits", "money", "labs", "videos",
    "events", "subscriptions", "points", "outcomes", "projects", "agreements", "grants",
)  # fmt: skip
STATED_MODEL = "manual_values"  # the SQL model of every indicator that is counted by hand


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _by_language(written: object) -> object:
    return {BASE: written} if isinstance(written, str) else written


Sentence = Annotated[Text, BeforeValidator(_by_language)]  # a text alone is English
IndicatorId = Annotated[str, Field(pattern=r"^[A-Z]{3}-\d{2}$")]


class Formula(_Strict):
    """In words; the model's SQL does the counting."""

    numerator: Words
    denominator: Words | None = None


def _dated(written: object) -> object:
    """YAML reads 2026-06-30 as a day and 2026 as a number."""
    text = written.isoformat() if isinstance(written, date) else str(written)
    last_day(text)
    return text


Dated = Annotated[str, BeforeValidator(_dated)]  # a day, a quarter or a year: then its last day


class Baseline(_Strict):
    """Where the indicator started; ``value`` is empty where nothing was published."""

    value: float | None
    period: Dated
    quality: Sentence | None = None


class TargetStep(_Strict):
    """A milestone, to be reached by ``date``, or a revision, decided on ``date``; and why."""

    date: Dated
    value: float
    reason: Sentence


class Target(_Strict):
    """A stated target, and where it was stated. Between baseline, milestones and target the way is straight.

    A revision replaces ``value`` from its day on, so that earlier judgements stand; never edit ``value`` itself.
    """

    period: Annotated[str, Field(pattern=PERIOD)]
    value: float
    origin: Sentence
    milestones: list[TargetStep] = []
    revisions: list[TargetStep] = []


class Part(_Strict):
    """What the organisation states about a part of an indicator, such as a region."""

    dimension: Words
    category: Words
    baseline: Baseline | None = None
    targets: list[Target] = []


class Stated(_Strict):
    """What the organisation states about an indicator in its workbook."""

    baseline: Baseline | None = None
    targets: list[Target] = []
    parts: list[Part] = []
    assessed_on: date | None = None  # last data-quality assessment


class Wording(_Strict):
    """The organisation's own words for an indicator (``indicators.yml``); what is not given stays as it is."""

    name: Text | None = None
    definition: Text | None = None
    limitations: Text | None = None


class Chart(_Strict):
    """Which chart shows the indicator; ``dimension`` for charts of categories."""

    kind: Words
    dimension: Words | None = None


class Disclosure(_Strict):
    """Of indicators about persons: figures about few of them are withheld.

    ``group``: indicators that rest on the same people are withheld together. ``people``: the part of the
    formula that counts the persons a figure rests on. ``answers``: of a share of answers, the scores (1 to 5) that
    its numerator counts; with the answers by score, withheld figures could otherwise be derived.
    """

    group: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    people: Literal["numerator", "denominator"]
    answers: list[Literal[1, 2, 3, 4, 5]] = []


class Records(_Strict):
    """The records behind a count: a table expression of the SQL model, and its key column."""

    table: Words
    key: Words


class Indicator(_Strict):
    """One indicator, as in its reference sheet (``config: meta: indicator`` of ``ind_*.yml``)."""

    id: IndicatorId
    name: Text
    definition: Text
    unit: Words  # one of UNITS; of a stated one any word
    formula: Formula
    aggregation: Literal["stock", "flow", "distinct", "ratio"]
    direction: Literal["increase", "decrease", "in_band", "context"]
    band: tuple[float, float] | None = None
    disaggregations: list[Words]
    parts: Words | None = None  # the breakdown by what may join or leave: accounts, sites, tools
    source: list[Words] = Field(min_length=1)
    frequency: Words
    months: bool = False  # a flow by day: its months add up to the quarter, and are in the warehouse
    level: Literal["input", "output", "outcome", "impact", "unstated"]  # in the chain of results
    collection: Literal[
        "crm", "staff", "survey", "list", "platform", "web", "mailing", "hand"
    ]  # how the data are collected
    rationale: Text  # why it is measured
    owner_role: Words
    limitations: Text
    decimals: int = Field(0, ge=0, le=3)
    headline: bool = False  # on the first page; its chart is in the report
    pictured: bool = False  # its chart is in the report as well
    position: int = Field(ge=1)
    chart: Chart
    disclosure: Disclosure | None = None  # none: it is not about persons
    interval: Literal["chance", "volunteers"] | None = None  # of shares and means; volunteers chose to answer
    records: Records | None = None  # of counts that are not about persons
    stated: bool = False  # counted by hand: people state its figures in the workbook

    @model_validator(mode="after")
    def _unit_is_known(self) -> Indicator:
        if not self.stated and self.unit not in UNITS:
            raise ValueError(f"unit is '{self.unit}'; it can be {', '.join(UNITS)}")
        return self

    @model_validator(mode="after")
    def _band_goes_with_direction(self) -> Indicator:
        if (self.band is not None) != (self.direction == "in_band"):
            raise ValueError("band and direction in_band go together: give both or neither")
        if self.band is not None and self.band[0] >= self.band[1]:
            raise ValueError("band is written from low to high")
        return self

    @model_validator(mode="after")
    def _months_are_of_flows_that_are_not_about_persons(self) -> Indicator:
        if self.months and (self.aggregation != "flow" or self.disclosure is not None):
            raise ValueError(
                "months: only of a flow, and never of persons: months of few would have to be withheld"
            )
        return self

    @model_validator(mode="after")
    def _parts_are_a_breakdown(self) -> Indicator:
        if self.parts is not None and self.parts not in self.disaggregations:
            raise ValueError(f"parts: {self.parts} is none of its disaggregations")
        return self

    @model_validator(mode="after")
    def _shares_and_means_have_an_interval(self) -> Indicator:
        has_one = self.collection != "hand" and self.unit in ("percent", "score", "points")
        if (self.interval is not None) != has_one:
            raise ValueError(
                "a share or mean says what its interval covers (chance or volunteers); a count, or a share that people"
                " state, has none"
            )
        return self

    @property
    def is_drawn(self) -> bool:
        return self.headline or self.pictured

    @property
    def model(self) -> str:
        """Name of its SQL model: ``MEM-01`` is ``ind_mem_01``; all stated ones share a model."""
        if self.stated:
            return STATED_MODEL
        return f"ind_{self.id.lower().replace('-', '_')}"


class Campaign(_Strict):
    """A campaign or a series of posts, known by its hashtag."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    name: Sentence
    kind: Literal["campaign", "series"]
    hashtag: Annotated[str, Field(pattern=r"^#\w+$")]


class ScaleLabel(_Strict):
    """The meaning of an answer. ``score`` for satisfaction, ``code`` for gender, neither for a non-answer."""

    scale: Literal["satisfaction", "gender"]
    label: Words  # lower case, as ``lower(trim(answer))`` writes it
    kind: Literal["answer", "non_answer"]
    score: int | None = None
    code: Literal["woman", "man", "non_binary", "undisclosed"] | None = None


class LineOfAction(_Strict):
    """A line of the organisation's plan, the indicators that stand under it, and those of other lines it refers to."""

    number: int = Field(ge=1)
    name: Text
    indicators: list[IndicatorId] = []
    also: list[IndicatorId] = []


class Region(_Strict):
    """A region of the network; ``name.en`` is the value in the CRM.

    ``place``: its column from west to east and row from north to south in the picture of the members.
    """

    name: Text
    place: tuple[Annotated[int, Field(ge=0, le=3)], Annotated[int, Field(ge=0, le=5)]] | None = None


class Programme(_Strict):
    """A programme or project that events are part of; ``name.en`` is the value in the CRM."""

    name: Text
