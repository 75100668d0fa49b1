"""Whatever the umask, only its owner can read MEL_HOME, and readers can read reports."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mel_pipeline.core.private_files import (
    open_to_others,
    readable_by_others,
    secure,
    share_folder,
    shared_with,
)
from mel_pipeline.core.settings import Settings
from mel_pipeline.reporting.files import write_if_changed
from mel_pipeline.reporting.inputs.folders import editions_dir

ROOT = Path(__file__).parents[3]
COMMAND = """
import sys
from pathlib import Path
import typer
from mel_pipeline.cli import main as cli

def writes() -> None:
    from mel_pipeline.core.settings import load_settings
    from mel_pipeline.defs.serving.instance import open_instance
    from mel_pipeline.reporting.files import write_if_changed
    from mel_pipeline.warehouse import Warehouse
    settings = load_settings()
    with open_instance(settings):
        Warehouse(settings.database_url).has_table("figures")
    write_if_changed(settings.pictures_dir / "a.json", b"1", durable=False)
    write_if_changed(settings.published_dir / "2024-Q4" / "report-en.html", b"1")

cli.app.command()(writes)
sys.argv = ["mel", "writes"]
cli.main()
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.exhaustive
@pytest.mark.fault(55)
@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_nothing_that_a_command_writes_in_mel_home_is_open_to_others(tmp_path: Path, umask: int) -> None:
    home, reports = tmp_path / "home", tmp_path / "reports"
    own = {**os.environ, "MEL_HOME": str(home), "MEL_REPORTS_DIR": str(reports), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", COMMAND], env=own, umask=umask, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    written = [home, *home.rglob("*")]
    assert len(written) > 8 and {path.suffix for path in written} >= {".duckdb", ".yaml", ".db", ".json"}
    assert [str(path) for path in written if open_to_others(path)] == []
    assert mode(reports / "2024-Q4") == 0o755 and mode(reports / "2024-Q4" / "report-en.html") == 0o644


def test_what_an_earlier_version_left_open_is_closed_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    for name in ("secrets/token.json", "dagster/history/runs.db", "warehouse.duckdb", "own/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o664)
    for folder in ("secrets", "dagster", "dagster/history", "own", "."):
        (tmp_path / folder).chmod(0o755)
    found = {str(path.relative_to(tmp_path)) for path in readable_by_others(tmp_path)}
    assert found >= {".", "warehouse.duckdb", "secrets/token.json", "dagster/history/runs.db"}
    secure(tmp_path)
    assert readable_by_others(tmp_path) == []
    assert mode(tmp_path) == 0o700 and mode(tmp_path / "warehouse.duckdb") == 0o600
    assert mode(tmp_path / "own" / "notes.txt") == 0o664


@pytest.mark.fault(55)
def test_drafts_are_closed_to_others_like_the_rest_of_mel_home(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", reports_dir=tmp_path / "reports")
    drafts = editions_dir(settings, published=False)
    assert mode(drafts) == 0o700
    write_if_changed(drafts / "2024-Q4" / "report-en.html", b"draft")
    assert mode(drafts) == 0o700
    drafts.chmod(0o755)  # as earlier versions made it
    assert drafts in readable_by_others(settings.home)
    secure(settings.home)
    assert readable_by_others(settings.home) == []


def test_a_folder_that_others_work_in_decides_how_open_new_files_are(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        share_folder(tmp_path / "lake" / "table")
        (tmp_path / "lake").chmod(0o775)
        with shared_with(tmp_path / "lake"):
            (tmp_path / "lake" / "part").mkdir()
            (tmp_path / "lake" / "part.parquet").write_text("")
        write_if_changed(tmp_path / "cache.json", b"1", durable=False)
        (tmp_path / "after").write_text("")
    finally:
        os.umask(before)
    assert mode(tmp_path / "lake" / "table") == 0o755
    assert (mode(tmp_path / "lake" / "part"), mode(tmp_path / "lake" / "part.parquet")) == (0o775, 0o664)
    assert (mode(tmp_path / "after"), mode(tmp_path / "cache.json")) == (0o600, 0o600)
