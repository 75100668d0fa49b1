"""`mel factcheck` from the command line: drafts of 2024 compared with the calculated figures."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mel_pipeline.factcheck.languages import known_languages
from mel_pipeline.factcheck.published_figures import check_draft
from mel_pipeline_tests.conftest import Mel, Organisation
from mel_pipeline_tests.fixtures.factcheck import expected, write_docx, write_markdown
from mel_pipeline_tests.integration.cli.test_commands import of

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("language", known_languages())
def test_drafts_are_compared_with_the_figures_of_the_pipeline(
    language: str, year_2024: Organisation, tmp_path: Path
) -> None:
    draft = write_docx(tmp_path / "draft.docx", language)
    report = check_draft(year_2024.warehouse, year_2024.settings, draft, None, None)
    assert (report.language, report.period, report.periods) == (language, "2024", {"2024": False})
    found = [
        (line.number, line.verdict, line.indicator_id)
        for line in report.lines
        if line.verdict != "not a figure"
    ]
    assert found == [
        (number, verdict, figure.split(" ")[0] if verdict != "unknown" else "")
        for _, number, verdict, figure in expected(language)
    ]


@pytest.mark.exhaustive
def test_the_command_lists_disagreements_and_exits_with_1(
    year_2024: Organisation, tmp_path: Path, mel: Mel
) -> None:
    draft, out = write_markdown(tmp_path / "draft.md", "fr"), tmp_path / "out.csv"
    done = mel("factcheck", str(draft), "--csv", str(out), **of(year_2024))
    assert (done.returncode, done.stderr) == (1, "")
    words = " ".join(done.stdout.split())
    assert "Read as French; sentences that name no period are compared with 2024." in words
    assert "Not published yet: 2024 is provisional, and so are the verdicts." in words
    assert "The figures are those of the sample organisation." in words
    assert "MEM-01 2024 region=Europe" in words and "(draft +1)" in words
    assert "Not figures:" in words
    rows = list(csv.DictReader(out.read_text("utf-8-sig").splitlines()))
    wrong = [row["number"] for row in rows if row["verdict"] == "disagrees"]
    assert wrong == [number for _, number, verdict, _ in expected("fr") if verdict == "disagrees"]


@pytest.mark.long
def test_a_draft_without_wrong_numbers_exits_with_0_and_a_bad_one_with_2(
    year_2024: Organisation, tmp_path: Path, mel: Mel
) -> None:
    good = tmp_path / "good.txt"
    good.write_text(
        "At the end of 2024 the network has a total of 164 member cities.\n=1+1 is a formula.\n", "utf-8"
    )
    out = tmp_path / "out.csv"
    done = mel(
        "factcheck", str(good), "--language", "en", "--period", "2024", "--csv", str(out), **of(year_2024)
    )
    assert done.returncode == 0
    assert "1 agrees, 0 disagrees" in done.stdout
    for arguments in (
        (str(tmp_path / "none.txt"),),
        (str(good), "--period", "1999"),
        (str(good), "--period", "last year"),
        (str(good), "--language", "de"),
    ):
        done = mel("factcheck", *arguments, **of(year_2024))
        assert done.returncode == 2
        assert "Traceback" not in done.stderr and done.stderr


def test_text_in_the_csv_never_becomes_a_formula(year_2024: Organisation, tmp_path: Path, mel: Mel) -> None:
    draft, out = tmp_path / "draft.txt", tmp_path / "out.csv"
    draft.write_text('=HYPERLINK("x") 164 villes.\n\n+12 % de vues.\n\n-5 %.\n\n@a 3 labs.\n', "utf-8")
    mel("factcheck", str(draft), "--language", "fr", "--csv", str(out), **of(year_2024))
    cells = [cell for row in csv.reader(out.read_text("utf-8-sig").splitlines()) for cell in row]
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@")]
