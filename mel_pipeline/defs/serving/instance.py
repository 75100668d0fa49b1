"""Dagster's home folder: where runs and events are kept."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

from mel_pipeline.core.errors import SettingsError, WarehouseError
from mel_pipeline.core.private_files import secure
from mel_pipeline.core.settings import Settings

SHIPPED = Path(__file__).parent / "dagster.yaml"
STORAGE_URL = "MEL_DAGSTER_STORAGE_URL"
ON_POSTGRES = """
storage:
  custom:
    module: mel_pipeline.defs.serving.storage
    class: SettingsStorage
    config: {}
"""
# Of earlier versions, replaced where it stands.
EARLIER = f"""
storage:
  postgres:
    postgres_url: {{env: {STORAGE_URL}}}
"""


def prepare_home(settings: Settings) -> Path:
    """Create the folder with our dagster.yaml, unless the operator has put another one there; point Dagster at it."""
    home = settings.dagster_home.resolve()
    secure(settings.home)
    home.mkdir(parents=True, exist_ok=True)
    target, url = home / "dagster.yaml", settings.dagster_storage_url.get_secret_value()
    shipped = SHIPPED.read_text(encoding="utf-8")
    ours = {shipped, shipped + ON_POSTGRES, shipped + EARLIER}
    wanted = shipped + ON_POSTGRES if url else shipped
    if not target.exists() or (target.read_text(encoding="utf-8") in ours - {wanted}):
        target.write_text(wanted, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
    # Events of one step are written together: one commit per event is most of the cost of a short step.
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "50")
    if url:
        os.environ[STORAGE_URL] = url
    return home


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """Dagster's instance.

    Raises:
        SettingsError: the storage is not a PostgreSQL URL.
        WarehouseError: its server cannot be reached, or this user may not create tables.
    """
    if url := settings.dagster_storage_url.get_secret_value():
        from mel_pipeline.warehouse.postgres import is_postgres, require_reachable

        if not is_postgres(url):
            raise SettingsError(
                f"Opening Dagster's storage: {STORAGE_URL} is not a PostgreSQL URL. Write it like"
                " postgresql://user:password@host/dagster, or leave it empty for files in MEL_HOME."
            )
        require_reachable(url)
    prepare_home(settings)
    from sqlalchemy.exc import DBAPIError

    try:
        return dg.DagsterInstance.get()
    except DBAPIError as error:
        reason = str(error.orig).strip().split("\n", 1)[0]
        raise WarehouseError(
            f"Opening Dagster's storage: {reason}. The user of {STORAGE_URL} has to own that database: as its owner,"
            " `alter database dagster owner to ...` in psql, with the names of your URL."
        ) from None
