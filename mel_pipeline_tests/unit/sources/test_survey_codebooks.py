"""Codebooks follow a form under any name, guesses are proposed, and what looks asked and is not read is reported."""

from __future__ import annotations

import re
import shlex
import zipfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mel_pipeline.sources.shared.survey.binding import first_download, is_named, likeness
from mel_pipeline.sources.shared.survey.codebook import Codebook, codebook_for, unused_event_codes
from mel_pipeline.sources.survey_files.client import Rules, SurveyFiles
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.survey_cases import dropped, read

FORM = ["How was the event for you?", "Where do you work?", "Would you come again?", "Anything to add?"]
BOOK = Codebook(
    surveys=["Feedback"],
    form=FORM,
    questions={"overall_satisfaction": [FORM[0]], "city": [FORM[1]]},
    event_code="LAB-1",
)


@pytest.mark.parametrize(
    ("survey", "first"),
    [
        ("Feedback (1)", "Feedback"), ("Feedback (1) (2)", "Feedback"), ("Feedback - Copy", "Feedback"),
        ("Feedback - Copy (2)", "Feedback"), ("Feedback copia", "Feedback"), ("Feedback - copie", "Feedback"),
        ("Feedback - còpia", "Feedback"), ("Feedback-2", "Feedback-2"), ("Lab 2", "Lab 2"), ("Photocopy", "Photocopy"),
        ("Copy", "Copy"), ("(1)", "(1)"),
    ],
)  # fmt: skip
def test_a_second_download_has_the_name_of_the_first(survey: str, first: str) -> None:
    assert first_download(survey) == first


def test_a_name_with_brackets_means_itself() -> None:
    assert is_named("Lab [2024] (1)", ["Lab [2024]"])
    assert is_named("lab feedback 3", ["Lab feedback*"])
    assert not is_named("Lab 2", ["Lab 1"])


@pytest.mark.parametrize(
    ("survey", "questions", "role", "event"),
    [
        ("Feedback", FORM, "city", "LAB-1"),
        ("Feedback (3)", FORM, "city", "LAB-1"),
        ("Feedback", [*FORM, "A question added to the live form"], "city", "LAB-1"),
        ("Feedback", [f"{n}. {text}" for n, text in enumerate(FORM, 1)], "city", "LAB-1"),
        ("final version for the board", FORM, "city", None),  # the form, but which event?
        ("Feedback", ["Other", "Questions", "Altogether"], None, None),  # another form of that name
        ("Other", [FORM[1], "Something", "Else", "Again"], None, None),
    ],
)
@pytest.mark.behaviour("follows_form", "*")
@pytest.mark.fault(76)
def test_a_codebook_belongs_to_a_form_by_its_questions(
    survey: str, questions: list[str], role: str | None, event: str | None
) -> None:
    book = codebook_for(survey, [BOOK], questions)
    assert book.event_code == event
    assert (FORM[1] in book.questions.get("city", [])) == (role == "city")
    told = unused_event_codes(survey, [BOOK], questions)
    assert bool(told) == (role is not None and event is None)


def test_of_two_copies_of_a_form_each_keeps_its_own_event() -> None:
    other = BOOK.model_copy(update={"surveys": ["Second lab"], "event_code": "LAB-2"})
    for survey, event in (("Feedback", "LAB-1"), ("Second lab (1)", "LAB-2"), ("Third", None)):
        assert codebook_for(survey, [BOOK, other], FORM).event_code == event


def test_a_codebook_without_a_form_applies_by_name_as_before() -> None:
    by_name = Codebook(surveys=["Lab*"], event_code="LAB-3")
    assert codebook_for("Lab of May", [by_name], ["Anything"]).event_code == "LAB-3"
    assert codebook_for("Other", [by_name], ["Anything"]).event_code is None
    assert codebook_for("Other", [Codebook(language="fr")], ["Anything"]).language == "fr"


@pytest.mark.slow
@given(st.lists(st.sampled_from("abcdefghijklmnop"), min_size=1, unique=True), st.data())
@settings(max_examples=examples(100, 1_500), deadline=None)
@pytest.mark.deep
def test_a_form_is_like_itself_and_less_like_what_it_shares_less_with(
    form: list[str], data: st.DataObject
) -> None:
    other = data.draw(st.lists(st.sampled_from("qrstuvwxyz"), unique=True))
    assert likeness(form, form, named=False) == 1
    assert likeness(form, other, named=True) == 0
    kept = data.draw(st.lists(st.sampled_from(form), unique=True))
    by_name, alone = likeness(form, [*kept, *other], named=True), likeness(form, [*kept, *other], named=False)
    assert 0 <= alone <= by_name <= 1


