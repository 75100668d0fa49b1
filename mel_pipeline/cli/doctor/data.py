"""The warehouse: reachable, fed, with the key that its people were pseudonymised with."""

from __future__ import annotations

from collections.abc import Iterator

from mel_pipeline.cli.doctor.finding import Finding, Level, guarded
from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import WarehouseError
from mel_pipeline.core.settings import Settings
from mel_pipeline.warehouse import Warehouse
from mel_pipeline.warehouse.postgres import is_postgres

MOST_HOURS = 36  # longer without any load: a night was missed
LAST_LOADS = """
    select source, entity, status, message, finished_at from (
        select *, row_number() over (partition by source, entity order by started_at desc, load_id desc) as turn
        from load_ledger
    ) as loads
    where turn = 1 order by source, entity
"""


def findings(settings: Settings) -> Iterator[Finding]:
    """What the warehouse says about itself."""
    warehouse = Warehouse(settings.database_url, min(settings.lock_wait_seconds, 5.0))
    reachable = guarded("Warehouse", lambda: _holds(warehouse, settings))
    yield reachable
    if reachable.level is Level.BROKEN:
        return
    yield guarded("Last loads", lambda: _last_loads(warehouse))
    yield guarded("Pseudonym key", lambda: _key(warehouse, settings))
    if not settings.sample:
        yield guarded("Nightly run", lambda: _last_run(warehouse))


def _holds(warehouse: Warehouse, settings: Settings) -> str:
    holds = warehouse.has_table("indicator_values")
    where = "PostgreSQL" if is_postgres(settings.database_url) else "DuckDB file"
    return f"{where}, {'holds figures' if holds else 'empty; `mel run --quarter ...` fills it'}"


def _last_loads(warehouse: Warehouse) -> str:
    """The last load of each entity: the figures are as old as the last good one."""
    if not warehouse.has_table("load_ledger"):
        return "nothing has been loaded yet"
    known = {(name, entity) for name in source_names() for entity in contract_of(name).entities}
    rows = [row for row in warehouse.records(LAST_LOADS) if (row["source"], row["entity"]) in known]
    failed = [row for row in rows if row["status"] == "failed"]
    if failed:
        sentences = [f"{row['source']} {row['entity']}: {row['message']}" for row in failed]
        raise WarehouseError(f"{len(failed)} of {len(rows)} failed. {' '.join(sentences)}")
    return f"{len(rows)}, all of them succeeded" if rows else "nothing has been loaded yet"


def _key(warehouse: Warehouse, settings: Settings) -> str:
    """Without the key nothing about people can be loaded; a new one would count them twice. Creates none."""
    from mel_pipeline.ingest.privacy.keys import require_same_key
    from mel_pipeline.ingest.privacy.pseudonyms import FILE, load_pseudonyms

    used = warehouse.has_table("pseudonym_key") and warehouse.records("select key_id from pseudonym_key")
    path = settings.secrets_dir / FILE
    if not settings.pseudonym_key.get_secret_value() and not path.exists():
        if used:
            raise WarehouseError(
                f"missing: {path} is not there and MEL_PSEUDONYM_KEY is empty, while the warehouse holds people. Restore"
                " it from a backup; with another key the same person would count twice"
            )
        return "is created with the first load; keep a copy then"
    pseudonyms = load_pseudonyms(settings)
    if used:
        require_same_key(warehouse, pseudonyms)
    return "there, and the one the warehouse was loaded with" if used else "there"


def _last_run(warehouse: Warehouse) -> str:
    """Time of the last load. A timer that calls `mel doctor` turns a missed night into an alert."""
    if not warehouse.has_table("load_ledger"):
        return "nothing has run yet"
    last = warehouse.records("select max(finished_at) as moment from load_ledger")[0]["moment"]
    if last is None:
        return "nothing has run yet"
    hours = (utc_now() - last).total_seconds() / 3600
    if hours > MOST_HOURS:
        raise WarehouseError(
            f"nothing ran for {hours / 24:.0f} days (last on {last:%Y-%m-%d at %H:%M} UTC). Check that `mel dev`"
            " runs and the schedule every_night is on; one run catches up on everything."
        )
    return f"last on {last:%Y-%m-%d at %H:%M} UTC"
