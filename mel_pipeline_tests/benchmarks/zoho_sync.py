"""Zoho sync compared with a bare loop that fetches the same pages, and the memory of a load.

Server and client are separate processes. Timing starts after the imports; the loop decodes JSON (or reads CSV)
and keeps nothing.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from mel_pipeline_tests.benchmarks.contenders.clock import peak_mb
from mel_pipeline_tests.benchmarks.measuring import Turns, in_turns, keep, ratio, show
from mel_pipeline_tests.benchmarks.targets import Verdict

FIELDS = 12
ROUNDS = 3
CREDENTIALS = {
    "grant_type": "refresh_token",
    "client_id": "sample-client",
    "client_secret": "sample-client-secret",
    "refresh_token": "sample-refresh-token",
}


def serve(records: int, lacking: list[str]) -> None:
    """Serve a Zoho account with one module of invented members until the input ends."""
    from mel_pipeline.sandbox.server import running_account
    from mel_pipeline.sandbox.zoho import Account, Field

    account = Account(credits=10_000_000)
    account.scopes -= set(lacking)
    module = account.add_module("Accounts", [Field(f"Field_{n:02}") for n in range(FIELDS)])
    words = ("Africa", "Asia", "Europe", "Member", "Associate", "2019-05-01", "Dakar", "Montréal")
    module.fill(
        records, lambda n: {f"Field_{f:02}": f"{words[(n * 7 + f) % 8]} {n % 997}" for f in range(FIELDS)}
    )
    module.ids()
    with running_account(account) as server:
        print(server.url, flush=True)
        sys.stdin.read()


def loop_over_pages(url: str) -> int:
    import requests

    with requests.Session() as session:
        token = session.post(f"{url}/oauth/v2/token", data=CREDENTIALS, timeout=60).json()["access_token"]
        session.headers["Authorization"] = f"Zoho-oauthtoken {token}"
        names = ["id", "Modified_Time", *(f"Field_{n:02}" for n in range(FIELDS)), "Created_Time"]
        asked = {"fields": ",".join(names), "per_page": "200", "sort_by": "id", "sort_order": "asc"}
        count, position = 0, {"page": "1"}
        while True:
            answer = session.get(f"{url}/crm/v8/Accounts", params=asked | position, timeout=60).json()
            count += len(answer["data"])
            if not answer["info"]["more_records"]:
                return count
            position = {"page_token": answer["info"]["next_page_token"]}


def loop_over_bulk(url: str) -> int:
    import requests

    with requests.Session() as session:
        token = session.post(f"{url}/oauth/v2/token", data=CREDENTIALS, timeout=60).json()["access_token"]
        session.headers["Authorization"] = f"Zoho-oauthtoken {token}"
        names = ["id", "Modified_Time", *(f"Field_{n:02}" for n in range(FIELDS)), "Created_Time"]
        query: dict[str, Any] = {"module": {"api_name": "Accounts"}, "fields": names}
        count = 0
        while True:
            base = f"{url}/crm/bulk/v8/read"
            job = session.post(base, json={"query": query}, timeout=60).json()["data"][0]["details"]["id"]
            while (told := session.get(f"{base}/{job}", timeout=60).json()["data"][0])[
                "state"
            ] != "COMPLETED":
                time.sleep(0.05)
            content = session.get(url + told["result"]["download_url"], timeout=600).content
            with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(archive.namelist()[0]) as file:
                count += sum(1 for _ in csv.reader(io.TextIOWrapper(file, "utf-8"))) - 1
            if not told["result"]["more_records"]:
                return count
            query = {"page_token": told["result"]["next_page_token"]}


def case_at(url: str, home: Path) -> Any:
    from mel_pipeline.core.contracts import SourceContract
    from mel_pipeline.sources.shared.http import Policy
    from mel_pipeline.sources.zoho_crm.mapping import EntityMapping, FieldMapping
    from mel_pipeline_tests.fixtures.zoho_account import SYSTEM, Account, Case, contract_for

    columns = {f"field_{n:02}": f"Field_{n:02}" for n in range(FIELDS)}
    contract = SourceContract(
        name="zoho_crm", title="Zoho CRM", description="", describes_fields=True,
        entities={"records": contract_for(list(columns))},
    )  # fmt: skip
    fields = {name: FieldMapping(field=field) for name, field in (SYSTEM | columns).items()}
    mapping = {"records": EntityMapping(module="Accounts", fields=fields)}
    return Case(Account(), url, home, contract, mapping, Policy(poll=0.05))


def pull_alone(url: str, home: Path) -> int:
    batches = case_at(url, home).source().pull("records").batches
    return sum(len(batch.frame) for batch in batches)


def whole_load(url: str, home: Path) -> int:
    return int(case_at(url, home).load().new)


def measured(work: str, url: str) -> None:
    """Do one kind of work and print what it took."""
    if work in ("pull", "load"):
        case_at(url, Path())  # imports
        if work == "load":
            from mel_pipeline.quality.expectations import expectation_types

            expectation_types()
    with tempfile.TemporaryDirectory() as home:
        begun = time.perf_counter()
        if work.startswith("loop"):
            count = loop_over_pages(url) if work == "loop pages" else loop_over_bulk(url)
        else:
            count = pull_alone(url, Path(home)) if work == "pull" else whole_load(url, Path(home))
        seconds = time.perf_counter() - begun
    print(json.dumps({"count": count, "seconds": seconds, "peak": peak_mb()}), flush=True)
    os._exit(0)


@contextmanager
def server(records: int, lacking: list[str]) -> Iterator[str]:
    command = [sys.executable, "-m", __spec__.name, "serve", str(records), *lacking]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdin
        yield process.stdout.readline().strip()
        process.stdin.close()


def run(work: str, url: str) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", "-m", __spec__.name, "work", work, url]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    told: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return told


def side_by_side(
    title: str, records: int, lacking: list[str], works: list[str], rounds: int
) -> dict[str, Turns]:
    with server(records, lacking) as url:

        def one(work: str) -> dict[str, float]:
            told = run(work, url)
            assert told["count"] == records, f"{work}: not every record came"
            return told

        found = in_turns({work: partial(one, work) for work in works}, rounds)
    show(f"{title}: {records:,} records", found, works[0])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", default="all")
    parser.add_argument("more", nargs="*")
    parser.add_argument("--quick", action="store_true", help="ten thousand records, one turn")
    asked = parser.parse_args()
    if asked.what == "serve":
        serve(int(asked.more[0]), asked.more[1:])
    elif asked.what == "work":
        measured(*asked.more)
    else:
        compared(10_000, 1, 0) if asked.quick else compared(100_000, ROUNDS, 1_000_000)


def compared(records: int, rounds: int, many: int) -> None:
    """Compare paging and bulk jobs, then load ``many`` records once by bulk jobs (0: skip)."""
    no_jobs = ["ZohoCRM.bulk.READ", "ZohoCRM.coql.READ"]
    found = {
        "pages": side_by_side("Page by page", records, no_jobs, ["loop pages", "pull", "load"], rounds),
        "bulk": side_by_side("Bulk Read", records, [], ["loop bulk", "pull", "load"], rounds),
    }
    verdicts = [
        Verdict("zoho", ratio(turns["pull"], turns[f"loop {way}"]), f"{way}, {records:,} records")
        for way, turns in found.items()
    ]
    if many:
        found["bulk, many"] = side_by_side("Bulk Read", many, [], ["loop bulk", "pull", "load"], 1)
        verdicts.append(Verdict("zoho memory", found["bulk, many"]["load"].most, f"{many:,} records"))
    keep("zoho_sync", found, verdicts)


if __name__ == "__main__":
    main()
