"""Turn answers of any tool into rows of the shared survey table. Pure: no folder, no clock.

Works on whole columns and reads each distinct answer of a chunk once. Nothing that leaves this module
holds an address, a browser, a name or the link of a response.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pandas as pd

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.normalize_text import normalize_answer, normalize_text
from mel_pipeline.sources.shared.base import Batch, Rejected, key_of, payload_of
from mel_pipeline.sources.shared.dates import read_moment
from mel_pipeline.sources.shared.files import FileRefusedError
from mel_pipeline.sources.shared.survey.codebook import Codebook
from mel_pipeline.sources.shared.survey.figures import MOST, range_in, recommended
from mel_pipeline.sources.shared.survey.identity import UNREADABLE, Identifier, minute_of
from mel_pipeline.sources.shared.survey.joining import joined
from mel_pipeline.sources.shared.survey.known_forms import Row
from mel_pipeline.sources.shared.survey.model import Answers, Chunks, Kind, Layout
from mel_pipeline.sources.shared.survey.personal import without_personal
from mel_pipeline.sources.shared.survey.plan import Plan
from mel_pipeline.sources.shared.survey.scale import NO_SCALE, Scale, scale_of
from mel_pipeline.sources.shared.zones import UnknownZoneError, zone_of

Texts: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.object_]]"  # text or None
Ids: TypeAlias = "Sequence[str | None]"
_BUILT_IN = ("started_at", "completed_at")
_OF_ROLE = {  # what a figure needs; a later export that does not ask it takes nothing away
    "overall_satisfaction": (
        "overall_satisfaction", "satisfaction_key", "satisfaction_score", "satisfaction_kind",
    ),
    "recommendation": ("recommendation",),
    "gender": ("gender", "gender_key", "gender_asked"),
    "city": ("city", "city_key"),
    "event_code": ("event_code",),
}  # fmt: skip


def batches(
    chunks: Chunks,
    plan: Plan,
    book: Codebook,
    contract: EntityContract,
    scale: Scale | None = None,
    ids: Ids | None = None,
    *,
    with_former: bool = False,
) -> Iterator[Batch]:
    """The responses of one survey, one batch per chunk.

    Args:
        scale: of the whole survey; None: each chunk is judged by what it holds.
        ids: of all its responses, in order; None: they are found chunk by chunk.
        with_former: also delete them under the ids that earlier versions of this package gave.
    """
    done, identifier, before = 0, None, None
    for answers in chunks:
        identifier = identifier or Identifier(answers.layout, plan.builtins)
        before = before or Identifier(answers.layout, plan.builtins)
        if ids is None:
            own: Ids = [one for one, _ in _Chunk(answers, plan, book).identified(identifier)]
        else:
            own = ids[done : done + len(answers.frame)]
        done += len(answers.frame)
        chunk = _Chunk(answers, plan, book, scale or scale_in([answers], plan, book), own)
        batch = chunk.batch(contract)
        yield replace(batch, deleted=chunk.former(before)) if with_former else batch


def identified(
    chunks: Iterable[Answers], plan: Plan, book: Codebook
) -> tuple[Kind, list[tuple[str | None, Row]]]:
    """How the responses of a file are identified; and of each its id, the digest of its answers and its minute."""
    found: list[tuple[str | None, Row]] = []
    identifier = None
    for answers in chunks:
        identifier = identifier or Identifier(answers.layout, plan.builtins)
        found += _Chunk(answers, plan, book).identified(identifier)
    return identifier.kind if identifier else "own", found


def scale_in(chunks: Iterable[Answers], plan: Plan, book: Codebook) -> Scale:
    """The scale of the overall question, by all its answers, its words and the choices of its form."""
    column = plan.roles.get("overall_satisfaction")
    if column is None:
        return NO_SCALE
    counted: Counter[str] = Counter()
    others: list[str] = []
    for answers in chunks:
        chunk = _Chunk(answers, plan, book)
        question = chunk.layout.questions[column]
        others = [question.text, *(label for _, label in question.labels)]
        counted.update(text for text in chunk.role("overall_satisfaction") if text is not None)
    return scale_of(counted, others, book)


def other_range(layout: Layout, plan: Plan) -> tuple[int, int] | None:
    """The range that the question of recommendation states, if it does not end at 10: then it is another measure."""
    column = plan.roles.get("recommendation")
    if column is not None and column >= len(layout.questions):  # joined
        column = plan.columns_of("recommendation")[0]
    stated = None if column is None else range_in(layout.questions[column].text)
    return stated if stated and stated[1] != MOST else None


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


class _Chunk:
    """Turns one chunk into rows."""

    def __init__(
        self, answers: Answers, plan: Plan, book: Codebook, scale: Scale = NO_SCALE, ids: Ids = ()
    ) -> None:
        self.missing = answers.layout.missing | frozenset(book.missing)
        self.exported = answers
        self.answers = joined(answers, plan.joins, self.missing)
        self.layout, self.plan, self.book = self.answers.layout, plan, book
        self.ids = ids
        self.scale = scale
        self.zone = zone_for(self.layout, book)
        self.count = len(answers.frame)

    def identified(self, identifier: Identifier) -> list[tuple[str | None, Row]]:
        """The id of each response, with a digest of its answers and its minute."""
        started, completed = (self._moment(name) for name in _BUILT_IN)
        minutes = [minute_of(*pair) for pair in zip(started, completed, strict=True)]
        found = identifier.ids(self.exported.frame, minutes)
        return [(one, (digest, minute)) for (one, digest), minute in zip(found, minutes, strict=True)]

    def former(self, identifier: Identifier) -> dict[str, None]:
        """Keys of these responses by earlier versions of this package."""
        started, completed = (self._moment(name) for name in _BUILT_IN)
        moments = _first_of(started, completed, self._constant(self.answers.survey))
        former = identifier.former(self.exported.frame, moments.tolist())
        pairs = zip(former, self.ids, strict=True)
        return {f"{self.layout.tool}|{before}": None for before, now in pairs if before and before != now}

    def batch(self, contract: EntityContract) -> Batch:
        columns = self._columns()
        columns |= {name: self._constant(None) for name in contract.columns if name not in columns}
        place = f"{self.answers.place}, row "
        columns["_source_ref"] = np.array([f"{place}{row}" for row in self.answers.frame.index], object)
        rejected, good = self._quarantine(columns, contract)
        names = [*contract.columns, "_source_ref"]
        frame = pd.DataFrame({name: columns[name][good] for name in names}, dtype="str")
        return Batch(frame, rejected, fetched=self.count)

    def _columns(self) -> dict[str, Texts]:
        found: dict[str, Texts] = {name: self._moment(name) for name in _BUILT_IN}
        for role in ("overall_satisfaction", "gender", "city", "country", "event_code", "open_comment"):
            found[role] = self.role(role)
        asked = self._constant(None) if other_range(self.layout, self.plan) else self.role("recommendation")
        likely = _first_of(self._builtin("recommendation"), asked)
        found["recommendation"] = _each(likely, recommended)
        language = _first_of(self._builtin("language"), self.role("language"))
        found["language"] = _first_of(
            _each(language, self.book.language_of), self._constant(self.book.language)
        )
        found["event_code"] = _first_of(found["event_code"], self._constant(self.book.event_code))
        scores = {answer: self.scale.score(answer) for answer in set(found["overall_satisfaction"]) - {None}}
        found["satisfaction_score"] = _each(found["overall_satisfaction"], lambda text: _score(scores[text]))
        found["satisfaction_kind"] = _each(found["overall_satisfaction"], lambda text: _kind(scores[text]))
        for role, key, read in (
            ("overall_satisfaction", "satisfaction_key", normalize_answer),
            ("gender", "gender_key", normalize_answer),
            ("city", "city_key", normalize_text),
        ):
            found[key] = _each(found[role], lambda text, read=read: read(text) or None)  # type: ignore[misc]
        found["gender_asked"] = self._constant("true" if "gender" in self.plan.roles else "false")
        found["not_in_export"] = self._constant(" ".join(self._unread()) or None)
        found["other_answers"] = self._others()
        found["status"] = self._status(found["completed_at"])
        found["answered_at"] = _first_of(_readable(found["completed_at"]), _readable(found["started_at"]))
        found["response_id"] = np.array(self.ids, dtype=object)
        constants = {
            "source": self.answers.source,
            "tool": self.layout.tool,
            "survey": self.answers.survey,
            "origin": self.answers.origin,
        }
        return found | {name: self._constant(text) for name, text in constants.items()}

    def _unread(self) -> list[str]:
        """Columns of the figures that this export has no question for."""
        asked = {*self.plan.roles, *self.plan.builtins, *(["event_code"] if self.book.event_code else [])}
        return [column for role, columns in _OF_ROLE.items() if role not in asked for column in columns]

    # -- one column -------------------------------------------------------------------------------------

    def _cells(self, column: int | None, as_read: Callable[[str], str | None] = without_personal) -> Texts:
        """The meaning of each cell of a column; None where nothing was answered."""
        if column is None:
            return self._constant(None)
        labels = dict(self.layout.questions[column].labels)

        def meaning(cell: str) -> str | None:
            text = cell.strip()
            return as_read(labels.get(text, text)) if text and text not in self.missing else None

        return _each(self.answers.frame[column].to_numpy(), meaning)

    def role(self, role: str) -> Texts:
        return self._cells(self.plan.roles.get(role))  # type: ignore[call-overload]

    def _builtin(self, name: str) -> Texts:
        return self._cells(self.plan.builtins.get(name))  # type: ignore[call-overload]

    def _moment(self, name: str) -> Texts:
        zone = self.zone

        def read(text: str) -> str:
            try:
                return read_moment(text, self.answers.order, zone)
            except ValueError:
                return UNREADABLE

        return self._cells(self.plan.builtins.get(name), read)  # type: ignore[call-overload]

    def _status(self, completed_at: Texts) -> Texts:
        """By the tool's own column; without one, a response with a completion time is complete."""
        if "status" not in self.plan.builtins:
            return np.where(completed_at == None, "partial", "completed").astype(object)  # noqa: E711 - by element
        known = {normalize_text(text): "completed" for text in self.layout.completed}
        known |= {normalize_text(text): "partial" for text in self.layout.partial}
        return _each(self._builtin("status"), lambda text: known.get(normalize_text(text), text))

    def _constant(self, text: str | None) -> Texts:
        return np.full(self.count, text, dtype=object)

    # -- every other question, as JSON --------------------------------------------------------------------

    def _others(self) -> Texts:
        """Questions without a role, by their text, in alphabetical order."""
        written = {text: self._answer(column, text) for column, text in self.plan.others.items()}
        written |= {text: self._chosen(text) for text in self.plan.choices}
        written |= self._repeated()
        if not written:
            return self._constant(None)
        columns = [written[text] for text in sorted(written)]
        rows = [", ".join(filter(None, row)) for row in zip(*columns, strict=True)]
        return np.array([f"{{{row}}}" if row else None for row in rows], dtype=object)

    def _answer(self, column: int, text: str) -> Texts:
        """``"question": "answer"``; a list where one cell holds several choices."""
        name = _json(text)
        separator = self.layout.questions[column].separator
        labels = dict(self.layout.questions[column].labels)

        def written(cell: str) -> str:
            if separator is None:
                return f"{name}: {_json(without_personal(cell))}"
            parts = [part.strip() for part in cell.split(separator) if part.strip()]
            return f"{name}: {_json([without_personal(labels.get(part, part)) for part in parts])}"

        return self._cells(column, written)

    def _chosen(self, text: str) -> Texts:
        """``"question": [chosen labels]``; empty if shown and nothing chosen, None if not shown."""
        group = [self._choice(column, label) for column, label in self.plan.choices[text]]
        name = _json(text)
        summary = self._cells(self.plan.summaries.get(text), lambda cell: _json(without_personal(cell)))

        def written(cells: tuple[str | None, ...]) -> str | None:
            if all(cell is None for cell in cells):
                return None
            return f"{name}: [{', '.join(filter(None, cells))}]"

        found = np.array([written(cells) for cells in zip(*group, strict=True)], dtype=object)
        earlier = _each(summary, lambda cell: f"{name}: [{cell}]")  # from before the question had choices
        return np.where(found == None, earlier, found)  # noqa: E711 - by element

    def _repeated(self) -> dict[str, Texts]:
        """``"group": [{"question": "answer"}]``, of each repeated group; None where a response has none."""
        repeats = self.answers.repeats
        if repeats is None:
            return {}
        keys = self._cells(repeats.key)
        return {
            name: _each(keys, lambda key, group=group, name=name: _listed(name, group.get(key)))  # type: ignore[misc]
            for name, group in repeats.groups.items()
        }

    def _choice(self, column: int, label: str) -> Texts:
        """The label as JSON where it was chosen, with what was written beside it; empty where it was not."""

        def written(cell: str) -> str:
            if cell.casefold() in self.layout.not_chosen:
                return ""
            said = (
                ""
                if normalize_text(cell) in _MARKS or normalize_text(cell) == normalize_text(label)
                else f": {cell}"
            )
            return _json(label + without_personal(said))

        return self._cells(column, written)

    # -- rows that cannot be read --------------------------------------------------------------------------

    def _quarantine(
        self, columns: dict[str, Texts], contract: EntityContract
    ) -> tuple[list[Rejected], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
        """Rows without an id, or whose quarter is unknown as their time cannot be read; and which of all rows are good."""
        bad: dict[int, tuple[str, str]] = {}
        # A time that cannot be read costs its cell, unless nothing else says which quarter it belongs to.
        timeless = (columns["answered_at"] == None) & (columns["event_code"] == None)  # noqa: E711 - by element
        for name in _BUILT_IN:
            unreadable = timeless & (columns[name] == UNREADABLE)
            columns[name][unreadable] = None
            for place in np.flatnonzero(unreadable).tolist():
                bad.setdefault(place, (name, f"The date in {name} cannot be read."))
        for place in np.flatnonzero(columns["response_id"] == None).tolist():  # noqa: E711 - by element
            bad.setdefault(place, ("response_id", "The response has no id, and no time to identify it by."))
        rejected = []
        for place, (column, reason) in sorted(bad.items()):
            row = {name: values[place] for name, values in columns.items()}
            rejected.append(
                Rejected(
                    str(row["_source_ref"]), key_of(row, contract), column, reason, payload_of(row, contract)
                )
            )
        good = np.ones(self.count, dtype=bool)
        good[list(bad)] = False
        return rejected, good


_MARKS = {"1", "y", "true", "yes", "si", "oui", "x", "checked", "selected"}


def _each(values: Texts, read: Callable[[str], str | None]) -> Texts:
    """Each distinct text read once; None stays None."""
    codes, texts = pd.factorize(values)
    read_texts = np.array([read(text) for text in texts] + [None], dtype=object)  # code -1 takes the last
    return read_texts[codes]


def _readable(moments: Texts) -> Texts:
    return _each(moments, lambda text: None if text == UNREADABLE else text)


def _first_of(*columns: Texts) -> Texts:
    first, *others = columns
    for other in others:
        first = np.where(first == None, other, first)  # noqa: E711 - by element
    return first


def _listed(name: str, rows: Sequence[Mapping[str, str]] | None) -> str | None:
    return f"{_json(name)}: {_json(rows)}" if rows else None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _score(score: float | str | None) -> str | None:
    return f"{score:g}" if isinstance(score, float | int) else None


def _kind(score: float | str | None) -> str | None:
    return None if score is None else "non_answer" if score == "non_answer" else "score"
