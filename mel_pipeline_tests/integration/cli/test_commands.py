"""The command line as users run it, in a separate process; test_wheel.py starts it afresh."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mel_pipeline.delivery.notifications import grouped
from mel_pipeline_tests.conftest import TODAY, Mel, Organisation

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


def of(organisation: Organisation) -> dict[str, str]:
    return {"MEL_HOME": str(organisation.settings.home), "MEL_TODAY": str(TODAY)}


def test_figures_are_printed_as_csv_with_the_agreed_columns(year_2024: Organisation, mel: Mel) -> None:
    done = mel("figures", "2024", "--format", "csv", **of(year_2024))
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert done.returncode == 0 and done.stderr == ""
    assert list(rows[0]) == [
        "indicator_id",
        "period",
        "disaggregation",
        "value",
        "numerator",
        "denominator",
        "n",
        "status",
    ]
    assert {
        row["value"] for row in rows if (row["indicator_id"], row["disaggregation"]) == ("MEM-01", "total")
    } == {"164.0"}


def test_figures_of_one_quarter_are_printed_as_json_and_as_a_table(year_2024: Organisation, mel: Mel) -> None:
    as_json = json.loads(
        mel("figures", "2024", "--quarter", "2024-Q4", "--format", "json", **of(year_2024)).stdout
    )
    assert {row["period"] for row in as_json} == {"2024-Q4"}
    assert "MEM-01" in mel("figures", "2024", "-q", "2024-Q4", **of(year_2024)).stdout


def test_a_figure_that_is_not_available_is_not_zero(year_2024: Organisation, mel: Mel) -> None:
    rows = csv.DictReader(io.StringIO(mel("figures", "2024", "-f", "csv", **of(year_2024)).stdout))
    reach = next(row for row in rows if (row["indicator_id"], row["disaggregation"]) == ("RCH-06", "total"))
    assert reach["value"] == ""


def test_a_year_without_figures_says_what_to_run_and_shows_no_traceback(tmp_path: Path, mel: Mel) -> None:
    done = mel("figures", "2024", MEL_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "mel run --quarter 2024-Q4" in done.stderr and "Traceback" not in done.stderr


def test_an_invalid_quarter_is_refused_with_the_expected_format(mel: Mel) -> None:
    done = mel("run", "--quarter", "2024-Q9")
    assert done.returncode == 2 and "2024-Q4" in done.stderr and "Traceback" not in done.stderr


def test_the_texts_of_an_edition_are_counted_and_their_place_is_named(tmp_path: Path, mel: Mel) -> None:
    done = mel("narrative", "2024-Q4", MEL_HOME=str(tmp_path))
    assert done.stdout.startswith("2024-Q4: 0 main points, 2 lessons, 3 themes of comments, 2 decisions.")
    assert "mel workbook get" in done.stdout


def test_a_wrong_setting_is_one_line(tmp_path: Path, mel: Mel) -> None:
    done = mel("figures", "2024", MEL_TIME_ZONE="Nowhere/Land", MEL_HOME=str(tmp_path))
    assert done.returncode == 1 and "MEL_TIME_ZONE" in done.stderr and "Traceback" not in done.stderr
    done = mel("doctor", MEL_TIME_ZONE="Nowhere/Land", MEL_HOME=str(tmp_path))
    assert done.returncode == 2 and "✗ Settings: " in done.stdout and "MEL_TIME_ZONE" in done.stdout


@pytest.mark.long
def test_the_doctor_is_content_with_the_sample_and_imports_no_dagster(tmp_path: Path, mel: Mel) -> None:
    done = mel("doctor", MEL_HOME=str(tmp_path / "home"))
    assert done.returncode in (0, 1) and "✗" not in done.stdout  # 1 where this disk is nearly full
    code = (
        "import sys; from mel_pipeline.cli.doctor import findings; list(findings());"
        "print([name for name in sys.modules if name.split('.')[0].startswith('dagster')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True,
        env={**os.environ, "MEL_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_help_prints_without_importing_heavy_libraries() -> None:
    code = "import sys; from mel_pipeline import cli; print([m for m in ('dagster', 'pandas', 'sqlalchemy', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["run", "report", "figures", "sandbox", "dev", "doctor"])
def test_every_command_explains_itself(name: str, mel: Mel) -> None:
    done = mel(name, "--help")
    assert done.returncode == 0 and len(done.stdout) > 200


def test_problems_with_one_reason_are_merged_and_others_stay_as_they_are() -> None:
    reason = "the access token has expired. Authorise the account again."
    problems = [
        f"raw_instagram__accounts: Nothing new was loaded. Instagram account 17: {reason}",
        "ind_mem_01: The model failed.",
        f"raw_instagram__daily: Nothing new was loaded. Instagram account 17 followers: {reason}",
        "The job was stopped.",
    ]
    assert grouped(problems) == [
        f"raw_instagram__accounts and raw_instagram__daily: {reason}",
        "ind_mem_01: The model failed.",
        "The job was stopped.",
    ]
