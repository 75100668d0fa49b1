"""`mel survey inspect`: what a file holds, guesses with their evidence, unknown labels, and nobody's data."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from mel_pipeline.cli.main import app
from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.settings import Settings
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.sources.shared.survey.codebook import Codebook, load_codebook
from mel_pipeline.sources.survey_files.client import open as open_files
from mel_pipeline.sources.survey_files.client import rules_of
from mel_pipeline.warehouse import Warehouse

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "fixtures" / "surveys"
EXPORTS = sorted(path for path in FOLDER.glob("*.[cx][sl][vs]*") if "cp1252" not in path.name)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEL_HOME", str(tmp_path))
    monkeypatch.setenv("MEL_SURVEY_FILES_DATE_ORDER", "day_first")
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


def shown(*arguments: str | Path, exit_code: int = 0) -> str:
    result = CliRunner().invoke(app, ["survey", "inspect", *map(str, arguments)])
    assert result.exit_code == exit_code, result.output
    return f"{result.output}{result.exception if exit_code else ''}"


@pytest.mark.parametrize("path", EXPORTS, ids=lambda path: path.name)
@pytest.mark.sweep("google_forms_en", "limesurvey_fr")
def test_every_tool_is_named_and_nothing_personal_is_shown(path: Path) -> None:
    text = shown(path)
    assert f"{path.stem}: " in text
    assert "personal, never read" in text or "Personal data: 0 columns" in text
    for sign in ("192.0.2", "@example", "Sample", "d3560842b2"):
        assert sign not in text


def test_guesses_show_their_evidence_and_are_commented_out() -> None:
    text = shown(FOLDER / "typeform_en.csv")
    assert "'recom' in the question, and 3 of 3 answers are whole numbers from 0 to 10" in " ".join(
        text.split()
    )
    proposed = text.split("until you save it):")[1]
    assert '#    - "Would you recommend it?"' in proposed
    assert Codebook.model_validate(yaml.safe_load(proposed)).questions == {}


def test_labels_that_no_scale_knows_are_listed_with_their_number() -> None:
    text = shown(FOLDER / "microsoft_forms_en.xlsx")
    assert "Satisfaction is withheld: no scale says what 'Good' (1), 'Fair' (1) mean." in " ".join(
        text.split()
    )


def test_a_question_that_people_answer_in_their_own_words_is_not_shown(tmp_path: Path) -> None:
    rows = "".join(f"2026/08/06 11:05:{n:02},Ana number {n},{'Yes' if n % 2 else 'No'}\n" for n in range(30))
    (tmp_path / "a.csv").write_text(f"Timestamp,What is on your mind?,Was it right?\n{rows}")
    text = shown(tmp_path / "a.csv")
    assert "Ana" not in text
    assert "No · Yes" in text or "Yes · No" in text


def test_the_next_load_uses_a_guess_that_was_accepted(home: Path) -> None:
    folder = Settings().survey_folder
    folder.mkdir(parents=True)
    (folder / "typeform_en.csv").write_bytes((FOLDER / "typeform_en.csv").read_bytes())
    assert "Written: " in shown("typeform_en.csv", "--write")
    book = folder / "codebooks" / "typeform_en.yml"
    lines = book.read_text("utf-8").replace('"?"', '"LAB-1"').splitlines()
    accepted = [
        line[1:] if (line.startswith("#") and line[1:2] != " ") or line.startswith("#  ") else line
        for line in lines
    ]
    book.write_text("\n".join(accepted), "utf-8")
    assert load_codebook(book).questions["recommendation"] == ["Would you recommend it?"]
    warehouse = Warehouse(f"duckdb:///{home}/w.duckdb")
    settings = Settings()
    assert rules_of(settings).codebooks
    load_entity(open_files(settings, settle_seconds=0), contract_of("survey_files"), "responses", warehouse)
    rows = warehouse.read(
        "select recommendation, overall_satisfaction, event_code from raw_surveys__responses order by 1"
    )
    assert rows.values.tolist() == [["0", "4", "LAB-1"], ["10", "2", "LAB-1"], ["9", "5", "LAB-1"]]
    assert "already exists" in shown("typeform_en.csv", "--write", exit_code=1)


def test_a_file_that_a_load_refuses_is_refused_here_in_the_same_words() -> None:
    damaged = FOLDER.parent / "survey_cases" / "ids_surveymonkey_scientific_notation.csv"
    assert "damaged by a spreadsheet" in " ".join(shown(damaged, exit_code=1).split())


def test_bare_figures_come_with_the_lines_to_choose_from_and_what_was_left_out_is_counted() -> None:
    cases = FOLDER.parent / "survey_cases"
    text = " ".join(shown(cases / "scale_qualtrics_codes_1_is_best.csv").split())
    assert "Satisfaction is withheld: no scale says what '1' (2), '5' (1), '2' (1) mean." in text
    assert '#scale: {"1": 5, "2": 4, "3": 3, "4": 2, "5": 1} # if it runs from 1 to 5 and 1 is best' in text
    assert '"😡": "?"' in shown(cases / "scale_emoji_codebook.csv")
    assert "(1 preview, 1 spam)" in shown(cases / "not_responses_qualtrics_preview_spam.csv")


def test_a_file_that_is_not_there_or_no_export_says_what_to_do(tmp_path: Path) -> None:
    assert "there is no such file" in shown("nothing.csv", exit_code=1)
    (tmp_path / "a.csv").write_text("Name,City\nx,y\n")
    assert "write a profile" in " ".join(shown(tmp_path / "a.csv", exit_code=1).split())


CASES = FOLDER.parent / "survey_cases"


def test_it_says_where_each_figure_is_read_from_and_what_is_left_to_do() -> None:
    words = " ".join(shown(CASES / "layout_surveymonkey_expanded.csv").split())
    assert "overall satisfaction columns 5 to 9" in words
    assert "recommendation not found in this file" in words
    assert "To do: Nothing: the next load reads it so." in words
    words = " ".join(shown(CASES / "silent_gender_nps_in_other_words.csv").split())
    assert "gender not read; perhaps column 4" in words
    assert "To do: Run the same command with --write." in words


def test_a_zip_is_inspected_export_by_export() -> None:
    assert shown(CASES / "folder_zip_ignored.zip").startswith("Feedback: surveymonkey, 2 responses")


def test_two_questions_that_look_like_one_are_refused_with_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Timestamp,Gender,Your gender\n2024-11-05 09:00,Woman,Man\n")
    words = " ".join(shown(tmp_path / "a.csv", exit_code=1).split())
    assert "Columns 2 and 3 both mean gender" in words
    assert "under `ignored:`" in words


def test_the_codebook_of_a_first_download_serves_the_second_and_is_not_written_twice(home: Path) -> None:
    folder = Settings().survey_folder
    folder.mkdir(parents=True)
    for name in ("codebook_second_download.csv", "codebook_second_download (1).csv"):
        (folder / name).write_bytes((CASES / name).read_bytes())
    assert "codebook_second_download.yml" in shown("codebook_second_download.csv", "--write").replace(
        "\n", ""
    )
    written = load_codebook(folder / "codebooks" / "codebook_second_download.yml")
    assert "5. Overall, how satisfied are you with the event?" in written.form
    assert "every download of the form" in shown("codebook_second_download (1).csv", "--write", exit_code=1)
    warehouse = Warehouse(f"duckdb:///{home}/w.duckdb")
    load_entity(open_files(Settings(), settle_seconds=0), contract_of("survey_files"), "responses", warehouse)
    rows = warehouse.read("select overall_satisfaction from raw_surveys__responses order by response_id")
    assert rows["overall_satisfaction"].tolist() == ["Very satisfied", "Satisfied", "Dissatisfied"]
