"""Agreement of coders against published examples, and which themes are suggested."""

from __future__ import annotations

import pytest

from mel_pipeline.reporting.figures.coding import Written, agreement, suggested

# Name, table (rows: first coder, columns: second), kappa as printed.
PUBLISHED = [
    ("Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, table 18.1",
     [[75, 1, 4], [5, 4, 1], [0, 0, 10]], 0.68),
    ("Sim and Wright (2005), Physical Therapy 85, table 2: two clinicians, 39 patients", [[22, 2], [4, 11]], 0.67),
    ("Wikipedia, Cohen's kappa: grant proposals", [[20, 5], [10, 15]], 0.40),
    ("Wikipedia, Cohen's kappa: same agreement, like marginals", [[45, 15], [25, 15]], 0.13),
    ("Wikipedia, Cohen's kappa: same agreement, unlike marginals", [[25, 35], [5, 35]], 0.26),
]  # fmt: skip
MORE_TIME = [
    "More time for exchange with other cities",
    "Too little time for exchange",
    "Exchange needs time",
]
SOUND = ["The sound was bad online", "Bad sound in the stream", "Sound and stream broke off"]


def pairs_of(table: list[list[int]]) -> dict[tuple[str, str], int]:
    return {(f"t{row}", f"t{column}"): n for row, line in enumerate(table) for column, n in enumerate(line)}


def coded(texts: list[str], theme: str, language: str | None = "en") -> list[Written]:
    return [Written(language, text, theme) for text in texts]


KNOWN = [*coded(MORE_TIME, "Time"), *coded(SOUND, "Sound")]


@pytest.mark.parametrize(("name", "table", "kappa"), PUBLISHED)
def test_kappa_is_that_of_published_examples(name: str, table: list[list[int]], kappa: float) -> None:
    found = agreement(pairs_of(table))
    assert found.kappa is not None and found.interval is not None, name
    assert round(found.kappa, 2) == kappa, name
    assert found.comments == sum(map(sum, table)) and found.interval.low < found.kappa < found.interval.high


def test_full_agreement_is_one_and_full_disagreement_of_two_themes_minus_one():
    assert agreement({("a", "a"): 5, ("b", "b"): 5}).kappa == 1
    assert agreement({("a", "b"): 5, ("b", "a"): 5}).kappa == -1


@pytest.mark.parametrize("pairs", [{}, {("a", "a"): 7}])
def test_without_comments_or_with_one_theme_only_kappa_is_not_defined_and_never_one(pairs) -> None:
    assert (agreement(pairs).kappa, agreement(pairs).interval) == (None, None)


def test_the_theme_with_most_words_in_common_is_suggested_in_its_language_only():
    waiting = [
        Written("en", "We wanted more TIME, and an exchange!"),
        Written("en", "The stream had no sound"),
        Written("es", "The stream had no sound"),
        Written(None, "The stream had no sound"),
    ]
    assert suggested(KNOWN, waiting) == ["Time", "Sound", None, None]


@pytest.mark.parametrize(
    "text", ["", "🙂🙂", "=cmd|'/c calc'!A1", "Wonderful lunch", "مزيد من الوقت", "時間が足りない", "to of a"]
)
def test_a_comment_that_is_like_none_gets_no_suggestion(text: str) -> None:
    assert suggested(KNOWN, [Written("en", text)]) == [None]


def test_a_theme_of_few_comments_or_as_near_as_another_is_not_suggested():
    few = [*coded(MORE_TIME[:2], "Time"), *coded(SOUND, "Sound")]
    assert suggested(few, [Written("en", "More time for exchange")]) == [None]
    twins = [*coded(MORE_TIME, "Time"), *coded(MORE_TIME, "Hours")]
    assert suggested(twins, [Written("en", "More time for exchange")]) == [None]


def test_a_very_long_comment_is_compared_like_any_other():
    assert suggested(KNOWN, [Written("en", "time exchange " * 20_000)]) == ["Time"]


@pytest.mark.parametrize(
    ("language", "texts", "text"),
    [
        ("fr", ["Plus de temps pour échanger", "Le temps d’échanger manquait", "Échanger demande du temps"], "ECHANGER: du temps!"),
        ("es", ["Más tiempo para dialogar", "Faltó tiempo para dialogar", "Dialogar requiere tiempo"], "tiempo y dialogar"),
        ("ca", ["Més temps per dialogar", "Faltava temps per dialogar", "Dialogar demana temps"], "temps per dialogar"),
    ],
)  # fmt: skip
def test_suggestions_work_in_each_language_without_regard_to_accents(language, texts, text) -> None:
    others = coded(["Salle", "Sala", "Sala gran"], "Room", language)
    assert suggested([*coded(texts, "Time", language), *others], [Written(language, text)]) == ["Time"]
