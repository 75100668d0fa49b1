"""Elements of an IATI file: children with attributes, texts in several languages, days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from mel_pipeline.core.languages import BASE
from mel_pipeline.reporting.figures.measures import missing, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True)
class Names:
    """Narratives in the wanted languages; a text that only repeats the English one is left out."""

    languages: Sequence[str]

    def put(self, parent: ET.Element, texts: Mapping[str, str]) -> None:
        english = texts.get(BASE, "")
        child(parent, "narrative", text=english)
        for language in self.languages:
            other = texts.get(language, "")
            if language != BASE and other and other != english:
                child(parent, "narrative", text=other).set(LANG, language)


def child(parent: ET.Element, tag: str, *, text: str = "", **attributes: str) -> ET.Element:
    """Attributes that are empty are left out."""
    element = ET.SubElement(parent, tag, {name: value for name, value in attributes.items() if value})
    if text:
        element.text = text
    return element


def names_of(row: Mapping[Any, Any], stem: str) -> dict[str, str]:
    """Texts by language from the columns ``name_en``, ``name_fr`` ..."""
    start = f"{stem}_"
    return {
        str(key)[len(start) :]: words(value)
        for key, value in row.items()
        if str(key).startswith(start) and not missing(value)
    }


def day_of(value: Any) -> date | None:
    if missing(value):
        return None
    found: date = value.date() if hasattr(value, "date") else value
    return found


def moment(day: date) -> str:
    """The first moment of a day: the same edition gives the same bytes."""
    return f"{day.isoformat()}T00:00:00Z"
