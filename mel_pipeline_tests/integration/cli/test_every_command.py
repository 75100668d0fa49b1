"""Every command in an empty folder or on a full disk: a sentence, never a traceback."""

from __future__ import annotations

import errno
import io
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import typer.main

from mel_pipeline.cli.main import app, main
from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.disk_trouble import NO_SPACE, disk_trouble
from mel_pipeline.core.errors import TransientSourceError, WarehouseError
from mel_pipeline.defs.failure_messages import failure_message
from mel_pipeline.ingest.guarding import Guarded
from mel_pipeline.sources.shared.base import Pull
from mel_pipeline.sources.shared.http import explain
from mel_pipeline.warehouse import Warehouse

SERVE = {("dev",), ("sandbox",)}  # until interrupted; their starts are tested separately
COLLECT = {("run",), ("report",)}  # whole runs with Dagster
VALUES = {
    "period": "2024-Q4", "quarter": "2024-Q4", "year": "2024", "indicator": "MEM-01", "person": "someone",
    "reason": "data arrived late", "role": "MEL lead", "note": "a note", "file": "draft.md",
    "source": "zoho_crm", "folder": "ours", "target": "duckdb:///other.duckdb", "service": "zoho",
}  # fmt: skip


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in (group or typer.main.get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


EVERY = {path: command for path, command in commands() if path not in SERVE | COLLECT}


def arguments(path: tuple[str, ...]) -> list[str]:
    """The command with every argument it requires."""
    words = list(path)
    for parameter in EVERY[path].params:
        if parameter.required:
            named = [parameter.opts[0]] if parameter.param_type_name == "option" else []
            words += [*named, VALUES[parameter.name]]
    return words


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MEL_REPORTS_DIR", str(tmp_path / "reports"))
    monkeypatch.setenv("MEL_SAMPLE", "false")
    monkeypatch.setenv("MEL_TODAY", "2026-11-20")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "draft.md").write_text("In 2024 Metropolis had 164 member cities.")
    return tmp_path


def run(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["mel", *words])
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))  # answers the command's prompt
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return int(str(ended.value.code)), said.out + said.err


@pytest.mark.slow
@pytest.mark.fault(57)
@pytest.mark.parametrize("path", EVERY, ids=" ".join)
@pytest.mark.sweep("recalculate", "report", "quality", "site", "figures", "explain", "publish", "erase")
def test_a_command_on_an_empty_warehouse_ends_with_a_sentence(
    path: tuple[str, ...], place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(arguments(path), monkeypatch, capsys)
    assert code in (0, 1, 2) and said.strip()
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.fault(5, 57)
@pytest.mark.parametrize("path", EVERY, ids=" ".join)
@pytest.mark.sweep("recalculate", "workbook get", "publish", "doctor")
def test_a_command_on_a_full_disk_ends_with_a_sentence(
    path: tuple[str, ...], place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, hard))  # what every write meets when nothing is left
    try:
        code, said = run(arguments(path), monkeypatch, capsys)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert code in (0, 1, 2) and said.strip()
    assert "Traceback" not in said


def test_a_missing_table_is_reported_with_the_command_that_builds_it(warehouse_url: str) -> None:
    warehouse = Warehouse(warehouse_url)
    for read in (warehouse.read, warehouse.records):
        with pytest.raises(
            WarehouseError, match=r"^Reading indicator_values: .*`mel run --quarter"
        ) as caught:
            read("select * from indicator_values")
        assert "select" not in str(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        OSError(122, "Disk quota exceeded"),
        OSError(30, "Read-only file system"),
        RuntimeError("(sqlite3.OperationalError) database or disk is full"),
        RuntimeError('IO Error: Could not write file "/data/w.duckdb": No space left on device'),
        RuntimeError("could not extend file: No space left on device"),
    ],
)
def test_a_full_disk_is_recognised_whichever_library_hits_it(error: Exception) -> None:
    outer = ValueError("while something was written")
    outer.__cause__ = error
    for met in (error, outer):
        assert "free some space" in (disk_trouble(met) or "") or "Read-only" in (disk_trouble(met) or "")
    assert disk_trouble(ValueError("a mistake of ours")) is None


@pytest.mark.slow
@pytest.mark.fault(5)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_step_that_meets_a_full_disk_says_so_in_the_words_of_the_command(wrapped: bool) -> None:
    """Not in those of DuckDB, in the UI and in notices as well."""

    @dg.op
    def commit() -> None:
        try:
            raise RuntimeError("TransactionContext Error: Failed to commit: No space left on device")
        except RuntimeError as error:
            if not wrapped:
                raise
            raise ValueError("while publishing") from error

    @dg.job
    def night() -> None:
        commit()

    result = night.execute_in_process(instance=dg.DagsterInstance.ephemeral(), raise_on_error=False)
    [event] = [item for item in result.all_events if item.is_step_failure]
    assert failure_message(event) == f"commit: {NO_SPACE}"


@pytest.mark.fault(5)
def test_a_full_disk_is_not_blamed_on_the_source(tmp_path: Path) -> None:
    error = OSError(errno.ENOSPC, "No space left on device")
    assert str(explain(error, "A file", "https://a.example")) == f"A file: {NO_SPACE}"

    class Full:
        def pull(self, entity: str, **_: object) -> Pull:
            raise error

    contract = contract_of("zoho_crm")
    with pytest.raises(TransientSourceError, match="no space is left") as met:
        Guarded(Full(), contract).pull("contacts", quarter=None, cursor=None)
    assert "maintainer" not in str(met.value)
