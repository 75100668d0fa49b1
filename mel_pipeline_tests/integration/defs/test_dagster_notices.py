"""Notifications: real runs in a real instance, sent over real SMTP and HTTP on loopback."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from mel_pipeline.core.errors import DeliveryError, SettingsError
from mel_pipeline.core.settings import Settings, load_settings
from mel_pipeline.defs import notify
from mel_pipeline.delivery import notifications as notices
from mel_pipeline.delivery.channels import services
from mel_pipeline.delivery.channels.redaction import redacted
from mel_pipeline.delivery.channels.webhook import post
from mel_pipeline.sources.workbook import versions
from mel_pipeline.sources.workbook.model import Change, Preview, Upload
from mel_pipeline_tests.fixtures.loopback import Reply, Request, Service, serving
from mel_pipeline_tests.fixtures.mail import Mailbox, mail_server

SECRET = "T0123/B0456/secret-of-the-chat"


class Wanted(dg.Config):
    fail: str = ""
    warn: list[str] = []  # noqa: RUF012 - Dagster's own copy
    state: str = "draft"


@dg.asset(
    name="released_figures",
    partitions_def=dg.StaticPartitionsDefinition(["2024-Q4", "2024-Q3"]),
    check_specs=[dg.AssetCheckSpec(name, asset="released_figures") for name in ("one", "two")],
)
def figures(config: Wanted) -> Iterator[dg.MaterializeResult[None]]:
    if config.fail:
        raise dg.Failure(description=config.fail, allow_retries=False)
    yield dg.MaterializeResult(
        metadata={"state": config.state},
        check_results=[
            dg.AssetCheckResult(
                check_name=name,
                passed=name not in config.warn,
                severity=dg.AssetCheckSeverity.WARN,
                description=f"Sentence of {name}.\n- More.\n- Rows.",
            )
            for name in ("one", "two")
        ],
    )


@dataclass
class Case:
    """A Dagster instance, the sensors on it, and where notices arrive."""

    instance: dg.DagsterInstance
    definitions: dg.Definitions
    box: Mailbox
    chat: list[Any]

    def run(
        self, tags: dict[str, str] | None = None, job: str = "nightly", sensor: str = "", **config: Any
    ) -> Any:
        """Run the job for 2024-Q4 and let the sensor of its outcome see the run."""
        result = self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key="2024-Q4",
            raise_on_error=False,
            tags=tags,
            run_config={"ops": {"released_figures": {"config": config}}},
        )
        return self.sense(result, sensor)

    def sense(self, result: dg.ExecuteInProcessResult, name: str = "") -> Any:
        name = name or ("tell_news" if result.success else "tell_failures")
        kinds = dg.DagsterEventType.RUN_SUCCESS if result.success else dg.DagsterEventType.RUN_FAILURE
        event = next(item for item in result.all_events if item.event_type == kinds)
        context: Any = dg.build_run_status_sensor_context(
            sensor_name=name,
            dagster_event=event,
            dagster_instance=self.instance,
            dagster_run=result.dagster_run,
        )
        sensor: Any = next(item for item in self.definitions.sensors or [] if item.name == name)
        return sensor(context if result.success else context.for_run_failure())

    @property
    def mails(self) -> list[str]:
        bodies = (message.get_body(("plain",)).get_content() for _, message in self.box.arrived)
        return [body.replace("\r\n", "\n") for body in bodies]


@pytest.fixture
def chat() -> Iterator[tuple[Service, list[Any], list[int]]]:
    said: list[Any] = []
    status = [200]
    received: list[int] = []

    def answer(request: Request) -> Reply:
        received.append(1)
        said.append(request)
        return Reply({"ok": True}, status=status[0])

    with serving(answer) as service:
        yield service, said, status


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chat: Any) -> Iterator[Case]:
    service, said, _ = chat
    with mail_server() as box, dg.DagsterInstance.ephemeral() as instance:
        for name, value in {
            "HOME": tmp_path,
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": box.port,
            "SMTP_SECURE": "none",
            "MAIL_FROM": "mel@network.example",
            "NOTIFY_TO": "ops@network.example",
            "NOTIFY_WEBHOOK": f"{service.url}/{SECRET}",
            "UI_URL": "https://dagster.network.example/",
            "REPORTS_DIR": tmp_path / "published",
        }.items():
            monkeypatch.setenv(f"MEL_{name}", str(value))
        jobs = [
            dg.define_asset_job(name, selection="released_figures")
            for name in ("nightly", "quarterly_report")
        ]
        definitions = dg.Definitions.merge(
            dg.Definitions(assets=[figures], jobs=jobs, executor=dg.in_process_executor),
            notify.build(Settings(_env_file=None)),
        )
        yield Case(instance, definitions, box, said)


@pytest.mark.slow
def test_a_failure_is_reported_once_in_plain_words_with_a_link_and_so_is_its_recovery(case: Case) -> None:
    reason = "Zoho contacts: HTTP 401. Renew MEL_ZOHO_REFRESH_TOKEN; asked for ana@city.example at 10.1.2.3."
    case.run(fail=reason)
    assert len(case.mails) == len(case.chat) == 1
    message = case.mails[0]
    assert message.startswith("nightly 2024-Q4 failed\n")
    assert "Zoho contacts: HTTP 401. Renew MEL_ZOHO_REFRESH_TOKEN" in message
    assert "https://dagster.network.example/runs/" in message
    overview = "https://dagster.network.example/assets/quarter_overview?view=partitions&partition=2024-Q4"
    assert f"2024-Q4 at a glance: {overview}" in message
    assert "ana@" not in message and "10.1.2.3" not in message
    assert case.box.arrived[0][1]["Subject"] == "Metropolis MEL: nightly 2024-Q4 failed"
    case.run(fail=reason)
    assert len(case.mails) == 1, "the same failure of the next night"
    case.run(fail="Another reason")
    assert "Another reason" in case.mails[1]
    case.run()
    assert case.mails[2].startswith("nightly 2024-Q4 works again")
    case.run()
    assert len(case.mails) == 3


@pytest.mark.slow
def test_the_chat_gets_json_with_a_text(case: Case, chat: Any) -> None:
    case.run(fail="No room on the disk")
    (request,) = case.chat
    assert (request.method, request.path) == ("POST", f"/{SECRET}")
    assert request.headers["Content-Type"] == "application/json"
    message = json.loads(request.body)
    assert list(message) == ["text"] and message["text"].startswith(
        "nightly 2024-Q4 failed\n\nNo room on the disk"
    )


@pytest.mark.slow
def test_warnings_are_sent_when_the_set_of_them_changes(case: Case) -> None:
    case.run()
    assert case.mails == []
    case.run(warn=["one"])
    assert (
        "New: released_figures one: Sentence of one. More." in case.mails[0] and "Rows." not in case.mails[0]
    )
    case.run(warn=["one"])
    assert len(case.mails) == 1
    case.run(warn=["one", "two"])
    assert "New: released_figures two" in case.mails[1] and "Still: released_figures one" in case.mails[1]
    case.run()
    assert case.mails[2].startswith("2024-Q4: no check warns any more")
    assert "Fixed: released_figures two" in case.mails[2]


def test_an_outage_is_reported_once_and_not_for_every_table_of_the_source() -> None:
    down = {
        f"raw_instagram__{table} rows_are_readable": f"Nothing new was loaded. Instagram {table}: HTTP 503. Run it later."
        for table in ("accounts", "daily", "periods")
    }
    waits = {
        "raw_survey_files__responses rows_are_readable": "0 rows read.\n1 entry in quarantine:\n- row 28"
    }
    notice = notices.warnings("2024-Q4", down | waits, [], "")
    assert notice.lines == (
        "New: raw_instagram__accounts rows_are_readable, raw_instagram__daily rows_are_readable"
        " and raw_instagram__periods rows_are_readable: HTTP 503. Run it later.",
        "New: raw_survey_files__responses rows_are_readable: 0 rows read. 1 entry in quarantine",
    )


@pytest.mark.slow
def test_a_notice_goes_out_when_a_requested_report_is_ready_and_when_its_quarter_can_be_published(
    case: Case,
) -> None:
    case.run(state="checked")
    assert "nothing stands against publishing it" in case.mails[0]
    case.run(state="checked")
    assert len(case.mails) == 1
    case.run(job="quarterly_report")
    assert case.mails[1].startswith("the report 2024-Q4 is ready") and "published/2024-Q4" in case.mails[1]
    assert "https://dagster.network.example/reports/2024-Q4/report-en.html" in case.mails[1]


@pytest.mark.slow
def test_a_run_that_is_part_of_another_sends_no_notice(case: Case) -> None:
    case.run(tags={notify.PART_OF: "the year"}, fail="No room")
    case.run(tags={notify.PART_OF: "the year"}, warn=["one"])
    assert case.mails == []


@pytest.mark.slow
def test_a_chat_that_refuses_fails_the_tick_naming_only_its_host_and_the_mail_still_goes_out(
    case: Case, chat: Any
) -> None:
    chat[2][0] = 404
    with pytest.raises(DeliveryError, match=r"chat at 127\.0\.0\.1: it refuses \(404\)") as caught:
        case.run(fail="No room")
    assert "secret" not in str(caught.value) and len(case.mails) == 1
    chat[2][0] = 200
    case.run(fail="No room")
    assert len(case.chat) >= 2, "what was not sent everywhere is sent again"


@pytest.mark.slow
def test_the_daemon_sees_a_failure_and_an_undeliverable_notice_fails_its_tick_but_not_the_run(
    case: Case, chat: Any
) -> None:
    repository = case.definitions.get_repository_def()
    sensor = repository.get_sensor_def("tell_failures")

    def tick(cursor: str | None) -> Any:
        """As the daemon evaluates it: runs that failed since the cursor."""
        with dg.build_sensor_context(
            instance=case.instance, cursor=cursor, repository_def=repository, sensor_name="tell_failures"
        ) as context:
            return sensor.evaluate_tick(context)

    def fail() -> dg.ExecuteInProcessResult:
        return case.definitions.resolve_job_def("nightly").execute_in_process(
            instance=case.instance,
            partition_key="2024-Q4",
            raise_on_error=False,
            run_config={"ops": {"released_figures": {"config": {"fail": "No room on the disk"}}}},
        )

    begun = tick(None)
    chat[2][0] = 404
    result = fail()
    refused = tick(begun.cursor)
    (reaction,) = refused.dagster_run_reactions
    assert "it refuses (404)" in reaction.error.to_string() and "secret" not in reaction.error.to_string()
    assert len(case.mails) == 1
    assert case.instance.get_run_by_id(result.run_id).status is dg.DagsterRunStatus.FAILURE  # type: ignore[union-attr]
    chat[2][0] = 200
    fail()
    (reaction,) = tick(refused.cursor).dagster_run_reactions
    assert reaction.error is None and len(case.mails) == 2
    assert json.loads(case.chat[-1].body)["text"].startswith("nightly 2024-Q4 failed")


@pytest.mark.slow
def test_silence_is_measured_from_the_last_night_and_not_before_the_first(case: Case) -> None:
    sensor: Any = next(item for item in case.definitions.sensors or [] if item.name == "tell_silence")
    assert notify.hours_since_nightly(case.instance, datetime.now(UTC)) is None
    assert "Nothing has run" in str(sensor(dg.build_sensor_context(instance=case.instance)).skip_message)
    case.run()
    assert "0 hours ago" in str(sensor(dg.build_sensor_context(instance=case.instance)).skip_message)
    hours = notify.hours_since_nightly(case.instance, datetime.now(UTC) + timedelta(days=3))
    assert hours == pytest.approx(72, abs=0.1)


@pytest.mark.slow
def test_silence_is_reported_once_with_what_to_check(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.run()
    sensor: Any = next(item for item in case.definitions.sensors or [] if item.name == "tell_silence")
    monkeypatch.setattr(notify, "MOST_HOURS", -1.0)  # as if the night were long over
    for _ in range(2):
        sensor(dg.build_sensor_context(instance=case.instance))
    assert len(case.mails) == 1 and "every_night" in case.mails[0]


@pytest.mark.slow
def test_a_duty_is_reminded_of_before_its_day_and_each_week_that_it_is_late(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings()
    duty = {"what": "Main points", "kind": "text", "role": "MEL lead", "days_after": "15", "every": "quarter"}
    current = versions.current(settings)
    stated = Preview(current, Upload(current.id, {}), [Change("duties", None, None, duty)], [], [], [], [], 0)
    versions.accept(settings, stated, "MEL lead")
    sensor: Any = next(item for item in case.definitions.sensors or [] if item.name == "remind_duties")
    for day in ("2026-10-05", "2026-10-06", "2026-10-16", "2026-10-17", "2026-10-21"):
        monkeypatch.setenv("MEL_TODAY", day)
        sensor(dg.build_sensor_context(instance=case.instance))
    assert len(case.mails) == 3
    assert "MEL lead: Main points of 2026-Q3 is due on 2026-10-15, in 10 days." in case.mails[0]
    assert all("was due on 2026-10-15" in mail for mail in case.mails[1:])


@pytest.mark.slow
def test_a_good_night_and_nothing_else_is_a_heartbeat_for_a_monitor_elsewhere(
    case: Case, chat: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, said, status = chat
    assert "not set" in str(case.run(sensor="heartbeat").skip_message)
    monkeypatch.setenv("MEL_HEARTBEAT_URL", f"{service.url}/ping/secret-of-the-monitor")
    case.run(sensor="heartbeat")
    assert "Only nightly" in str(case.run(job="quarterly_report", sensor="heartbeat").skip_message)
    assert [(one.method, one.path) for one in said] == [("GET", "/ping/secret-of-the-monitor")]
    status[0] = 404
    with pytest.raises(
        DeliveryError, match=r"Calling the monitor at 127\.0\.0\.1: it refuses \(404\)"
    ) as refused:
        case.run(sensor="heartbeat")
    assert "secret" not in str(refused.value)


@pytest.mark.slow
def test_any_service_of_apprise_gets_notices_and_one_that_fails_stops_no_other(
    case: Case, chat: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, said, _ = chat
    place = service.url.removeprefix("http://")
    monkeypatch.setenv("MEL_NOTIFY_WEBHOOK", "")
    monkeypatch.setenv("MEL_NOTIFY_URLS", f"json://127.0.0.1:9/{SECRET} json://{place}/{SECRET}")
    notice = notices.Notification("nightly 2024-Q4 failed", ("No room; ask ana@city.example",))
    with pytest.raises(DeliveryError, match=r"address 1 \(json\) did not take the message") as failed:
        notices.notify(Settings(_env_file=None), notice)
    assert "secret" not in str(failed.value)
    assert json.loads(said[0].body)["title"] == "Metropolis MEL: nightly 2024-Q4 failed"
    assert "No room; ask [address]" in json.loads(said[0].body)["message"]
    assert len(case.mails) == 1
    with pytest.raises(SettingsError, match=r"address 2 \(nosuch\) is not understood"):
        services.services("json://127.0.0.1 nosuch://user:secret@x")


@pytest.mark.slow
def test_a_corrupt_notice_file_is_rewritten_and_the_notice_sent_again(case: Case, tmp_path: Path) -> None:
    case.run(fail="No room")
    (tmp_path / "notices.json").write_text("{", encoding="utf-8")
    case.run(fail="No room")
    assert len(case.mails) == 2
    assert json.loads((tmp_path / "notices.json").read_text())["failure nightly 2024-Q4"]


@pytest.mark.slow
def test_notice_sensors_start_with_a_recipient_and_team_sensors_with_team_mode(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mel_pipeline.defs import build

    def on() -> set[str]:
        definitions = build()
        parts = [*(definitions.sensors or []), *(definitions.schedules or [])]
        return {part.name for part in parts if part.default_status.value == "RUNNING"}

    assert on() == set()
    monkeypatch.setenv("MEL_NOTIFY_WEBHOOK", "https://chat.example/x")
    assert on() == {"tell_failures", "tell_news", "remind_duties"}
    monkeypatch.setenv("MEL_TEAM", "true")
    assert on() == {
        "tell_failures", "tell_news", "tell_silence", "deliver_published", "every_night", "new_survey_files",
        "housekeeping",
        "remind_duties", "new_workbook",
    }  # fmt: skip


def test_a_chat_that_is_down_is_retried_and_named_by_its_host(chat: Any) -> None:
    service, said, status = chat
    status[0] = 503
    with pytest.raises(DeliveryError, match=r"it answered 503\. Tried 3 times") as caught:
        post(f"{service.url}/{SECRET}", "hello", wait_seconds=0.01)
    assert len(said) == 3 and "secret" not in str(caught.value)
    with pytest.raises(DeliveryError, match="could not be reached") as caught:
        post(f"http://127.0.0.1:9/{SECRET}", "hello", attempts=1)
    assert "secret" not in str(caught.value) and caught.value.__context__ is None
    with pytest.raises(SettingsError, match="not an https address"):
        post("http://chat.example/x", "hello")


def test_notices_name_no_person_and_no_secret() -> None:
    text = redacted(
        "ana.b@city.example at 192.168.1.20: https://user:pw@api.example/v1?token=abc 9f8e7d6c5b4a39281706f5e4d3c2b1a0ff MEL_ZOHO_REFRESH_TOKEN 2024-Q4"
    )
    assert text == "[address] at [ip]: https://api.example/… [token] MEL_ZOHO_REFRESH_TOKEN 2024-Q4"