@pytest.mark.parametrize(
    ("asked", "is_the_form"),
    [(["How was it?", "Gender", "City", "Any other comments?"], True), (["How was it?", "Gender", "City"], True),
     (["Overall satisfaction", "Gender", "City", "Any other comments?"], False), (["Gender", "City", "Any other comments?"], False),
     (["1. How was it?", "City", "Gender", "What is new?"], True)],
)  # fmt: skip
@pytest.mark.behaviour("follows_form", "zoho_survey")
@pytest.mark.fault(101)
def test_a_scale_never_passes_to_another_form_that_asks_for_gender_and_city_too(
    tmp_path: Path, asked: list[str], is_the_form: bool
) -> None:
    book = Codebook(
        surveys=["Course in Lima"], form=["How was it?", "Gender", "City", "Any other comments?"],
        questions={"overall_satisfaction": ["How was it?"]}, scale={"1": 5, "2": 4, "3": 3, "4": 2, "5": 1},
    )  # fmt: skip
    answers = ["1" if "How" in text or "Overall" in text else "x" for text in asked]
    head, row = ";".join(asked), ";".join(answers)
    (tmp_path / "Other.csv").write_text(
        f"Response ID;Response Status;End time;{head}\na;Completed;2024-11-05 09:00;{row}\n", "utf-8"
    )
    frame, refused, _ = read(tmp_path, Rules(codebooks=[book]))
    assert refused == {}
    assert frame["satisfaction_score"].tolist() == (["5"] if is_the_form else [None])


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [({"scale": {"1": 1}}, {"scale": {"1": 5}}, "scale of '1' is 1.0 in one and 5.0"),
     ({"scale": {"So so": 3}}, {"scale": {"so so!": "non_answer"}}, "scale of 'so so'"),
     ({"event_code": "A-1"}, {"event_code": "B-2"}, "event_code is A-1 in one and B-2"),
     ({"date_order": "day_first"}, {"date_order": "month_first"}, "date_order is"),
     ({"consent": {"Maybe": True}}, {"consent": {"Maybe": False}}, "consent of 'maybe'"),
     ({"scale": {"1": 1}}, {"scale": {"1": 1, "2": 2}}, None), ({"event_code": "A-1"}, {"language": "fr"}, None)],
)  # fmt: skip
@pytest.mark.behaviour("scale_evidence", "zoho_survey")
@pytest.mark.fault(103)
def test_two_codebooks_of_one_survey_that_disagree_refuse_it_and_a_general_one_yields(
    tmp_path: Path, one: dict[str, object], other: dict[str, object], words: str | None
) -> None:
    (tmp_path / "a.csv").write_text(
        "Response ID;Response Status;End time;NPS\na;Completed;2024-11-05 09:00;9\n"
    )
    books = [
        Codebook.model_validate({"surveys": ["a"], **one}),
        Codebook.model_validate({"surveys": ["a*"], **other}),
    ]
    for codebooks in (books, books[::-1]):
        _, refused, _ = read(tmp_path, Rules(codebooks=codebooks))
        assert bool(refused) is bool(words)
    if words:
        assert words in read(tmp_path, Rules(codebooks=books))[1]["a.csv"]
    general = [Codebook.model_validate(one), books[1]]
    assert read(tmp_path, Rules(codebooks=general))[1] == {}


@pytest.mark.behaviour("unread_told", "google_forms")
def test_silent_questions_of_the_case_are_told(tmp_path: Path) -> None:
    dropped(tmp_path, "silent_gender_nps_in_other_words.csv")
    _, refused, warnings = read(tmp_path)
    assert refused == {}
    (told,) = [words for words in warnings if "look asked" in words]
    for words in (
        "What's your gender?",
        "how likely are you to recommend this event?",
        "Your city or organisation",
    ):
        assert words in told


ASKED = {
    "gender": ["¿Con qué género te identificas?", "Vous vous identifiez comme…", "El teu gènere", "Sex (M/F)"],
    "recommend": ["Recomendaría el curso? (0-10)", "Recommanderiez-vous ce cours ?", "Recomanaries la sessió?", "NPS score",
                  "Would you tell a friend about it? (0 to 10)"],
    "city": ["Ciudad o municipio", "Ville ou collectivité", "Ciutat on treballes", "Which municipality are you from?"],
    "consent": ["I consent to the use of my answers", "Acepto la política de privacidad", "Consentement RGPD", "Do you agree to be quoted?"],
}  # fmt: skip
ANSWERS = {
    "gender": ("F", "M"),
    "recommend": ("9", "10"),
    "city": ("Quito", "Lyon"),
    "consent": ("Yes", "No"),
}


