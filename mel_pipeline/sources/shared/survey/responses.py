"""Turn answers of any tool into rows of the shared survey table. Pure: no folder, no clock.

Works on whole columns and reads each distinct answer of a chunk once. Nothing that leaves this module
holds an address, a browser, a name or the link of a response.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import numpy as np
import pandas as pd

from mel_pipeline.core.contracts import EntityContract
from mel_pipeline.core.normalize_text import normalize_answer, normalize_text
from mel_pipeline.sources.shared.base import Batch, Rejected, key_of, payload_of
from mel_pipeline.sources.shared.survey.cells import Cells, Texts, each, first_of, readable
from mel_pipeline.sources.shared.survey.codebook import Codebook, Role
from mel_pipeline.sources.shared.survey.consent import Consents
from mel_pipeline.sources.shared.survey.figures import MOST, range_in, recommended
from mel_pipeline.sources.shared.survey.identity import UNREADABLE, Identifier, digests, minute_of
from mel_pipeline.sources.shared.survey.known_forms import Row
from mel_pipeline.sources.shared.survey.model import Answers, Builtin, Chunks, Kind, Layout
from mel_pipeline.sources.shared.survey.other_answers import other_answers
from mel_pipeline.sources.shared.survey.plan import Plan, plan_of
from mel_pipeline.sources.shared.survey.scale import NO_SCALE, Scale, scale_of

Ids: TypeAlias = "Sequence[str | None]"
_BUILT_IN: tuple[Builtin, ...] = ("started_at", "completed_at")
_OWN: tuple[Role, ...] = (
    "overall_satisfaction", "gender", "city", "country", "event_code", "open_comment",
)  # fmt: skip
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
    consents: Consents | None = None,
    with_former: bool = False,
) -> Iterator[Batch]:
    """The responses of one survey, one batch per chunk.

    Args:
        scale: of the whole survey; None: each chunk is judged by what it holds.
        ids: of all its responses, in order; None: they are found chunk by chunk.
        consents: counts who did not agree; those are left out in any case.
        with_former: also delete them under the ids that earlier versions of this package gave.
    """
    done, identifier, before = 0, None, None
    consents = consents or Consents(book)
    for answers in chunks:
        identifier = identifier or Identifier(answers.layout, plan.builtins)
        before = before or Identifier(answers.layout, plan.builtins)
        chunk = _Chunk(answers, plan, book, scale or scale_in([answers], plan, book))
        chunk.ids = chunk.own_ids(identifier) if ids is None else ids[done : done + len(answers.frame)]
        done += len(answers.frame)
        batch = chunk.batch(contract, consents)
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


def digests_without(
    chunks: Iterable[Answers], plan: Plan, book: Codebook, columns: Collection[int]
) -> list[str]:
    """The digest of each response as a file without these columns would give it."""
    found: list[str] = []
    for answers in chunks:
        questions = [
            replace(question, builtin="ignored") if column in columns else question
            for column, question in enumerate(answers.layout.questions)
        ]
        chunk = _Chunk(replace(answers, layout=replace(answers.layout, questions=questions)), plan, book)
        found += digests(chunk.exported.frame, chunk.exported.layout, chunk._minutes())
    return found


def scale_in(chunks: Iterable[Answers], plan: Plan, book: Codebook) -> Scale:
    """The scale of the overall question, by all its answers, its words and the choices of its form."""
    column = plan.roles.get("overall_satisfaction")
    if column is None:
        return NO_SCALE
    counted: Counter[str] = Counter()
    others: list[str] = []
    consents = Consents(book)
    for answers in chunks:
        chunk = _Chunk(answers, plan, book)
        question = chunk.layout.questions[column]
        others = [question.text, *(label for _, label in question.labels)]
        texts = chunk.role("overall_satisfaction")
        if (agreed := consents.agreed(chunk)) is not None:
            texts = texts[agreed]
        counted.update(text for text in texts if text is not None)
    return scale_of(counted, others, book)


def require_identities(answers: Answers, book: Codebook) -> None:
    """Check what a load would refuse a file for once its columns are known: damaged ids, an unknown time zone.

    Raises:
        FileRefusedError: a load refuses it.
    """
    identified([answers], plan_of(answers, book), book)


def other_range(layout: Layout, plan: Plan) -> tuple[int, int] | None:
    """The range that the question of recommendation states, if it does not end at 10: then it is another measure."""
    column = plan.roles.get("recommendation")
    if column is not None and column >= len(layout.questions):  # joined
        column = plan.columns_of("recommendation")[0]
    stated = None if column is None else range_in(layout.questions[column].text)
    return stated if stated and stated[1] != MOST else None


class _Chunk(Cells):
    """Turns one chunk into rows."""

    def __init__(self, answers: Answers, plan: Plan, book: Codebook, scale: Scale = NO_SCALE) -> None:
        super().__init__(answers, plan, book)
        self.scale = scale
        self.ids: Ids = ()

    def identified(self, identifier: Identifier) -> list[tuple[str | None, Row]]:
        """The id of each response, with a digest of its answers and its minute."""
        minutes = self._minutes() if identifier.kind != "of_server" else self._answered()
        found = identifier.ids(self.exported.frame, self._minutes)
        return [(one, (digest, minute)) for (one, digest), minute in zip(found, minutes, strict=True)]

    def own_ids(self, identifier: Identifier) -> list[str | None]:
        """The ids alone; times are read only if an id is missing."""
        return [one for one, _ in identifier.ids(self.exported.frame, self._minutes)]

    def _answered(self) -> list[str]:
        """The minute of each answer, as it is stored; it stays when a response is edited."""
        return [(one or "")[:16] for one in readable(self.moment("completed_at")).tolist()]

    def _minutes(self) -> list[str]:
        started, completed = (self.moment(name) for name in _BUILT_IN)
        return [minute_of(*pair) for pair in zip(started, completed, strict=True)]

    def former(self, identifier: Identifier) -> dict[str, None]:
        """Keys of these responses by earlier versions of this package."""
        started, completed = (self.moment(name) for name in _BUILT_IN)
        moments = first_of(started, completed, self.constant(self.answers.survey))
        former = identifier.former(self.exported.frame, moments.tolist())
        pairs = zip(former, self.ids, strict=True)
        return {f"{self.layout.tool}|{before}": None for before, now in pairs if before and before != now}

    def batch(self, contract: EntityContract, consents: Consents) -> Batch:
        columns = self._columns()
        columns |= {name: self.constant(None) for name in contract.columns if name not in columns}
        place = f"{self.answers.place}, row "
        columns["_source_ref"] = np.array([f"{place}{row}" for row in self.answers.frame.index], object)
        if (agreed := consents.screen(self, self.ids)) is not None:
            columns = {name: values[agreed] for name, values in columns.items()}
        rejected, good = self._quarantine(columns, contract)
        names = [*contract.columns, "_source_ref"]
        frame = pd.DataFrame({name: columns[name][good] for name in names}, dtype="str")
        return Batch(frame, rejected, fetched=self.count)

    def _columns(self) -> dict[str, Texts]:
        found: dict[str, Texts] = {name: self.moment(name) for name in _BUILT_IN}
        found |= {role: self.role(role) for role in _OWN}
        asked = self.constant(None) if other_range(self.layout, self.plan) else self.role("recommendation")
        likely = first_of(self.builtin("recommendation"), asked)
        found["recommendation"] = each(likely, recommended)
        language = first_of(self.builtin("language"), self.role("language"))
        found["language"] = first_of(each(language, self.book.language_of), self.constant(self.book.language))
        found["event_code"] = first_of(found["event_code"], self.constant(self.book.event_code))
        scores = {answer: self.scale.score(answer) for answer in set(found["overall_satisfaction"]) - {None}}
        found["satisfaction_score"] = each(found["overall_satisfaction"], lambda text: _score(scores[text]))
        found["satisfaction_kind"] = each(found["overall_satisfaction"], lambda text: _kind(scores[text]))
        for role, key, read in (
            ("overall_satisfaction", "satisfaction_key", normalize_answer),
            ("gender", "gender_key", normalize_answer),
            ("city", "city_key", normalize_text),
        ):
            found[key] = each(found[role], partial(_key_of_answer, read))
        found["gender_asked"] = self.constant("true" if "gender" in self.plan.roles else "false")
        found["not_in_export"] = self.constant(" ".join(self._unread()) or None)
        found["other_answers"] = other_answers(self)
        found["status"] = self._status(found["completed_at"])
        found["answered_at"] = first_of(readable(found["completed_at"]), readable(found["started_at"]))
        found["response_id"] = np.array(self.ids, dtype=object)
        constants = {
            "source": self.answers.source,
            "tool": self.layout.tool,
            "survey": self.answers.survey,
            "origin": self.answers.origin,
        }
        return found | {name: self.constant(text) for name, text in constants.items()}

    def _unread(self) -> list[str]:
        """Columns of the figures that this export has no question for."""
        asked = {*self.plan.roles, *self.plan.builtins, *(["event_code"] if self.book.event_code else [])}
        return [column for role, columns in _OF_ROLE.items() if role not in asked for column in columns]

    def _status(self, completed_at: Texts) -> Texts:
        """By the tool's own column; without one, a response with a completion time is complete."""
        if "status" not in self.plan.builtins:
            return np.where(completed_at == None, "partial", "completed").astype(object)  # noqa: E711 - by element
        known = {normalize_text(text): "completed" for text in self.layout.completed}
        known |= {normalize_text(text): "partial" for text in self.layout.partial}
        return each(self.builtin("status"), lambda text: known.get(normalize_text(text), text))

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
        good = np.ones(len(columns["response_id"]), dtype=bool)
        good[list(bad)] = False
        return rejected, good


def _key_of_answer(read: Callable[[str], str], text: str) -> str | None:
    return read(text) or None


def _score(score: float | str | None) -> str | None:
    return f"{score:g}" if isinstance(score, float | int) else None


def _kind(score: float | str | None) -> str | None:
    return None if score is None else "non_answer" if score == "non_answer" else "score"
