"""Addresses of cities: readable, unique, and stable as long as name and country are."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from mel_pipeline.core.normalize_text import normalize_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Letters that Unicode does not decompose into a base and an accent.
LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "æ": "ae", "œ": "oe"})

LONGEST = 80  # characters of a name; file systems take 255 bytes with the ending, a shared link far less


def search_key(text: str) -> str:
    """A text in searchable form: plain letters and digits. ``search.js`` does the same to what is typed."""
    return normalize_text(text).translate(LETTERS)


def slugs(cities: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """account_id → slug, such as ``cordoba-ar``; each city has ``account_id``, ``name`` and ``country`` (may be empty).

    The country is always part of it, so that a namesake elsewhere changes no address. Of two with the same name and
    country, the older record keeps the short form and the other gets a suffix derived from its id.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for city in sorted(cities, key=lambda item: (len(item["account_id"]), item["account_id"])):
        parts = search_key(f"{city['name']} {city['country']}").split()
        slug = "-".join(word for word in ("".join(filter(str.isascii, part)) for part in parts) if word)
        mark = hashlib.sha256(city["account_id"].encode()).hexdigest()[:6]
        if len(slug) > LONGEST:
            slug = f"{slug[:LONGEST].rstrip('-')}-{mark}"
        if not slug or slug in taken or slug == city["country"].casefold() or slug.startswith("index"):
            slug = f"{slug or 'city'}-{mark}"
        taken.add(slug)
        found[city["account_id"]] = slug
    return found