@pytest.mark.parametrize(
    ("answers", "looks"),
    [(("Woman", "Man", "Prefer not to say"), True), (("Femme", "Homme"), True), (("Dona", "Home", "No binari"), True),
     (("Home", "Office"), False), (("Woman", "Woman"), False), (("A man of few words", "Woman"), False)],
)  # fmt: skip
@pytest.mark.behaviour("unread_told", "typeform")
@pytest.mark.fault(77)
def test_answers_alone_show_that_a_question_is_about_gender(
    tmp_path: Path, answers: tuple[str, ...], looks: bool
) -> None:
    rows = "".join(f"f{n},{answer},2024-11-05 09:0{n}:00\n" for n, answer in enumerate(answers))
    (tmp_path / "a.csv").write_text(f"#,You are:,Submit Date (UTC)\n{rows}", "utf-8")
    assert any("gender ('You are:')" in words for words in read(tmp_path)[2]) is looks


@pytest.mark.parametrize(
    "name",
    ["a.csv", "Évaluation (1-30).csv", "l'été 2024.csv", "a & b; c.csv", "$HOME.csv", "two of them.zip"],
)
@pytest.mark.behaviour("good_advice", "google_forms", "typeform")
@pytest.mark.fault(99)
def test_the_command_that_a_warning_names_can_be_typed_as_it_is(tmp_path: Path, name: str) -> None:
    text = "#,How was it?,Submit Date (UTC)\nf1,fine,2024-11-05 09:00:00\n"
    if name.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("folder/feedback.csv", text)
    else:
        (tmp_path / name).write_text(text, "utf-8")
    commands = [
        found for words in read(tmp_path)[2] for found in re.findall(r"`(mel survey inspect .*?)`", words)
    ]
    assert commands
    for command in commands:
        *_, file = shlex.split(command)
        assert file == name and len(shlex.split(command)) == 4


@pytest.mark.parametrize(
    ("kind", "question"), [(kind, text) for kind, texts in ASKED.items() for text in texts]
)
@pytest.mark.behaviour("unread_told", "zoho_survey")
@pytest.mark.fault(77)
def test_a_question_in_other_words_is_told_in_every_language(
    tmp_path: Path, kind: str, question: str
) -> None:
    one, other = ANSWERS[kind]
    text = f'Response ID,Response Status,End time,"{question}"\na,Completed,2024-11-05 09:00,{one}\nb,Completed,2024-11-05 09:00,{other}\n'
    (tmp_path / "a.csv").write_text(text, "utf-8")
    _, refused, warnings = read(tmp_path)
    assert refused == {}
    assert any(
        question in words and ("look asked" in words or "looks like consent" in words) for words in warnings
    )
    ignored = Rules(codebooks=[Codebook(ignored=[question])])
    assert not any(question in words for words in read(tmp_path, ignored)[2])


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("How useful was the gender session?", ("5", "4")),
        ("What would you recommend us to change?", ("More time", "Less rain")),
        ("How is public transport in your city?", ("Line 4 stops at 22:00", "Bus 12 is late")),
        ("Did the speaker keep to the recommended time?", ("Yes", "No")),
    ],
)
def test_a_question_about_the_same_word_is_not_told(
    tmp_path: Path, question: str, answers: tuple[str, str]
) -> None:
    rows = "".join(f"{n},Completed,2024-11-05 09:00,{text}\n" for n, text in enumerate(answers))
    (tmp_path / "a.csv").write_text(f"Response ID,Response Status,End time,{question}\n{rows}", "utf-8")
    assert not any(question in words for words in read(tmp_path)[2])


@pytest.mark.behaviour("unread_told", "surveymonkey")
def test_choices_in_columns_of_their_own_are_told_too(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "Respondent ID,Collector ID,Date Created,With which gender do you identify?,\n,,,Woman,Man\n"
        "1,42,2024-11-15 09:00,Woman,\n2,42,2024-11-15 09:00,,Man\n"
    )
    assert any("With which gender" in words for words in read(tmp_path)[2])


def test_a_warning_stays_while_its_file_is_in_the_folder_unread(tmp_path: Path) -> None:
    dropped(tmp_path, "silent_gender_nps_in_other_words.csv")
    source = SurveyFiles(tmp_path, Rules(), settle_seconds=0)
    first = source.pull("responses")
    assert sum(len(batch.frame) for batch in first.batches) == 2
    again = source.pull("responses", cursor=first.cursor())
    assert sum(len(batch.frame) for batch in again.batches) == 0
    assert again.warnings() == first.warnings() != []
    assert again.cursor() is None
    (tmp_path / "silent_gender_nps_in_other_words.csv").unlink()
    gone = source.pull("responses", cursor=first.cursor())
    assert list(gone.batches) == []
    assert gone.warnings() == []


def test_a_codebook_names_its_form_in_yaml() -> None:
    text = yaml.safe_dump(BOOK.model_dump(exclude_defaults=True))
    assert Codebook.model_validate(yaml.safe_load(text)) == BOOK
