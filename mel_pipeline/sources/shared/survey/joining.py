"""One answer from several columns: a choice in each, branches of a form by language, a question that was relabelled.

Columns join only where responses fill one of them. Where many fill several, they are several questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pandas as pd

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.files import FileRefusedError
from mel_pipeline.sources.shared.survey.model import Answers, Layout, Question

Texts: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.object_]]"  # text or None
_FEW = 0.1  # of the responses that answer; up to here, people who fill two branches do not make them two questions
_SINGLE = {"overall_satisfaction", "recommendation"}  # one answer each; several are none


@dataclass(frozen=True)
class Part:
    """One column. ``label`` is what a mark in it means; None: the cell itself is the answer.

    ``is_summary``: the cell repeats what columns of choices say, and counts where they say nothing. ``is_other``:
    the cell holds what people wrote beside the choice.
    """

    column: int
    branch: str
    label: str | None = None
    is_summary: bool = False
    is_other: bool = False


@dataclass(frozen=True)
class Join:
    """The columns that together answer one question, in the order of the export."""

    role: str
    parts: tuple[Part, ...]

    @property
    def columns(self) -> list[int]:
        return [part.column for part in self.parts]


def join_of(role: str, parts: Sequence[Part], questions: Sequence[Question]) -> Join | None:
    """How the columns of a role become one; None where a single column holds the answer.

    A column that has its number before the same wording as another (`5. Gender` beside `Gender`) is another question.
    """
    if len(parts) == 1 and parts[0].label is None:
        return None
    texts = {normalize_text(questions[part.column].text) for part in parts if part.label is None}
    kept = [part for part in parts if not _is_numbered_twin(questions[part.column], texts)]
    return Join(role, tuple(kept))


def _is_numbered_twin(question: Question, texts: set[str]) -> bool:
    own = normalize_text(question.text)
    bare = normalize_text(question.unnumbered)
    return bare != own and bare in texts


def joined(answers: Answers, joins: Sequence[Join], missing: frozenset[str]) -> Answers:
    """The answers with a column more for each join, after the columns of the export."""
    if not joins:
        return answers
    frame, questions = answers.frame.copy(), list(answers.layout.questions)
    for join in joins:
        frame[len(questions)] = _first_filled(join, _branches(answers, join, missing), len(frame))
        labels = tuple((part.label, part.label) for part in join.parts if part.label is not None)
        text = questions[join.parts[0].column].text
        questions.append(Question(f"joined {join.role}", text, labels=labels))
    return replace(answers, frame=frame, layout=replace(answers.layout, questions=questions))


def require_branches(chunks: Iterable[Answers], joins: Sequence[Join], missing: frozenset[str]) -> list[str]:
    """Check all answers before any is read; says which answers do not count.

    Raises:
        FileRefusedError: many responses fill two columns, so they are two questions.
    """
    counts = {join: np.zeros(4, dtype=int) for join in joins}
    for answers in chunks:
        for join in joins:
            counts[join] += _counted(join, _branches(answers, join, missing))
        layout = answers.layout
    warnings = []
    for join, (answered, both, differing, several) in counts.items():
        if both > _FEW * answered:
            raise FileRefusedError(_two_questions(join, layout, int(both), int(answered)))
        role = join.role.replace("_", " ")
        if differing:
            warnings.append(
                f"{differing} of {answered} responses answer {role} twice and differently, in columns that are"
                f" branches of one question ({_columns(join)}). These answers do not count."
            )
        if several:
            warnings.append(
                f"{several} of {answered} responses choose several answers to {role} (columns {_columns(join)})."
                " These answers do not count."
            )
    return warnings


def _two_questions(join: Join, layout: Layout, both: int, answered: int) -> str:
    role = join.role.replace("_", " ")
    texts = {normalize_text(layout.questions[part.column].text) for part in join.parts}
    named = {part.branch: layout.questions[part.column] for part in join.parts}
    listed = [question.key if len(texts) == 1 else question.text for question in named.values()]
    return (
        f"Columns {_columns(join)} both mean {role}, and {both} of {answered} responses answer more than one of them, so"
        " they are different questions. Write those that do not count under `ignored:` in a codebook for this survey:"
        f" {', '.join(repr(text) for text in listed)}."
    )


def _columns(join: Join) -> str:
    numbers = [str(column + 1) for column in join.columns]
    return f"{', '.join(numbers[:-1])} and {numbers[-1]}" if len(numbers) > 1 else numbers[0]


def _branches(answers: Answers, join: Join, missing: frozenset[str]) -> dict[str, Texts]:
    """By branch, what each response answers; several choices are joined by `; `."""
    branches: dict[str, list[Texts]] = {}
    summaries: dict[str, Texts] = {}
    for part in join.parts:
        texts = _cells(answers, part, missing)
        if part.is_summary:
            summaries[part.branch] = texts
        else:
            branches.setdefault(part.branch, []).append(texts)
    found = {branch: _chosen(columns) for branch, columns in branches.items()}
    for branch, texts in summaries.items():
        found[branch] = np.where(found[branch] == None, texts, found[branch])  # noqa: E711 - by element
    return found


def _cells(answers: Answers, part: Part, missing: frozenset[str]) -> Texts:
    labels = dict(answers.layout.questions[part.column].labels)

    def meaning(cell: str) -> str | None:
        text = cell.strip()
        if not text or text in missing:
            return None
        if part.label is None:
            return labels.get(text, text)
        return None if not part.is_other and text.casefold() in answers.layout.not_chosen else part.label

    codes, texts = pd.factorize(answers.frame[part.column].to_numpy())
    return np.array([meaning(str(text)) for text in texts] + [None], dtype=object)[codes]


def _chosen(columns: Sequence[Texts]) -> Texts:
    if len(columns) == 1:
        return columns[0]
    rows = (list(filter(None, row)) for row in zip(*columns, strict=True))
    return np.array([_SEVERAL.join(row) if row else None for row in rows], dtype=object)


_SEVERAL = "; "


def _first_filled(join: Join, branches: Mapping[str, Texts], count: int) -> Texts:
    """The one answer of each response; None where branches differ, or where one answer was to be chosen of several."""
    found: Texts = np.full(count, None, dtype=object)
    for texts in branches.values():
        found = np.where(found == None, texts, found)  # noqa: E711 - by element
    lost = _differing(branches) | (_several(join, branches) if join.role in _SINGLE else False)
    found[lost] = None
    return found


def _counted(join: Join, branches: Mapping[str, Texts]) -> tuple[int, int, int, int]:
    """Responses that answer, fill two branches, answer differently, choose several."""
    filled = np.array([texts != None for texts in branches.values()])  # noqa: E711 - by element
    times = filled.sum(axis=0)
    several = _several(join, branches).sum() if join.role in _SINGLE else 0
    return int((times > 0).sum()), int((times > 1).sum()), int(_differing(branches).sum()), int(several)


def _differing(branches: Mapping[str, Texts]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    rows = zip(*branches.values(), strict=True)
    return np.array(
        [len({normalize_text(text) for text in row if text is not None}) > 1 for row in rows], dtype=bool
    )


def _several(join: Join, branches: Mapping[str, Texts]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Where more than one choice of a branch is marked."""
    found = None
    for branch, texts in branches.items():
        if sum(part.branch == branch and part.label is not None for part in join.parts) > 1:
            labels = {part.label for part in join.parts if part.branch == branch}
            marked = np.array(
                [text is not None and text not in labels and _SEVERAL in text for text in texts], bool
            )
            found = marked if found is None else found | marked
    return np.zeros(len(next(iter(branches.values()))), dtype=bool) if found is None else found
