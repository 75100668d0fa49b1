"""Processes that run next to this one: the sample, the drawing of pictures, the reports of a year."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from mel_pipeline.core.errors import MelError, ReportError
from mel_pipeline.core.processes import may_start_more, workers
from mel_pipeline.core.settings import load_settings
from mel_pipeline.defs.serving.report_process import Report, report_process
from mel_pipeline.defs.serving.running import Jobs, jobs
from mel_pipeline.reporting import build_all, cache
from mel_pipeline.reporting.inputs.editions import read_edition
from mel_pipeline.sandbox.process import running_apart
from mel_pipeline_tests.fixtures.organisation import DAY, event, member
from mel_pipeline_tests.fixtures.organisation import organisation as small_organisation
from mel_pipeline_tests.golden.sample_edition import REPORTS, fewer_charts, sample_edition

pytestmark = pytest.mark.slow

QUARTER = "2024-Q4"
TODAY = date(2026, 11, 20)


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie nobody has waited for yet has ended all the same.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def gone_within(seconds: float, pid: int) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end and is_alive(pid):
        time.sleep(0.05)
    return not is_alive(pid)


# The sample


@pytest.mark.long
def test_the_sample_runs_in_a_separate_process_and_takes_a_free_port_if_the_usual_one_is_taken() -> None:
    called: list[str] = []
    with (
        running_apart(0, TODAY, meanwhile=lambda: called.append("meanwhile")) as port,
        running_apart(port, TODAY) as other,
    ):
        assert called == ["meanwhile"] and other != port
        for one in (port, other):
            with urllib.request.urlopen(f"http://127.0.0.1:{one}/") as answer:
                assert b"2026-11-20" in answer.read()


def test_an_error_that_keeps_the_sample_from_starting_is_raised_in_the_calling_process() -> None:
    with (
        pytest.raises(MelError, match="Write platform=failure"),
        running_apart(0, TODAY, None, "nobody=down"),
    ):
        pass


# Pictures


@pytest.mark.exhaustive
def test_pages_and_pictures_are_the_same_bytes_drawn_by_one_process_and_by_two(tmp_path: Path) -> None:
    edition = fewer_charts(sample_edition())
    for number in (1, 2):
        with cache.using(tmp_path / f"kept-{number}"):
            build_all(edition, tmp_path / str(number), REPORTS, ["en", "fr"], ["html", "xlsx", "csv"], number)
    alone, together = (bytes_in(tmp_path / str(number)) for number in (1, 2))
    assert alone == together and len(alone) > 20
    drawn = {name for name in bytes_in(tmp_path / "kept-2") if not name.startswith("edition")}
    assert drawn == {name for name in bytes_in(tmp_path / "kept-1") if not name.startswith("edition")}


@pytest.mark.long
def test_an_error_in_a_worker_is_the_same_as_without_workers(tmp_path: Path) -> None:
    edition = fewer_charts(sample_edition())
    drawn = edition.indicators["chart"].notna()
    wrong = replace(
        edition, indicators=edition.indicators.assign(chart=edition.indicators["chart"].mask(drawn, "pie"))
    )
    messages = []
    for number in (1, 2):
        with cache.using(tmp_path / f"kept-{number}"), pytest.raises(ReportError) as caught:
            build_all(wrong, tmp_path / str(number), REPORTS, ["en", "fr"], ["html"], number)
        messages.append(str(caught.value))
    assert messages[0] == messages[1] and "pie" in messages[0]
    assert may_start_more(), "the pool is closed"


def _pid() -> int:
    return os.getpid()


def _may_start_more() -> bool:
    return may_start_more()


@pytest.mark.long
def test_workers_end_with_the_block_and_start_no_further_workers() -> None:
    with workers(1) as pool:
        pid = pool.submit(_pid).result()
        assert pid != os.getpid() and is_alive(pid)
        assert not pool.submit(_may_start_more).result() and not may_start_more()
    assert gone_within(5, pid) and may_start_more()


def test_a_worker_whose_parent_was_killed_ends_by_itself(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, time\n"
        "from mel_pipeline.core.processes import workers\n"
        "if __name__ == '__main__':\n"
        "    with workers(1) as pool:\n"
        "        print(pool.submit(os.getpid).result(), flush=True)\n"
        "        time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    assert gone_within(10, pid)


def test_ctrl_c_ends_the_command_and_its_workers_print_nothing(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, time\n"
        "from mel_pipeline.core.processes import interruptible, workers\n"
        "def work():\n"
        "    with interruptible():\n"
        "        time.sleep(600)\n"
        "if __name__ == '__main__':\n"
        "    with workers(1) as pool:\n"
        "        print(pool.submit(os.getpid).result(), flush=True)\n"
        "        try:\n"
        "            pool.submit(work).result()\n"
        "        except KeyboardInterrupt:\n"
        "            print('interrupted', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None and parent.stderr is not None
        pid = int(parent.stdout.readline())
        time.sleep(0.5)
        os.killpg(parent.pid, signal.SIGINT)
        assert parent.stdout.read() == "interrupted\n" and parent.stderr.read() == ""
    assert parent.returncode == 0 and gone_within(5, pid)


# Reports in parallel with the next quarter


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    """A small organisation with a calculated quarter; what a test writes under ``published`` it removes."""
    home = tmp_path_factory.mktemp("beside")
    made = small_organisation(home)
    made.load("accounts", [member(n) for n in range(1, 8)])
    made.load("events", [event(1)])
    made.load_the_rest()
    made.calculate(QUARTER)
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "MEL_HOME": home, "MEL_TODAY": DAY, "MEL_FIRST_QUARTER": "2024-Q1", "MEL_REPORTS_DIR": home / "published",
            "MEL_PROCESSES": 2, "DAGSTER_HOME": "", "DAGSTER_DISABLE_TELEMETRY": 1, "DAGSTER_EVENT_BATCH_SIZE": 50,
        }.items():  # fmt: skip
            environment.setenv(name, str(value))
        with jobs(load_settings()) as opened:
            yield opened


@pytest.fixture
def published(runner: Jobs) -> Iterator[Path]:
    """Where the reports go."""
    folder = runner.settings.drafts_dir
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def made_beside(runner: Jobs) -> Report:
    with report_process(runner) as process:
        assert process is not None
        process.begin("quarterly_report", QUARTER)
        (report,) = process.ended(wait=True)
        assert list(process.ended(wait=True)) == []
        return report


@pytest.mark.exhaustive
def test_a_report_made_in_parallel_is_identical_and_is_recorded_in_dagster(
    runner: Jobs, published: Path, tmp_path: Path
) -> None:
    report = made_beside(runner)
    assert report.outcome.success and [stage.name for stage in report.stages] == ["4_report"]
    in_parallel = bytes_in(published / QUARTER)

    settings = runner.settings
    edition = read_edition(runner.warehouse, settings, QUARTER)
    build_all(edition, tmp_path / "here", settings.report_sources, ["en"], ["html"])
    assert bytes_in(tmp_path / "here" / QUARTER) == in_parallel

    for name in ("quarterly_report", "chart_member_cities"):
        [record] = runner.instance.fetch_materializations(dg.AssetKey(name), limit=5).records
        assert record.asset_materialization is not None and record.asset_materialization.metadata
        assert record.asset_materialization.partition == QUARTER
    assert not runner.instance.fetch_materializations(dg.AssetKey("reading_site"), limit=1).records


@pytest.mark.long
def test_a_report_that_fails_in_parallel_gives_its_reason(runner: Jobs, published: Path) -> None:
    published.mkdir()
    (published / QUARTER).write_text("no folder")
    report = made_beside(runner)
    assert not report.outcome.success
    assert "Check that the folder is writable" in " ".join(report.outcome.problems)


@pytest.mark.long
def test_a_killed_report_process_is_an_error_that_says_what_to_do(runner: Jobs) -> None:
    with report_process(runner) as process:
        assert process is not None
        pid = process._pool.submit(_pid).result()
        process.begin("quarterly_report", QUARTER)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ReportError, match="MEL_PROCESSES=1"):
            list(process.ended(wait=True))


@pytest.mark.long
def test_one_process_does_everything_if_the_settings_say_so_or_the_instance_is_temporary(
    runner: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dg.DagsterInstance.ephemeral() as instance, report_process(Jobs(runner.settings, instance)) as none:
        assert none is None
    monkeypatch.setenv("MEL_PROCESSES", "1")
    with report_process(Jobs(load_settings(), runner.instance)) as none:
        assert none is None
