"""What gets past the roles: nothing. What takes a lead, said in every way GraphQL offers, by people who are signed in."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from mel_pipeline_tests.browser.test_login_attacks import COMMAND
from mel_pipeline_tests.fixtures.login_site import (
    LAUNCH,
    LEAD,
    OPERATOR,
    READER,
    SELECTOR,
    STRANGER,
    Site,
    launch_params,
)

pytestmark = pytest.mark.slow


@dataclass
class Document:
    """A request of somebody who is signed in."""

    query: str
    variables: Any = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)


P = launch_params("publish_quarter")
INLINE = '{selector: {repositoryLocationName: "mel", repositoryName: "__repository__", jobName: "publish_quarter"}}'
WIPE = "mutation { wipeAssets(assetPartitionRanges: []) { __typename } }"
BACKFILL = (
    "mutation B($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) { __typename } }"
)
REPOSITORY = {"repositorySelector": SELECTOR}
# What nobody but a lead may, said in every way GraphQL offers.
FOR_THE_LEAD = {
    "plainly": Document(LAUNCH, P),
    "without variables": Document(f"mutation {{ launchRun(executionParams: {INLINE}) {{ __typename }} }}"),
    "by an alias": Document(f"mutation {{ launchMultipleRuns: launchRun(executionParams: {INLINE}) {{ __typename }} }}"),
    "by the older name": Document(LAUNCH.replace("launchRun", "launchPipelineExecution"), P),
    "by the older selector": Document(LAUNCH, {"p": {"selector": {**SELECTOR, "pipelineName": "publish_quarter"}}}),
    "by two names": Document(LAUNCH, {"p": {"selector": {**SELECTOR, "jobName": "nightly", "pipelineName": "publish_quarter"}}}),
    "by a fragment": Document(f"mutation {{ ...F }} fragment F on Mutation {{ launchRun(executionParams: {INLINE}) {{ __typename }} }}"),
    "by fragments in fragments": Document(f"mutation {{ ...F }} fragment F on Mutation {{ ... {{ ...G }} ...F }} fragment G on Mutation {{ ... on Mutation {{ a: launchRun(executionParams: {INLINE}) {{ __typename }} }} }}"),
    "beside a permitted one": Document(f'mutation {{ a: startSensor(sensorSelector: {{sensorName: "none", repositoryName: "__repository__", repositoryLocationName: "mel"}}) {{ __typename }} b: launchRun(executionParams: {INLINE}) {{ __typename }} }}'),
    "in an operation that is not named": Document(f"query Q {{ version }} mutation M {{ launchRun(executionParams: {INLINE}) {{ __typename }} }}", more={"operationName": "Q"}),
    "in the operation that is named": Document(f"query Q {{ version }} mutation M {{ launchRun(executionParams: {INLINE}) {{ __typename }} }}", more={"operationName": "M"}),
    "by a default of a variable": Document(f"mutation M($p: ExecutionParams! = {INLINE}) {{ launchRun(executionParams: $p) {{ __typename }} }}"),
    "by a condition": Document(f"mutation M($no: Boolean!) {{ launchRun(executionParams: {INLINE}) @skip(if: $no) {{ __typename }} }}", {"no": False}),
    "several at once": Document("mutation M($l: [ExecutionParams!]!) { launchMultipleRuns(executionParamsList: $l) { __typename } }", {"l": [launch_params("nightly")["p"], P["p"]]}),
    "one where a list is meant": Document("mutation M($l: [ExecutionParams!]!) { launchMultipleRuns(executionParamsList: $l) { __typename } }", {"l": P["p"]}),
    "by a backfill": Document(BACKFILL, {"p": {"selector": {**REPOSITORY, "partitionSetName": "publish_quarter_partition_set"}, "partitionNames": ["2024-Q4"]}}),
    "by a backfill of nothing": Document(BACKFILL, {"p": {"selector": {**REPOSITORY, "partitionSetName": "no_such"}, "partitionNames": ["2024-Q4"]}}),
    "by running an unknown run again": Document('mutation { launchRunReexecution(reexecutionParams: {parentRunId: "x", strategy: ALL_STEPS}) { __typename } }'),
    "by running again with other parameters": Document("mutation M($p: ExecutionParams) { launchRunReexecution(executionParams: $p) { __typename } }", P),
    "by resuming an unknown backfill": Document('mutation { resumePartitionBackfill(backfillId: "x") { __typename } }'),
    "the workbook": Document(LAUNCH, launch_params("accept_workbook")),
    "an unknown job": Document(LAUNCH, launch_params("no_such_job")),
    "an unknown asset": Document(LAUNCH, launch_params("__ASSET_JOB", selector={"assetSelection": [{"path": ["no_such"]}]})),
    "no assets, which means all": Document(LAUNCH, launch_params("__ASSET_JOB")),
    "a job that claims to be permitted": Document(LAUNCH, launch_params("publish_quarter", executionMetadata={"tags": [{"key": "mel/needs_role", "value": "operator"}, {"key": "mel/by_role", "value": "lead"}]})),
    "another program for its steps": Document(LAUNCH, launch_params("preview_workbook", runConfigData={"execution": {"config": {"multiprocess": {}}}})),
    "another folder for its results": Document(LAUNCH, launch_params("preview_workbook", runConfigData=json.dumps({"resources": {"io_manager": {"config": {"base_dir": "/tmp"}}}}))),
    "wiping assets": Document(WIPE),
    "deleting a run": Document('mutation { deleteRun(runId: "x") { __typename } }'),
    "a reported materialization": Document('mutation { reportRunlessAssetEvents(eventParams: {eventType: ASSET_MATERIALIZATION, assetKey: {path: ["workbook_preview"]}}) { __typename } }'),
    "stopping the code server": Document('mutation { shutdownRepositoryLocation(repositoryLocationName: "mel") { __typename } }'),
    "names of settings": Document('query { utilizedEnvVarsOrError(repositorySelector: {repositoryName: "__repository__", repositoryLocationName: "mel"}) { __typename } }'),
    "an operation that does not exist": Document("mutation { becomeLead { __typename } }"),
    "nesting without an end": Document("mutation " + "{ ..." * 5000),
    "a document of megabytes": Document("#" * 2_000_000 + "\n" + WIPE),
    "a query that is none": Document({"query": WIPE}),  # type: ignore[arg-type]
    "variables that are a list": Document(LAUNCH, [P]),
}  # fmt: skip


@pytest.mark.fault(152)
@pytest.mark.parametrize("name", FOR_THE_LEAD)
def test_what_takes_a_lead_is_refused_to_others_whatever_words_it_comes_in(team: Site, name: str) -> None:
    before = team.runs()
    document = FOR_THE_LEAD[name]
    for who in (OPERATOR, READER):
        answer = team.graphql(who, document.query, document.variables, **document.more)
        assert answer["data"] is None, answer
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN", answer
    assert team.runs() == before


@pytest.mark.fault(152)
@pytest.mark.parametrize("name", FOR_THE_LEAD)
def test_a_websocket_takes_no_commands_from_anybody(team: Site, name: str) -> None:
    document = FOR_THE_LEAD[name]
    if len(str(document.query)) > 100_000:
        pytest.skip("one of this size is tried over HTTP")
    before = team.runs()
    for who in (OPERATOR, LEAD):
        with team.websocket(who) as opened:
            payload = {
                "query": document.query,
                "variables": document.variables,
                "operation_name": document.more.get("operationName"),
            }
            opened.send(json.dumps({"type": "start", "id": "1", "payload": payload}))
            assert json.loads(opened.recv(30))["type"] == "error"
    assert team.runs() == before


@pytest.mark.fault(152)
@pytest.mark.parametrize(
    "body",
    [
        json.dumps([{"query": LAUNCH, "variables": P}]),
        json.dumps([{"query": "{ version }"}, {"query": LAUNCH, "variables": P}]),
        json.dumps({"query": LAUNCH, "variables": json.dumps(P)}),
        json.dumps({"query": "{ version }", "operationName": ["M"]}),
        json.dumps({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}),
        json.dumps({"query": "{ version }"})[:-1] + ', "query": ' + json.dumps(LAUNCH) + ', "variables": ' + json.dumps(P) + "}",
        json.dumps({"query": LAUNCH, "variables": P}).replace("launchRun", "launch\\u0052un"),
        "null",
        "no JSON",
        "",
    ],
)  # fmt: skip
def test_bodies_that_two_readers_could_read_in_two_ways_start_nothing(team: Site, body: str) -> None:
    before = team.runs()
    answer = team.ask(
        "POST", "/graphql", OPERATOR, body=body.encode(), **{"content-type": "application/json"}
    )
    assert answer.status == 400 or "FORBIDDEN" in answer.text, answer.text[:300]
    assert team.runs() == before


@pytest.mark.fault(152)
@pytest.mark.parametrize(
    ("who", "method", "path", "body"),
    [
        (READER, "GET", "/drafts/2024-Q4/report-en.html", None),
        (READER, "GET", "/Drafts/2024-Q4/report-en.html", None),
        (READER, "GET", "/workbook", None),
        (READER, "GET", "/workbook/download", None),
        (READER, "GET", "/download_debug/0000", None),
        (READER, "GET", "/%64rafts/2024-Q4/", None),
        (READER, "GET", "/workbook%2fdownload", None),
        (OPERATOR, "POST", "/workbook/accept", b"token=x&role=lead"),
        (OPERATOR, "POST", "/report_asset_materialization/workbook_preview", {}),
        (OPERATOR, "POST", "/report_asset_check/workbook_preview", {}),
        (READER, "POST", "/report_asset_observation/x", {}),
        (OPERATOR, "POST", "/runs", {}),
        (STRANGER, "GET", "/reports/", None),
        (STRANGER, "POST", "/graphql", COMMAND),
    ],
)
def test_an_address_that_a_role_may_not_open_says_who_may(
    team: Site, who: str, method: str, path: str, body: Any
) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"} if isinstance(body, bytes) else {}
    answer = team.ask(method, path, who, body=body, origin=team.url, **form)
    assert answer.status == 403 and ("role" in answer.text), answer


@pytest.mark.fault(153)
@pytest.mark.parametrize(
    "header", ["x-mel-user", "X-MEL-USER", "x-mel-role", "x-mel-proxy", "remote-user", "connection"]
)
def test_a_header_of_the_client_makes_nobody_somebody_else(team: Site, header: str) -> None:
    value = "x-mel-user, x-mel-proxy" if header == "connection" else LEAD
    answer = team.ask("POST", "/graphql", READER, body={"query": WIPE}, **{header: value})
    assert answer.status in (401, 403) or "Your role, reader" in answer.text, answer


def test_paths_that_lead_out_of_a_folder_show_a_reader_no_file(team: Site) -> None:
    for path in ("/logs/..%2f..%2f..%2fusers/yml", "/logs/../../../warehouse/duckdb", "/reports/..%2fhome/users.yml",
                 "/reports/../drafts/x.html", "/reports/..%5chome%5cusers.yml"):  # fmt: skip
        answer = team.ask("GET", path, READER)
        assert answer.status >= 400 and LEAD not in answer.text, path
    hidden = '{ capturedLogs(logKey: ["..", "..", "..", "users"]) { stdout } }'
    assert team.graphql(READER, hidden)["data"] is None
    assert team.graphql(READER, "{ instance { info } }")["data"]["instance"]["info"] is None, (
        "no settings of the storage"
    )


def test_frames_that_are_no_messages_end_the_websocket_and_nothing_else(team: Site) -> None:
    for frame in (
        "[]",
        "null",
        '{"type": "start"}',
        '{"type": "start", "id": "1", "payload": []}',
        "no JSON",
    ):
        with pytest.raises(ConnectionClosed), team.websocket(READER) as opened:
            opened.send(frame)
            opened.recv(30)
    assert team.ask("GET", "/healthz").text == "ok"
