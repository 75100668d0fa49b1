"""Every question without a role, as JSON: answers, chosen labels, repeated groups. Pure."""

from __future__ import annotations

import json
from functools import partial

import numpy as np

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.survey.cells import Cells, Texts, each
from mel_pipeline.sources.shared.survey.model import Group
from mel_pipeline.sources.shared.survey.personal import without_personal

_MARKS = {"1", "y", "true", "yes", "si", "oui", "x", "checked", "selected"}


def other_answers(cells: Cells) -> Texts:
    """Questions without a role, by their text, in alphabetical order."""
    written = {text: _answer(cells, column, text) for column, text in cells.plan.others.items()}
    written |= {text: _chosen(cells, text) for text in cells.plan.choices}
    written |= _repeated(cells)
    if not written:
        return cells.constant(None)
    columns = [written[text] for text in sorted(written)]
    rows = [", ".join(filter(None, row)) for row in zip(*columns, strict=True)]
    return np.array([f"{{{row}}}" if row else None for row in rows], dtype=object)


def _answer(cells: Cells, column: int, text: str) -> Texts:
    """``"question": "answer"``; a list where one cell holds several choices."""
    name = _json(text)
    separator = cells.layout.questions[column].separator
    labels = dict(cells.layout.questions[column].labels)

    def written(cell: str) -> str:
        if separator is None:
            return f"{name}: {_json(without_personal(cell))}"
        parts = [part.strip() for part in cell.split(separator) if part.strip()]
        return f"{name}: {_json([without_personal(labels.get(part, part)) for part in parts])}"

    return cells.cells(column, written)


def _chosen(cells: Cells, text: str) -> Texts:
    """``"question": [chosen labels]``; empty if shown and nothing chosen, None if not shown."""
    group = [_choice(cells, column, label) for column, label in cells.plan.choices[text]]
    name = _json(text)
    summary = cells.cells(cells.plan.summaries.get(text), lambda cell: _json(without_personal(cell)))

    def written(cells: tuple[str | None, ...]) -> str | None:
        if all(cell is None for cell in cells):
            return None
        return f"{name}: [{', '.join(filter(None, cells))}]"

    found = np.array([written(cells) for cells in zip(*group, strict=True)], dtype=object)
    earlier = each(summary, lambda cell: f"{name}: [{cell}]")  # from before the question had choices
    return np.where(found == None, earlier, found)  # noqa: E711 - by element


def _repeated(cells: Cells) -> dict[str, Texts]:
    """``"group": [{"question": "answer"}]``, of each repeated group; None where a response has none."""
    repeats = cells.answers.repeats
    if repeats is None:
        return {}
    keys = cells.cells(repeats.key)
    return {name: each(keys, partial(_of_response, name, group)) for name, group in repeats.groups.items()}


def _choice(cells: Cells, column: int, label: str) -> Texts:
    """The label as JSON where it was chosen, with what was written beside it; empty where it was not."""

    def written(cell: str) -> str:
        if cell.casefold() in cells.layout.not_chosen:
            return ""
        said = (
            ""
            if normalize_text(cell) in _MARKS or normalize_text(cell) == normalize_text(label)
            else f": {cell}"
        )
        return _json(label + without_personal(said))

    return cells.cells(column, written)


def _of_response(name: str, group: Group, key: str) -> str | None:
    rows = group.get(key)
    return f"{_json(name)}: {_json(rows)}" if rows else None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
