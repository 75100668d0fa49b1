"""Whole columns of a chunk of answers as text, each distinct cell read once. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pandas as pd

from mel_pipeline.sources.shared.dates import read_moment
from mel_pipeline.sources.shared.files import FileRefusedError
from mel_pipeline.sources.shared.survey.codebook import Codebook, Role
from mel_pipeline.sources.shared.survey.identity import UNREADABLE, unwrapped
from mel_pipeline.sources.shared.survey.joining import joined
from mel_pipeline.sources.shared.survey.model import Answers, Builtin, Layout
from mel_pipeline.sources.shared.survey.personal import without_personal
from mel_pipeline.sources.shared.survey.plan import Plan
from mel_pipeline.sources.shared.zones import UnknownZoneError, zone_of

Texts: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.object_]]"  # text or None


class Cells:
    """The columns of one chunk. ``exported`` are its answers before columns that belong together are joined."""

    def __init__(self, answers: Answers, plan: Plan, book: Codebook) -> None:
        self.missing = answers.layout.missing | frozenset(book.missing)
        self.exported = answers
        self.answers = joined(answers, plan.joins, self.missing)
        self.layout, self.plan, self.book = self.answers.layout, plan, book
        self.zone = zone_for(self.layout, book)
        self.count = len(answers.frame)
        self._moments: dict[Builtin, Texts] = {}

    def cells(self, column: int | None, as_read: Callable[[str], str | None] = without_personal) -> Texts:
        """The meaning of each cell of a column; None where nothing was answered."""
        if column is None:
            return self.constant(None)
        labels = dict(self.layout.questions[column].labels)

        def meaning(cell: str) -> str | None:
            text = unwrapped(cell) if cell.startswith('="') else cell.strip()
            return as_read(labels.get(text, text)) if text and text not in self.missing else None

        return each(self.answers.frame[column].to_numpy(), meaning)

    def role(self, role: Role) -> Texts:
        return self.cells(self.plan.roles.get(role))

    def builtin(self, name: Builtin) -> Texts:
        return self.cells(self.plan.builtins.get(name))

    def moment(self, name: Builtin) -> Texts:
        """A built-in time, read once."""
        if name not in self._moments:
            self._moments[name] = self._moment(name)
        return self._moments[name].copy()

    def _moment(self, name: Builtin) -> Texts:
        zone = self.zone

        def read(text: str) -> str:
            try:
                return read_moment(text, self.answers.order, zone)
            except ValueError:
                return UNREADABLE

        return self.cells(self.plan.builtins.get(name), read)

    def constant(self, text: str | None) -> Texts:
        return np.full(self.count, text, dtype=object)


def zone_for(layout: Layout, book: Codebook) -> str | None:
    """The zone of times without an offset: the tool's own, or the codebook's if nobody knows that.

    Raises:
        FileRefusedError: nobody knows the tool's, and the codebook names none.
    """
    try:
        return layout.zone if layout.zone and zone_of(layout.zone) else book.zone
    except UnknownZoneError as error:
        if book.zone is None:
            raise FileRefusedError(str(error)) from None
    return book.zone


def each(values: Texts, read: Callable[[str], str | None]) -> Texts:
    """Each distinct text read once; None stays None."""
    codes, texts = pd.factorize(values)
    read_texts = np.array([read(text) for text in texts] + [None], dtype=object)  # code -1 takes the last
    return read_texts[codes]


def readable(moments: Texts) -> Texts:
    """Moments, None where one cannot be read."""
    return each(moments, lambda text: None if text == UNREADABLE else text)


def first_of(*columns: Texts) -> Texts:
    """The first column that has something, row by row."""
    first, *others = columns
    for other in others:
        first = np.where(first == None, other, first)  # noqa: E711 - by element
    return first
