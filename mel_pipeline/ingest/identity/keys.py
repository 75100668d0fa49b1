"""Comparison keys for names of cities and countries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from mel_pipeline.core.normalize_text import normalize_text


def city_key(text: str) -> str:
    """A city's comparison key: without case, accents, punctuation and doubled spaces."""
    return normalize_text(text)


def country_names(extra: Mapping[str, Iterable[str]], languages: Iterable[str]) -> dict[str, str]:
    """Normalised name → ISO code, from CLDR in some languages and from our own list.

    A name that means different countries in different languages is left out.
    """
    from babel import Locale

    meant: defaultdict[str, set[str]] = defaultdict(set)
    for language in languages:
        for code, name in Locale.parse(language).territories.items():
            if len(code) == 2 and code.isalpha():
                meant[normalize_text(str(name))].add(code)
    found = {name: codes.pop() for name, codes in meant.items() if len(codes) == 1}
    return found | {normalize_text(name): code for code, names in extra.items() for name in names}
