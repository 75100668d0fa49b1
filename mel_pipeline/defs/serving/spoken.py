"""Which language a browser asks for."""

from __future__ import annotations

import re

from mel_pipeline.core.languages import BASE

_LANGUAGE = re.compile(r"([a-z]{2})(?:-[a-z0-9]+)*(?:\s*;\s*q=([01](?:\.\d{1,3})?))?", re.IGNORECASE)


def preferred(header: str, known: list[str]) -> str:
    """The language of ``Accept-Language`` that is liked best of those known; English if there is none."""
    liked: list[tuple[float, int, str]] = []
    for place, part in enumerate(header[:500].split(",")):
        if found := _LANGUAGE.fullmatch(part.strip()):
            liked.append((-float(found[2] or 1), place, found[1].lower()))
    return next((code for weight, _, code in sorted(liked) if weight < 0 and code in known), BASE)
