"""Servers that never finish, over real sockets: each hits a time limit, wherever in the response it stalls."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from mel_pipeline.core.errors import TransientSourceError
from mel_pipeline.sources.shared.http import Answer, Http, Policy, explain_status
from mel_pipeline_tests.fixtures.loopback import Reply, Request, serving

QUICK = Policy(connect=2, read=5, answer=0.4, attempts=2, backoff=0.001, longest_wait=0.2)


@contextmanager
def dawdling(begin: bytes, again: bytes) -> Iterator[str]:
    """A server that answers ``begin`` to each request, and then ``again`` forever."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            try:
                connection.sendall(begin)
                while not stop.wait(0.02):
                    connection.sendall(again)
            except OSError:
                pass

    def accept() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


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


@pytest.mark.fault(45)
@pytest.mark.behaviour("endless", "*")
def test_a_load_ends_when_its_time_is_up_however_many_pages_there_are() -> None:
    with serving(always(Reply({"more": True}))) as service:
        http = Http(Policy(load=0.2, attempts=1))
        with pytest.raises(TransientSourceError, match="the load has taken"):
            while True:
                http.call("An endless list", service.url, judge)


def test_a_connection_that_is_kept_serves_the_next_request_with_a_new_deadline() -> None:
    with serving(always(Reply({"a": 1}))) as service:
        http = Http(Policy(answer=0.5, attempts=1))
        for _ in range(3):
            assert http.call("A service", service.url, lambda answer: answer.json()) == {"a": 1}
            time.sleep(0.2)
