"""The chat webhook, over real sockets."""

from __future__ import annotations

import time

import pytest

from mel_pipeline.core.errors import DeliveryError
from mel_pipeline.delivery.channels import webhook
from mel_pipeline_tests.fixtures.dawdling import dawdling
from mel_pipeline_tests.fixtures.loopback import Reply, serving


@pytest.mark.slow
@pytest.mark.fault(86)
@pytest.mark.parametrize(
    ("begin", "again"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["status line", "header", "100 Continue"],
)
def test_a_chat_that_drips_its_answer_is_given_up_in_time(
    begin: bytes, again: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "LONGEST", 0.3)
    with dawdling(begin, again) as url:
        started = time.monotonic()
        with pytest.raises(
            DeliveryError, match=r"chat at 127.0.0.1: .* longer than 0.3 seconds. Tried 1 times"
        ):
            webhook.post(url, "A text", attempts=1)
        assert time.monotonic() - started < 3


def test_the_text_of_an_answer_is_not_waited_for() -> None:
    with dawdling(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" ") as url:
        started = time.monotonic()
        webhook.post(url, "A text", attempts=1)
        assert time.monotonic() - started < 1


def test_a_refusal_names_host_and_status_only() -> None:
    with (
        serving(lambda request: Reply({"secret": "of the answer"}, 404)) as service,
        pytest.raises(DeliveryError, match=r"chat at 127.0.0.1: it refuses \(404\)") as refused,
    ):
        webhook.post(f"{service.url}/a-secret-path", "A text", attempts=1)
    assert "secret" not in str(refused.value)
