"""What gets past the login and the roles: nothing. A table of attacks on a real installation behind a real Caddy."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from mel_pipeline_tests.fixtures.login_site import (
    LAUNCH,
    LEAD,
    OPERATOR,
    READER,
    SECRET,
    SELECTOR,
    STRANGER,
    Answer,
    Site,
    launch_params,
)

pytestmark = pytest.mark.slow
COMMAND = {"query": LAUNCH, "variables": launch_params("preview_workbook")}
GIVEN_AWAY = ("__NEXT_DATA__", "dagster_version", "runId", "repositoryName", "reached", "initialization-data")


def raw(port: Callable[[Site], int], text: str) -> Callable[[Site], Answer]:
    """Bytes that no client library sends."""

    def attack(site: Site) -> Answer:
        with socket.create_connection(("127.0.0.1", port(site)), timeout=20) as opened:
            opened.sendall(text.replace("{inner}", str(site.inner)).replace("\n", "\r\n").encode())
            opened.shutdown(socket.SHUT_WR)
            answer = b""
            while part := opened.recv(65536):
                answer += part
        statuses = [
            int(line.split()[1])
            for line in answer.decode("latin-1").split("\r\n")
            if line.startswith("HTTP/1.1 ")
        ]
        return Answer(min(statuses, default=400), answer.decode("latin-1"), {})

    return attack


def proxy(method: str, path: str, user: str = "", **given: Any) -> Callable[[Site], Answer]:
    return lambda site: site.ask(method, path, user, **given)


def direct(method: str, path: str, **given: Any) -> Callable[[Site], Answer]:
    return lambda site: site.ask_directly(method, path, **given)


def socket_without(site: Site, direct: bool, **headers: str) -> Answer:
    try:
        if direct:
            address = f"ws://127.0.0.1:{site.inner}/graphql"
            with connect(address, origin=f"http://127.0.0.1:{site.inner}", additional_headers=headers):  # type: ignore[arg-type]
                return Answer(101, "opened", {})
        with site.websocket(**headers):
            return Answer(101, "opened", {})
    except InvalidStatus as refused:
        return Answer(refused.response.status_code, "", {})


FORGED = {
    "x-mel-user": LEAD,
    "remote-user": LEAD,
    "x-forwarded-user": LEAD,
    "x-auth-request-user": LEAD,
    "x-webauth-user": LEAD,
}
SMUGGLED = """POST /healthz HTTP/1.1
Host: 127.0.0.1:{inner}
Content-Length: 6
Transfer-Encoding: chunked

0

GET /server_info HTTP/1.1
Host: 127.0.0.1:{inner}
X-Mel-User: anna

