"""What every file of a pack is made of: an edition, what is stated about projects and donors, in one language."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from mel_pipeline.core.donors import Donor, Donors
from mel_pipeline.reporting.chart_data.indicator import ChartFrame, chart_frame
from mel_pipeline.reporting.figures.logframe import periods_to
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.reporting.figures.measures import Measure, measures, words
from mel_pipeline.reporting.page.restatement_notes import PublicationLabel, publication_label
from mel_pipeline.reporting.page.said import Sentences, sentences_of
from mel_pipeline.reporting.page.tables import Row, table_row
from mel_pipeline.reporting.palette import Palette, load_palette
from mel_pipeline.reporting.site.project_pages import Project, projects_of
from mel_pipeline.reporting.site.register import Outcome, Register
from mel_pipeline.reporting.text.texts import Texts, texts_of

if TYPE_CHECKING:
    from pathlib import Path

    from mel_pipeline.reporting.edition import Edition


@dataclass(frozen=True)
class Pack:
    """An edition with the projects as they are stated up to its last day, and what donors need."""

    edition: Edition
    register: Register
    sources_dir: Path
    donors: Donors = field(default_factory=Donors)


@dataclass(frozen=True)
class View:
    """A pack in one language: figures to look up, rows and sentences as the report prints them."""

    pack: Pack
    language: str

    @property
    def edition(self) -> Edition:
        return self.pack.edition

    @cached_property
    def t(self) -> Texts:
        return texts_of(self.edition, self.pack.sources_dir, self.language)

    @cached_property
    def palette(self) -> Palette:
        return load_palette(self.pack.sources_dir)

    @cached_property
    def known(self) -> list[Measure]:
        return measures(self.edition, self.language)

    @cached_property
    def figures(self) -> Figures:
        return Figures(self.edition, self.known)

    @cached_property
    def rows(self) -> list[Row]:
        """Of the indicators that the performance table lists."""
        return [table_row(one, self.figures, self.t) for one in self.known if not one.is_distribution]

    @cached_property
    def sentences(self) -> Sentences:
        return sentences_of(self.edition, self.known, self.figures, self.rows, self.t)

    @cached_property
    def label(self) -> PublicationLabel:
        return publication_label(self.edition, self.t)

    @cached_property
    def projects(self) -> list[Project]:
        periods = periods_to(list(map(str, self.edition.figures["period"].unique())), self.edition.period)
        return projects_of(self.pack.register, self.known, self.figures, self.t, periods)

    @property
    def is_provisional(self) -> bool:
        return self.edition.publication is None

    @property
    def is_recalled(self) -> bool:
        return self.edition.publication is not None and self.edition.publication.recall is not None

    @property
    def title(self) -> str:
        return self.t.period_title(self.edition.period)

    @property
    def marks(self) -> list[str]:
        """What stands on every slide and page: the status, and that it is a sample."""
        return [self.label.tag, *([self.t("page.sample_mark")] if self.edition.is_sample else [])]

    def frame(self, measure: Measure, *, narrow: bool = False) -> ChartFrame:
        return chart_frame(self.edition, measure, self.figures, self.t, narrow=narrow)

    def local(self, texts: dict[str, str]) -> str:
        """A text by language, in English where this one is missing."""
        return texts.get(self.language) or texts.get("en", "")


def projects_for(donor: Donor, register: Register) -> list[str]:
    """Codes of the donor's projects: those that name it in the workbook, and those that ``donors.yml`` adds."""
    rows = register.projects.to_dict("records") if len(register.projects) else []
    return [
        code
        for row in rows
        if (code := words(row["project_id"])) in donor.projects
        or words(row["donor"]).casefold() == donor.name.casefold()
    ]


def outcomes_of(codes: list[str], register: Register) -> list[Outcome]:
    """Outcomes of these projects whose organisations agreed to be printed; oldest last."""
    return [outcome for outcome in register.outcomes if outcome.project in codes]


def based_on(view: View) -> str:
    """The sentence of the speaker notes that says which figures these are."""
    t, edition = view.t, view.edition
    return t(
        "pack.based_on", period=edition.period, day=t.day(edition.data_as_of), status=view.label.sentence
    )
