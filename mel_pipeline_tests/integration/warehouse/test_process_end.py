"""A process that has used the warehouse ends quietly, whenever it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mel_pipeline_tests.depth import examples

LINGERS = 0.1  # seconds; the file is released at this time, or a tenth of a second later
LATEST = 0.25
USES_THE_FILE = """
import sys, time
from mel_pipeline.warehouse import Warehouse

warehouse = Warehouse(f"duckdb:///{sys.argv[1]}", 5, float(sys.argv[2]))
with warehouse.transaction() as connection:
    connection.exec_driver_sql("create or replace table numbers as select range as a from range(20000)")
"""
ENDS = """
time.sleep(float(sys.argv[3]))
"""
ASKS_GREAT_EXPECTATIONS = """
from mel_pipeline.quality.expectations import validate
from mel_pipeline.quality.rules import Rule

rule = Rule("required", "a", "select 1 as one from {batch} where a is null")
with warehouse.connect() as connection:
    [(holds, _)] = validate(connection, "select a from numbers", [rule])
    assert holds
"""
LATE_THREAD = """
import threading

def ask_again():
    time.sleep(0.2)
    assert warehouse.records("select count(*) as n from numbers") == [{"n": 20000}]

threading.Thread(target=ask_again).start()
"""


def _end_of(code: str, folder: Path, *arguments: float) -> tuple[int, str]:
    command = [sys.executable, "-c", code, str(folder / "warehouse.duckdb"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stderr


@pytest.mark.exhaustive
@pytest.mark.deep
def test_processes_that_end_just_as_the_file_is_released_never_abort(tmp_path: Path) -> None:
    number = examples(6, 30)
    moments = [LATEST * turn / number for turn in range(number)]
    ends = {_end_of(USES_THE_FILE + ENDS, tmp_path, LINGERS, moment) for moment in moments}
    assert ends == {(0, "")}


@pytest.mark.slow
@pytest.mark.long
def test_a_process_that_has_validated_in_duckdb_ends_without_leak_warnings(tmp_path: Path) -> None:
    assert _end_of(USES_THE_FILE + ASKS_GREAT_EXPECTATIONS, tmp_path, 2) == (0, "")


@pytest.mark.slow
def test_a_thread_that_outlives_the_main_one_still_gets_its_answer(tmp_path: Path) -> None:
    assert _end_of(USES_THE_FILE + LATE_THREAD, tmp_path, 2) == (0, "")


@pytest.mark.slow
def test_a_process_ends_without_waiting_for_the_lingering_file(tmp_path: Path) -> None:
    code = (
        USES_THE_FILE
        + "import atexit\nbegun = time.monotonic()\n"
        + ("atexit.register(lambda: print(time.monotonic() - begun))")
    )
    command = [sys.executable, "-c", code, str(tmp_path / "warehouse.duckdb"), "60"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)
    assert float(done.stdout) < 20
