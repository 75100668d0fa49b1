"""Forms whose responses were read before: whose numbers and minutes a file repeats, and what vanished from it.

Numbers that restart in every form, and answers of the same minute, occur in several forms. Two files are of one
form if most of what they share is answered in the same way; else the later one's ids get the mark of its form, so
that nothing is overwritten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from mel_pipeline.sources.shared.survey.advice import counted
from mel_pipeline.sources.shared.survey.model import Kind

MOST = 5_000  # responses remembered of a form; larger ones are compared by those
_SHOWN = 5
Row: TypeAlias = tuple[str, str]  # digest of the answers, minute
Rows: TypeAlias = Mapping[str, Row]  # by id


@dataclass
class Form:
    """``newest``: when the latest file that was read of it was modified, in nanoseconds."""

    tool: str
    mark: str
    newest: int
    rows: dict[str, Row] = field(default_factory=dict)
    is_whole: bool = True


class KnownForms:
    """The forms of a folder, as the cursor keeps them."""

    def __init__(self, stored: object) -> None:
        self._forms: list[Form] = []
        for one in stored if isinstance(stored, list) else []:
            rows = {key: (digest, minute) for key, (digest, minute) in one["rows"].items()}
            self._forms.append(Form(one["tool"], one["mark"], one["newest"], rows, one["whole"]))

    def stored(self) -> list[dict[str, object]]:
        """What the cursor keeps."""
        return [
            {"tool": form.tool, "mark": form.mark, "newest": form.newest, "whole": form.is_whole,
             "rows": {key: list(row) for key, row in sorted(form.rows.items())}}
            for form in self._forms
        ]  # fmt: skip

    def placed(self, tool: str, kind: Kind, rows: Rows, modified: int) -> tuple[str, list[str]]:
        """The mark that a file's ids get, mostly none; and the notes on the file.

        Args:
            rows: every response of the file.
            modified: when the file was, in nanoseconds.
        """
        told: list[str] = []
        others = [form for form in self._forms if form.tool == tool]
        best = max(others, key=lambda form: _same(kind, form, rows), default=None)
        if best is not None and not _is_one_form(kind, best, rows):
            best = None
        if best is None:
            colliding = [form for form in others if form.rows.keys() & rows.keys()]
            best = Form(tool, _mark(rows) if colliding and kind != "own" else "", modified)
            self._forms.append(best)
            if best.mark:
                told.append(
                    _of_another_form(kind, max(len(one.rows.keys() & rows.keys()) for one in colliding))
                )
        else:
            told += _vanished(best, rows, modified)
        best.rows.update(rows)
        best.newest = max(best.newest, modified)
        if len(best.rows) > MOST:
            best.is_whole = False
            best.rows = {key: best.rows[key] for key in sorted(best.rows, key=_drawn)[:MOST]}
        return best.mark, told


def _same(kind: Kind, form: Form, rows: Rows) -> int:
    """How many responses both have: by their answers, or where ids are of a server, by their minute."""
    part = 1 if kind == "of_server" else 0
    return sum(rows[key][part] == row[part] for key, row in form.rows.items() if key in rows)


def _is_one_form(kind: Kind, form: Form, rows: Rows) -> bool:
    """Whether what both hold is, mostly, the same response."""
    shared, same = len(form.rows.keys() & rows.keys()), _same(kind, form, rows)
    if kind in ("numbered", "of_server"):
        return 0 < shared <= 2 * same
    if kind == "answers" and form.is_whole:
        return min(len(form.rows), len(rows)) <= 2 * shared and shared > 0
    return shared > 0


def _mark(rows: Rows) -> str:
    written = "\x1f".join(f"{key} {row[0]}" for key, row in sorted(rows.items()))
    return hashlib.blake2s(written.encode(), digest_size=3).hexdigest()


def _drawn(key: str) -> bytes:
    """An order that is the same in every file and has nothing to do with time."""
    return hashlib.blake2s(key.encode(), digest_size=8).digest()


def _of_another_form(kind: Kind, shared: int) -> str:
    what = {"numbered": "numbers and times", "of_server": "ids"}.get(kind, "answers and times")
    return (
        f"{counted(shared, 'response has', 'responses have')} the {what} of another form's, whose other responses"
        " differ: counted as another form's. If both files are exports of one form, keep the later one only and load again."
    )


def _vanished(form: Form, rows: Rows, modified: int) -> list[str]:
    """What an earlier export of the form held and this one, which should too, does not."""
    gone = {key: row for key, row in form.rows.items() if key not in rows}
    minutes = [minute for _, minute in rows.values() if minute]
    if modified < form.newest or 2 * len(gone) > len(
        form.rows
    ):  # an older export, or a part: only within its time
        first, last = min(minutes, default=""), max(minutes, default="")
        gone = {key: row for key, row in gone.items() if first < row[1] < last}
    if not gone:
        return []
    shown = ", ".join(sorted(gone)[:_SHOWN]) + (", …" if len(gone) > _SHOWN else "")
    left = counted(
        len(gone),
        "response of an earlier export of this form is",
        "responses of an earlier export of this form are",
    )
    return [
        f"{left} not in it ({shown}). They still count. If they were deleted in the tool on purpose, leave them out in"
        " the workbook, sheet Corrections; if not, export the form whole."
    ]
