"""Faults of loading, publishing and files that no other module shows: killed for real, disk full, odd data."""

from __future__ import annotations

import os
import random
import resource
import secrets
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import PROJECT
from mel_pipeline.publication.publishing import quarter_status
from mel_pipeline.publication.rebuild import rebuild
from mel_pipeline.publication.restatement import ledger_rows
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.forking import Forking
from mel_pipeline_tests.fixtures.organisation import Small, copy_of, event, member, organisation

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
QUARTER = "2024-Q4"

LOAD = """
    import sys
    from pathlib import Path
    from mel_pipeline_tests.fixtures.organisation import member, organisation
    small = organisation(Path(sys.argv[1]))
    small.load("accounts", [member(n, name="x" * 500) for n in range(1, 400)])
    print("loaded", flush=True)
    import time
    time.sleep(60)
"""
PUBLISH = """
    import sys
    from pathlib import Path
    from mel_pipeline_tests.fixtures.organisation import organisation
    small = organisation(Path(sys.argv[1]))
    print("ready", flush=True)
    small.publish("2024-Q4")
    print("published", flush=True)
    import time
    time.sleep(60)
"""
REPORT = """
    import sys
    from pathlib import Path
    from mel_pipeline.reporting.files import write_if_changed
    print("ready", flush=True)
    number = 0
    while True:
        number += 1
        write_if_changed(Path(sys.argv[1]) / "report-en.html", f"<main>{number}</main>".encode() * 200_000)
"""


def start(forked: Forking, folder: Path, code: str, *arguments: str) -> None:
    """Run a program that prints lines and may be killed."""
    forked.start(textwrap.dedent(code), *arguments, said=folder / secrets.token_hex(4))


def end(forked: Forking) -> None:
    forked.kill()
    assert not forked.ended_well(), "it was killed"


def running(code: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code), *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )


