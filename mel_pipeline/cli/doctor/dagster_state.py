"""Daemon and queue, read from Dagster's own tables: Dagster takes seconds to import, and may be what is broken."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mel_pipeline.cli.doctor.finding import WorthALookError
from mel_pipeline.core.disk_trouble import NO_SPACE, says_full_disk
from mel_pipeline.core.errors import SettingsError, WarehouseError
from mel_pipeline.core.settings import Settings
from mel_pipeline.warehouse.postgres import is_postgres, open_engine, require_reachable

DEAD_AFTER = timedelta(minutes=2)  # it reports every 30 seconds
STUCK_AFTER = timedelta(minutes=10)
NOT_RUNNING = (
    "not running, so nothing runs at night and no notification goes out: start `mel dev` (under systemd:"
    " `systemctl restart` with the name of your unit)"
)
HEARTBEATS = "select daemon_type, timestamp as moment from daemon_heartbeats"
FINISHED = (
    "select pipeline_name, partition, update_timestamp as moment from runs"
    " where status in ('SUCCESS', 'FAILURE', 'CANCELED')"
)
SUPERFLUOUS = 50  # runs that housekeeping removes at once, every six hours
RUNS = "select status, create_timestamp as moment from runs where status in ('QUEUED', 'STARTING', 'STARTED', 'CANCELING')"


def daemon(settings: Settings) -> str:
    """Without the daemon, runs started in the UI stay queued and nothing runs at night."""
    rows = _rows(settings, HEARTBEATS)
    last = max((_moment(row[1]) for row in rows), default=None)
    if last is not None and _now() - last < DEAD_AFTER:
        return "running"
    if settings.team:
        seen = f"; last seen on {last:%Y-%m-%d at %H:%M} UTC" if last else ""
        raise SettingsError(NOT_RUNNING + seen)
    if any(row[0] == "QUEUED" for row in _rows(settings, RUNS)):
        raise WarehouseError("not running, and runs are queued: `mel dev` starts it")
    return "not running; `mel dev` starts it with the UI (only needed for the UI and the nightly run)"


def queue(settings: Settings) -> str:
    """A queue that waits while nothing is at work does not move by itself."""
    rows = [(str(status), _moment(moment)) for status, moment in _rows(settings, RUNS)]
    waiting = [moment for status, moment in rows if status == "QUEUED"]
    working = len(rows) - len(waiting)
    if not waiting:
        return f"empty, {working} at work" if working else "empty"
    waits = _now() - min(waiting)
    words = f"{len(waiting)} waiting, the first for {waits.total_seconds() / 60:.0f} minutes"
    if waits > STUCK_AFTER and not working:
        raise WarehouseError(f"{words}, while nothing is at work: restart `mel dev`")
    if waits > timedelta(hours=2):
        raise WorthALookError(f"{words}. Look at the run that is at work, under Runs in the Dagster UI")
    return words


def history(settings: Settings) -> str:
    """How much past runs take; without housekeeping each night adds megabytes for ever."""
    rows = _rows(settings, FINISHED)
    files = (settings.dagster_home / "history").rglob("*.db*")
    size = "" if settings.dagster_storage_url.get_secret_value() else f", {_megabytes(files):,.0f} MB"
    words = f"{len(rows):,} run{'s' if len(rows) != 1 else ''}{size}"
    before = _now() - timedelta(days=settings.keep_runs_days + 7)
    old = [(job, partition) for job, partition, moment in rows if _moment(moment) < before]
    more = len(old) - len(set(old))  # the last of each job and quarter stays
    if more > SUPERFLUOUS:
        raise WorthALookError(
            f"{words}; {more:,} of them are older than MEL_KEEP_RUNS_DAYS ({settings.keep_runs_days}) and of no use: switch on"
            " the sensor housekeeping under Automation in the Dagster UI"
        )
    return words


def _megabytes(files: Iterable[Path]) -> float:
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def _rows(settings: Settings, query: str) -> Sequence[Any]:
    """Rows of Dagster's storage, which is left as it is; none if it has not been used yet.

    Raises:
        WarehouseError: it cannot be read.
    """
    if url := settings.dagster_storage_url.get_secret_value():
        return _of_server(url, query)
    file = settings.dagster_home / "history" / "runs.db"
    if not file.is_file():
        return []
    try:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
    except sqlite3.Error as error:
        raise WarehouseError(f"reading {file}: {error}") from None
    try:
        return connection.execute(query).fetchall()
    except sqlite3.DatabaseError as error:
        if "no such table" in str(error):
            return []
        if says_full_disk(str(error)):  # SQLite writes beside a file that it reads
            raise WarehouseError(f"reading {file}: {error}. {NO_SPACE}") from None
        raise WarehouseError(
            f"reading {file}: {error}. Restore it from a backup, or move the folder {file.parent} away: Dagster starts a new"
            " history, and no figure depends on it"
        ) from None
    finally:
        connection.close()


def _of_server(url: str, query: str) -> Sequence[Any]:
    import sqlalchemy as sa

    if not is_postgres(url):
        raise SettingsError(
            "MEL_DAGSTER_STORAGE_URL is not a PostgreSQL URL. Write it like postgresql://user:password@host/dagster"
        )
    require_reachable(url)
    table = query.rpartition(" from ")[2].split()[0]
    with open_engine(url, 5.0).connect() as connection:
        if not sa.inspect(connection).has_table(table):
            return []
        return connection.execute(sa.text(query)).fetchall()


def _moment(written: Any) -> datetime:
    moment = written if isinstance(written, datetime) else datetime.fromisoformat(str(written))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _now() -> datetime:
    return datetime.now(UTC)
