"""The drill: a backup, a new machine, the same figures, and nobody back who asked to be erased."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from mel_pipeline.backup import erasures, keys, manifest
from mel_pipeline.backup.making import back_up
from mel_pipeline.backup.restoring import Step, restore, restore_keys, verify
from mel_pipeline.cli.doctor import machine
from mel_pipeline.cli.doctor.finding import WorthALookError
from mel_pipeline.core.errors import BackupError, WarehouseError
from mel_pipeline.core.settings import Settings
from mel_pipeline.ingest.privacy import load_pseudonyms
from mel_pipeline.ingest.privacy.erasure import erase
from mel_pipeline.warehouse import Warehouse, migrating
from mel_pipeline.warehouse.dump import copy, dump
from mel_pipeline.warehouse.dump import restore as load
from mel_pipeline_tests.fixtures.organisation import Small, copy_of, event, member

pytestmark = [pytest.mark.slow, pytest.mark.long]

QUARTER = "2024-Q4"
ANSWER = "zoho_survey|r7"
NOON = datetime(2026, 11, 20, 12)


def _one_published_quarter(small: Small) -> None:
    small.load("accounts", [member(number) for number in range(1, 11)])
    small.load("events", [event(1)])
    small.survey("lab.csv", {f"r{number}": "Satisfied" for number in range(40)})
    small.calculate(QUARTER)
    small.publish(QUARTER)
    small.warehouse.fold()


@pytest.fixture
def small(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Small:
    """A published quarter, a narrative, a run of Dagster, a backup folder and a passphrase."""
    made = copy_of(tmp_path_factory, "backed-up", tmp_path / "home", _one_published_quarter)
    (made.settings.home / "narrative").mkdir(exist_ok=True)
    (made.settings.home / "narrative" / "2024-Q4.yml").write_text("main_points: []\n", encoding="utf-8")
    history = made.settings.dagster_home / "history"
    history.mkdir(parents=True)
    with closing(sqlite3.connect(history / "runs.db")) as runs:
        runs.execute("create table runs (run_id text)")
        runs.execute("insert into runs values ('one')")
        runs.commit()
    return Small(_with_backups(made.settings, tmp_path), made.warehouse)


def _with_backups(settings: Settings, folder: Path, **other: object) -> Settings:
    given = {"backup_dir": folder / "backups", "backup_passphrase": SecretStr("correct horse")}
    return settings.model_copy(update={**given, "reports_dir": settings.home / "published", **other})


def _elsewhere(settings: Settings, home: Path) -> Settings:
    return settings.model_copy(update={"home": home, "reports_dir": home / "published"})


def _restored(settings: Settings, warehouse: Warehouse, folder: Path) -> list[Step]:
    steps = [*restore_keys(settings, folder), *restore(settings, warehouse, folder)]
    return [*steps, *verify(warehouse)]


def _content(warehouse: Warehouse) -> dict[str, list[tuple[str, ...]]]:
    """Every table as sorted rows of text, numbers as numbers."""
    with warehouse.connect() as connection:
        kind = "base table"
        names = connection.exec_driver_sql(
            "select table_name from information_schema.tables where table_schema = current_schema()"
            f" and lower(table_type) = '{kind}'"
        ).scalars()
        return {
            name: sorted(
                tuple(map(repr, row)) for row in connection.exec_driver_sql(f'select * from "{name}"').all()
            )
            for name in sorted(names)
        }


@pytest.mark.parametrize("engine", ["duckdb", pytest.param("postgres", marks=pytest.mark.exhaustive)])
@pytest.mark.long
def test_a_new_machine_holds_the_same_rows_files_and_published_figures(
    small: Small, tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    made = back_up(small.settings, small.warehouse, lambda: NOON)
    there = _elsewhere(small.settings, tmp_path / "new")
    url = there.database_url if engine == "duckdb" else str(request.getfixturevalue("postgres_url"))
    warehouse = Warehouse(url, 5)
    steps = _restored(there, warehouse, made.folder)
    assert [step.sentence for step in steps if not step.is_sound] == []
    assert "identical" in steps[-1].sentence
    before, after = _content(small.warehouse), _content(warehouse)
    assert {name: rows for name, rows in after.items() if rows or name in before} == before  # others: empty
    assert (there.home / "narrative" / "2024-Q4.yml").read_text(encoding="utf-8") == "main_points: []\n"
    with closing(sqlite3.connect(there.dagster_home / "history" / "runs.db")) as runs:
        assert runs.execute("select run_id from runs").fetchall() == [("one",)]
    assert load_pseudonyms(there).key == load_pseudonyms(small.settings).key
    if engine == "postgres":
        back = Warehouse(f"duckdb:///{tmp_path / 'back.duckdb'}", 5)
        copy(warehouse, back, tmp_path)
        assert _content(back) == _content(small.warehouse)
        with pytest.raises(WarehouseError, match=r"already holds \d+ tables.*Nothing was changed"):
            copy(small.warehouse, back, tmp_path)
        return
    # The new machine goes on: a late answer is restated, not lost.
    again = Small(there, warehouse)
    again.survey("late.csv", {f"late{number}": "Very dissatisfied" for number in range(9)})
    again.calculate(QUARTER)
    assert again.restated(QUARTER)


@pytest.mark.exhaustive
def test_who_was_erased_after_the_backup_is_erased_again_before_anything_starts(
    small: Small, tmp_path: Path
) -> None:
    made = back_up(small.settings, small.warehouse, lambda: NOON)
    erase(small.warehouse, load_pseudonyms(small.settings), "survey_files", ANSWER, "request")
    assert small.settings.backup_dir
    erasures.note(small.warehouse, small.settings.backup_dir)
    there = _elsewhere(small.settings, tmp_path / "new")
    warehouse = Warehouse(there.database_url, 5)
    steps = _restored(there, warehouse, made.folder)
    assert "Erasures: one was erased since the backup was made, and now again." in [
        step.sentence for step in steps
    ]
    assert steps[-1].is_sound
    assert "1 person was erased on request" in steps[-1].sentence
    named = [name for name, rows in _content(warehouse).items() if any(f"'{ANSWER}'" in row for row in rows)]
    assert named == ["erasure"]
    assert _restored_again(there, warehouse) == []


def _restored_again(settings: Settings, warehouse: Warehouse) -> list[erasures.Erasure]:
    assert settings.backup_dir
    return erasures.apply(warehouse, erasures.listed(settings.backup_dir))


def test_a_backup_holds_one_state_while_a_run_writes(postgres_url: str, tmp_path: Path) -> None:
    warehouse = Warehouse(postgres_url, 5)
    with warehouse.transaction() as connection:
        migrating.ensure_tables(connection)
        connection.exec_driver_sql("create table aa (n bigint)")
        connection.exec_driver_sql("create table zz (n bigint)")
    with Warehouse(postgres_url, 5).transaction() as writing:
        writing.exec_driver_sql("insert into aa values (1)")
        writing.exec_driver_sql("insert into zz values (1)")
        rows = {table.name: table.rows for table in dump(warehouse, tmp_path).tables}
    assert (rows["aa"], rows["zz"]) == (0, 0)


def test_every_changed_missing_or_added_file_is_found_and_nothing_is_restored(
    small: Small, tmp_path: Path
) -> None:
    made = back_up(small.settings, small.warehouse, lambda: NOON)
    names = sorted(made.manifest.files)
    for number, (name, harm) in enumerate(
        [(names[0], "changed"), (names[-1], "missing"), ("warehouse/extra.parquet", "not part of it")]
    ):
        harmed = shutil.copytree(made.folder, tmp_path / f"harmed{number}" / made.folder.name)
        file = harmed / name
        if harm == "missing":
            file.unlink()
        else:
            file.write_bytes(b"x" + (file.read_bytes() if file.exists() else b""))
        there = _elsewhere(small.settings, tmp_path / f"new{number}")
        with pytest.raises(BackupError, match=harm):
            _restored(there, Warehouse(there.database_url, 5), harmed)
        assert not there.home.exists()


def test_secrets_stand_in_no_file_of_the_backup(small: Small) -> None:
    made = back_up(small.settings, small.warehouse, lambda: NOON)
    key = load_pseudonyms(small.settings).key
    assert small.settings.backup_dir
    for path in small.settings.backup_dir.rglob("*"):
        if path.is_file():
            assert key not in path.read_bytes()
            assert b"correct horse" not in path.read_bytes()
    for path in (made.folder, keys.file_of(made.folder), small.settings.backup_dir / erasures.FILE):
        assert path.stat().st_mode & 0o077 == 0


def test_another_passphrase_or_another_pseudonym_key_is_refused(small: Small, tmp_path: Path) -> None:
    made = back_up(small.settings, small.warehouse, lambda: NOON)
    with pytest.raises(BackupError, match="not the one it was made with"):
        keys.read_keys(keys.file_of(made.folder), "correct house")
    there = _elsewhere(small.settings, tmp_path / "new")
    load_pseudonyms(there)  # makes a key of its own
    with pytest.raises(BackupError, match="another pseudonym key"):
        _restored(there, Warehouse(there.database_url, 5), made.folder)


@pytest.mark.fault(191)
def test_a_machine_with_other_settings_than_the_backup_is_restored_with_those_that_were_chosen(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a service: it was installed with settings of its own, which only root may replace."""
    here = tmp_path / "mel.env"
    monkeypatch.setenv("MEL_ENV_FILE", str(here))
    here.write_text("MEL_MIN_CELL=7\n", encoding="utf-8")
    made = back_up(small.settings, small.warehouse, lambda: NOON)
    there = _elsewhere(small.settings, tmp_path / "new")
    warehouse = Warehouse(there.database_url, 5)
    here.write_text("MEL_MIN_CELL=5\n", encoding="utf-8")
    with pytest.raises(
        BackupError, match=r"others than the backup.*--keep-settings. Nothing else was changed"
    ) as told:
        _restored(there, warehouse, made.folder)
    kept = there.secrets_dir / keys.SETTINGS
    assert str(kept) in str(told.value) and kept.stat().st_mode & 0o777 == 0o600
    assert [path for path in there.home.rglob("*") if path.is_file()] == [kept]
    assert here.read_text(encoding="utf-8") == "MEL_MIN_CELL=5\n"

    assert next(iter([*restore_keys(there, made.folder, keep_settings=True)][1:])).is_sound
    assert not kept.exists()
    here.write_text(keys.read_keys(keys.file_of(made.folder), "correct horse")["env"], encoding="utf-8")
    steps = _restored(there, warehouse, made.folder)
    assert all(step.is_sound for step in steps) and here.read_text(encoding="utf-8") == "MEL_MIN_CELL=7\n"


