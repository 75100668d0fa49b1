"""Check that editions in several languages agree: every number with its unit, and every status, is compared.

The finished pages are compared, not the data behind them, so that a text that lost its number, a wrong unit sign or
a different rounding is found. Prose of the catalogue (``data-prose``) is not compared.
"""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from babel.numbers import get_decimal_symbol, get_group_symbol

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting.text.texts import sign_comes_first

if TYPE_CHECKING:
    from collections.abc import Mapping

    from babel import Locale

    from mel_pipeline.reporting.text.texts import Texts

VOID = {"meta", "link", "br", "img", "source", "circle", "polyline", "rect", "line", "path", "input", "hr"}
MONEY = "money"
SIGN = "(?:[A-Z]{1,3})?[$€£¥₹₩₽₺₦₵₱฿₫₪₴]|[A-Z]{3}"  # of a currency: €, US$, CHF
MOST_NAMED = 3


def require_agreement(period: str, pages: Mapping[str, tuple[str, Texts]]) -> None:
    """Compare every language with the first.

    Raises:
        ReportError: two differ; the message names the part of the page and what only one of them has.
    """
    read = {language: figures_of(html, texts.locale) for language, (html, texts) in pages.items()}
    first, *others = read
    for other in others:
        for part in {**read[first], **read[other]}:
            here, there = (read[language].get(part, Counter()) for language in (first, other))
            if here != there:
                only = [
                    f"{language} alone: {', '.join(sorted((mine - theirs).elements())[:MOST_NAMED])}"
                    for language, mine, theirs in ((first, here, there), (other, there, here))
                    if mine - theirs
                ]
                raise ReportError(
                    f"Writing {period}: the {first} and {other} editions differ in the part '{part}' ({'; '.join(only)})."
                    f" Compare the texts of locales/{first}.yml and locales/{other}.yml."
                )


def figures_of(html: str, locale: Locale) -> dict[str, Counter[str]]:
    """Part of the page (the id of its heading) → numbers with units and status codes, counted."""
    reader = _Reader(locale)
    reader.feed(html)
    reader.close()
    return reader.found


class _Reader(HTMLParser):
    """Text and alternative texts of the body, by part."""

    def __init__(self, locale: Locale) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[str, Counter[str]] = {}
        self._numbers = _pattern(locale)
        self._decimal, self._group = get_decimal_symbol(locale), get_group_symbol(locale)
        self._part = "top"
        self._silent: list[str] = []  # tags open inside what is not compared

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        if self._silent or tag in ("style", "script", "title", "svg") or "data-prose" in named:
            if tag not in VOID:
                self._silent.append(tag)
            return
        if tag == "section":
            self._part = named.get("aria-labelledby") or self._part
        for code in (named.get("data-status"), named.get("data-figure")):
            if code:
                self._count(code)
        self.handle_data(named.get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag == self._silent[-1]:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        text = data.replace("\u2060", "").replace("\u200b", "")
        for found in self._numbers.finditer(text):
            digits = found["digits"].replace(self._group, "").replace(self._decimal, ".")
            self._count(f"{digits} {_unit(found)}".strip())

    def _count(self, item: str) -> None:
        self.found.setdefault(self._part, Counter())[item] += 1


def _unit(found: re.Match[str]) -> str:
    sign = (found.groupdict().get("before") or found["after"] or "").strip()
    return MONEY if sign and sign != "%" else sign


def _pattern(locale: Locale) -> re.Pattern[str]:
    group, decimal = (re.escape(symbol(locale)) for symbol in (get_group_symbol, get_decimal_symbol))
    digits = rf"(?P<digits>\d{{1,3}}(?:{group}\d{{3}}(?!\d))+(?:{decimal}\d+)?|\d+(?:{decimal}\d+)?)"
    space = r"[\s\u00a0\u202f]?"
    if sign_comes_first(locale):
        return re.compile(rf"(?P<before>(?:{SIGN}){space})?{digits}(?P<after>%)?")
    return re.compile(rf"{digits}(?P<after>{space}(?:%|{SIGN}))?")
