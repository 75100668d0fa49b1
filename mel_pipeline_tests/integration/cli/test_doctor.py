"""`mel doctor`: each kind of problem gets its own line and level, and a healthy installation gets none."""

from __future__ import annotations

import shutil
import sqlite3
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from mel_pipeline.cli.doctor import findings, findings_of, machine
from mel_pipeline.cli.doctor.finding import Finding, Level, guarded
from mel_pipeline.core.settings import Settings
from mel_pipeline.sandbox.server import Sandbox
from mel_pipeline_tests.conftest import Organisation
from mel_pipeline_tests.fixtures.organisation import member, organisation

Usage = namedtuple("Usage", "total used free")


def of(settings: Settings, *, offline: bool = True) -> dict[str, Finding]:
    return {finding.what: finding for finding in findings_of(settings, offline=offline)}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Real accounts with nothing set up but what each test adds; the CRM comes as files."""
    exports = tmp_path / "exports"
    exports.mkdir()
    tmp_path.chmod(0o700)
    return Settings(home=tmp_path, reports_dir=tmp_path / "reports", sample=False, zoho_export_dir=exports)


@pytest.mark.slow
def test_unused_sources_are_no_fault_but_a_half_configured_one_is(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = of(settings)
    assert found["Instagram"].line == "· Instagram: not used; its settings are empty"
    assert found["Instagram"].level is Level.OK
    monkeypatch.setenv("MEL_MATOMO_URL", "https://stats.example.org")
    assert "MEL_MATOMO_" in of(settings)["Matomo"].words and of(settings)["Matomo"].level is Level.BROKEN


@pytest.mark.slow
def test_a_crm_that_is_not_set_up_is_broken_because_every_figure_needs_it(settings: Settings) -> None:
    crm = of(settings.model_copy(update={"zoho_export_dir": None}))["Zoho CRM"]
    assert crm.level is Level.BROKEN and "MEL_ZOHO_" in crm.words


@pytest.mark.slow
def test_mail_is_looked_at_without_sending_any_or_printing_an_address(settings: Settings) -> None:
    mail = {"smtp_host": "smtp.example.org", "mail_from": SecretStr("mel@example.org")}
    to = SecretStr("en: a@example.org; fr: b@example.org")
    found = of(settings.model_copy(update={**mail, "mail_to": to}))
    assert found["E-mail of editions"].line == "✓ E-mail of editions: to 2 addresses by smtp.example.org"
    assert found["Failure notifications"].words.startswith("no recipients")
    wrong = of(settings.model_copy(update={**mail, "notify_to": SecretStr("nobody")}))[
        "Failure notifications"
    ]
    assert wrong.level is Level.BROKEN and "MEL_NOTIFY_TO" in wrong.words and "nobody" not in wrong.words


@pytest.mark.slow
@pytest.mark.fault(56)
def test_refused_credentials_are_found_by_asking_unless_offline(
    settings: Settings, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "URL": sandbox.url + "/matomo/index.php",
        "TOKEN": "hunter2",
        "SITE_IDS": "1",
    }.items():
        monkeypatch.setenv(f"MEL_MATOMO_{name}", value)
    assert of(settings)["Matomo"].level is Level.OK
    refused = of(settings, offline=False)["Matomo"]
    assert (
        refused.level is Level.BROKEN
        and "hunter2" not in refused.words
        and "MEL_MATOMO_TOKEN" in refused.words
    )


@pytest.mark.slow
def test_every_source_of_the_sample_can_be_reached(organisation: Organisation) -> None:
    from mel_pipeline.core.contracts import source_names
    from mel_pipeline.sources import ask

    for name in source_names():
        ask(name, organisation.settings)


@pytest.mark.slow
@pytest.mark.fault(56)
def test_a_last_load_that_failed_is_broken_until_one_succeeds(tmp_path: Path) -> None:
    small = organisation_of_files(tmp_path)
    small.load("accounts", [member(1)])
    assert of(small.settings)["Last loads"].line == "✓ Last loads: 1, all of them succeeded"
    with small.warehouse.transaction() as connection:
        connection.exec_driver_sql(
            "insert into load_ledger (load_id, source, entity, started_at, finished_at, status, fetched, new, changed,"
            " unchanged, repeated, quarantined, deleted, message) select 'later', source, entity, started_at + interval"
            " '1 hour', finished_at + interval '1 hour', 'failed', 0, 0, 0, 0, 0, 0, 0, 'the token has expired' from load_ledger"
        )
    found = of(small.settings)["Last loads"]
    assert found.level is Level.BROKEN and "accounts: the token has expired" in found.words
    small.load("accounts", [member(1)])
    with small.warehouse.transaction() as connection:
        connection.exec_driver_sql(
            "update load_ledger set started_at = started_at + interval '1 day' where status = 'loaded'"
        )
    assert of(small.settings)["Last loads"].level is Level.OK


def organisation_of_files(folder: Path):  # type: ignore[no-untyped-def]
    return organisation(folder, sample=True)


@pytest.mark.slow
@pytest.mark.fault(56)
def test_a_missing_or_another_pseudonym_key_is_broken_and_none_is_created(settings: Settings) -> None:
    from mel_pipeline.core.secret_files import write_secret
    from mel_pipeline.ingest.privacy.keys import require_same_key
    from mel_pipeline.ingest.privacy.pseudonyms import load_pseudonyms
    from mel_pipeline.warehouse import Warehouse

    key = settings.secrets_dir / "pseudonym.key"
    assert of(settings)["Pseudonym key"].level is Level.OK and not key.exists()
    require_same_key(Warehouse(settings.database_url), load_pseudonyms(settings))
    assert "the one the warehouse was loaded with" in of(settings)["Pseudonym key"].words
    key.unlink()
    lost = of(settings)["Pseudonym key"]
    assert lost.level is Level.BROKEN and "Restore it from a backup" in lost.words and not key.exists()
    write_secret(key, "f" * 64)
    assert of(settings)["Pseudonym key"].level is Level.BROKEN


def dagster_tables(execute, now: datetime, *, beat: timedelta, runs: list[tuple[str, timedelta]]) -> None:  # type: ignore[no-untyped-def]
    execute("create table daemon_heartbeats (daemon_type text, timestamp timestamp)")
    execute(
        "create table runs (status text, create_timestamp timestamp, update_timestamp timestamp, pipeline_name text,"
        " partition text)"
    )
    execute(f"insert into daemon_heartbeats values ('SENSOR', '{now - beat:%Y-%m-%d %H:%M:%S.%f}')")
    for status, age in runs:
        moment = f"{now - age:%Y-%m-%d %H:%M:%S.%f}"
        execute(f"insert into runs values ('{status}', '{moment}', '{moment}', 'nightly', '2024-Q4')")


MINUTE = timedelta(minutes=1)
STATES = [
    (0.5 * MINUTE, [], Level.OK, Level.OK, "running"),
    (3 * MINUTE, [], Level.BROKEN, Level.OK, "not running, so nothing runs at night"),
    (0.5 * MINUTE, [("QUEUED", 30 * MINUTE), ("STARTED", 20 * MINUTE)], Level.OK, Level.OK, "running"),
    (0.5 * MINUTE, [("QUEUED", 30 * MINUTE), ("SUCCESS", MINUTE)], Level.OK, Level.BROKEN, "running"),
    (0.5 * MINUTE, [("QUEUED", 180 * MINUTE), ("STARTED", 170 * MINUTE)], Level.OK, Level.WARN, "running"),
]


@pytest.mark.slow
@pytest.mark.fault(56)
@pytest.mark.parametrize(("beat", "runs", "daemon", "queue", "words"), STATES)
@pytest.mark.sweep
def test_a_daemon_dead_for_two_minutes_and_a_queue_that_does_not_move_are_broken(
    settings: Settings,
    beat: timedelta,
    runs: list[tuple[str, timedelta]],
    daemon: Level,
    queue: Level,
    words: str,
) -> None:
    file = settings.dagster_home / "history" / "runs.db"
    file.parent.mkdir(parents=True)
    with sqlite3.connect(file) as connection:
        dagster_tables(connection.execute, datetime.now(UTC), beat=beat, runs=runs)
    connection.close()
    found = of(settings.model_copy(update={"team": True}))
    assert (found["Dagster daemon"].level, found["Queue of runs"].level) == (daemon, queue)
    assert words in found["Dagster daemon"].words


@pytest.mark.slow  # a real server
@pytest.mark.long
def test_daemon_and_queue_are_read_from_postgresql_as_well(settings: Settings, postgres_url: str) -> None:
    given = settings.model_copy(update={"team": True, "dagster_storage_url": SecretStr(postgres_url)})
    assert "not running" in of(given)["Dagster daemon"].words
    with psycopg.connect(postgres_url) as connection:
        dagster_tables(connection.execute, datetime.now(UTC), beat=MINUTE, runs=[("QUEUED", 20 * MINUTE)])
    found = of(given)
    assert found["Dagster daemon"].words == "running" and found["Queue of runs"].level is Level.BROKEN
    assert found["History of runs"].words == "0 runs"
    gone = settings.model_copy(
        update={"dagster_storage_url": SecretStr("postgresql://u:hunter2@127.0.0.1:9/dagster")}
    )
    unreachable = of(gone)["Dagster daemon"]
    assert unreachable.level is Level.BROKEN and "hunter2" not in unreachable.words


@pytest.mark.slow
@pytest.mark.fault(188)
@pytest.mark.parametrize(("days", "level"), [(90, Level.OK), (98, Level.WARN)])
def test_a_history_that_nobody_tidies_is_worth_a_look(settings: Settings, days: int, level: Level) -> None:
    assert of(settings)["History of runs"].words == "0 runs, 0 MB"
    file = settings.dagster_home / "history" / "runs.db"
    file.parent.mkdir(parents=True)
    runs = [("SUCCESS", timedelta(days=days))] * 52 + [("STARTED", timedelta(days=200))] * 9
    with sqlite3.connect(file) as connection:
        dagster_tables(connection.execute, datetime.now(UTC), beat=MINUTE, runs=runs)
    connection.close()
    (file.parent / "runs").mkdir()
    (file.parent / "runs" / "index.db").write_bytes(b"0" * 3_000_000)
    found = of(settings)["History of runs"]
    assert found.level is level and found.words.startswith("52 runs, 3 MB")
    assert ("51 of them are older" in found.words) is (level is Level.WARN)


@pytest.mark.slow
@pytest.mark.fault(56)
@pytest.mark.parametrize(("free", "level"), [(50e9, Level.OK), (3e9, Level.WARN), (0.2e9, Level.BROKEN)])
def test_a_disk_that_is_nearly_full_warns_before_a_run_fails(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, free: float, level: Level
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100e9, 100e9 - free, free))
    assert of(settings)["Folder"].level is level


@pytest.mark.slow
@pytest.mark.fault(55)
def test_files_readable_by_others_are_named_with_the_command_that_closes_them(settings: Settings) -> None:
    assert of(settings)["Access"].level is Level.OK
    settings.home.chmod(0o755)
    found = of(settings)["Access"]
    assert found.level is Level.WARN and f"chmod -R go-rwx {settings.home}" in found.words


@pytest.mark.slow
@pytest.mark.fault(56)
def test_a_report_that_could_not_be_written_is_broken_before_it_is_due(settings: Settings) -> None:
    all_of_them = of(settings.model_copy(update={"formats": "html,pdf"}))["Reports"]
    assert all_of_them.words == f"html, pdf in {settings.published_dir}"
    unknown = of(settings.model_copy(update={"formats": "html,docx"}))["Reports"]
    assert unknown.level is Level.BROKEN and "no format docx" in unknown.words
    within = of(settings.model_copy(update={"reports_dir": settings.home.parent}))["Reports"]
    assert within.level is Level.BROKEN and "does not contain MEL_HOME" in within.words


@pytest.mark.slow
@pytest.mark.fault(56)
def test_what_breaks_in_an_unforeseen_way_is_one_broken_line_and_hides_no_other(settings: Settings) -> None:
    history = settings.dagster_home / "history"
    history.mkdir(parents=True)
    (history / "runs.db").write_text("no database " * 100)
    found = of(settings)
    assert "not a database" in found["Queue of runs"].words and found["Queue of runs"].level is Level.BROKEN
    (settings.home / "file").touch()
    found = of(settings.model_copy(update={"home": settings.home / "file"}))
    assert found["Warehouse"].level is Level.BROKEN and "Set" not in found["SQL models"].words

    def explode() -> str:
        raise KeyError("a name that no line may repeat")

    line = guarded("Part", explode)
    assert line.level is Level.BROKEN and "KeyError" in line.words and "repeat" not in line.words


@pytest.mark.parametrize(
    "url", ["mysql://mel:hunter2@host/mel", "sqlite:////data/mel.db", "warehouse.duckdb"]
)
def test_a_warehouse_of_another_kind_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("MEL_WAREHOUSE_URL", url)
    [*_, last] = findings(offline=True)
    assert last.level is Level.BROKEN and "MEL_WAREHOUSE_URL" in last.words and "hunter2" not in last.words


@pytest.mark.slow
def test_the_file_of_the_settings_is_printed_and_one_in_the_current_folder_is_not_overlooked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mel.env"
    file.write_text("MEL_SAMPLE=true\n")
    monkeypatch.setenv("MEL_ENV_FILE", str(file))
    monkeypatch.setenv("MEL_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert machine.settings_file() == f"read from {file}"
    (tmp_path / ".env").write_text("MEL_SAMPLE=false\n")
    by_name = {finding.what: finding for finding in findings(offline=True)}
    assert by_name["Settings"].level is Level.WARN and str(tmp_path / ".env") in by_name["Settings"].words
    file.write_text("MEL_SAMPEL=true\n")
    assert [(one.what, one.level) for one in findings()][-1] == ("Settings", Level.BROKEN)


@pytest.mark.slow
def test_a_ui_that_others_reach_without_a_login_is_named_and_so_is_a_login_without_roles(
    settings: Settings,
) -> None:
    assert of(settings)["Login"].level is Level.OK
    reached = of(settings.model_copy(update={"ui_url": "https://mel.example.org"}))["Login"]
    assert reached.level is Level.WARN and "MEL_PROXY_SECRET" in reached.words
    outer = {"public_url": "https://mel.example.org", "proxy_secret": SecretStr("x" * 32)}
    signed = settings.model_copy(update=outer)
    assert of(signed)["Login"].level is Level.BROKEN and "users.yml" in of(signed)["Login"].words
    users = settings.home / "users.yml"
    users.write_text("reader: ['*']")
    assert of(signed)["Login"].words == "1 reader: nobody may publish. Name a lead in users.yml of MEL_HOME"
    users.write_text("lead: [anna]\noperator: [ben, carla]")
    assert of(signed)["Login"].line == "✓ Login: at https://mel.example.org: 1 lead, 2 operator"


@pytest.mark.parametrize(
    ("given", "missing"), [("public_url", "PROXY_SECRET"), ("proxy_secret", "PUBLIC_URL")]
)
def test_an_address_for_others_without_a_secret_is_broken(
    monkeypatch: pytest.MonkeyPatch, given: str, missing: str
) -> None:
    values = {"public_url": "https://mel.example.org", "proxy_secret": "x" * 32}
    monkeypatch.setenv(f"MEL_{given.upper()}", values[given])
    found = [finding for finding in findings(offline=True) if finding.level is Level.BROKEN]
    assert found[0].what == "Settings" and f"MEL_{missing} is missing" in found[0].words