@pytest.mark.long
def test_without_a_passphrase_the_backup_says_that_the_keys_are_not_in_it(
    small: Small, tmp_path: Path
) -> None:
    settings = _with_backups(small.settings, tmp_path, backup_passphrase=SecretStr(""))
    made = back_up(settings, small.warehouse, lambda: NOON)
    assert "The pseudonym key and .env are not in it" in made.manifest.left_out[0]
    assert not keys.file_of(made.folder).exists()
    with pytest.raises(WorthALookError, match="has no keys"):
        machine.backups(settings, NOON)
    there = _elsewhere(settings, tmp_path / "new")
    steps = _restored(there, Warehouse(there.database_url, 5), made.folder)
    assert [step.sentence for step in steps if not step.is_sound] == [
        "Keys: none are beside this backup. Put the pseudonym key and .env back by hand."
    ]


def test_the_doctor_says_when_backups_are_missing_old_or_without_keys(small: Small, tmp_path: Path) -> None:
    settings = _with_backups(small.settings, tmp_path, sample=False)
    with pytest.raises(WorthALookError, match="none yet"):
        machine.backups(settings, NOON)
    back_up(settings, small.warehouse, lambda: NOON)
    assert machine.backups(settings, NOON).endswith("the last of 2026-11-20 12:00 UTC")
    with pytest.raises(WorthALookError, match="3 days old"):
        machine.backups(settings, NOON + timedelta(days=3))
    with pytest.raises(WorthALookError, match="none: set MEL_BACKUP_DIR"):
        machine.backups(settings.model_copy(update={"backup_dir": None}), NOON)


