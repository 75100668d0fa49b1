"""E-mail over a real SMTP server on loopback: security, refusals, and no names in errors."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from mel_pipeline.core.errors import DeliveryError, SettingsError
from mel_pipeline.delivery.channels.smtp import Server, send
from mel_pipeline.delivery.message import Letter, message
from mel_pipeline.delivery.recipients import recipients
from mel_pipeline_tests.fixtures.dawdling import dawdling
from mel_pipeline_tests.fixtures.mail import PASSWORD, USER, AnyPort, Mailbox, mail_server, self_signed

SENDER = "mel@network.example"
NOW = datetime(2025, 1, 20, 9, 0, tzinfo=UTC)
LETTER = Letter("Métropole: 2024-Q4", "164 member cities · 40–60 %\n", "<p>164 member cities · 40–60 %</p>")
PEOPLE = ("ana@city.example", "bo@city.example", "cy@city.example")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("certificate"))


def server(box: Mailbox, **changes: object) -> Server:
    given = Server("127.0.0.1", box.port, "none", attempts=3, wait_seconds=0.01, timeout_seconds=2)
    return replace(given, **changes)  # type: ignore[arg-type]


def messages(*people: str) -> dict[str, EmailMessage]:
    return {f"p{n}": message(LETTER, SENDER, person, NOW, f"key {n}") for n, person in enumerate(people)}


def sent(given: Server, *people: str) -> tuple[dict[str, str], list[str]]:
    accepted: list[str] = []
    return send(given, SENDER, messages(*people), accepted.append), accepted


def test_each_recipient_gets_a_separate_message_that_shows_no_other_address() -> None:
    with mail_server() as box:
        failed, accepted = sent(server(box), *PEOPLE)
    assert (failed, accepted) == ({}, ["p0", "p1", "p2"])
    for (address, arrived), person in zip(box.arrived, PEOPLE, strict=True):
        assert address == person == arrived["To"]
        assert not any(other in arrived.as_string() for other in PEOPLE if other != person)
        assert arrived["Subject"] == "Métropole: 2024-Q4"
        assert arrived.get_body(("plain",)).get_content().strip() == "164 member cities · 40–60 %"
        assert "40–60 %" in arrived.get_body(("html",)).get_content()
    assert set(box.greetings) == {"network.example"}, "the machine's own name is not sent"


@pytest.mark.fault(41)
@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85"])
def test_a_line_separator_in_a_subject_becomes_a_space(mark: str) -> None:
    made = message(replace(LETTER, subject=f"Red{mark}2024-Q4"), SENDER, PEOPLE[0], NOW, "key")
    assert made["Subject"] == "Red 2024-Q4"


def test_a_password_travels_over_starttls_with_the_certificate_checked(certificate: Path) -> None:
    with mail_server(certificate=certificate, sign_in=True) as box:
        given = server(box, secure="starttls", user=USER, password=PASSWORD, ca_file=certificate)
        assert sent(given, PEOPLE[0]) == ({}, ["p0"])
        with pytest.raises(DeliveryError, match=r"certificate is not trusted.*MEL_SMTP_CA_FILE"):
            sent(replace(given, ca_file=None), PEOPLE[0])
        with pytest.raises(DeliveryError, match="user or password refused") as caught:
            sent(replace(given, password="wrong-secret"), PEOPLE[0])
    assert "wrong-secret" not in str(caught.value) and "wrong-secret" not in repr(given)
    assert box.to == [PEOPLE[0]]


def test_tls_from_the_start_works_and_a_certificate_of_another_host_is_refused(
    certificate: Path, tmp_path: Path
) -> None:
    with mail_server(certificate=certificate, tls=True, sign_in=True) as box:
        given = server(box, secure="tls", user=USER, password=PASSWORD, ca_file=certificate)
        assert sent(given, PEOPLE[0]) == ({}, ["p0"])
    other = self_signed(tmp_path, "mail.example")
    with (
        mail_server(certificate=other, tls=True) as box,
        pytest.raises(DeliveryError, match=r"not trusted .*mismatch"),
    ):
        sent(server(box, secure="tls", ca_file=other), PEOPLE[0])
    assert box.arrived == []


def test_a_server_without_starttls_gets_nothing() -> None:
    with mail_server() as box, pytest.raises(DeliveryError, match="does not offer STARTTLS"):
        sent(server(box, secure="starttls"), PEOPLE[0])
    assert box.arrived == []


def test_a_password_is_never_sent_readable_to_another_machine() -> None:
    with pytest.raises(SettingsError, match="sent unencrypted"):
        send(
            Server("mail.example", 25, "none", user="a", password="b"), SENDER, messages("x@y.example"), print
        )


def test_a_permanently_refused_recipient_is_tried_once_and_the_others_get_theirs() -> None:
    def refuse(address: str, tried: int) -> str:
        return f"550 5.1.1 <{address}>: Bo Example is unknown" if address == PEOPLE[1] else ""

    with mail_server(at_recipient=refuse) as box:
        failed, accepted = sent(server(box), *PEOPLE)
    assert accepted == ["p0", "p2"] and box.tried[PEOPLE[1]] == 1
    assert failed == {"p1": f"127.0.0.1:{box.port} refuses the address (550 5.1.1)."}


def test_greylisted_messages_are_retried_and_nobody_gets_two() -> None:
    def later(address: str, tried: int) -> str:
        return "451 4.7.1 Greylisted, come again" if tried < 3 and address != PEOPLE[0] else ""

    with mail_server(at_recipient=later) as box:
        assert sent(server(box), *PEOPLE) == ({}, ["p0", "p1", "p2"])
    assert sorted(box.to) == sorted(PEOPLE)


def test_a_message_that_is_always_deferred_is_reported_after_the_last_try() -> None:
    with mail_server(at_data=lambda address, tried: "452 4.2.2 Mailbox full") as box:
        failed, accepted = sent(server(box), PEOPLE[0])
    assert accepted == [] and box.tried[PEOPLE[0]] == 3
    assert failed == {"p0": f"127.0.0.1:{box.port} put the message off (452 4.2.2). Tried 3 times."}


def test_a_connection_that_drops_in_the_middle_is_opened_again_for_the_rest() -> None:
    def drop(address: str, tried: int) -> str:
        return "drop" if address == PEOPLE[1] and tried == 1 else ""

    with mail_server(at_data=drop) as box:
        assert sent(server(box), *PEOPLE) == ({}, ["p0", "p1", "p2"])
    assert box.to == list(PEOPLE)


def test_a_sender_that_is_refused_stops_everything() -> None:
    class Strict:
        async def handle_MAIL(  # noqa: N802
            self, server: object, session: object, envelope: object, address: str, options: list[str]
        ) -> str:
            return "553 5.7.1 not yours"

    controller = AnyPort(Strict(), hostname="127.0.0.1", port=0)
    controller.start()
    try:
        with pytest.raises(DeliveryError, match="MEL_MAIL_FROM"):
            sent(Server("127.0.0.1", controller.port, "none", attempts=1), PEOPLE[0])
    finally:
        controller.stop()


@pytest.mark.slow
def test_a_server_that_is_not_there_or_never_answers_is_named_with_what_happened() -> None:
    port = _free_port()
    failed, _ = sent(Server("127.0.0.1", port, "none", attempts=2, wait_seconds=0.01), *PEOPLE)
    assert (
        failed["p2"]
        == f"The mail server 127.0.0.1:{port} could not be used: connection refused. Tried 2 times."
    )
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        failed, _ = sent(Server("127.0.0.1", port, "none", timeout_seconds=0.2, attempts=1), PEOPLE[0])
    assert "no answer within 0.2 seconds" in failed["p0"]


@pytest.mark.slow
@pytest.mark.fault(86)
@pytest.mark.parametrize(
    ("begin", "again", "pause"),
    [
        (b"", b"2", 0.02),
        (b"220 here\r\n", b"2", 0.02),
        (b"220 here\r\n", b"250-and\r\n", 0.02),
        (b"220 here\r\n", b"250-and\r\n" * 5_000, 0.0),
    ],
    ids=["greeting", "line", "lines that never end", "a flood of lines"],
)
def test_a_reply_that_drips_or_never_ends_is_given_up_in_time(
    begin: bytes, again: bytes, pause: float
) -> None:
    with dawdling(begin, again, pause, waits=False) as url:
        port = int(url.rstrip("/").rpartition(":")[2])
        started = time.monotonic()
        given = Server("127.0.0.1", port, "none", timeout_seconds=0.4, attempts=1)
        failed, accepted = sent(given, *PEOPLE)
    assert time.monotonic() - started < 3
    assert not accepted and all("no answer within 0.4 seconds" in why for why in failed.values())


@pytest.mark.parametrize("place", ["subject", "sender", "recipient"])
def test_a_line_break_can_add_no_header(place: str) -> None:
    bad = "x@y.example\r\nBcc: everybody@city.example"
    letter = replace(LETTER, subject=bad) if place == "subject" else LETTER
    with pytest.raises(DeliveryError, match=f"its {place} contains a line break") as caught:
        message(
            letter, bad if place == "sender" else SENDER, bad if place == "recipient" else PEOPLE[0], NOW, "k"
        )
    assert "everybody" not in str(caught.value)


def test_the_same_message_keeps_its_id_and_is_marked_as_auto_generated() -> None:
    one, other = (message(LETTER, SENDER, PEOPLE[0], NOW, "2024-Q4 1 p") for _ in range(2))
    assert one["Message-ID"] == other["Message-ID"] and one["Message-ID"].endswith("@network.example>")
    assert one["Auto-Submitted"] == "auto-generated"


def test_a_list_gives_each_person_once_with_a_language_and_keeps_no_name() -> None:
    found = recipients(
        "Ana Example <Ana@city.example>, bo@city.example; FR: cy@city.example, ana@CITY.example",
        "MEL_MAIL_TO",
    )
    assert [(one.address, one.language) for one in found] == [
        ("Ana@city.example", "en"), ("bo@city.example", "en"), ("cy@city.example", "fr"),
    ]  # fmt: skip
    assert found[2].place == "recipient 1 (fr) of MEL_MAIL_TO"
    assert "@" not in repr(found)


@pytest.mark.parametrize(
    "entry", ["nobody", "a@b@c", "a b@c.example", "x@y.example\nBcc: z@y.example", "@y.example"]
)
def test_an_invalid_address_is_named_by_position_and_never_printed(entry: str) -> None:
    with pytest.raises(SettingsError, match=r"recipient 2 \(fr\) of MEL_MAIL_TO") as caught:
        recipients(f"fr: ok@city.example, {entry}", "MEL_MAIL_TO")
    assert entry not in str(caught.value) and "ok@" not in str(caught.value)


def test_no_server_thread_is_left_running() -> None:
    assert not [thread for thread in threading.enumerate() if "asyncio" in thread.name.lower()]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
