"""What the answers to the overall question mean, and by what evidence. Pure: no export, no tool by name.

A bare figure means nothing by itself: 5 is the best of 1 to 5, the worst where 1 is best, and half of 0 to 10. It
counts once something says so: a codebook, or known labels at both ends (`1 - Very dissatisfied`,
`5 - Very satisfied`) among the answers, in the choices that the form defines, or in the question.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.normalize_text import is_bare, normalize_answer
from mel_pipeline.core.organisation import folder
from mel_pipeline.sources.shared.survey.codebook import Codebook, Score
from mel_pipeline.sources.shared.survey.figures import anchored, figure_of
from mel_pipeline.sources.shared.survey.personal import without_personal

Known = Mapping[str, Score]  # a label, as ``normalize_answer`` gives it -> its meaning
_LOW, _HIGH = 1, 5
_SHOWN, _LONGEST = 6, 40  # answers in a message, and characters of each
_IN_QUESTION = re.compile(
    r"(?<![\w.,])(\d{1,2})\s*(?:[=:(–—-]|\b(?:is|means|being|est|es|és|signifi\w+)\b)\s*([^\d=:;,()]*[^\W\d_][^\d=:;,()]*)"
)

_CONNECTING = re.compile(r"\s+(?:to|up to|and|et|y|i|à|a|al|hasta)\s*$")


@dataclass(frozen=True)
class Scale:
    """``own``: what this survey's answers mean besides the common scale. ``unknown``: answers nothing explains."""

    own: Known
    unknown: Mapping[str, int]

    def score(self, answer: str) -> Score | None:
        """What an answer means; None: the common scale decides, or nothing does."""
        return self.own.get(normalize_answer(answer))

    @property
    def unknown_in_words(self) -> str:
        """The unknown answers with their numbers, the most frequent first."""
        listed = [
            f"'{without_personal(answer)[:_LONGEST]}' ({times})"
            for answer, times in Counter(self.unknown).most_common(_SHOWN)
        ]
        return ", ".join([*listed, *(["…"] if len(self.unknown) > _SHOWN else [])])

    @property
    def advice(self) -> str:
        """Why the satisfaction of a survey is withheld and what to do; empty if every answer is known."""
        if not self.unknown:
            return ""
        why = (
            " Figures alone do not say which end is best, nor where the scale ends."
            if any(is_bare(answer) for answer in self.unknown)
            else ""
        )
        return (
            f"satisfaction is withheld: no scale says what {self.unknown_in_words}"
            f" {'means' if len(self.unknown) == 1 else 'mean'}.{why}"
            " Say it under `scale:` in a codebook of this survey"
        )

    def proposed(self) -> list[str]:
        """Lines of a codebook that would settle it, commented out, for the reader to choose or complete."""
        figures = {figure_of(answer) for answer in self.unknown}
        if figures <= {1.0, 2.0, 3.0, 4.0, 5.0}:
            upward = ", ".join(f'"{n}": {n}' for n in range(_LOW, _HIGH + 1))
            downward = ", ".join(f'"{n}": {_HIGH + _LOW - n}' for n in range(_LOW, _HIGH + 1))
            return [
                "# Figures alone do not tell their scale. Look at the form: where does it end, and which end is best?",
                f"#scale: {{{upward}}}  # if it runs from 1 to 5 and 5 is best",
                f"#scale: {{{downward}}}  # if it runs from 1 to 5 and 1 is best",
                "# If it runs otherwise (1 to 4, 0 to 10), give each answer that can be chosen a score from 1 to 5.",
            ]
        return [
            "#scale:  # what each answer means, from 1 (worst) to 5 (best), or non_answer",
            *(f'#  {_quoted(answer)}: "?"' for answer in self.unknown),
        ]


NO_SCALE = Scale({}, {})


def scale_of(
    answers: Mapping[str, int], others: Iterable[str], book: Codebook, common: Known | None = None
) -> Scale:
    """The scale of one survey.

    Args:
        answers: to the overall question, as written -> how often.
        others: what else speaks of the scale: the question, and the choices that its form defines.
        common: labels that mean the same in every survey; None: those of the codebook, or else of the organisation.
    """
    given = book.common if common is None else common
    known = common_scale() if given is None else given

    def meaning(text: str) -> Score | None:
        declared = book.score(text)
        return known.get(normalize_answer(text)) if declared is None else declared

    by_figure = _by_ends(set(_labelled([*answers, *others], meaning)))
    own: dict[str, Score] = {}
    unknown: dict[str, int] = {}
    for answer, times in answers.items():
        key = normalize_answer(answer)
        score = _own_score(answer, book, by_figure, meaning if key not in known else lambda _: None)
        if score is not None:
            own[key] = score
        elif key not in known:
            unknown[answer] = times
    return Scale(own, unknown)


def _own_score(
    answer: str, book: Codebook, by_figure: Mapping[float, Score], meaning: Callable[[str], Score | None]
) -> Score | None:
    """By the codebook, by the labels of its ends, or by the label beside its figure."""
    if (declared := book.score(answer)) is not None:
        return declared
    if (figure := figure_of(answer)) is not None:
        declared = book.score(f"{figure:g}")  # `5.0` is 5
        return by_figure.get(figure) if declared is None else declared
    label = anchored(answer)
    return meaning(label[1]) if label else None


def _labelled(texts: Iterable[str], meaning: Callable[[str], Score | None]) -> Iterator[tuple[float, Score]]:
    """Figures that stand beside a label whose meaning is known."""
    for text in texts:
        found = [(float(one[1]), _CONNECTING.sub("", one[2])) for one in _IN_QUESTION.finditer(text)]
        if label := anchored(text):
            found.append(label)
        for figure, words in found:
            if (score := meaning(words)) is not None:
                yield figure, score


def _by_ends(labelled: set[tuple[float, Score]]) -> dict[float, Score]:
    """Every figure from 1 to 5, if both ends have a label and none contradicts them; else nothing."""
    told = {(figure, score) for figure, score in labelled if score != "non_answer"}
    for upward in (True, False):
        scores = {float(n): float(n if upward else _HIGH + _LOW - n) for n in range(_LOW, _HIGH + 1)}
        fits = all(scores.get(figure) == score for figure, score in told)
        if fits and {float(_LOW), float(_HIGH)} <= {figure for figure, _ in told}:
            return dict(scores)
    return {}


def common_scale() -> Known:
    """The labels of satisfaction that the organisation's folder has at the start.

    Raises:
        ContractError: they cannot be read.
    """
    from mel_pipeline.sources.shared.survey.books import common_labels

    return common_labels(_common_rows())


def common_genders() -> frozenset[str]:
    """The labels of gender that the organisation's folder has at the start, as ``normalize_answer`` gives them.

    Raises:
        ContractError: they cannot be read.
    """
    return frozenset(
        normalize_answer(str(row["label"])) for row in _common_rows() if row["scale"] == "gender"
    )


def _common_rows() -> Sequence[Mapping[str, str | None]]:
    from mel_pipeline.sources.workbook.start import of_organisation

    begun = of_organisation(folder())
    if problem := begun.problems.get("answer_scales"):
        raise ContractError(problem)
    return begun.rows.get("answer_scales", ())


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # valid in YAML, and emoji stay readable
