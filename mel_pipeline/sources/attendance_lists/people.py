"""Who is who in one list. Names and addresses are compared here, and leave the source only as pseudonyms."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.attendance_lists.words import known

_EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+")
_MARK = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]\s*$")


@dataclass(frozen=True)
class Named:
    """A person as a row names one: both may be empty."""

    name: str
    email: str

    @property
    def known(self) -> bool:
        return bool(self.name or self.email)


def named(name: str, email: str) -> Named:
    """Name and address in one spelling: without case, accents, the order of names, and marks such as "(Guest)"."""
    while (mark := _MARK.search(name)) and normalize_text(mark[1]) in known("marks"):
        name = name[: mark.start()]
    found = _EMAIL.search(email) or _EMAIL.fullmatch(name.strip())
    if found and not _EMAIL.search(email):
        name = ""
    return Named(" ".join(sorted(normalize_text(name).split())), found[0].casefold() if found else "")


class People:
    """Gives the people of one list their identities: the address, or else the name.

    Who has an address in one row and none in another is one person, if only one address goes with the name. An
    address that several names of a sheet share is an office's: there each name is a person. In a meeting it is an
    account that somebody has renamed.
    """

    def __init__(self, rows: Iterable[Named], *, renames: bool) -> None:
        self._emails: defaultdict[str, set[str]] = defaultdict(set)
        self._names: defaultdict[str, set[str]] = defaultdict(set)
        self._renames = renames
        for row in rows:
            if row.name and row.email:
                self._emails[row.name].add(row.email)
                self._names[row.email].add(row.name)

    def identity(self, row: Named) -> str:
        """The same text for the same person, in every list."""
        email = row.email
        if not email and len(self._emails[row.name]) == 1:
            email = next(iter(self._emails[row.name]))
        if not email:
            return row.name
        if not self._renames and row.name and len(self._names[email]) > 1:
            return f"{email} {row.name}"
        return email
