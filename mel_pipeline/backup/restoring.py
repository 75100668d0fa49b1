"""Restore a backup into an empty installation, erase who was erased since, and verify every published quarter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mel_pipeline.backup import erasures, keys, manifest, postgres_tools
from mel_pipeline.backup.making import DAGSTER, WAREHOUSE, published_quarters
from mel_pipeline.backup.places import copy_back, places
from mel_pipeline.core.errors import BackupError
from mel_pipeline.core.settings import Settings
from mel_pipeline.ingest.raw_tables import ensure_all
from mel_pipeline.publication.rebuild import rebuild
from mel_pipeline.transform import Runner, SqlProject
from mel_pipeline.transform.catalogue import catalogue_of
from mel_pipeline.transform.variables import sql_variables
from mel_pipeline.warehouse import Warehouse
from mel_pipeline.warehouse.dump import restore as load


@dataclass(frozen=True)
class Step:
    """One thing done, in a sentence; ``is_sound`` false: a published quarter could not be verified."""

    sentence: str
    is_sound: bool = True


def restore_keys(settings: Settings, folder: Path, *, keep_settings: bool = False) -> Iterator[Step]:
    """Check the backup, then put ``.env`` and the keys in place where they are missing. Read the settings again after it.

    Raises:
        BackupError: the backup is damaged, the passphrase is another one, or the machine has another pseudonym key or
            (unless ``keep_settings``) other settings.
    """
    held = manifest.check(folder)
    yield Step(f"{folder.name}: {len(held.files):,} files are as they were written.")
    secret = keys.file_of(folder)
    passphrase = settings.backup_passphrase.get_secret_value()
    if secret.exists() and passphrase:
        written = keys.put_back(keys.read_keys(secret, passphrase), settings, keep_settings=keep_settings)
        yield Step(f"Keys: {', '.join(written) or 'all were there'}.")
    elif secret.exists():
        yield Step(f"Keys: not restored. Set MEL_BACKUP_PASSPHRASE to open {secret.name}.", is_sound=False)
    else:
        yield Step(
            "Keys: none are beside this backup. Put the pseudonym key and .env back by hand.", is_sound=False
        )


def restore(settings: Settings, warehouse: Warehouse, folder: Path) -> Iterator[Step]:
    """Restore what ``restore_keys`` has checked, and erase who was erased since; a step at a time.

    Raises:
        BackupError: there is another file at a place already.
        WarehouseError: the warehouse is not empty.
    """
    _require_empty(settings, warehouse)
    since = erasures.listed(folder.parent)  # read before anything is changed
    listed = load(warehouse, folder / WAREHOUSE)
    yield Step(
        f"Warehouse: {len(listed.tables)} tables, {listed.rows:,} rows, each compared with the backup."
    )
    yield Step(_erased(erasures.apply(warehouse, since)))
    write_views(settings, warehouse)
    for place in places(settings):
        if (folder / place.name).is_dir():
            yield Step(f"{place.name}: {copy_back(folder / place.name, place.folder):,} files.")
    if (folder / DAGSTER).exists():
        yield Step(_dagster(settings, folder / DAGSTER))


def verify(warehouse: Warehouse) -> Iterator[Step]:
    """Each published quarter, recalculated from the stored rows and compared byte for byte with what was published."""
    quarters = published_quarters(warehouse)
    for quarter in quarters:
        result = rebuild(warehouse, quarter)
        yield Step(result.sentence, result.is_verified)
    if not quarters:
        yield Step("No quarter is published: there is nothing to verify.")


def _require_empty(settings: Settings, warehouse: Warehouse) -> None:
    """Refuse a home in use.

    Raises:
        BackupError: the warehouse holds tables.
    """
    if warehouse.tables():
        raise BackupError(
            f"Restoring into {settings.home}: the warehouse holds data. Set MEL_HOME and MEL_WAREHOUSE_URL to empty ones."
        )


def _erased(done: list[erasures.Erasure]) -> str:
    if not done:
        return "Erasures: nobody was erased since the backup was made."
    people = "one was" if len(done) == 1 else f"{len(done)} were"
    return f"Erasures: {people} erased since the backup was made, and now again."


def _dagster(settings: Settings, file: Path) -> str:
    url = settings.dagster_storage_url.get_secret_value()
    if not url:
        return "Dagster's history: not restored, as MEL_DAGSTER_STORAGE_URL is not set. It holds the list of past runs."
    postgres_tools.restore(url, file)
    return "Dagster's history: restored."


def write_views(settings: Settings, warehouse: Warehouse) -> None:
    """Views are SQL of this version, over the restored tables, which may be those of an older one."""
    ensure_all(catalogue_of(settings), warehouse)
    variables = sql_variables(settings, settings.open_quarter)
    project = SqlProject.load(settings.sql_dir, variables)
    views = {name for name, model in project.models.items() if model.config.materialized == "view"}
    for result in Runner(warehouse).run(project, views, variables, with_tests=False):
        if result.status == "failed":
            raise BackupError(f"Restoring the warehouse: the model {result.name}: {result.message}")
