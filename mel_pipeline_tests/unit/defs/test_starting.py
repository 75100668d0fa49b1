"""`mel dev` names its address when it answers, what it waits for until then, and why it could not start in a sentence."""

from __future__ import annotations

import time
import warnings
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any, cast

import pytest
from dagster._utils.error import SerializableErrorInfo

from mel_pipeline.core.errors import ServingError
from mel_pipeline.defs.serving.starting import SERVER, Starting, require_loaded, without_tracebacks, works_at


class Health(BaseHTTPRequestHandler):
    status = 503

    def do_GET(self) -> None:
        self.send_response(type(self).status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.mark.slow
@pytest.mark.fault(144)
def test_the_address_is_printed_once_the_port_answers_well_and_never_before() -> None:
    said: list[str] = []
    with HTTPServer(("127.0.0.1", 0), Health) as server:
        port = server.server_port
        starting = Starting(port, "http://here", said.append, said_every=0.1)
        with starting.shown():
            time.sleep(0.7)
            assert said[0] == "Dagster is starting …" and "waiting for the pipeline to be loaded" in said[1]
            Thread(target=server.serve_forever, daemon=True).start()
            starting.waits_for = SERVER
            time.sleep(1.2)
            assert not works_at(port) and not [words for words in said if "http://here" in words]
            Health.status = 200
            end = time.monotonic() + 20
            while "http://here" not in said[-1] and time.monotonic() < end:
                time.sleep(0.1)
        server.shutdown()
    assert said[-1].startswith("Dagster: http://here") and any(SERVER in words for words in said)


def failed(*messages: str) -> Any:
    """A pipeline that could not be loaded, with the causes of its error."""
    error = None
    for message in reversed(messages):
        error = SerializableErrorInfo(message, ["  File somewhere\n"] * 200, "Exception", cause=error)
    request = SimpleNamespace(code_location_errors=lambda: [error] if error else [])
    instance = SimpleNamespace(code_server_process_startup_timeout=600)
    return cast("Any", SimpleNamespace(create_request_context=lambda: request, instance=instance))


@pytest.mark.fault(144)
def test_a_pipeline_that_cannot_be_loaded_is_a_sentence_and_no_traceback() -> None:
    said: list[str] = []
    require_loaded(failed(), said.append)
    assert said == []
    with pytest.raises(
        ServingError, match=r"not loaded within 600 s\. The machine is busy.*start `mel dev` again"
    ):
        require_loaded(
            failed("Process error", "Timed out waiting for gRPC server to start after 600s."), said.append
        )
    require_loaded(
        failed("Process error", "line 1\nReading organisation.yml: currency is missing."), said.append
    )
    [words] = said
    assert (
        "Reading organisation.yml: currency is missing. Correct it" in words and "File somewhere" not in words
    )


def test_only_the_warning_with_the_traceback_is_left_out() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with without_tracebacks():
            warnings.warn("Error loading repository location mel: Traceback", stacklevel=1)
            warnings.warn("something else", stacklevel=1)
    assert [str(one.message) for one in seen] == ["something else"]
