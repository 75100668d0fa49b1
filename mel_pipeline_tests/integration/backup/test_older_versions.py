"""Installations that an older version of this package made are upgraded, and one version back is possible or refused.

The zips under ``fixtures/older_versions`` were made by that version's own code; ``make.py`` beside them says how.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mel_pipeline.cli import main
from mel_pipeline.publication import store
from mel_pipeline.warehouse import Warehouse, migrating
from mel_pipeline.warehouse.tables import HEAD, VERSION_TABLE
from mel_pipeline_tests.conftest import Mel
from mel_pipeline_tests.fixtures.older_versions import LAYOUTS, unpack
from mel_pipeline_tests.fixtures.older_versions.make import QUARTERS

pytestmark = pytest.mark.exhaustive
CAUSE = re.compile(
    r"^  [A-Z]+-\d+ 2024.* (by definition change|\(late data\))"
)  # each is named with its reason
Said = tuple[int, str]
Older = tuple[Path, Warehouse, Callable[..., Said]]


@pytest.fixture(params=LAYOUTS)
def older(request: pytest.FixtureRequest, tmp_path: Path, mel: Mel) -> Older:
    """Home, warehouse, and the command of this version with its settings."""
    home = unpack(request.param, tmp_path)
    own = {"MEL_ORGANISATION": str(tmp_path / "organisation")} if (tmp_path / "organisation").exists() else {}
    settings = {
        "MEL_HOME": str(home),
        "MEL_REPORTS_DIR": str(tmp_path / "reports"),
        "MEL_BACKUP_DIR": str(tmp_path / "backups"),
        "MEL_BACKUP_PASSPHRASE": "correct horse",
        "MEL_TODAY": "2025-02-01",
        "MEL_FIRST_QUARTER": "2024-Q1",
        **own,
    }

    def run(*arguments: str, **more: str) -> Said:
        ended = mel(*arguments, **{**settings, **more})
        return ended.returncode, ended.stdout + ended.stderr

    return home, Warehouse(f"duckdb:///{home / 'warehouse.duckdb'}", 30), run


def layout_of(warehouse: Warehouse) -> str:
    with warehouse.connect() as connection:
        return str(migrating.version_of(connection))


def published(warehouse: Warehouse, columns: str = "*") -> list[dict[str, object]]:
    """What was published, and the ledger that says who did and with which digest."""
    by_all = "order by all"
    rows = warehouse.records(f"select {columns} from published_figures {by_all}")
    return [*rows, *warehouse.records(f"select * from publication_ledger {by_all}")]


def everything(home: Path) -> dict[str, str]:
    files = (path for path in home.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.fault(189)
def test_an_older_installation_is_upgraded_and_every_published_quarter_stays_as_it_was(older: Older) -> None:
    home, warehouse, mel = older
    was = layout_of(warehouse)
    columns = ", ".join(f'"{name}"' for name in warehouse.columns("published_figures"))
    before = published(warehouse, columns)
    assert {row["quarter"] for row in before} == set(QUARTERS)
    warehouse.engine.dispose()

    files = everything(home)
    code, said = mel("upgrade", "--check")
    assert f"Layout: is migrated from {was} to {HEAD}." in said
    assert code in (0, 1), said
    if code:
        named = said.partition("would restate: ")[2].splitlines()[1:]
        assert named and all(CAUSE.search(line) for line in named), said
    assert everything(home) == files, "it was tried on a copy"

    code, said = mel("upgrade")
    assert (code, said.strip()) == (0, f"The warehouse has schema version {HEAD}, the latest.")
    assert layout_of(warehouse) == HEAD
    assert published(warehouse, columns) == before
    assert store.broken_links(warehouse) == []
    warehouse.engine.dispose()
    for quarter in QUARTERS:
        code, said = mel("rebuild", quarter)
        assert code == 0 and "recalculated from the stored data are identical" in said, said


@pytest.mark.fault(189)
def test_a_backup_of_the_older_installation_is_restored_in_this_version(older: Older, tmp_path: Path) -> None:
    _, warehouse, mel = older
    was = layout_of(warehouse)
    warehouse.engine.dispose()
    code, said = mel("backup")
    assert code == 0, said
    assert layout_of(warehouse) == was, "a backup changes nothing"
    warehouse.engine.dispose()
    (folder,) = (tmp_path / "backups").glob("mel-*Z")
    there = {"MEL_HOME": str(tmp_path / "new"), "MEL_REPORTS_DIR": str(tmp_path / "new-reports")}
    code, said = mel("restore", str(folder), "--verify", **there)
    assert code == 0, said
    assert said.count("recalculated from the stored data are identical") == len(QUARTERS)


@pytest.mark.fault(189)
def test_the_history_of_runs_of_the_older_version_is_read(older: Older) -> None:
    home, _, mel = older
    import dagster as dg

    history = home / "dagster"
    assert (history / "history" / "runs.db").is_file()
    with dg.DagsterInstance.from_config(str(history)) as instance:
        (record,) = instance.get_run_records()
        assert record.dagster_run.is_success
        keys = instance.all_asset_keys()
        assert keys and all(instance.get_latest_materialization_event(key) for key in keys)
        assert instance.all_logs(record.dagster_run.run_id)
    code, said = mel("doctor", "--offline")
    assert "Queue of runs" in said and code in (0, 1, 2)
    assert "cannot be read" not in said


@pytest.mark.fault(190)
def test_the_version_before_refuses_what_this_one_has_upgraded_and_changes_nothing(
    older: Older, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home, warehouse, mel = older
    was = layout_of(warehouse)
    warehouse.engine.dispose()
    assert mel("upgrade")[0] == 0
    files = everything(home)
    # The older version knows its own layout as the newest one; what it then does has been the same since layouts have numbers.
    monkeypatch.setattr(migrating, "HEAD", was)
    monkeypatch.setenv("MEL_HOME", str(home))
    monkeypatch.setattr("sys.argv", ["mel", "upgrade"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    said = " ".join(capsys.readouterr().err.split())
    assert ended.value.code == 1
    assert f"written by a newer version of this package (layout {HEAD}, this one knows {was})" in said
    assert "Nothing was changed" in said
    warehouse.engine.dispose()
    assert everything(home) == files
    assert warehouse.records(f"select version_num from {VERSION_TABLE}") == [{"version_num": HEAD}]
