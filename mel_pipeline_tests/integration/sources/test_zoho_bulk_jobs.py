"""Bulk Read of a module that takes several jobs: the next one runs while one is read, and an interruption forgets neither."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mel_pipeline.core.errors import PermanentSourceError, SourceError, TransientSourceError
from mel_pipeline.sandbox.zoho import Field
from mel_pipeline_tests.fixtures.zoho_account import Case, account_with
from mel_pipeline_tests.fixtures.zoho_stub import QUICK

JOBS = 3
MEMBERS = 10_500  # beyond 10,000 a first load takes Bulk Read
IMPATIENT = replace(QUICK, attempts=2, job=0.3, poll=0.01)


@contextmanager
def several_jobs(home: Path, **more: Any) -> Iterator[Case]:
    with account_with(home, "Accounts", [Field("Name", "text")], **more) as case:
        case.account.scopes.discard("ZohoCRM.coql.READ")
        case.account.bulk.rows = MEMBERS // JOBS
        case.module.fill(MEMBERS, lambda number: {"Name": f"City {number}"})
        yield case


def calls_of(case: Case) -> list[str]:
    """What was asked of Bulk Read, in order: a start, or the result of which job."""
    jobs: list[str] = []
    said = []
    for call in case.account.calls:
        if call.path.endswith("/bulk/v8/read") and call.status == 201:
            said.append("start")
        elif call.path.endswith("/result") and call.status == 200:
            job = call.path.split("/")[-2]
            jobs += [job] if job not in jobs else []
            said.append(f"result {jobs.index(job) + 1}")
    return said


def started(case: Case) -> int:
    return calls_of(case).count("start")


def all_there(case: Case) -> bool:
    return bool(case.ids() == sorted(case.module.ids()))


@pytest.mark.slow
def test_the_next_job_is_started_before_the_result_of_one_is_read(tmp_path: Path) -> None:
    with several_jobs(tmp_path) as case:
        assert case.load().new == MEMBERS
        assert calls_of(case) == ["start", "start", "result 1", "start", "result 2", "result 3"]
        assert all_there(case)


@pytest.mark.slow
def test_a_load_cut_short_while_one_is_read_starts_none_of_the_two_again(tmp_path: Path) -> None:
    with several_jobs(tmp_path, policy=IMPATIENT) as case:
        case.account.faults.add(r"/result$", status=503, times=None)
        with pytest.raises(TransientSourceError):
            case.load()
        assert started(case) == 2
        case.account.faults.clear()
        assert case.load().new == MEMBERS
        assert started(case) == JOBS and all_there(case)


@pytest.mark.slow
def test_a_job_started_ahead_that_is_not_done_in_time_is_asked_about_again_by_the_next_run(
    tmp_path: Path,
) -> None:
    with several_jobs(tmp_path, policy=IMPATIENT) as case:

        def stuck(call: Any) -> None:
            if call.path.endswith("/result"):
                case.account.faults.bulk = "stuck"  # the first is done, the one after it stays queued

        case.account.faults.on_call = stuck
        with pytest.raises(TransientSourceError, match="the job is still"):
            case.load()
        case.account.faults.on_call, case.account.faults.bulk = None, None
        assert case.load().new == MEMBERS
        assert started(case) == JOBS and all_there(case)
        assert calls_of(case).count("result 1") == 1, "its rows are stored"


@pytest.mark.slow
def test_a_job_that_cannot_be_started_ahead_is_started_once_the_rows_before_it_are_stored(
    tmp_path: Path,
) -> None:
    with several_jobs(tmp_path, policy=IMPATIENT) as case:
        busy = {"code": "TOO_MANY_REQUESTS", "status": "error"}
        case.account.faults.add(r"/bulk/v8/read$", after=1, times=IMPATIENT.attempts, status=429, body=busy)
        assert case.load().new == MEMBERS
        assert calls_of(case) == ["start", "result 1", "start", "start", "result 2", "result 3"]


@pytest.mark.slow
@pytest.mark.parametrize(("gone", "again"), [(0, JOBS), (1, JOBS - 1)], ids=["the first", "the one ahead"])
def test_a_job_of_an_interrupted_load_that_zoho_no_longer_has_is_replaced(
    tmp_path: Path, gone: int, again: int
) -> None:
    with several_jobs(tmp_path, policy=IMPATIENT) as case:
        case.account.faults.add(r"/result$", status=503, times=None)
        with pytest.raises(TransientSourceError):
            case.load()
        case.account.faults.clear()
        progress = case.warehouse.read("select checkpoint from load_checkpoint")["checkpoint"].item()
        stored = json.loads(progress)
        job = [stored["job"], stored["ahead"][0]][gone]
        unknown = {"code": "INVALID_DATA", "status": "error", "message": "no such job"}
        case.account.faults.add(rf"/read/{job}", status=404, body=unknown, times=None)
        assert case.load().new == MEMBERS
        assert started(case) == 2 + again and all_there(case)


@pytest.mark.slow
def test_a_job_started_ahead_that_zoho_gives_up_fails_with_its_reason_and_keeps_the_rows_before_it(
    tmp_path: Path,
) -> None:
    with several_jobs(tmp_path, policy=IMPATIENT) as case:
        read: list[Any] = []

        def fails(call: Any) -> None:
            if call.path.endswith("/result"):
                read.append(call)
            elif read:  # the first job's rows are read, and the one after it is asked about
                case.account.faults.bulk = "fail"

        case.account.faults.on_call = fails
        with pytest.raises(PermanentSourceError, match="Zoho aborted the job"):
            case.load()
        case.account.faults.on_call, case.account.faults.bulk = None, None
        assert case.load().new == MEMBERS and all_there(case)


@pytest.mark.long
@pytest.mark.parametrize("call", range(20))
def test_whichever_call_fails_the_next_run_has_every_record_and_no_job_is_paid_for_twice(
    tmp_path: Path, call: int
) -> None:
    with several_jobs(tmp_path, policy=IMPATIENT) as case:
        case.account.faults.add(r"/bulk/", after=call, times=IMPATIENT.attempts, status=503)
        try:
            case.load()
        except SourceError:
            case.account.faults.clear()
            case.load()
        assert started(case) == JOBS and all_there(case)