"""
ABSOLUTE = "GET http://127.0.0.1:{inner}/server_info HTTP/1.1\nHost: 127.0.0.1:{inner}\nConnection: close\n\n"
TWO_HOSTS = "GET /server_info HTTP/1.1\nHost: 127.0.0.1:{inner}\nHost: mel.localhost\nConnection: close\n\n"
FOLDED = "GET /server_info HTTP/1.1\nHost: 127.0.0.1:{inner}\nX-Mel-User: anna\n X-Mel-Proxy: x\nConnection: close\n\n"
FORM = {"content-type": "multipart/form-data; boundary=b"}
MULTIPART = (
    b'--b\r\ncontent-disposition: form-data; name="operations"\r\n\r\n'
    + json.dumps(COMMAND).encode()
    + b"\r\n--b--\r\n"
)

WITHOUT_LOGIN: dict[str, Callable[[Site], Answer]] = {
    "the UI without a password": proxy("GET", "/"),
    "the versions without a password": proxy("GET", "/server_info"),
    "reports without a password": proxy("GET", "/reports/"),
    "drafts without a password": proxy("GET", "/drafts/2024-Q4/report-en.html"),
    "the workbook without a password": proxy("GET", "/workbook/download"),
    "a command without a password": proxy("POST", "/graphql", body=COMMAND),
    "a wrong password": proxy("GET", "/", LEAD, password="wrong"),
    "an empty password": proxy("GET", "/", LEAD, password=""),
    "a name that has no password": proxy("GET", "/", "mallory"),
    "headers of five proxies, through ours": proxy("GET", "/", **FORGED),
    "our headers with a guessed secret, through the proxy": proxy("GET", "/", **{"x-mel-user": LEAD, "x-mel-proxy": "x" * 48}),
    "our headers with the right secret, through the proxy": proxy("GET", "/", **{"x-mel-user": LEAD, "x-mel-proxy": SECRET}),
    "another method by a header": proxy("GET", "/healthz", **{"x-http-method-override": "POST", "x-original-url": "/server_info"}),
    "a path behind the open one": proxy("GET", "/healthz/../server_info"),
    "the open path with a dot, encoded": proxy("GET", "/healthz%2f..%2fserver_info"),
    "a draft by a font of the reports": proxy("GET", "/reports/assets/..%2f..%2f..%2fdrafts/2024-Q4/report.woff2"),
    "a draft by a font, plainly": proxy("GET", "/reports/assets/../../drafts/x.woff2"),
    "a command to a font": proxy("POST", "/reports/assets/inter.woff2", body=COMMAND),
    "the port behind the proxy": direct("GET", "/server_info"),
    "the port, with a name": direct("GET", "/server_info", **FORGED),
    "the port, with a wrong secret": direct("GET", "/server_info", **{"x-mel-user": LEAD, "x-mel-proxy": "x" * 48}),
    "the port, with an empty secret": direct("GET", "/server_info", **{"x-mel-user": LEAD, "x-mel-proxy": ""}),
    "the port, with the beginning of the secret": direct("GET", "/", **{"x-mel-user": LEAD, "x-mel-proxy": SECRET[:-1]}),
    "the port, with the secret in the address": direct("GET", f"/server_info?x-mel-proxy={SECRET}&x-mel-user={LEAD}"),
    "the port, with underscores": direct("GET", "/server_info", x_mel_user=LEAD, x_mel_proxy=SECRET),
    "the port, with the secret and nobody": direct("GET", "/server_info", **{"x-mel-proxy": SECRET}),
    "the port, as if from elsewhere": direct("GET", "/server_info", **{"x-forwarded-for": "127.0.0.1", "x-forwarded-host": "localhost", "forwarded": "for=127.0.0.1;host=localhost"}),
    "a foreign host": direct("GET", "/server_info", host="evil.example"),
    "a command in the address": direct("GET", "/graphql?query=mutation%7BreloadWorkspace%7B__typename%7D%7D"),
    "a command as text": direct("POST", "/graphql", body=json.dumps(COMMAND).encode(), **{"content-type": "text/plain"}),
    "a command as a form": direct("POST", "/graphql", body=MULTIPART, **FORM),
    "a command as JSON": direct("POST", "/graphql", body=COMMAND),
    "a path with two slashes": direct("POST", "//graphql", body=COMMAND),
    "a path in capitals": direct("POST", "/GraphQL", body=COMMAND),
    "an encoded path": direct("POST", "/%67raphql", body=COMMAND),
    "a materialization reported": direct("POST", "/report_asset_materialization/workbook_preview", body={}),
    "a notebook": direct("GET", "/notebook?path=/etc/x.ipynb&repoLocName=mel"),
    "a log": direct("GET", "/logs/%2e%2e/%2e%2e/%2e%2e/warehouse.duckdb"),
    "a debug file": direct("GET", "/download_debug/0000"),
    "the workbook accepted": direct("POST", "/workbook/accept", body=b"token=x&role=lead", origin="http://localhost", host="localhost", **{"content-type": "application/x-www-form-urlencoded"}),
    "TRACE": direct("TRACE", "/"),
    "an absolute address": raw(lambda site: site.inner, ABSOLUTE),
    "two hosts": raw(lambda site: site.inner, TWO_HOSTS),
    "a folded header": raw(lambda site: site.inner, FOLDED),
    "a second request in the first": raw(lambda site: site.inner, SMUGGLED),
    "a websocket without a password": lambda site: socket_without(site, direct=False),
    "a websocket past the proxy": lambda site: socket_without(site, direct=True, **{"x-mel-user": LEAD}),
}  # fmt: skip


@pytest.mark.fault(150)
@pytest.mark.parametrize("name", WITHOUT_LOGIN)
def test_without_a_login_an_attack_gets_nothing(team: Site, name: str) -> None:
    answer = WITHOUT_LOGIN[name](team)
    if name == "another method by a header":
        assert (answer.status, answer.text) == (200, "ok"), "no more than anybody may know"
        return
    assert 400 <= answer.status < 500, answer
    assert not [words for words in GIVEN_AWAY if words in answer.text], answer.text[:300]
    assert SECRET not in answer.text


@pytest.mark.fault(150)
def test_the_attacks_without_a_login_started_nothing(team: Site) -> None:
    before = team.runs()
    for attack in WITHOUT_LOGIN.values():
        attack(team)
    assert team.runs() == before


@pytest.mark.fault(151)
@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        ("POST", "/graphql", {"origin": "https://evil.example"}, COMMAND),
        ("POST", "/graphql", {"origin": "null"}, COMMAND),
        ("POST", "/graphql", {"origin": "http://mel.localhost"}, COMMAND),
        ("POST", "/graphql", {"origin": "https://mel.localhost.evil.example"}, COMMAND),
        ("POST", "/graphql", {"content-type": "text/plain"}, json.dumps(COMMAND).encode()),
        ("POST", "/graphql", FORM, MULTIPART),
        ("GET", "/graphql?query=mutation%7BreloadWorkspace%7B__typename%7D%7D", {}, None),
        ("GET", "/", {"host": "evil.example"}, None),
        ("POST", "/workbook/accept", {"origin": "https://evil.example", "content-type": "application/x-www-form-urlencoded"}, b"token=x"),
    ],
)  # fmt: skip
def test_another_site_gets_nothing_with_the_password_of_a_lead(
    team: Site, method: str, path: str, headers: dict[str, str], body: Any
) -> None:
    before = team.runs()
    answer = team.ask(method, path, LEAD, body=body, **headers)
    assert 400 <= answer.status < 500 or not answer.text, answer
    assert team.runs() == before


@pytest.mark.fault(151)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://localhost:3000"])
def test_a_websocket_of_another_site_is_refused(team: Site, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused, team.websocket(LEAD, origin=origin):
        pass
    assert refused.value.response.status_code == 403


def test_no_page_behind_the_login_may_be_framed(team: Site) -> None:
    for path in ("/runs", "/workbook", "/reports/"):
        headers = team.ask("GET", path, LEAD).headers
        assert (
            "frame-ancestors 'none'" in headers["content-security-policy"]
            and headers["x-frame-options"] == "DENY"
        )


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
