"""Parse lists of recipients in settings: ``en: a@x.org, b@x.org; fr: c@x.org``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.languages import BASE

_ADDRESS = re.compile(
    r"(?:[^<>@\r\n]*<)?(?P<address>[\w.!#$%&'*+/=?^`{|}~-]+@(?:[a-z0-9-]+\.)*[a-z0-9-]+)>?", re.ASCII | re.I
)
_LANGUAGE = re.compile(r"\s*([A-Za-z]{2})\s*:(.*)", re.DOTALL)


@dataclass(frozen=True)
class Recipient:
    """``place`` identifies the recipient without the address: "recipient 2 (fr) of MEL_MAIL_TO"."""

    address: str = field(repr=False)
    language: str
    place: str


def recipients(text: str, setting: str) -> list[Recipient]:
    """Each recipient once, in the order of the setting; display names are dropped.

    Raises:
        SettingsError: an entry is not an address; gives its position, never its text.
    """
    found: dict[str, Recipient] = {}
    for part in text.split(";"):
        match = _LANGUAGE.fullmatch(part)
        language, listed = (match[1].lower(), match[2]) if match else (BASE, part)
        for number, entry in enumerate(filter(None, map(str.strip, listed.split(","))), start=1):
            place = f"recipient {number} ({language}) of {setting}"
            good = _ADDRESS.fullmatch(entry)
            if good is None:
                raise SettingsError(
                    f"Reading {setting}: {place} is not an e-mail address. Write it like"
                    " `en: a@example.org, b@example.org; fr: c@example.org`."
                )
            found.setdefault(good["address"].lower(), Recipient(good["address"], language, place))
    return list(found.values())


def one_address(text: str, setting: str) -> str:
    """The only address of a setting.

    Raises:
        SettingsError: there is none, or more than one.
    """
    listed = recipients(text, setting)
    if len(listed) != 1:
        raise SettingsError(f"Reading {setting}: it has {len(listed)} addresses; give exactly one.")
    return listed[0].address
