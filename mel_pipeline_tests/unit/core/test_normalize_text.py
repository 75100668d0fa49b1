"""Text normalised for comparison: the short ways give what the long way gives."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mel_pipeline.core import normalize_text as module
from mel_pipeline.core.normalize_text import normalize_answer, normalize_text

ASCII = st.text(st.characters(max_codepoint=0x7F))
MIXED = st.text(st.sampled_from("aÀßİ ı²①５-−,.:/%‰🙂\u200d\u0301\u00a0\tZ9'’"))


def by_definition(text: str) -> str:
    """Letters and digits without accents; anything else parts words."""
    letters = [c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c)]
    return " ".join("".join(c if c.isalnum() else " " for c in letters).split())


@pytest.mark.slow
@given(st.one_of(ASCII, MIXED, st.text()))
@example("Très  satisfait.e")
@example("İstanbul")
def test_a_text_is_its_letters_and_digits_without_accents(text: str) -> None:
    assert normalize_text(text) == by_definition(text)


@given(st.one_of(ASCII, MIXED, st.text()))
@example("5 %")
@example("Yes, on 3/4")
def test_an_answer_in_plain_words_is_as_one_with_a_sign_read_letter_by_letter(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_is_in_words", lambda _: False)
        long_way = normalize_answer(text)
    assert normalize_answer(text) == long_way
    # An accent more is another way through the same text.
    assert normalize_answer(f"{text}\u0301") == long_way