def test_an_interrupted_backup_counts_as_none_and_the_next_one_removes_it(small: Small) -> None:
    assert small.settings.backup_dir
    left = small.settings.backup_dir / ".mel-2026-11-19T120000Z.partial"
    left.mkdir(parents=True)
    (left / "x").write_text("half", encoding="utf-8")
    assert manifest.backups(small.settings.backup_dir) == []
    made = back_up(small.settings, small.warehouse, lambda: NOON)
    assert manifest.backups(small.settings.backup_dir) == [made.folder]
    assert not left.exists()


def test_a_copy_in_an_older_layout_is_brought_up_to_date(tmp_path: Path) -> None:
    old, new = (Warehouse(f"duckdb:///{tmp_path / name}.duckdb", 5) for name in ("old", "new"))
    with old.transaction() as connection:
        migrating.create_at(connection, "0004")
        connection.exec_driver_sql(
            "insert into kept_file (digest, content) values ('d', 'what an older version has written')"
        )
    assert dump(old, tmp_path / "copy").layout == "0004"
    load(new, tmp_path / "copy")
    with new.connect() as connection:
        assert migrating.version_of(connection) == migrating.HEAD
    assert new.records("select content from kept_file") == [{"content": "what an older version has written"}]


def test_backups_are_refused_where_readers_would_see_them(small: Small, tmp_path: Path) -> None:
    inside = _with_backups(small.settings, tmp_path, backup_dir=small.settings.home / "published" / "b")
    with pytest.raises(BackupError, match="which readers see"):
        back_up(inside, small.warehouse, lambda: NOON)


def test_old_backups_go_with_their_keys_and_the_newest_stays(small: Small, tmp_path: Path) -> None:
    settings = _with_backups(small.settings, tmp_path, backup_days=30)
    first = back_up(settings, small.warehouse, lambda: NOON - timedelta(days=40))
    assert manifest.backups(first.folder.parent) == [first.folder]
    second = back_up(settings, small.warehouse, lambda: NOON)
    assert second.removed == [first.folder]
    left = sorted(path.name for path in first.folder.parent.iterdir())
    assert left == [".lock", "erasures.jsonl", second.folder.name, f"{second.folder.name}.keys"]
