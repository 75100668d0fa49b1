"""The built wheel does the main job by itself, in an empty folder without a clone."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from mel_pipeline.core.settings import PROJECT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Installs the wheel in a separate environment that shares this one's dependencies; returns its ``mel``."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=PROJECT, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    own = sysconfig.get_path("purelib", vars={"base": str(folder / "env")})
    # A folder named in a .pth file is searched, and its own .pth files, the editable install among them, are not read.
    (Path(own) / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    return folder / "env" / "bin" / "mel"


def run(mel: Path, folder: Path, *arguments: str) -> str:
    own = {name: value for name, value in os.environ.items() if not name.startswith("MEL_")}
    settings = {
        "XDG_DATA_HOME": str(folder / "data"), "MEL_LANGUAGES": "en", "MEL_FORMATS": "html",
        "MEL_TODAY": "2024-04-20", "MEL_FIRST_QUARTER": "2024-Q1",  # the sample is then small
    }  # fmt: skip
    (folder / "empty").mkdir(exist_ok=True)
    answer = subprocess.run(
        [str(mel), *arguments],
        cwd=folder / "empty",
        env=own | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,  # a limit for a run that hangs, not a measure
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


@pytest.mark.exhaustive
def test_the_wheel_says_its_version(installed: Path, tmp_path: Path) -> None:
    assert run(installed, tmp_path, "--version").startswith("mel ")


@pytest.mark.exhaustive
def test_the_wheel_makes_a_report_in_the_users_folder_and_leaves_the_current_one_empty(
    installed: Path, tmp_path: Path
) -> None:
    run(installed, tmp_path, "run", "--quarter", "2024-Q1")
    report = tmp_path / "data" / "mel-pipeline" / "drafts" / "2024-Q1" / "report-en.html"
    assert "Metropolis" in report.read_text("utf-8")
    assert list((tmp_path / "empty").iterdir()) == []
