"""An upgrade tried on a copy: what it would change is said, and nothing is changed."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mel_pipeline.backup import rehearsal
from mel_pipeline.backup.rehearsal import rehearse
from mel_pipeline.cli.main import app
from mel_pipeline.core.errors import WarehouseError
from mel_pipeline.core.settings import Settings
from mel_pipeline.warehouse.tables import HEAD
from mel_pipeline_tests.fixtures.interrupted import QUARTERS, fill, make_old
from mel_pipeline_tests.fixtures.organisation import Small, copy_of

pytestmark = pytest.mark.slow


@pytest.fixture
def small(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Small:
    return copy_of(tmp_path_factory, "two-quarters-one-published", tmp_path / "home", fill)


def everything(small: Small) -> dict[str, str]:
    """Files of the home with their hashes, the database closed."""
    small.warehouse.engine.dispose()
    files = (path for path in small.settings.home.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def with_other_models(small: Small, folder: Path, file: str, old: str, new: str) -> Settings:
    """The settings of a version in which one model differs."""
    shutil.copytree(small.settings.project_dir / "dbt_like_sql", folder / "dbt_like_sql")
    path = folder / "dbt_like_sql" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    for name in ("reports", "organisation"):
        if (small.settings.project_dir / name).exists():
            (folder / name).symlink_to(small.settings.project_dir / name)
    return small.settings.model_copy(update={"project_dir": folder})


@pytest.mark.exhaustive  # recalculates every quarter
def test_the_same_version_changes_no_published_figure_and_no_byte(small: Small) -> None:
    before = everything(small)
    found = rehearse(small.warehouse, small.settings)
    assert (found.layout, found.migrates) == (HEAD, False)
    assert found.quarters == list(QUARTERS)
    assert found.published == [QUARTERS[0]]
    assert found.differences == []
    assert everything(small) == before


@pytest.mark.exhaustive  # recalculates every quarter
def test_an_older_layout_is_migrated_on_the_copy_alone(small: Small) -> None:
    make_old(small)
    before = everything(small)
    found = rehearse(small.warehouse, small.settings)
    assert (found.layout, found.migrates, found.differences) == ("0001", True, [])
    assert everything(small) == before


@pytest.mark.long
def test_each_published_figure_that_another_definition_would_restate_is_named(
    small: Small, tmp_path: Path
) -> None:
    settings = with_other_models(
        small,
        tmp_path / "next",
        "models/marts/indicators/ind_mem_01.sql",
        "members_at_the_end('is_member')",
        """members_at_the_end("is_member and account_id <> '1'")""",
    )
    found = rehearse(small.warehouse, settings).differences
    assert f"MEM-01 {QUARTERS[0]} total: published 7, now 6; -1 by definition change." in found
    assert all("definition change" in sentence for sentence in found)


@pytest.mark.long
def test_a_migration_that_fails_says_so_and_leaves_everything_as_it_was(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise WarehouseError("Migrating the tables: a column is missing.")

    monkeypatch.setattr(rehearsal, "upgraded", fail)
    before = everything(small)
    with pytest.raises(WarehouseError, match="a column is missing"):
        rehearse(small.warehouse, small.settings)
    assert everything(small) == before


@pytest.mark.exhaustive  # recalculates every quarter
def test_the_command_says_what_changes_and_ends_with_one_where_a_figure_would_be_restated(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEL_HOME", str(small.settings.home))
    monkeypatch.setenv("MEL_WAREHOUSE_URL", small.settings.database_url)
    small.warehouse.engine.dispose()
    ended = CliRunner().invoke(app, ["upgrade", "--check"])
    assert ended.exit_code == 0, ended.output
    assert f"Layout: stays at {HEAD}. Quarters recalculated on a copy: 2." in ended.output
    assert "Published quarters whose figures stay as they are: 1." in ended.output
    assert not list(small.settings.home.glob("rehearsal-*"))
