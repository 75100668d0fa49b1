"""`mel doctor`: check what a run needs, item by item; every fault says what to do."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from mel_pipeline.core.contracts import contract_of, source_names
from mel_pipeline.core.errors import MelError, ReportError, SettingsError, WarehouseError
from mel_pipeline.core.settings import Settings

FREE_BYTES = 1_000_000_000
MOST_HOURS = 36  # longer without any load: a night was missed


@dataclass(frozen=True)
class Finding:
    good: bool
    what: str
    words: str


def findings(settings: Settings) -> Iterator[Finding]:
    """Every finding, in the order in which a run would fail."""
    yield Finding(
        sys.version_info >= (3, 11), "Python", f"{sys.version.split()[0]} (3.11 or later is needed)"
    )
    yield _folder(settings)
    yield Finding(
        True,
        "Data",
        "sample organisation; set MEL_SAMPLE=false and the MEL_* settings for real accounts"
        if settings.sample
        else "real accounts",
    )
    yield _guarded("Warehouse", lambda: _warehouse(settings))
    if not settings.sample:
        yield _guarded("Nightly run", lambda: _last_run(settings))
    yield _guarded("SQL models", lambda: _models(settings))
    yield _guarded("Languages", lambda: _languages(settings))
    for source in source_names():
        yield _guarded(contract_of(source).title, partial(_source, source, settings))
    yield _guarded("E-mail of editions", lambda: _editions(settings))
    yield _guarded("Failure notifications", lambda: _notifications(settings))
    yield _guarded("Dagster daemon", lambda: _daemon(settings))


def _guarded(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(True, what, look())
    except MelError as error:
        return Finding(False, what, str(error))


def _folder(settings: Settings) -> Finding:
    settings.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.home).free
    writable = os.access(settings.home, os.W_OK)
    words = f"{settings.home}, {free / 1e9:.0f} GB free"
    if not writable:
        words += "; not writable: grant this user write access, or set MEL_HOME"
    elif free < FREE_BYTES:
        words += "; at least 1 GB is required"
    return Finding(writable and free >= FREE_BYTES, "Folder", words)


def _warehouse(settings: Settings) -> str:
    from mel_pipeline.warehouse import Warehouse
    from mel_pipeline.warehouse.postgres import is_postgres

    warehouse = Warehouse(settings.database_url, min(settings.lock_wait_seconds, 5.0))
    holds = warehouse.has_table("indicator_values")
    where = "PostgreSQL" if is_postgres(settings.database_url) else "DuckDB file"
    return f"{where}, {'holds figures' if holds else 'empty; `mel run --quarter ...` fills it'}"


def _last_run(settings: Settings) -> str:
    """Time of the last load. A timer that calls `mel doctor` turns a missed night into an alert."""
    from mel_pipeline.core.clock import utc_now
    from mel_pipeline.warehouse import Warehouse

    warehouse = Warehouse(settings.database_url, min(settings.lock_wait_seconds, 5.0))
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


def _models(settings: Settings) -> str:
    from mel_pipeline.transform import SqlProject
    from mel_pipeline.transform.catalogue import load_catalogue
    from mel_pipeline.transform.variables import sql_variables

    project = SqlProject.load(settings.sql_dir, sql_variables(settings, settings.open_quarter))
    return f"{len(project.models)} models, {len(load_catalogue(settings.sql_dir).indicators)} indicators"


def _languages(settings: Settings) -> str:
    """The languages of the reports; the names in the catalogue are checked when an edition is written."""
    from mel_pipeline.reporting.text.languages import gaps_of_file, language_name, languages, sentence_of

    chosen = languages(settings.report_sources, settings.languages)
    missing = {code: gaps_of_file(settings.report_sources, code) for code in chosen}
    if wrong := [sentence_of(code, found) for code, found in missing.items() if found]:
        raise ReportError(" ".join(wrong))
    return ", ".join(map(language_name, chosen))


def _source(source: str, settings: Settings) -> str:
    from mel_pipeline.sources import open_source

    open_source(source, settings)
    return "settings are complete"


def _editions(settings: Settings) -> str:
    return _mail(settings, settings.mail_to.get_secret_value(), "MEL_MAIL_TO") or (
        "no recipients; set MEL_SMTP_HOST, MEL_MAIL_FROM and MEL_MAIL_TO to send any"
    )


def _notifications(settings: Settings) -> str:
    ways = [_mail(settings, settings.notify_to.get_secret_value(), "MEL_NOTIFY_TO")]
    ways += ["in a chat"] if settings.notify_webhook.get_secret_value() else []
    return " and ".join(filter(None, ways)) or (
        "no recipients; set MEL_NOTIFY_TO (with a mail server) or MEL_NOTIFY_WEBHOOK to send any"
    )


def _mail(settings: Settings, addresses: str, setting: str) -> str:
    """Check the mail settings without sending anything; empty if no address is set."""
    from mel_pipeline.delivery.recipients import one_address, recipients
    from mel_pipeline.delivery.service import mail_server

    if not addresses:
        return ""
    server, people = mail_server(settings), recipients(addresses, setting)
    one_address(settings.mail_from.get_secret_value(), "MEL_MAIL_FROM")
    return f"to {len(people)} address{'es' if len(people) != 1 else ''} by {server.host}"


def _daemon(settings: Settings) -> str:
    """Without the daemon, runs started in the UI stay queued and nothing runs at night."""
    from mel_pipeline.defs.serving.instance import daemon_is_running

    if daemon_is_running(settings):
        return "running"
    if settings.team:
        raise SettingsError(
            "not running, so nothing runs at night and no notification goes out: start `mel dev` (under systemd:"
            " `systemctl restart` with the name of your unit)"
        )
    return "not running; `mel dev` starts it with the UI (only needed for the UI and the nightly run)"
