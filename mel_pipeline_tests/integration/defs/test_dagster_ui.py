"""The real Dagster UI behind its guard: the four attacks fail, the owner's own page works."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests

from mel_pipeline_tests.fixtures.mel_dev import mel_dev

pytestmark = pytest.mark.slow
LAUNCH = 'mutation { launchRun(executionParams: {selector: {repositoryLocationName: "mel", repositoryName: "__repository__", jobName: "nightly"}}) { __typename } }'
RUNS = "{ runsOrError { ... on Runs { results { id } } } }"


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mel_dev(tmp_path_factory.mktemp("home")) as url:
        yield url


def ask(ui: str, query: str, **headers: str) -> requests.Response:
    return requests.post(f"{ui}/graphql", json={"query": query}, headers=headers, timeout=30)


@pytest.mark.exhaustive
def test_the_four_attacks_start_nothing_and_the_own_page_works(ui: str) -> None:
    link = requests.get(f"{ui}/graphql", params={"query": LAUNCH}, timeout=10)
    form = requests.post(
        f"{ui}/graphql", data=json.dumps({"query": LAUNCH}), timeout=10,
        headers={"content-type": "text/plain", "origin": "https://evil.example"},
    )  # fmt: skip
    rebound = ask(ui, LAUNCH, host="evil.example")
    foreign = ask(ui, LAUNCH, origin="https://evil.example")
    report = requests.post(f"{ui}/report_asset_materialization/indicator_values", timeout=10)
    assert [answer.status_code for answer in (link, form, rebound, foreign, report)] == [403] * 5
    page = requests.get(f"{ui}/runs", timeout=10).headers
    assert "script-src" in page["content-security-policy"], "Dagster's own policy stays"
    assert "frame-ancestors 'none'" in page["content-security-policy"] and page["x-frame-options"] == "DENY"
    answer = ask(ui, RUNS, origin=ui)
    assert answer.status_code == 200
    assert answer.json()["data"]["runsOrError"]["results"] == []


@pytest.mark.long
def test_the_code_location_loads_with_all_assets(ui: str) -> None:
    answer = ask(ui, "{ assetNodes { assetKey { path } groupName } }").json()["data"]["assetNodes"]
    assert {node["groupName"] for node in answer} >= {"1_collect", "2_prepare", "3_calculate", "4_report"}
    assert len(answer) > 60
