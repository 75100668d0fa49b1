"""Servers that never finish, over real sockets: each hits a time limit, wherever in the response it stalls."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mel_pipeline.core.errors import PermanentSourceError, TransientSourceError
from mel_pipeline.core.settings import PROJECT
from mel_pipeline.sources.shared import http as http_module
from mel_pipeline.sources.shared.http import Answer, Http, Policy, explain_status
from mel_pipeline_tests.fixtures.dawdling import dawdling
from mel_pipeline_tests.fixtures.loopback import Reply, Request, serving

QUICK = Policy(connect=2, read=5, answer=0.4, attempts=2, backoff=0.001, longest_wait=0.2)


@pytest.mark.slow
@pytest.mark.fault(14)
@pytest.mark.behaviour("endless", "*")
@pytest.mark.parametrize(
    ("begin", "again"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;extension=", b"a"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: ", b"a"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 100000\r\n\r\n", b" "),
        (b"HTTP/1.1 401 No\r\nContent-Length: 100000\r\n\r\n", b" "),
    ],
    ids=["status line", "header", "100 Continue", "chunk extension", "trailer", "body", "body of a 503", "body of a 401"],
)  # fmt: skip
def test_a_response_that_never_ends_hits_a_time_limit_wherever_it_stalls(begin: bytes, again: bytes) -> None:
    with dawdling(begin, again) as url:
        started = time.monotonic()
        with pytest.raises(TransientSourceError, match=r"A slow service: .*(too slowly|broke off)"):
            Http(QUICK).call("A slow service", url, lambda answer: answer)
        assert time.monotonic() - started < 3


@pytest.mark.fault(85)
def test_a_download_without_an_end_is_refused_before_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both as it is, and as a little that unpacks to much."""
    monkeypatch.setattr(http_module, "_LARGEST_FILE", 4 << 20)
    packed = gzip.compress(bytes(20 << 20))
    bomb = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    for begin, again in ((b"HTTP/1.1 200 OK\r\n\r\n", bytes(1 << 20)), (bomb.encode() + packed, b"")):
        with (
            dawdling(begin, again, pause=0.001) as url,
            pytest.raises(PermanentSourceError, match=r"the file is larger than \d+ GB and was refused"),
        ):
            Http(QUICK).call("A file", url, lambda answer: answer, into=tmp_path / "file")
        assert (tmp_path / "file").stat().st_size <= 4 << 20


@pytest.mark.fault(14)
def test_every_source_reaches_its_service_by_the_client_with_these_limits() -> None:
    folder = PROJECT / "mel_pipeline" / "sources"
    own = {folder / "shared" / name for name in ("http.py", "deadline.py")}
    network = re.compile(
        r"^\s*(?:import|from) (?:requests|urllib3|urllib\.request|http\.client|socket|httpx)\b", re.MULTILINE
    )
    others = [path for path in folder.rglob("*.py") if path not in own]
    assert len(others) > 50
    assert [path.name for path in others if network.search(path.read_text(encoding="utf-8"))] == []


def always(reply: Reply) -> Callable[[Request], Reply]:
    return lambda request: reply


@pytest.mark.fault(12)
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("wait", ["86400", "Fri, 31 Dec 2100 23:59:59 GMT"])
def test_a_requested_wait_of_a_day_ends_the_load_and_names_the_time(status: int, wait: str) -> None:
    with serving(always(Reply({}, status, {"Retry-After": wait}))) as service:
        started = time.monotonic()
        with pytest.raises(
            TransientSourceError, match=r"asks to wait [\d,]+ hours, until 2\d{3}-\d\d-\d\d \d\d:\d\d UTC"
        ):
            Http(QUICK).call("A busy service", service.url, judge)
        assert time.monotonic() - started < 2
        assert len(service.requests) == 1


def judge(answer: Answer) -> Answer:
    if answer.status != 200:
        raise explain_status(answer, "")
    return answer


@pytest.mark.slow
@pytest.mark.fault(45)
@pytest.mark.behaviour("endless", "*")
def test_a_load_ends_when_its_time_is_up_however_many_pages_there_are() -> None:
    with serving(always(Reply({"more": True}))) as service:
        http = Http(Policy(load=0.2, attempts=1))
        with pytest.raises(TransientSourceError, match="the load has taken"):
            while True:
                http.call("An endless list", service.url, judge)


@pytest.mark.slow
def test_a_connection_that_is_kept_serves_the_next_request_with_a_new_deadline() -> None:
    with serving(always(Reply({"a": 1}))) as service:
        http = Http(Policy(answer=0.5, attempts=1))
        for _ in range(3):
            assert http.call("A service", service.url, lambda answer: answer.json()) == {"a": 1}
            time.sleep(0.2)