def until(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout
    assert process.stdout.readline().strip() == word


@pytest.mark.fault(2)
def test_a_load_killed_after_its_commit_is_kept_and_the_next_adds_nothing(
    tmp_path: Path, forked: Forking
) -> None:
    start(forked, tmp_path, LOAD, str(tmp_path / "home"))
    assert forked.line() == "loaded"
    end(forked)
    small = organisation(tmp_path / "home")
    again = small.load("accounts", [member(n, name="x" * 500) for n in range(1, 400)])
    assert (again.new, again.changed, again.unchanged) == (0, 0, 399)


@pytest.mark.fault(3)
def test_a_report_killed_while_it_is_written_leaves_the_old_one_whole_and_the_next_run_tidies_up(
    tmp_path: Path, forked: Forking
) -> None:
    from mel_pipeline.reporting.files import write_if_changed

    chance, home = random.Random(3), tmp_path / "reports"
    home.mkdir()
    for _ in range(12):
        start(forked, tmp_path, REPORT, str(home))
        assert forked.line() == "ready"
        time.sleep(chance.uniform(0.01, 0.15))
        end(forked)
        pages = [path for path in home.iterdir() if not path.name.startswith(".")]
        for page in pages:
            text = page.read_text()
            assert text == text[: text.index("</main>") + 7] * 200_000, "one report, whole"
    write_if_changed(home / "report-en.html", b"<main>end</main>")
    assert [path.name for path in home.iterdir()] == ["report-en.html"]


def _eleven_members(small: Small) -> None:
    small.load("accounts", [member(n) for n in range(1, 12)])
    small.load("events", [event(1)])
    small.calculate(QUARTER)


@pytest.mark.exhaustive
@pytest.mark.deep
@pytest.mark.fault(1, 3)
def test_publishing_killed_at_any_moment_is_complete_or_has_not_happened(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, forked: Forking
) -> None:
    chance = random.Random(5)
    for number in range(examples(2, 6)):
        small = copy_of(tmp_path_factory, "eleven-members", tmp_path / str(number), _eleven_members)
        start(forked, tmp_path, PUBLISH, str(tmp_path / str(number)))
        assert forked.line() == "ready"
        time.sleep(chance.uniform(0.05, 1.2))
        end(forked)
        entry = quarter_status(small.warehouse, small.settings, Quarter.parse(QUARTER))
        if entry.version == 0:
            assert not small.warehouse.has_table("published_figures") or not small.warehouse.records(
                "select * from published_figures"
            )
            small.publish(QUARTER)
        assert rebuild(small.warehouse, QUARTER).identical


@pytest.mark.fault(4)
def test_a_process_that_died_holding_the_warehouse_leaves_no_lock(tmp_path: Path) -> None:
    hold = """
        import sys, time
        from mel_pipeline.warehouse import Warehouse
        with Warehouse(sys.argv[1]).transaction() as connection:
            connection.exec_driver_sql("create table t (n integer)")
            print("held", flush=True)
            time.sleep(60)
    """
    url = f"duckdb:///{tmp_path / 'w.duckdb'}"
    with running(hold, url) as process:
        until(process, "held")
        process.send_signal(signal.SIGKILL)
    assert Warehouse(url, lock_wait_seconds=2).tables() == set()


@pytest.mark.fault(4)
def test_a_run_that_never_ended_is_failed_after_a_time_limit_and_the_queue_goes_on() -> None:
    settings = yaml.safe_load((PROJECT / "mel_pipeline/defs/serving/dagster.yaml").read_text())
    assert settings["run_monitoring"]["enabled"] is True
    assert 0 < settings["run_monitoring"]["max_runtime_seconds"] <= 4 * 3600
    assert settings["concurrency"]["runs"]["max_concurrent_runs"] == 1


@pytest.mark.fault(5)
def test_a_full_disk_fails_clearly_and_existing_data_stay(tmp_path: Path, forked: Forking) -> None:
    """The process may write no file longer than a megabyte: the kernel then fails writes as a full disk does."""
    small = organisation(tmp_path)
    small.load("accounts", [member(n) for n in range(1, 20)])
    small.warehouse.fold()
    room = small.settings.home / "warehouse.duckdb"
    code = """
        import resource, signal, sys
        from pathlib import Path
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        from mel_pipeline_tests.fixtures.organisation import member, organisation
        small = organisation(Path(sys.argv[1]))
        limit = int(sys.argv[2])
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        import secrets
        try:
            small.load("accounts", [member(n, name=secrets.token_hex(400)) for n in range(1, 3000)])
            print("loaded", flush=True)
        except Exception as error:
            print(type(error).__name__, str(error).splitlines()[0][:200], flush=True)
    """
    start(forked, tmp_path, code, str(tmp_path), str(room.stat().st_size + 4096))
    said = forked.line()
    assert forked.ended_well()
    assert said and "loaded" not in said
    assert "File too large" in said or "Could not write" in said or "No space" in said or "write" in said, (
        said
    )
    assert len(small.warehouse.records("select * from raw_zoho_crm__accounts")) == 19
    assert small.load("accounts", [member(20)]).new == 1
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


@pytest.mark.exhaustive
@pytest.mark.fault(20)
def test_a_back_dated_edit_is_picked_up_and_restated(tmp_path: Path) -> None:
    small = organisation(tmp_path)
    small.load("accounts", [member(n) for n in range(1, 6)])
    small.load("events", [event(1)])
    small.calculate(QUARTER)
    small.publish(QUARTER)
    small.load("events", [event(1, status="Cancelled", modified_at="2025-01-20T00:00:00+00:00")])
    small.calculate(QUARTER)
    told = [item.sentence for item in small.restated(QUARTER)]
    assert "LAB-01 2024-Q4 total: published 1, now 0; -1 by correction." in told


@pytest.mark.fault(21)
@pytest.mark.long
def test_a_member_deleted_at_the_source_is_a_tombstone_and_the_change_is_explained(tmp_path: Path) -> None:
    small = organisation(tmp_path)
    small.load("accounts", [member(n) for n in range(1, 6)])
    small.calculate(QUARTER)
    small.publish(QUARTER)
    assert small.load("accounts", [], deleted={"3": None}).deleted == 1
    kept = small.warehouse.records("select _is_deleted from raw_zoho_crm__accounts where id = '3'")
    assert kept == [{"_is_deleted": True}]
    small.calculate(QUARTER)
    small.restated(QUARTER)
    row = next(
        row
        for row in ledger_rows(small.warehouse, QUARTER)
        if (row["indicator_id"], row["period"], row["disaggregation"]) == ("MEM-01", QUARTER, "total")
    )
    assert (row["published"], row["current"], row["reason"]) == (5, 4, "membership_change")


@pytest.mark.fault(24)
def test_a_value_of_another_type_leaves_its_cell_empty_and_the_loss_is_shown(tmp_path: Path) -> None:
    small = organisation(tmp_path)
    result = small.load("accounts", [member(1), member(2, joined_on="the spring of 2015")])
    assert (result.new, result.quarantined) == (2, 0)
    assert "joined_on" in result.waiting[0]
    assert "1 cell left empty" in result.sentence


@pytest.mark.fault(29)
@pytest.mark.long
def test_half_past_eleven_at_night_in_utc_on_new_years_eve_is_next_year_in_madrid(tmp_path: Path) -> None:
    small = organisation(tmp_path)
    small.load("accounts", [member(1)])
    small.load(
        "events",
        [
            event(1, starts_at="2024-12-31T22:59:00+00:00"),
            event(2, id="2", starts_at="2024-12-31T23:30:00+00:00"),
        ],
    )
    small.calculate(QUARTER)
    small.calculate("2025-Q1")
    assert (small.figure("LAB-01", QUARTER), small.figure("LAB-01", "2025-Q1")) == (1, 1)


@pytest.mark.fault(8)
def test_after_nights_without_the_daemon_only_the_last_one_runs() -> None:
    import dagster as dg

    from mel_pipeline.defs import build

    definitions = build()
    schedule = definitions.resolve_schedule_def("every_night")
    whole = definitions.get_repository_def()
    now = datetime.now(UTC)
    asked = {
        days: schedule.evaluate_tick(
            dg.build_schedule_context(
                scheduled_execution_time=now - timedelta(days=days, hours=1), repository_def=whole
            )
        )
        for days in (3, 2, 1, 0)
    }
    assert [len(asked[days].run_requests or []) > 0 for days in (3, 2, 1, 0)] == [False, False, False, True]
    assert "missed" in (asked[1].skip_message or "")


@pytest.mark.fault(8)
def test_the_doctor_reports_that_nothing_ran_overnight(tmp_path: Path) -> None:
    from mel_pipeline.cli.doctor.data import findings
    from mel_pipeline.cli.doctor.finding import Level

    small = organisation(tmp_path, sample=False)

    def nightly() -> tuple[bool, str]:
        return next(
            (found.level is Level.OK, found.words)
            for found in findings(small.settings)
            if found.what == "Nightly run"
        )

    assert nightly() == (True, "nothing has run yet")
    small.load("accounts", [member(1)])
    assert nightly()[0]
    with small.warehouse.transaction() as connection:
        connection.exec_driver_sql("update load_ledger set finished_at = finished_at - interval '3 days'")
    good, words = nightly()
    assert not good
    assert "nothing ran for 3 days" in words


def test_organisation_returns_a_small_organisation(tmp_path: Path) -> None:
    assert isinstance(organisation(tmp_path), Small)
