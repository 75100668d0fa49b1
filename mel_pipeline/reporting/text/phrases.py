"""English sentences of the catalogue, the figures and the loads in another language, found by pattern.

``"No {what} from: {names}."`` matches any such sentence; the parts in braces are translated in turn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache

HOLE = re.compile(r"\{(\w+)\}")
SENTENCE = re.compile(r"(?<=[.;])\s+")
LIST = ", "
WITHIN = r"(?:(?![.;]\s).)+?"  # a hole does not reach into the next sentence
TAIL = "reason"  # except this one, which may be several


class Phrases:
    """``pairs``: English → the other language, with the same ``{holes}``."""

    def __init__(self, pairs: Mapping[str, str]) -> None:
        self._exact = {english: other for english, other in pairs.items() if not HOLE.search(english)}
        self._open = {english: other for english, other in pairs.items() if HOLE.search(english)}

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        # The most specific first: more fixed letters.
        ordered = sorted(self._open, key=lambda english: -len(HOLE.sub("", english)))
        return [(_pattern(english), self._open[english]) for english in ordered]

    def translate(self, text: str, value: Callable[[str], str]) -> str | None:
        """The text in the other language; None where any part of it is unknown.

        Args:
            value: formats what fills a hole and is not a phrase itself: a number, a period, a name.
        """
        whole = self._one(text, value)
        if whole is not None:
            return whole
        for between, joint in ((SENTENCE, " "), (re.compile(LIST), LIST)):
            parts = between.split(text)
            translated = [self._one(part, value) for part in parts] if len(parts) > 1 else [None]
            if all(part is not None for part in translated):
                return joint.join(str(part) for part in translated)
        return None

    def _one(self, text: str, value: Callable[[str], str]) -> str | None:
        if text in self._exact:
            return self._exact[text]
        for pattern, other in self._patterns:
            if found := pattern.fullmatch(text):
                inner = {
                    name: self.translate(part, value) or value(part)
                    for name, part in found.groupdict().items()
                }
                return HOLE.sub(lambda hole, inner=inner: inner[hole[1]], other)  # type: ignore[misc]
        return None


@lru_cache(maxsize=512)
def _pattern(english: str) -> re.Pattern[str]:
    parts = HOLE.split(english)
    fixed, names = parts[::2], parts[1::2]
    body = re.escape(fixed[0])
    for name, rest in zip(names, fixed[1:], strict=True):
        within = ".+" if name == TAIL else WITHIN
        body += f"(?P<{name}>{within})" + re.escape(rest)
    return re.compile(body)
