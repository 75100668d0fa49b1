"""What stops one account, page, channel or site, and what a service answers otherwise than asked. No warehouse."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import PermanentSourceError, ReauthoriseError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings, with_sample_values
from mel_pipeline.sandbox import Sandbox
from mel_pipeline.sandbox.platforms import facebook, ga4, instagram, linkedin, mailchimp, matomo, x, youtube
from mel_pipeline.sources.mailchimp import parse as mailchimp_parse
from mel_pipeline.sources.shared.base import Batch, Pull
from mel_pipeline.sources.shared.http import Http, Policy
from mel_pipeline.sources.shared.meta.posts import by_day
from mel_pipeline.sources.shared.platform.accounts import EachAccount
from mel_pipeline.sources.shared.platform.days import months_ending_in, parts_of, windows
from mel_pipeline.sources.shared.platform.mailings import count_rows
from mel_pipeline.sources.shared.platform.rows import Period, account_row, batch_of
from mel_pipeline_tests.conftest import TODAY
from mel_pipeline_tests.depth import examples
from mel_pipeline_tests.fixtures.loopback import Reply, Request, serving
from mel_pipeline_tests.fixtures.platforms import CASES, reasons

QUICK = Policy(connect=2, read=5, attempts=2, backoff=0.001, longest_wait=0.2, throttled=0.01)
Q3 = Quarter(2026, 3)
MAIN, AVANTIA = "17841400000000001", "17841400000000002"
PAGE, CARE = "112000000000001", "112000000000002"


@pytest.fixture
def box(sandbox: Sandbox) -> Iterator[Sandbox]:
    yield sandbox
    for platform in sandbox.platforms.values():
        platform.recover()


class Reader:
    """Reads entities of one source from the sandbox."""

    def __init__(self, box: Sandbox, home: Path, source: str, **values: str) -> None:
        base = Settings(home=home, today=TODAY, first_quarter="2026-Q2", _env_file=None)
        self._settings = with_sample_values(base, box.port)
        if values:
            self._settings = self._settings.with_source(source, **values)
        self._source = source
        self.warnings: list[str] = []
        self.cursor: str | None = None
        self.batches: list[Batch] = []

    def read(self, entity: str, quarter: Quarter = Q3, **options: Any) -> pd.DataFrame:
        client = import_module(f"mel_pipeline.sources.{self._source}.client").open(self._settings, QUICK)
        pull: Pull = client.pull(entity, quarter=quarter, **options)
        self.batches = list(pull.batches)
        self.warnings, self.cursor = pull.warnings(), pull.cursor()
        return pd.concat([batch.frame for batch in self.batches], ignore_index=True)


def states(frame: pd.DataFrame, metric: str) -> dict[str, set[str]]:
    return dict(frame[frame["metric"] == metric].groupby("account_id")["availability"].agg(set))


# One account's trouble


@pytest.mark.behaviour("one_account", "instagram", "facebook")
@pytest.mark.behaviour("permissions", "facebook")
@pytest.mark.parametrize("refusal", [facebook.NO_ROLE, facebook.NO_PERMISSION], ids=["role", "permission"])
def test_a_page_without_permission_is_named_with_it_and_the_other_is_stored(
    box: Sandbox, tmp_path: Path, refusal: Any
) -> None:
    box.platforms["facebook"].limit(CARE, refusal)
    reader = Reader(box, tmp_path, "facebook")
    found = states(reader.read("daily"), "page_media_view")
    assert "given" in found[PAGE] and "given" not in found[CARE] and "no_access" in found[CARE]
    (warning,) = reader.warnings
    assert CARE in warning and "lacks the permission pages_read_engagement" in warning
    assert set(json.loads(str(reader.cursor))["days"]) == {PAGE}


@pytest.mark.behaviour("permissions", "instagram")
def test_few_viewers_hide_figures_of_one_post_and_a_missing_permission_hides_none(
    box: Sandbox, tmp_path: Path
) -> None:
    platform = box.platforms["instagram"]
    reader = Reader(box, tmp_path, "instagram", account_ids=f"{MAIN},{AVANTIA}")
    every = reader.read("content_metrics")
    post = str(every[every["account_id"] == MAIN]["content_id"].iloc[0])
    platform.limit(post, instagram.FEW_VIEWERS)
    few = reader.read("content_metrics")
    assert set(few[few["content_id"] == post]["availability"]) == {"suppressed"}
    assert set(few[few["content_id"] != post]["availability"]) == set(every["availability"])
    platform.limit(MAIN, instagram.NO_PERMISSION)
    denied = reader.read("content_metrics")
    assert set(denied["account_id"]) == {AVANTIA}
    assert "lacks the permission instagram_manage_insights" in reader.warnings[0]


@pytest.mark.behaviour("one_account", "linkedin")
def test_a_linkedin_page_without_a_role_does_not_stop_the_others(box: Sandbox, tmp_path: Path) -> None:
    reader = Reader(box, tmp_path, "linkedin", organization_ids=f"1,{linkedin.ORGANISATION}")
    for entity in ("accounts", "daily", "periods", "contents", "content_metrics"):
        frame = reader.read(entity)
        assert linkedin.ORGANISATION in set(frame["account_id"])
        assert any("LinkedIn page 1 could not be read" in text for text in reader.warnings)
    assert states(reader.read("daily"), "impressionCount")["1"] == {"no_access"}
    assert states(reader.read("periods"), "uniqueImpressionsCount")["1"] == {"no_access"}
    with pytest.raises(PermanentSourceError, match="ACCESS_DENIED"):
        Reader(box, tmp_path, "linkedin", organization_ids="1,2").read("daily")


@pytest.mark.behaviour("one_account", "youtube")
def test_a_channel_without_uploads_has_no_videos_and_the_others_go_on(box: Sandbox, tmp_path: Path) -> None:
    reader = Reader(box, tmp_path, "youtube", channel_ids=f"{youtube.EMPTY},{youtube.CHANNEL}")
    for entity in ("contents", "content_metrics"):
        assert set(reader.read(entity)["account_id"]) == {youtube.CHANNEL}
        assert reader.warnings == []
    box.platforms["youtube"].limit(youtube.EMPTY, youtube.NOT_OWNED)
    found = states(reader.read("daily"), "views")
    assert found[youtube.EMPTY] == {"no_access"} and "given" in found[youtube.CHANNEL]
    assert "forbidden" in reader.warnings[0]
    alone = Reader(box, tmp_path, "youtube", channel_ids=youtube.EMPTY)
    assert len(alone.read("accounts")) == 1


def test_the_recorded_answer_of_an_empty_channel_is_no_error() -> None:
    body = json.loads((CASES / "youtube_playlist_not_found.json").read_text())
    assert body["error"]["errors"][0]["reason"] == "playlistNotFound"


@pytest.mark.behaviour("one_account", "x")
def test_the_reason_why_x_shows_no_posts_of_an_account_is_kept_and_the_other_is_stored(
    box: Sandbox, tmp_path: Path
) -> None:
    reader = Reader(box, tmp_path, "x", user_ids=f"1,{x.ACCOUNT}")
    frame = reader.read("contents")
    assert set(frame["account_id"]) == {x.ACCOUNT}
    assert reasons(reader.batches) == [
        "account 1: X answered with errors in place of data: Not Found Error: Could not find user with id: [1]."
        " Check MEL_X_USER_IDS."
    ]
    reader.read("accounts")
    assert "Could not find user with ids: [1]." in reasons(reader.batches)[0]


@pytest.mark.behaviour("one_account", "x")
def test_a_protected_account_is_put_aside_with_the_reason_in_errors(tmp_path: Path) -> None:
    recorded = json.loads((CASES / "x_protected_200.json").read_text())
    with serving(lambda request: Reply(recorded)) as server:
        base = Settings(home=tmp_path, today=TODAY, _env_file=None)
        own = base.with_source("x", api_url=server.url, bearer_token="t", user_ids="1")
        client = import_module("mel_pipeline.sources.x.client").X(own, Http(QUICK), lambda: 0.0)
        batches = list(client.pull("contents", quarter=Q3).batches)
    (reason,) = reasons(batches)
    assert "Authorization Error: Sorry, you are not authorized to see the user with id: [1]." in reason


@pytest.mark.behaviour("one_account", "matomo")
def test_a_site_that_may_not_be_viewed_or_was_deleted_does_not_stop_the_other(
    box: Sandbox, tmp_path: Path
) -> None:
    reader = Reader(box, tmp_path, "matomo", site_ids="99,1")
    for entity in ("accounts", "daily", "periods"):
        assert "1" in set(reader.read(entity)["account_id"])
        assert "Matomo site 99 could not be read" in reader.warnings[0]
    assert states(reader.read("daily"), "nb_visits")["99"] == {"no_access"}
    box.platforms["matomo"].limit("1", matomo.NO_ACCESS)
    with pytest.raises(PermanentSourceError, match="requires 'view' access") as caught:
        Reader(box, tmp_path, "matomo", site_ids="1").read("daily")
    assert not isinstance(caught.value, ReauthoriseError)
    box.platforms["matomo"].fail("expired_token")
    with pytest.raises(ReauthoriseError):
        Reader(box, tmp_path, "matomo", site_ids="1").read("daily")


@pytest.mark.behaviour("one_account", "ga4")
def test_a_property_without_permission_does_not_stop_the_other(box: Sandbox, tmp_path: Path) -> None:
    reader = Reader(box, tmp_path, "ga4", property_ids=f"1,{ga4.PROPERTY}")
    found = states(reader.read("daily"), "sessions")
    assert found["1"] == {"no_access"} and "given" in found[ga4.PROPERTY]
    assert states(reader.read("periods"), "totalUsers")["1"] == {"no_access"}
    assert "property 1 could not be read" in reader.warnings[0]


@pytest.mark.fault(80)
@pytest.mark.deep
@settings(max_examples=examples(10, 150), deadline=None)
@given(failing=st.sets(st.integers(0, 4)), pages=st.lists(st.integers(0, 3), min_size=5, max_size=5))
def test_an_accounts_failure_never_changes_anothers_rows(failing: set[int], pages: list[int]) -> None:
    contract = contract_of("x").entities["accounts"]

    def read(account: str, *, broken: bool) -> Iterator[Batch]:
        for page in range(pages[int(account)]):
            day = date(2026, 1, 1) + timedelta(days=page)
            yield batch_of([account_row("x", account, None, day, page, "r")], contract)
        if broken:
            raise PermanentSourceError(f"no permission for {account}.")

    def rows(broken: set[int]) -> tuple[dict[str, list[object]], list[str]]:
        each = EachAccount("Account")
        accounts = [str(number) for number in range(5)]
        batches = each.batches(accounts, lambda account: read(account, broken=int(account) in broken))
        found: dict[str, list[object]] = {}
        for batch in batches:
            found.setdefault(str(batch.frame["account_id"].iloc[0]), []).append(batch.frame.to_csv())
        return found, each.warnings()

    if len(failing) == 5:
        with pytest.raises(PermanentSourceError, match="no permission"):
            rows(failing)
        return
    whole, _ = rows(set())
    found, warnings = rows(failing)
    for number in set(range(5)) - failing:
        assert found.get(str(number)) == whole.get(str(number))
    assert len(warnings) == len(failing)


# Pages, windows, labels


@pytest.mark.behaviour("last_page", "linkedin")
def test_linkedin_pages_that_are_shorter_than_asked_go_on_while_a_next_one_is_named(
    box: Sandbox, tmp_path: Path
) -> None:
    reader = Reader(box, tmp_path, "linkedin")
    first = Quarter(2023, 1)
    usual = reader.read("contents", first)["content_id"].tolist()
    box.platforms["linkedin"].limit(linkedin.ORGANISATION, linkedin.SHORT_PAGES)
    assert reader.read("contents", first)["content_id"].tolist() == usual
    assert len(usual) > 10


@pytest.mark.behaviour("last_page", "linkedin")
@pytest.mark.parametrize("end", ["empty", "repeated", "no link"])
def test_two_hundred_and_twenty_posts_come_from_pages_of_ninety_six(tmp_path: Path, end: str) -> None:
    case = json.loads((CASES / "linkedin_short_page_with_next.json").read_text())
    moment = int(datetime(2026, 8, 1, tzinfo=UTC).timestamp() * 1000)
    sizes = [96, 96, 28]

    def answer(request: Request) -> Reply:
        page = int(request.query["start"]) // 100
        at = 2 if page > 2 and end == "repeated" else page
        numbers = range(1000 * at, 1000 * at + sizes[at]) if at < 3 else ()
        posts = [{"id": f"urn:li:share:{number}", "publishedAt": moment} for number in numbers]
        links = case["paging"]["links"] if page < 2 or end != "no link" else []
        return Reply({"paging": {**case["paging"], "links": links}, "elements": posts})

    with serving(answer) as server:
        base = Settings(home=tmp_path, today=TODAY, _env_file=None)
        own = base.with_source("linkedin", api_url=server.url, access_token="t", organization_ids="9")
        client = import_module("mel_pipeline.sources.linkedin.client").open(own, QUICK)
        batches = list(client.pull("contents", quarter=Q3).batches)
    assert sum(len(batch.frame) for batch in batches) == 220


@pytest.mark.behaviour("published", "youtube")
def test_private_unlisted_and_scheduled_videos_are_not_published_ones(box: Sandbox, tmp_path: Path) -> None:
    reader = Reader(box, tmp_path, "youtube")
    usual = set(reader.read("contents")["content_id"])
    box.platforms["youtube"].limit(youtube.CHANNEL, youtube.NOT_PUBLIC)
    shown = set(reader.read("contents")["content_id"])
    assert len(usual - shown) == 3 and shown < usual
    assert any("private, unlisted or scheduled" in note for batch in reader.batches for note in batch.notes)
    newest = Quarter.of(TODAY)
    assert not (usual - shown) & set(reader.read("content_metrics", newest)["content_id"])


@pytest.mark.behaviour("one_post", "x")
def test_an_edited_post_keeps_the_id_under_which_it_was_published(box: Sandbox, tmp_path: Path) -> None:
    reader = Reader(box, tmp_path, "x")
    before = reader.read("contents")
    edited = str(before["content_id"].iloc[0])
    box.platforms["x"].limit(edited, x.EDITED)
    after = reader.read("contents")
    assert after["content_id"].tolist() == before["content_id"].tolist()
    assert str(after[after["content_id"] == edited]["title"].iloc[0]).endswith("(edited)")


@pytest.mark.behaviour("business_day", "instagram", "facebook")
def test_days_of_an_account_east_of_greenwich_are_its_own_days(box: Sandbox, tmp_path: Path) -> None:
    reader = Reader(box, tmp_path, "instagram", account_ids=MAIN)

    def days() -> dict[str, object]:
        frame = reader.read("daily")
        kept = frame[(frame["grain"] == "day") & (frame["availability"] == "given")]
        return dict(zip(kept["period_start"], kept["value"], strict=True))

    usual = days()
    box.platforms["instagram"].limit(MAIN, instagram.EAST_OF_GREENWICH)
    assert days() == usual and len(usual) == 30


@pytest.mark.parametrize(
    ("label", "day"),
    [
        ("2026-11-20T08:00:00+0000", date(2026, 11, 19)),  # California
        ("2026-11-20T00:00:00+0000", date(2026, 11, 19)),  # London
        ("2026-11-19T23:00:00+0000", date(2026, 11, 19)),  # Barcelona
        ("2026-11-19T15:00:00+0000", date(2026, 11, 19)),  # Tokyo
        ("2026-11-19T18:30:00+0000", date(2026, 11, 19)),  # New Delhi
        ("2026-11-20T03:00:00+0000", date(2026, 11, 19)),  # Buenos Aires
        ("2026-11-19T11:00:00+0000", None),  # Auckland or Samoa
        ("2026-11-19T10:00:00+0000", None),
    ],
)
def test_the_label_of_a_day_is_read_or_put_aside(label: str, day: date | None) -> None:
    found, rejected = by_day({"data": [{"name": "reach", "values": [{"value": 1, "end_time": label}]}]}, "1")
    assert [key[1] for key in found] == ([] if day is None else [day])
    assert len(rejected) == (1 if day is None else 0)


DAYS = st.dates(date(2019, 1, 1), date(2030, 12, 31))


@pytest.mark.fault(81)
@pytest.mark.behaviour("windows", "facebook", "linkedin", "youtube", "matomo", "ga4")
@pytest.mark.deep
@settings(max_examples=examples(20, 600), deadline=None)
@given(first=DAYS, length=st.integers(0, 800), most=st.integers(1, 120))
def test_windows_cover_a_period_exactly_once(first: date, length: int, most: int) -> None:
    end = first + timedelta(days=length)
    for parts in (windows(first, end, most), parts_of(Period("year", first, end), end, most)):
        days = [a + timedelta(days=n) for a, b in parts for n in range((b - a).days)]
        assert days == [first + timedelta(days=n) for n in range(length)]
        assert all(0 < (b - a).days <= most for a, b in parts)


@pytest.mark.deep
@settings(max_examples=examples(20, 600), deadline=None)
@given(first=DAYS, length=st.integers(0, 800), most=st.integers(1, 120))
def test_every_month_that_ends_in_a_period_ends_in_one_of_its_windows(
    first: date, length: int, most: int
) -> None:
    end = first + timedelta(days=length)
    found = [month.start for window in windows(first, end, most) for month in months_ending_in(window)]
    assert found == [month.start for month in months_ending_in((first, end))]
    assert len(set(found)) == len(found)


# Opens by people; what a web figure is not


@pytest.mark.behaviour("people_only", "mailchimp")
def test_the_opens_that_count_are_those_that_people_made() -> None:
    report = json.loads((CASES / "mailchimp_report_mpp.json").read_text())["reports"][0]
    contract = contract_of("mailchimp")
    frame = count_rows(
        "mailchimp", [mailchimp_parse.mailing_of(report)], contract.entities["content_metrics"]
    ).frame
    values = dict(zip(frame["metric"], frame["value"], strict=True))
    opens = [name for name, metric in contract.metrics.items() if metric.counts == "opens"]
    assert {name: values[name] for name in opens} == {"proxy_excluded_unique_opens": "310"}
    assert (values["unique_opens"], values["delivered"]) == ("700", "975")


@pytest.mark.behaviour("people_only", "mailchimp", "brevo")
@pytest.mark.parametrize("source", ["mailchimp", "brevo"])
def test_opens_by_machines_are_no_opens_with_either_service(
    box: Sandbox, tmp_path: Path, source: str
) -> None:
    frame = Reader(box, tmp_path, source).read("content_metrics")
    (people,) = [name for name, one in contract_of(source).metrics.items() if one.counts == "opens"]
    every = {"mailchimp": "unique_opens", "brevo": "appleMppOpens"}[source]
    counts = (
        frame.pivot(index="content_id", columns="metric", values="value")
        .dropna(subset=[people])
        .astype(float)
    )
    assert len(counts) and (counts[people] > 0).all()
    assert source == "brevo" or (counts[every] > counts[people]).all()


def test_opens_of_the_time_when_machines_were_not_told_apart_are_not_known() -> None:
    report = json.loads((CASES / "mailchimp_report_mpp.json").read_text())["reports"][0]
    opens = {name: value for name, value in report["opens"].items() if "proxy" not in name}
    mailing = mailchimp_parse.mailing_of(report | {"opens": opens, "send_time": "2024-03-15T10:00:00+00:00"})
    frame = count_rows("mailchimp", [mailing], contract_of("mailchimp").entities["content_metrics"]).frame
    (row,) = frame[frame["metric"] == "proxy_excluded_unique_opens"].to_dict("records")
    assert (row["value"] is None or row["value"] != row["value"]) and row["availability"] == "no_data"


def test_a_deleted_audience_keeps_its_newsletters(box: Sandbox, tmp_path: Path) -> None:
    reader = Reader(box, tmp_path, "mailchimp")
    usual = reader.read("contents")
    box.platforms["mailchimp"].limit(mailchimp.AUDIENCE, mailchimp.DELETED_LIST)
    assert reader.read("contents").equals(usual)


@pytest.mark.behaviour("qualified", "ga4")
@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (ga4.SAMPLED, "from a sample (1,000 of 50,000 events)"),
        (ga4.THRESHOLDED, "leaves out small groups"),
        (ga4.OTHER_ROW, "into one called (other)"),
    ],
    ids=["sampled", "thresholded", "other"],
)
def test_a_report_that_is_not_whole_says_so(box: Sandbox, tmp_path: Path, limit: Any, words: str) -> None:
    box.platforms["ga4"].limit(ga4.PROPERTY, limit)
    reader = Reader(box, tmp_path, "ga4")
    frame = reader.read("daily")
    assert any(words in warning for warning in reader.warnings)
    assert "(other)" not in frame.to_csv()
    qualities = {ga4.SAMPLED: {"sampled"}, ga4.THRESHOLDED: {"thresholded"}, ga4.OTHER_ROW: {"given"}}[limit]
    assert set(frame["availability"]) - {"no_data"} == qualities
    assert frame[frame["availability"] == "no_data"]["value"].isna().all()


def test_the_row_that_merges_others_is_no_day(box: Sandbox, tmp_path: Path) -> None:
    box.platforms["ga4"].limit(ga4.PROPERTY, ga4.OTHER_ROW)
    frame = Reader(box, tmp_path, "ga4").read("daily")
    merged = frame[frame["availability"] == "no_data"]
    assert len(merged) and merged["value"].isna().all()


# A site that ended


def visits_of(numbers: dict[date, int]) -> Callable[[Request], Reply]:
    def answer(request: Request) -> Reply:
        if request.form["method"] != "VisitsSummary.get":
            return Reply({"idsite": 1, "name": "campaign"})
        first, last = (date.fromisoformat(text) for text in request.form["date"].split(","))
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return Reply(
            {str(day): {"nb_visits": numbers[day], "nb_actions": 1} if day in numbers else [] for day in days}
        )

    return answer


def site_days(
    home: Path, numbers: dict[date, int], cursor: str | None = None, today: date = TODAY
) -> tuple[dict[str, tuple[object, str]], list[str], str | None]:
    with serving(visits_of(numbers)) as server:
        base = Settings(home=home, today=today, first_quarter="2026-Q3", _env_file=None)
        own = base.with_source("matomo", url=server.url, token="t", site_ids="1")
        pull = (
            import_module("mel_pipeline.sources.matomo.client").open(own, QUICK).pull("daily", cursor=cursor)
        )
        frame = pd.concat([batch.frame for batch in pull.batches], ignore_index=True)
        frame = frame[frame["metric"] == "nb_visits"].astype(object)
        found = {
            row.period_start: (row.value if row.value == row.value else None, row.availability)
            for row in frame.itertuples()
        }
        return found, pull.warnings(), pull.cursor()


@pytest.mark.behaviour("ended", "matomo")
def test_a_site_that_ended_has_no_visits_and_not_no_data(tmp_path: Path) -> None:
    until = date(2026, 9, 20)
    numbers = {date(2026, 7, 1) + timedelta(days=n): 10 for n in range(82) if n != 40}
    assert max(numbers) == until
    found, warnings, cursor = site_days(tmp_path, numbers)
    assert found["2026-09-20"] == ("10", "given")
    assert found["2026-09-21"] == found["2026-11-01"] == ("0", "given")
    assert found["2026-11-19"] == (None, "no_data")  # not settled yet
    assert found["2026-08-10"] == (None, "no_data")  # a hole in the tracking is no day without visits
    assert "had no visits since 2026-09-20" in warnings[0]
    later, again, _ = site_days(tmp_path, numbers, cursor, TODAY + timedelta(days=1))
    assert later["2026-11-17"] == ("0", "given") and "counted as zero" in again[0]


@pytest.mark.behaviour("ended", "matomo")
def test_days_that_are_not_processed_yet_or_before_the_first_visit_are_no_zeros(tmp_path: Path) -> None:
    numbers = {date(2026, 8, 1) + timedelta(days=n): 10 for n in range(100)}  # until 8 November
    found, warnings, _ = site_days(tmp_path, numbers)
    assert {value for value, _ in found.values()} == {"10", None} and warnings == []
