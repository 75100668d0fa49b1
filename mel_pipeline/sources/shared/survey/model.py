"""Surveys as every tool's reader returns them: questions, and answers in chunks of text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mel_pipeline.sources.shared.dates import Order

if TYPE_CHECKING:
    import pandas as pd

_NUMBER = re.compile(
    r"^\s*(?:(?:q|p|question|pregunta)\s?)?\(?\d{1,3}(?:\.\d{1,2})?[a-z]?\s?[.):–-]\s+|^\s*[qp]\d{1,3}[.:]?\s+",
    re.IGNORECASE,
)
_ROW = re.compile(r".*\S\s*\[([^\[\]]+)\]|.*\S\s[-–]\s([^\[\]]+?)", re.DOTALL)

Builtin = Literal[
    "response_id",
    "uuid",  # identifies a response, too, where its id is missing
    "status",
    "validity",  # says that a row is no valid response: a preview, spam, rejected in review
    "started_at",
    "completed_at",
    "language",
    "recommendation",  # the built-in NPS value of a tool
    "personal",  # address, browser, e-mail, name, link to edit: never read
    "ignored",  # harmless and not needed
]

# Ids: of the tool, running numbers of a server, running numbers of a form, digests of answers.
Kind = Literal["own", "of_server", "numbered", "answers"]


@dataclass(frozen=True)
class Question:
    """One column of an export, or one question of a form.

    ``key`` is what the tool identifies it by (header path, variable, XML path), unique in the survey.
    ``text`` is what people read, without markup. If a multiple-choice question has one column per choice,
    each column has the question's ``text`` and its own ``choice``. ``is_summary``: the cells repeat what the columns
    of its choices say. ``written_beside`` names the question and the choice beside which people wrote.
    """

    key: str
    text: str
    choice: str | None = None
    builtin: Builtin | None = None  # what the tool itself writes, not an answer
    separator: str | None = None  # joins several choices in one cell
    labels: tuple[
        tuple[str, str], ...
    ] = ()  # value in the cell -> label in words, where the form defines them
    is_summary: bool = False
    written_beside: tuple[str, str] | None = None

    @property
    def unnumbered(self) -> str:
        """The text without the number that many forms put before it (`5.`, `Q5:`, `P3 -`)."""
        return _NUMBER.sub("", self.text) or self.text

    @property
    def row_of_grid(self) -> str | None:
        """What a grid asks in this row (`Please rate [The session]`); None outside a grid."""
        match = _ROW.fullmatch(self.text)
        return match[1] or match[2] if match else None


@dataclass(frozen=True)
class Layout:
    """How one export is laid out, as recognised from its first rows.

    ``questions`` has one entry per column. ``header_rows`` is the number of rows above the first response
    (including question texts, choices, HXL tags). ``completed`` are the values of the ``status`` column,
    compared without case and accents, that mean a finished response; empty: ``completed_at`` decides.
    """

    tool: str
    questions: list[Question]
    header_rows: int = 1
    completed: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()  # cell texts of this tool that mean: not shown, not answered
    not_chosen: frozenset[str] = frozenset({"0", "false"})  # of a choice's own column, without case
    not_valid: Mapping[str, str] = field(
        default_factory=dict
    )  # of a ``validity`` column: value, as plain text -> reason
    ids_within_survey: bool = False  # response ids count from 1 in every form
    ids_within_server: bool = False  # response ids count from 1 on every server of the tool
    zone: str | None = None  # of its times, where the layout fixes it: "UTC"
    date_order: Literal["day_first", "month_first"] | None = None  # where the layout fixes it
    decimal_comma: bool = False
    notes: tuple[str, ...] = ()  # how it was recognised, for people


@dataclass(frozen=True)
class Sheet:
    """A table of an export with its first rows, before anything is known about it."""

    name: str  # of the worksheet; of a CSV the file's name
    first_rows: list[list[str]]  # at most 25, cells as text


Group = Mapping[str, Sequence[Mapping[str, str]]]  # row of the parent -> its rows


@dataclass(frozen=True)
class Repeats:
    """Repeated groups of a form by name; ``key`` is the column of the main table that their rows refer to."""

    key: int
    groups: Mapping[str, Group]


@dataclass(frozen=True)
class Answers:
    """A chunk of the responses of one survey.

    ``frame`` has one text column per question, by position (columns 0, 1, 2 ...), missing = null or empty; its
    index is the row's number at the source, as a person would count it in the file.
    """

    source: str  # "survey_files", "kobo", "odk"
    survey: str
    origin: str  # "file <SHA-256>" or "api"
    place: str  # file name or form, for messages
    layout: Layout
    frame: pd.DataFrame
    order: Order | None = None  # of all dates in the file together; None: no numeric dates
    repeats: Repeats | None = None  # repeated groups, in tables of their own
    left_out: Mapping[str, int] = field(default_factory=dict)  # rows that are no valid responses, by reason
    withdrawn: tuple[str, ...] = ()  # ids of those that the tool marks: they count no more, if they did


Chunks = Iterator[Answers]
