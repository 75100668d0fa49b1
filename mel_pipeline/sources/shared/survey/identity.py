"""What identifies a response: the tool's id where it is whole, else its answers and the minute. Pure; no tool by name.

What survives: added questions and empty columns, another column order, another spelling of the same moment, and
what a spreadsheet does to a file that it saves again (seconds, `="..."`, `9.0`).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain

import pandas as pd

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.files import FileRefusedError
from mel_pipeline.sources.shared.survey.figures import figure_of
from mel_pipeline.sources.shared.survey.model import Builtin, Kind, Layout, Question
from mel_pipeline.sources.shared.survey.personal import without_personal

_GROUPED = re.compile(r"\d{1,3}(?P<mark>[ ,.'\u00a0\u202f])\d{3}(?:(?P=mark)\d{3})+")
_WRAPPED = re.compile(r'="(.*)"|\'(\d+)|(\d+)[.,]0+', re.DOTALL)
_IN_POWERS = re.compile(r"\d(?:[.,]\d+)?E\+\d+", re.IGNORECASE)
_NO_VALUE = re.compile(r"#+|#(?:N/A|NUM!|VALUE!|REF!|NAME\?)")
_EXACT = 15  # digits of a number that a spreadsheet keeps; it makes the others zeros
_BY_CHANCE = 3  # zeros in these places that true ids may end in
_FEW = 3  # responses; that many with one id are not one response
_FIRST_YEAR = "2000"  # a moment before is what a tool writes to hide it
_JOINED = re.compile(r"\s*[;,|]\s*")
UNREADABLE = "\ufffd"
_WHOLE: tuple[Kind, ...] = ("own", "of_server")  # the tool's id says which response it is, of one server


def unwrapped(text: str) -> str:
    """A cell as the tool wrote it, without what a spreadsheet or a formula for one put around it."""
    if text.isalnum():
        return text
    match = _WRAPPED.fullmatch(text.strip())
    return next((part for part in match.groups() if part is not None), "").strip() if match else text.strip()


def id_in(text: str) -> str:
    """The id in a cell, also where a spreadsheet grouped its digits (`118,720,000,001`)."""
    found = unwrapped(text)
    return re.sub(r"\D", "", found) if _GROUPED.fullmatch(found) else found


def require_whole(ids: Iterable[str]) -> None:
    """Refuse ids that no longer are those of the tool, or that identify nothing.

    Raises:
        FileRefusedError: a spreadsheet wrote them in powers of ten or rounded them, or all are the same.
    """
    given = list(ids)
    seen = set(given)
    damaged = next((one for one in seen if _IN_POWERS.fullmatch(one) or _NO_VALUE.fullmatch(one)), None)
    long = [one for one in seen if one.isdigit() and len(one) > _EXACT]
    if damaged is None and all(set(one[_EXACT:]) == {"0"} for one in long):
        lost = sum(len(one) - _EXACT for one in long)
        damaged = long[0] if lost > _BY_CHANCE else None
    if damaged is not None:
        raise FileRefusedError(
            f"The ids of the responses were damaged by a spreadsheet: '{damaged}' is no id any more, and different"
            " responses look the same. Export the file again from the tool, and put it into the folder without opening"
            " it in a spreadsheet."
        )
    if len(seen) == 1 and len(given) >= _FEW:
        raise FileRefusedError(
            f"All {len(given)} responses have the same id, so it identifies nothing. Export the file again with the id"
            " of each response."
        )


def minute_of(*moments: str | None) -> str:
    """The first known moment by the clock on the wall, to the minute; empty if none is, or it is made up."""
    known = (moment[:16] for moment in moments if moment and UNREADABLE not in moment)
    return next((minute for minute in known if minute >= _FIRST_YEAR), "")


def digests(frame: pd.DataFrame, layout: Layout, minutes: Sequence[str]) -> list[str]:
    """A digest of each response: the minute, and every answered question with its answer.

    Args:
        frame: the columns of the export, by position.
        minutes: of each response, as ``minute_of`` gives them.
    """
    by_name: dict[str, list[Sequence[str | None]]] = defaultdict(list)
    for column, question in enumerate(layout.questions):
        if question.builtin in (None, "recommendation", "personal"):
            by_name[_name(question)].append(_answered(frame[column], question, layout))
    columns = [_together(name, by_name[name]) for name in sorted(by_name)]
    rows = zip(*columns, strict=True) if columns else ((),) * len(frame)
    return [
        hashlib.blake2s("\x1f".join(chain([minute], filter(None, row))).encode(), digest_size=12).hexdigest()
        for minute, row in zip(minutes, rows, strict=True)
    ]


def _name(question: Question) -> str:
    return f"{normalize_text(question.text)}\x1e{normalize_text(question.choice or '')}"


def _answered(cells: pd.Series[str], question: Question, layout: Layout) -> list[str | None]:
    """What was answered, one spelling for each answer; None where nothing was."""
    labels = dict(question.labels)

    def spelled(cell: object) -> str | None:
        text = unwrapped(str(cell)) if isinstance(cell, str) else ""
        if not text or text in layout.missing:
            return None
        if question.choice is not None and text.casefold() in layout.not_chosen:
            return None
        figure = figure_of(text)
        return f"{figure:g}" if figure is not None else _spelled(labels.get(text, text))

    codes, texts = pd.factorize(cells.to_numpy(dtype=object))
    read = [spelled(text) for text in texts] + [None]
    return [read[code] for code in codes]


def _spelled(text: str) -> str:
    return " ".join(_JOINED.sub(",", text).strip(",").casefold().split())


def _together(name: str, columns: Sequence[Sequence[str | None]]) -> list[str | None]:
    """One text a response for columns of the same name, whatever their order."""
    if len(columns) == 1:
        return [None if one is None else f"{name}\x1d{one}" for one in columns[0]]
    rows = (sorted(filter(None, row)) for row in zip(*columns, strict=True))
    return ["\x1d".join([name, *row]) if row else None for row in rows]


class Identifier:
    """Gives the responses of one file their ids, chunk by chunk."""

    def __init__(self, layout: Layout, builtins: Mapping[Builtin, int]) -> None:
        self._layout, self._id, self._uuid = layout, builtins.get("response_id"), builtins.get("uuid")
        self._times: Counter[str] = Counter()
        self._digests: dict[str, str] = {}
        self._before: Counter[str] = Counter()

    @property
    def kind(self) -> Kind:
        """How they are identified."""
        if self._id is None:
            return "answers"
        if self._layout.ids_within_survey:
            return "numbered"
        return "of_server" if self._layout.ids_within_server else "own"

    def ids(
        self, frame: pd.DataFrame, minutes_of: Callable[[], Sequence[str]]
    ) -> list[tuple[str | None, str]]:
        """The id of each response of a chunk, None if nothing identifies it, and a digest of its answers."""
        given = self._given(frame)
        if self.kind in _WHOLE and None not in given:
            return [(one, "") for one in given]
        minutes = minutes_of()
        found = digests(frame, self._layout, minutes)
        return [self._one(*row) for row in zip(given, minutes, found, strict=True)]

    def _given(self, frame: pd.DataFrame) -> list[str | None]:
        if self._id is None:
            return [None] * len(frame)
        ids = [_without_person(id_in(str(cell))) or None for cell in frame[self._id].fillna("")]
        if self.kind in _WHOLE:
            require_whole(one for one in ids if one)
            if self._uuid is not None and None in ids:
                others = (unwrapped(str(cell)) or None for cell in frame[self._uuid].fillna(""))
                ids = [one or other for one, other in zip(ids, others, strict=True)]
        return ids

    def _one(self, given: str | None, minute: str, digest: str) -> tuple[str | None, str]:
        if self.kind == "answers":
            return self._numbered(digest), digest
        if given is None:  # its answers identify it, if there is a moment they belong to
            return self._numbered(digest) if minute else None, digest
        if self.kind in _WHOLE:
            return given, digest
        key = f"{given} at {minute}" if minute else f"{given} of {digest}"
        if self._digests.setdefault(key, digest) != digest:  # two forms in one file
            key = f"{key} of {digest[:8]}"
        return key, digest

    def _numbered(self, digest: str) -> str:
        """Of equal answers in the same minute, the second gets a number."""
        self._times[digest] += 1
        return digest if self._times[digest] == 1 else f"{digest}-{self._times[digest]}"

    def former(self, frame: pd.DataFrame, moments: Sequence[str]) -> list[str | None]:
        """The ids that earlier versions of this package gave, so that no response counts under two."""
        if self._id is None:
            rows = frame.itertuples(index=False, name=None)
            return [self._former_digest("\x1f".join(map(str, row))) for row in rows]
        given = [_without_person(str(cell).strip()) or None for cell in frame[self._id].fillna("")]
        if self.kind in _WHOLE:
            return given
        pairs = zip(given, moments, strict=True)
        return [f"{one} at {moment.strip(UNREADABLE)}" if one else None for one, moment in pairs]

    def _former_digest(self, written: str) -> str:
        digest = hashlib.blake2s(written.encode(), digest_size=12).hexdigest()
        self._before[digest] += 1
        return digest if self._before[digest] == 1 else f"{digest}-{self._before[digest]}"


def _without_person(identity: str) -> str:
    """An id, or its digest if an address was used as the id."""
    if without_personal(identity) == identity:
        return identity
    return hashlib.blake2s(identity.encode(), digest_size=12).hexdigest()
