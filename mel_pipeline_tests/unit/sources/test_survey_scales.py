"""Answers compared as what they are, and scales that count only by evidence: what is not sure is withheld and listed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.normalize_text import normalize_answer, normalize_text
from mel_pipeline.sources.shared.survey.codebook import Codebook, common_codebook, load_codebook
from mel_pipeline.sources.shared.survey.figures import range_in, recommended
from mel_pipeline.sources.shared.survey.scale import Scale, common_scale, scale_of
from mel_pipeline.sources.survey_files.client import Rules
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.survey_cases import dropped, read

EMOJI = {"😀": 5, "😐": 3, "😡": 1}
REVERSED = {"1": 5, "2": 4, "3": 3, "4": 2, "5": 1}
UPWARD = {str(n): n for n in range(1, 6)}


def scale(answers: list[str], *others: str, codes: dict[str, object] | None = None) -> Scale:
    book = Codebook.model_validate({"scale": codes or {}})
    return scale_of({answer: answers.count(answer) for answer in answers}, others, book)


def scores(answers: list[str], *others: str, codes: dict[str, object] | None = None) -> list[object]:
    found = scale(answers, *others, codes=codes)
    common = common_scale()
    return [
        common.get(normalize_answer(one)) if found.score(one) is None else found.score(one) for one in answers
    ]


def load(
    folder: Path, name: str, codes: dict[str, object] | None = None
) -> tuple[list[object], list[str], list[str]]:
    """Scores of the codebook or the labels, answers to the overall question, and warnings."""
    dropped(folder, name)
    books = [Codebook.model_validate({"scale": codes})] if codes else []
    frame, refused, warnings = read(folder, Rules(codebooks=books, order="day_first"))
    assert refused == {}
    found = [None if score is None else float(score) for score in frame["satisfaction_score"]]
    return found, frame["overall_satisfaction"].tolist(), warnings


# -- one key for answers --------------------------------------------------------------------------------------


@pytest.mark.behaviour("as_written", "*")
def test_signs_symbols_brackets_and_emoji_make_another_answer() -> None:
    different = ["5", "-5", "<5", ">5", "5%", "(5)", "[5]", "5+", "~5", "5*", "#5", "4,5", "4.5", "45", "4/5", "⑤", "5²",
                 "★★★★★", "★★★★☆", "⭐⭐⭐⭐⭐", "😀", "😡", "👍", "👎", "👍🏽", "☺", "☹", "+", "-", "?", "✓", "✗"]  # fmt: skip
    keys = [normalize_answer(text) for text in different]
    assert len(set(keys)) == len(different) and all(keys)
    assert normalize_answer("-1 very") != normalize_answer("1 very")


def test_case_accents_spaces_and_the_way_a_sign_is_drawn_make_none() -> None:
    for one, other in [("☺️", "☺"), ("−1", "-1"), ("５", "5"), ("\ufeffSí", "si"), ("Très  satisfait·e", "tres satisfait(e)"),
                       ("Satisfecho / a", "satisfecho/a"), ("Very satisfied.", "very satisfied")]:  # fmt: skip
        assert normalize_answer(one) == normalize_answer(other)


@given(st.lists(st.sampled_from(sorted(common_scale())), min_size=1, max_size=3).map(" ".join))
@settings(max_examples=examples(30, 200), deadline=None)
@pytest.mark.deep
def test_words_alone_are_compared_as_before(words: str) -> None:
    assert normalize_answer(words) == normalize_text(words)


@pytest.mark.behaviour("as_written", "google_forms", "typeform")
def test_emoji_of_a_codebook_are_labels_like_any_other(tmp_path: Path) -> None:
    found, _, warnings = load(tmp_path, "scale_emoji_codebook.csv", EMOJI)
    assert found == [5, 3, 1, 1]
    assert not any("withheld" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("codes", "answers", "expected"),
    [({"★★★★★": 5, "★★★★☆": 4, "★☆☆☆☆": 1}, ["★★★★☆", "★☆☆☆☆"], [4, 1]),  # Microsoft Forms ratings pasted as stars
     ({"👍": 5, "👎": 1}, ["👎", "👍"], [1, 5]),
     ({":-)": 5, ":-(": 1}, [":-(", ":-)"], [1, 5]),
     ({"++": 5, "+": 4, "-": 2, "--": 1}, ["--", "+"], [1, 4])],
)  # fmt: skip
@pytest.mark.behaviour("as_written", "microsoft_forms", "zoho_survey")
def test_stars_smileys_and_signs_of_a_codebook_are_labels(
    codes: dict[str, object], answers: list[str], expected: list[object]
) -> None:
    assert scores(answers, codes=codes) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [('scale: {"": 5}', "a text is empty"), ('scale: {"\ufe0f": 5}', "a text is empty"), ("scale: {yes: 5, no: 1}", "in quotes"),
     ("scale: {1: 5, '1': 4}", "two scores"), ("scale: {'Good': 5, 'good!': 4}", "two scores"), ("scale: {5: 0}", "outside 1 to 5"),
     ('questions: {gender: [" "]}', "a text is empty"), ("personal: ['\u200b']", "a text is empty")],
)  # fmt: skip
@pytest.mark.behaviour("as_written", "*")
def test_an_empty_or_doubtful_key_of_a_codebook_is_an_error_of_the_codebook(
    tmp_path: Path, text: str, expected: str
) -> None:
    (tmp_path / "mine.yml").write_text(text, "utf-8")
    with pytest.raises(ContractError, match=expected):
        load_codebook(tmp_path / "mine.yml")


# -- evidence ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "tools"),
    [("scale_minus_codes.csv", "'5' (1), '4' (1), '-1' (2)"), ("scale_signs_dropped.csv", "'<5' (1)"),
     ("scale_qualtrics_codes_1_is_best.csv", "'1' (2)"), ("scale_0_to_10_only_low.csv", "'5' (3)")],
)  # fmt: skip
@pytest.mark.behaviour("scale_evidence", "google_forms", "qualtrics")
@pytest.mark.fault(71)
def test_bare_figures_are_withheld_and_listed_with_what_to_write(
    tmp_path: Path, name: str, tools: str
) -> None:
    found, _, warnings = load(tmp_path, name)
    assert set(found) == {None}
    (warning,) = [warning for warning in warnings if "withheld" in warning]
    assert name in warning and "scale:" in warning and "mel survey inspect" in warning
    listed = re.findall(r"'[^']*' \(\d\)", warning)
    assert set(re.findall(r"'[^']*' \(\d\)", tools)) <= set(listed)


@pytest.mark.behaviour("scale_evidence", "qualtrics")
def test_codes_where_1_is_best_count_as_the_codebook_says(tmp_path: Path) -> None:
    found, _, _ = load(tmp_path, "scale_qualtrics_codes_1_is_best.csv", REVERSED)
    assert found == [5, 5, 1, 4]


@pytest.mark.behaviour("scale_evidence", "google_forms")
def test_signs_stay_unknown_beside_a_declared_scale_and_minus_codes_can_be_declared(tmp_path: Path) -> None:
    found, _, warnings = load(tmp_path, "scale_signs_dropped.csv", dict(UPWARD))
    assert found == [5, None, None, None]
    assert any("'<5' (1), '5%' (1), '(3)' (1)" in warning for warning in warnings)
    (tmp_path / "scale_signs_dropped.csv").unlink()
    codes = {**UPWARD, "-1": "non_answer", "-2": "non_answer"}
    found, _, warnings = load(tmp_path, "scale_minus_codes.csv", codes)
    assert found == [5, 4, None, None, None]
    assert not any("withheld" in warning for warning in warnings)


ENDS = {  # a scale whose ends have labels, in the words of four languages: what the answers of the export mean
    "in the answers": (["1 - Very dissatisfied", "2", "4", "5 - Very satisfied"], [], [1, 2, 4, 5]),
    "reversed": (["1 - Very satisfied", "2", "5 - Very dissatisfied"], [], [5, 4, 1]),
    "behind the label": (["Muy insatisfecho/a (1)", "3", "Muy satisfecho/a (5)"], [], [1, 3, 5]),
    "in the question": (["2", "5.0"], ["How satisfied (1 = very dissatisfied, 5 = very satisfied)?"], [2, 5]),
    "reversed in the question": (["2", "5"], ["De 1 (très satisfait) à 5 (très insatisfait)"], [4, 1]),
    "in words": (["2"], ["where 1 is very dissatisfied and 5 is very satisfied"], [2]),
    "in the form": (["4"], ["1 - Very dissatisfied", "2", "3", "4", "5 - Very satisfied"], [4]),
    "every figure": (["1 = Very dissatisfied", "4 = Satisfied", "3 = Neutral"], [], [1, 4, 3]),
    "figure against label": (["5 - Very dissatisfied"], [], [1]),
}
NO_EVIDENCE = {
    "only one end": (["5 - Very satisfied", "4"], []),
    "the ends of ten": (["1 - Very dissatisfied", "5", "10 - Very satisfied"], []),
    "from 0": (["0 - Very dissatisfied", "3", "5 - Very satisfied"], []),
    "four steps": (["1 - Very dissatisfied", "3", "4 - Very satisfied"], []),
    "ends that contradict": (["1 - Very dissatisfied", "1 - Very satisfied", "3", "5 - Very satisfied"], []),
    "unknown labels": (["1 - Awful", "3", "5 - Splendid"], []),
    "a range without direction": (["3"], ["From 1 to 5"]),
    "one beyond the ends": (["1 - Very dissatisfied", "5 - Very satisfied", "7"], []),
    "halves": (["1 - Very dissatisfied", "5 - Very satisfied", "4,5"], []),
    "stars": (["★★★★☆", "★★☆☆☆"], []),
    "labels of a tool and a figure": (["Very satisfied", "Satisfied", "4"], []),
}


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.behaviour("scale_evidence", "limesurvey", "kobo", "odk", "microsoft_forms", "surveymonkey")
def test_labels_at_both_ends_say_what_the_figures_between_mean(how: str) -> None:
    answers, others, expected = ENDS[how]
    assert scores(answers, *others) == expected
    assert scale(answers, *others).advice == ""


@pytest.mark.parametrize("how", NO_EVIDENCE)
@pytest.mark.behaviour("scale_evidence", "typeform", "zoho_survey", "microsoft_forms", "surveymonkey")
def test_anything_less_withholds_the_question_and_names_the_answer(how: str) -> None:
    answers, others = NO_EVIDENCE[how]
    found = scale(answers, *others)
    assert found.unknown and "withheld" in found.advice
    assert all(line.startswith("#") for line in found.proposed())


@pytest.mark.slow
@pytest.mark.deep
@pytest.mark.fault(71)
@pytest.mark.behaviour("scale_evidence", "*")
@given(
    low=st.integers(-2, 2),
    high=st.integers(3, 100),
    data=st.data(),
    decimals=st.sampled_from(["", ".0", ",0"]),
)
@settings(max_examples=examples(60, 600), deadline=None)
def test_a_scale_of_figures_alone_never_passes_for_1_to_5(
    low: int, high: int, data: st.DataObject, decimals: str
) -> None:
    drawn = data.draw(st.lists(st.integers(low, high), min_size=1, max_size=20))
    answers = [f"{one}{decimals}" for one in drawn]
    question = data.draw(
        st.sampled_from(["Satisfaction", f"From {low} to {high}", f"{high} = very satisfied", "1-5"])
    )
    found = scale(answers, question)
    assert found.own == {}
    assert set(found.unknown) == set(answers)


@pytest.mark.deep
@given(
    st.sampled_from(sorted(ENDS)),
    st.integers(6, 99).map(str) | st.sampled_from(["0", "-1", "<3", "5%", "(2)"]),
)
@settings(max_examples=examples(30, 200), deadline=None)
def test_an_answer_outside_a_proved_scale_stays_unknown(how: str, more: str) -> None:
    answers, others, _ = ENDS[how]
    assert more in scale([*answers, more], *others).unknown


def test_the_shipped_labels_hold_no_bare_figure() -> None:
    assert not [label for label in common_scale() if label.isdigit()]


# -- recommendation ---------------------------------------------------------------------------------------------


@pytest.mark.behaviour("anchored_ends", "qualtrics")
@pytest.mark.behaviour("cell_alone", "qualtrics")
@pytest.mark.fault(72)
def test_anchored_ends_of_recommendation_are_read_and_no_satisfaction_is_lost(tmp_path: Path) -> None:
    dropped(tmp_path, "nps_qualtrics_anchor_labels.csv")
    frame, refused, _ = read(tmp_path)
    assert refused == {}
    assert frame["recommendation"].tolist() == ["10", "0", "8"]
    assert frame["overall_satisfaction"].tolist() == ["Very satisfied", "Very dissatisfied", "Satisfied"]


@pytest.mark.behaviour("anchored_ends", "google_forms", "limesurvey")
def test_decimals_that_a_spreadsheet_or_a_tool_adds_are_read(tmp_path: Path) -> None:
    dropped(tmp_path, "nps_comma_and_point_zero.csv")
    frame, refused, _ = read(tmp_path)
    assert refused == {}
    assert frame["recommendation"].tolist() == ["9", "8", "9"]


@pytest.mark.parametrize(
    ("text", "read_as"),
    [("10 - Extremely likely", "10"), ("Extremely likely - 10", "10"), ("0 - Not at all likely", "0"), ("10 = Muy probable", "10"),
     ("Très probable (10)", "10"), ("0: Gens probable", "0"), ("10 Extremely likely", "10"), ("9.0000000000", "9"), ("9,0", "9"),
     (" 9 ", "9"), ("9/10", "9"), ("9 out of 10", "9"), ("8 sur 10", "8"), ("8 de 10", "8"), ("11", "11"), ("10. Definitely", "10")],
)  # fmt: skip
@pytest.mark.behaviour(
    "anchored_ends", "surveymonkey", "zoho_survey", "microsoft_forms", "typeform", "kobo", "odk"
)
def test_a_recommendation_is_read_as_tools_write_it(text: str, read_as: str) -> None:
    assert recommended(text) == read_as


@pytest.mark.parametrize(
    "text", ["9.5", "-1", "9 or 10", "9-10", "5%", "<5", "(9)", "5 stars", "ten", "Extremely likely", "1 - no, 5 - yes", "9/5"]
)  # fmt: skip
def test_what_is_no_recommendation_stays_as_written_for_the_contract_to_refuse(text: str) -> None:
    assert not recommended(text).isdigit() and recommended(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("On a scale of 0 to 10, how likely are you?", (0, 10)), ("De 1 à 5", (1, 5)), ("Del 0 al 10", (0, 10)), ("(1-7)", (1, 7)),
     ("Entre 0 et 10", (0, 10)), ("the labs of 2024-2025", None), ("How likely?", None), ("0 to 10, or 1 to 5", None)],
)  # fmt: skip
def test_the_range_that_a_question_states_is_found(text: str, expected: tuple[int, int] | None) -> None:
    assert range_in(text) == expected


@pytest.mark.behaviour("scale_evidence", "typeform", "surveymonkey")
def test_a_recommendation_from_1_to_5_is_left_out_and_told(tmp_path: Path) -> None:
    asked = "How likely are you to recommend us? (1 to 5)"
    (tmp_path / "a.csv").write_text(f"Timestamp,{asked}\n2024-11-05 09:00:00,5\n2024-11-05 09:01:00,4\n")
    book = Codebook.model_validate({"questions": {"recommendation": [asked]}})
    frame, _, warnings = read(tmp_path, Rules(codebooks=[book]))
    assert frame["recommendation"].tolist() == [None, None]
    assert any("runs from 1 to 5" in warning for warning in warnings)


def test_recommendations_none_of_which_is_above_5_are_told(tmp_path: Path) -> None:
    rows = "".join(f"2024-11-05 09:{n:02}:00,{n % 5 + 1}\n" for n in range(10))
    (tmp_path / "a.csv").write_text(f"Timestamp,NPS\n{rows}")
    _, _, warnings = read(tmp_path)
    assert any("none of 10 recommendations is above 5" in warning for warning in warnings)
    assert common_codebook().role  # the shipped wording is what made it a recommendation
