"""Tokens of forms, and the language that a browser prefers."""

from __future__ import annotations

import pytest

from mel_pipeline.defs.serving.once import Once
from mel_pipeline.defs.serving.spoken import preferred

KNOWN = ["en", "fr", "es", "ca"]


def test_a_token_counts_once() -> None:
    kept: Once[str] = Once(2, 60)
    token = kept.issue("preview")
    assert kept.take(token) == "preview"
    assert kept.take(token) is None
    assert kept.take("") is None


def test_a_token_is_forgotten_when_it_is_old_or_many_came_after_it() -> None:
    now = 0.0
    kept: Once[int] = Once(2, 60, lambda: now)
    first, second, third = (kept.issue(number) for number in range(3))
    assert kept.take(first) is None
    assert kept.take(second) == 1
    now = 61.0
    assert kept.take(third) is None


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("de-DE, ca;q=0.3, es;q=0.7", "es"),
        ("de", "en"),
        ("fr;q=0, es;q=0.1", "es"),
        ("", "en"),
        ("*", "en"),
        ("fr;q=9;;;,,\x00", "en"),
    ],
)
def test_the_page_speaks_the_language_the_browser_prefers(header: str, language: str) -> None:
    assert preferred(header, KNOWN) == language
