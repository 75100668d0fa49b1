"""Values of an answer that a client computes with: read, or refused with a sentence. No service by name here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from mel_pipeline.core.errors import TransientSourceError, UnpromisedError

_MOST_DIGITS = 15
_FIRST_YEAR, _LAST_YEAR = 1900, 2200  # years beyond cannot be moved to another time zone, or are nonsense


def moment_from(text: object) -> datetime:
    """An ISO time.

    Raises:
        ValueError: it is none, or of no year that a service can mean.
    """
    moment = datetime.fromisoformat(str(text))
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError("the year is out of reach")
    return moment


def unix_moment(seconds: object) -> datetime | None:
    """A time in seconds since 1970; None when it is no such number."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not -(2**31) < seconds < 2**33:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def whole_number(value: object) -> int | None:
    """A count, as a number or as digits; None when it is neither."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None


def promised_number(data: Mapping[str, object], name: str, what: str) -> int:
    """How many records a service announces.

    Raises:
        UnpromisedError: it does not say, so nothing shows whether an answer is complete.
    """
    number = whole_number(data.get(name))
    if number is None:
        raise UnpromisedError(
            f"{what}: the answer does not say how many records there are ({name}), so it is not taken for"
            " complete. Run the load again later."
        )
    return number


def promised_list(data: object, name: str, what: str) -> list[Mapping[str, object]]:
    """The records of an answer.

    Raises:
        UnpromisedError: there is no such list, or something else is in it.
    """
    found = data.get(name) if isinstance(data, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UnpromisedError(
            f"{what}: the answer has no list of records in '{name}', so it is not taken for an empty one."
            " Run the load again later."
        )
    return found


IDLE_PAGES = 20  # in a row


class Novelty:
    """Notices a list that goes on without bringing anything new: a pager that follows it never ends."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._seen: set[str] = set()
        self._records: set[int] = set()  # hashes: a list may be long
        self._idle = 0

    def require(self, keys: Iterable[object]) -> None:
        """Call this with the keys of each page after which another one is to be requested.

        Raises:
            TransientSourceError: all of them came before.
        """
        fresh = {str(key) for key in keys} - self._seen
        if not fresh:
            raise self._error()
        self._seen |= fresh

    def require_next(self, position: object, records: Iterable[object]) -> None:
        """Call this with the position of the next page and the records of this one.

        Some services give a few empty pages in between, so only many in a row are an endless list.

        Raises:
            TransientSourceError: the position came before, or the last pages brought no new record.
        """
        self.require([position])
        fresh = {hash(str(record)) for record in records} - self._records
        self._records |= fresh
        self._idle = 0 if fresh else self._idle + 1
        if self._idle >= IDLE_PAGES:
            raise self._error()

    def _error(self) -> TransientSourceError:
        return TransientSourceError(
            f"{self._what}: the list announces more pages and brings nothing new, so reading stopped."
            " Run the load again later."
        )
