"""Rows of an export that are no valid responses: left out and counted, by reason. Pure.

Previews, tests and spam as the tool marks them, what was rejected in review, rows of totals, blank rows, and headers
that came twice because exports were pasted together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from mel_pipeline.core.normalize_text import is_bare, normalize_text
from mel_pipeline.sources.shared.survey.identity import id_in, unwrapped
from mel_pipeline.sources.shared.survey.model import Answers, Layout

_TOTALS = {
    "average", "averages", "mean", "median", "mode", "total", "totals", "sum", "subtotal", "grand total", "count",
    "minimum", "maximum", "min", "max", "std dev", "standard deviation", "answered", "skipped", "answered question",
    "skipped question", "total respondents", "total responses", "weighted average", "n",
    "moyenne", "mediane", "somme", "total general", "sous total", "ecart type", "nombre", "nombre de reponses",
    "moyenne ponderee", "total des reponses",
    "promedio", "media", "mediana", "suma", "recuento", "cuenta", "desviacion estandar", "total de respuestas",
    "promedio ponderado",
    "mitjana", "recompte", "desviacio estandard", "total de respostes", "mitjana ponderada",
}  # fmt: skip
_MARK = r"\d"  # ids and times hold figures; blank cells, totals and headers do not


def screened(answers: Answers, headers: Sequence[Sequence[str]], *, is_whole: bool = True) -> Answers:
    """The valid responses of a chunk, with the number of the others by reason.

    Args:
        headers: the header rows of the export, for those that came twice.
        is_whole: the frame has every column; else only what the tool itself marks is left out.
    """
    reasons = _marked(answers.layout, answers.frame)
    ids: list[str] = []
    if reasons and (column := _column(answers.layout, "response_id")) in answers.frame:
        places = sorted(reasons)
        ids = [id_in(str(cell)) for cell in answers.frame[column].iloc[places]]
    if is_whole:
        reasons |= _no_rows_of_people(answers, headers)
    if not reasons:
        return answers
    good = np.ones(len(answers.frame), dtype=bool)
    good[list(reasons)] = False
    return replace(
        answers,
        frame=answers.frame[good],
        left_out=Counter(reasons.values()),
        withdrawn=() if answers.layout.ids_within_survey else tuple(filter(None, ids)),
    )


def marking_columns(layout: Layout) -> list[int]:
    """Columns in which a tool marks what is no valid response."""
    return [column for column, question in enumerate(layout.questions) if question.builtin == "validity"]


def _marked(layout: Layout, frame: pd.DataFrame) -> dict[int, str]:
    """Rows by place, with the reason that the tool gives."""
    found: dict[int, str] = {}
    for column in marking_columns(layout):
        codes, texts = pd.factorize(frame[column].fillna("").to_numpy(dtype=object))
        reasons = [layout.not_valid.get(normalize_text(unwrapped(str(text)))) for text in texts]
        if any(reasons):
            found |= {place: reason for place, code in enumerate(codes) if (reason := reasons[code])}
    return found


def _no_rows_of_people(answers: Answers, headers: Sequence[Sequence[str]]) -> dict[int, str]:
    layout, frame = answers.layout, answers.frame
    keys = [
        column
        for name in ("response_id", "completed_at", "started_at")
        if (column := _column(layout, name)) is not None
    ]
    found: dict[int, str] = {}
    for place in _suspects(frame, keys):
        row = [str(cell).strip() for cell in frame.iloc[place].fillna("")]
        if reason := _reason(row, keys, headers):
            found[place] = reason
    return found


def _suspects(frame: pd.DataFrame, keys: Sequence[int]) -> Iterator[int]:
    """Rows without a figure in their id, or where that is the time, in it; and rows without any time."""
    if not keys:
        yield from range(len(frame))
        return
    has_figure = frame[keys[0]].fillna("").astype(str).str.contains(_MARK, regex=True)
    suspect = ~has_figure.to_numpy(dtype=bool)
    if len(keys) > 1:
        suspect |= (frame[keys[1:]].fillna("") == "").all(axis=1).to_numpy(dtype=bool)
    yield from np.flatnonzero(suspect).tolist()


def _reason(row: Sequence[str], keys: Sequence[int], headers: Sequence[Sequence[str]]) -> str | None:
    filled = [column for column, cell in enumerate(row) if cell]
    if not filled:
        return "blank"
    if len(filled) > 1 and any(_repeats(row, header, filled) for header in headers):
        return "repeated header"
    times = [row[column] for column in keys[1:]] if len(keys) > 1 else []
    if any(any(c.isdigit() for c in time) for time in times):
        return None
    first = filled[0]
    others = [row[column] for column in filled if column != first]
    named = normalize_text(row[first]) in _TOTALS and (first in keys or all(map(_is_number, others)))
    bare = keys and not {*keys} & {*filled} and all(_is_number(row[column]) for column in filled)
    if named or bare:
        return "totals"
    return "a note below the answers" if not others and (len(keys) > 1 or filled != keys) else None


def _repeats(row: Sequence[str], header: Sequence[str], filled: Sequence[int]) -> bool:
    return all(column < len(header) and row[column] == header[column].strip() for column in filled)


def _is_number(text: str) -> bool:
    return is_bare(text)


def _column(layout: Layout, builtin: str) -> int | None:
    return next(
        (column for column, question in enumerate(layout.questions) if question.builtin == builtin), None
    )


def in_words(left_out: Mapping[str, int]) -> str:
    """What was left out, for the notes of a load; empty if nothing was."""
    if not left_out:
        return ""
    listed = ", ".join(f"{times} {reason}" for reason, times in sorted(left_out.items()))
    return f" {sum(left_out.values())} rows are no valid responses and were left out ({listed})."
