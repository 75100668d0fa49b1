"""Exports of Meta Business Suite in a drop folder, through the sources of Facebook and Instagram, into a warehouse."""

from __future__ import annotations

import csv
import io
import os
import time
from pathlib import Path

import pytest
from openpyxl import Workbook

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import NotSetUpError, PermanentSourceError, SettingsError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.sources import open_source
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.conftest import TODAY

pytestmark = pytest.mark.exhaustive  # many loads; the fast tests have one of each kind

INSTAGRAM = (
    "Post ID,Account ID,Account username,Account name,Description,Duration (sec),Publish time,Permalink,"
    "Post type,Data comment,Date,Views,Reach,Likes,Shares,Follows,Comments,Saves"
)
FACEBOOK = (
    "Post ID,Page ID,Page name,Title,Description,Duration (sec),Publish time,Caption type,Permalink,"
    "Is crosspost,Is share,Post type,Languages,Custom labels,Funded content status,Data comment,Date,Views,Reach,"
    '"Reactions, Comments and Shares",Reactions,Comments,Shares,Total clicks'
)
GERMAN = "Beitrags-ID,Konto-ID,Veröffentlichungszeit,Beitragsart,Datum,Aufrufe,Reichweite"
FRENCH = "Identifiant de publication,Identifiant du compte,Heure de publication,Type de publication,Date,Vues"
ACCOUNT, PAGE = "17841400000000001", "112000000000001"
SECRET = "Marguerite Sample, marguerite@example.org"


def row(header: str, **values: str) -> list[str]:
    """A row under a header; keyword arguments are its column names, with _ for a space."""
    usual = {
        "Post ID": "18012345678901234", "Account ID": ACCOUNT, "Account username": "metropolis",
        "Page ID": PAGE, "Page name": "Metropolis", "Publish time": "11/26/2024 09:05", "Post type": "IG reel",
        "Description": "Hello", "Date": "Lifetime", "Views": "15,000", "Reach": "9800", "Total clicks": "7",
    }  # fmt: skip
    given = usual | {name.replace("_", " "): value for name, value in values.items()}
    return [given.get(name, "") for name in next(csv.reader([header]))]


def written(header: str, *rows: list[str]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([next(csv.reader([header])), *rows])
    return text.getvalue().encode("utf-8-sig")


class Drop:
    """A folder of exports with its own warehouse."""

    def __init__(self, home: Path, source: str) -> None:
        self.folder = home / "meta"
        self.folder.mkdir()
        self.source = source
        base = Settings(home=home, today=TODAY, _env_file=None)
        self.settings = base.with_source(source, export_dir=str(self.folder))
        self.warehouse = Warehouse(self.settings.database_url, 10)

    def put(self, name: str, content: bytes, age: float = 60) -> None:
        path = self.folder / name
        path.write_bytes(content)
        os.utime(path, (time.time() - age,) * 2)

    def load(self, entity: str, quarter: str = "2024-Q4") -> LoadResult:
        return load_entity(
            open_source(self.source, self.settings),
            contract_of(self.source),
            entity,
            self.warehouse,
            quarter=Quarter.parse(quarter),
        )

    def rows(self, table: str, columns: str) -> list[list[object]]:
        frame = self.warehouse.read(f"select {columns} from raw_platforms__{table} order by _row_key")
        return frame.astype(object).where(frame.notna(), None).to_numpy().tolist()


@pytest.fixture
def instagram(tmp_path: Path) -> Drop:
    return Drop(tmp_path, "instagram")


@pytest.fixture
def facebook(tmp_path: Path) -> Drop:
    return Drop(tmp_path, "facebook")


@pytest.mark.behaviour("by_name", "instagram")
def test_an_instagram_export_gives_posts_and_figures_with_commas_read_as_thousands(instagram: Drop) -> None:
    instagram.put("posts.csv", written(INSTAGRAM, row(INSTAGRAM)))
    instagram.load("contents")
    instagram.load("content_metrics")
    assert instagram.rows("contents", "account_id, content_id, kind, title, published_at") == [
        [ACCOUNT, "18012345678901234", "IG reel", "Hello", "2024-11-26T09:05:00-08:00"]
    ]
    assert instagram.rows("metrics", "metric, grain, period_start, value, availability") == [
        ["reach", "lifetime", "2024-11-26", "9800", "given"],
        ["views", "lifetime", "2024-11-26", "15000", "given"],
    ]


@pytest.mark.behaviour("by_name", "facebook")
def test_a_facebook_export_names_posts_as_the_api_does_and_takes_the_longer_text(facebook: Drop) -> None:
    facebook.put("posts.csv", written(FACEBOOK, row(FACEBOOK, Post_ID="122001", Title="A longer title")))
    facebook.load("contents")
    facebook.load("content_metrics")
    assert facebook.rows("contents", "content_id, title") == [[f"{PAGE}_122001", "A longer title"]]
    assert facebook.rows("metrics", "metric, value") == [
        ["post_clicks", "7"], ["post_media_view", "15000"], ["post_total_media_view_unique", "9800"],
    ]  # fmt: skip


@pytest.mark.behaviour("by_name", "instagram")
def test_columns_are_found_by_name_in_any_order_and_letter_case(instagram: Drop) -> None:
    names = next(csv.reader([INSTAGRAM]))
    turned = [name.upper() for name in reversed(names)]
    text = written(",".join(turned), list(reversed(row(INSTAGRAM))))
    instagram.put("posts.csv", text)
    instagram.load("content_metrics")
    assert instagram.rows("metrics", "metric, value") == [["reach", "9800"], ["views", "15000"]]


def test_dates_are_refused_until_a_row_or_the_setting_decides_their_order(instagram: Drop) -> None:
    first = row(INSTAGRAM, Publish_time="10/11/2024 12:00")
    instagram.put("a.csv", written(INSTAGRAM, first))
    (reason,) = instagram.load("contents").waiting
    assert "can be read in two ways" in reason and "MEL_INSTAGRAM_EXPORT_DATE_ORDER" in reason
    usual = instagram.settings
    instagram.settings = usual.with_source("instagram", export_date_order="month_first")
    assert instagram.load("contents").waiting == []
    assert instagram.rows("contents", "published_at") == [["2024-10-11T12:00:00-07:00"]]
    instagram.put(
        "a.csv", written(INSTAGRAM, first, row(INSTAGRAM, Post_ID="2", Publish_time="26/11/2024 12:00"))
    )
    instagram.load("contents")
    assert instagram.rows("contents", "published_at") == [
        ["2024-11-10T12:00:00-08:00"], ["2024-11-26T12:00:00-08:00"],
    ]  # fmt: skip


@pytest.mark.behaviour("business_day", "instagram", "facebook")
def test_a_post_belongs_to_the_quarter_of_the_business_time_zone(instagram: Drop) -> None:
    night = row(INSTAGRAM, Publish_time="12/31/2024 16:30")  # in California; 1 January in Madrid
    instagram.put("posts.csv", written(INSTAGRAM, night))
    assert instagram.load("contents").fetched == 0
    assert instagram.load("contents", "2025-Q1").new == 1
    instagram.settings = instagram.settings.with_source("instagram", export_time_zone="Europe/Madrid")
    assert instagram.load("contents", "2025-Q1").fetched == 0


@pytest.mark.behaviour("missing_not_zero", "instagram", "facebook")
def test_an_empty_cell_is_missing_data_a_missing_column_is_not_offered_and_zero_is_a_figure(
    facebook: Drop,
) -> None:
    without = FACEBOOK.removesuffix(",Total clicks")
    facebook.put("posts.csv", written(without, row(without, Post_ID="5", Views="", Reach="0")))
    facebook.load("content_metrics")
    assert facebook.rows("metrics", "metric, value, availability") == [
        ["post_clicks", None, "not_offered"], ["post_media_view", None, "no_data"],
        ["post_total_media_view_unique", "0", "given"],
    ]  # fmt: skip


@pytest.mark.parametrize("written_as", ["1.5K", "15.000", "15,00", "-3", "n/a", "1 234"])
def test_a_figure_that_is_not_a_whole_number_is_quarantined_and_its_neighbours_are_kept(
    instagram: Drop, written_as: str
) -> None:
    instagram.put("posts.csv", written(INSTAGRAM, row(INSTAGRAM, Views=written_as)))
    result = instagram.load("content_metrics")
    assert instagram.rows("metrics", "metric, value") == [["reach", "9800"]]
    assert result.waiting == ["posts.csv, row 2: views is not a whole number."]
    instagram.put("posts.csv", written(INSTAGRAM, row(INSTAGRAM, Views="1500")))
    assert instagram.load("content_metrics").waiting == []
    assert instagram.rows("metrics", "metric, value") == [["reach", "9800"], ["views", "1500"]]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"Post_ID": "1.80123E+16"}, "Excel has shortened the id"),
        ({"Account_ID": "1,78414E+16"}, "Excel has shortened the id"),
        ({"Post_ID": ""}, "missing or not a number"),
        ({"Publish_time": "soon"}, "cannot be read"),
        ({"Publish_time": ""}, "cannot be read"),
        ({"Date": "11/26/2024"}, "single day"),
    ],
)
def test_an_unusable_row_is_quarantined_with_its_location_and_the_others_load(
    instagram: Drop, values: dict[str, str], reason: str
) -> None:
    instagram.put("posts.csv", written(INSTAGRAM, row(INSTAGRAM, Post_ID="7"), row(INSTAGRAM, **values)))
    for entity, good in (("contents", 1), ("content_metrics", 2)):
        result = instagram.load(entity)
        assert (result.new, result.quarantined) == (good, 1)
        assert result.waiting[0].startswith("posts.csv, row 3: ") and reason in result.waiting[0]


def test_an_id_that_excel_rounded_in_a_workbook_is_quarantined(instagram: Drop) -> None:
    book = Workbook()
    assert book.active is not None
    for cells in (next(csv.reader([INSTAGRAM])), row(INSTAGRAM, Post_ID="18012345678901234"), row(INSTAGRAM)):
        book.active.append(cells)
    book.active["A3"] = 18012345678901200  # as Excel keeps it: fifteen digits
    content = io.BytesIO()
    book.save(content)
    instagram.put("posts.xlsx", content.getvalue())
    result = instagram.load("contents")
    assert (result.new, result.quarantined) == (1, 1)
    assert "Excel has shortened the id" in result.waiting[0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (GERMAN.encode() + b"\n" + b"1," * 6 + b"1\n", "beitrags-id"),
        (FRENCH.encode() + b"\n" + b"1," * 5 + b"1\n", "identifiant de publication"),
        (written(FACEBOOK, row(FACEBOOK)), "Put it into the folder of Facebook"),
        (
            written(INSTAGRAM.replace("Reach,", ""), row(INSTAGRAM.replace("Reach,", ""))),
            "reach cannot be found",
        ),
        (written(INSTAGRAM.replace("Saves", "Views"), row(INSTAGRAM)), "occurs twice"),
        (written(INSTAGRAM, row(INSTAGRAM, Date="11/26/2024")), "for single days"),
        (written(INSTAGRAM, row(INSTAGRAM))[:-40], "cut off"),
        (b"<html>Log in</html>", "web page"),
        (b"", "empty"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old Excel workbook"),
    ],
    ids=[
        "german",
        "french without reach",
        "other platform",
        "no reach",
        "twice",
        "by day",
        "cut off",
        "login",
        "empty",
        "xls",
    ],
)
def test_a_file_that_is_not_an_export_says_why_and_the_others_load(
    instagram: Drop, content: bytes, reason: str
) -> None:
    instagram.put("good.csv", written(INSTAGRAM, row(INSTAGRAM)))
    instagram.put("bad.csv", content)
    for entity, good in (("contents", 1), ("content_metrics", 2)):
        result = instagram.load(entity)
        assert (result.new, result.quarantined) == (good, 1)
        assert result.waiting[0].startswith("bad.csv: ")
        assert reason.casefold() in result.waiting[0].casefold()
    instagram.put("bad.csv", written(INSTAGRAM, row(INSTAGRAM, Post_ID="8")))
    assert instagram.load("contents").waiting == []


def test_no_cell_of_a_file_that_lost_its_header_is_repeated(instagram: Drop) -> None:
    lines = written(INSTAGRAM, row(INSTAGRAM, Description=SECRET), row(INSTAGRAM)).splitlines(keepends=True)
    instagram.put("lost.csv", b"".join(lines[1:]))
    (reason,) = instagram.load("contents").waiting
    assert "Marguerite" not in reason and "holds no column names" in reason


def test_of_two_exports_with_the_same_post_the_later_files_figures_count(instagram: Drop) -> None:
    instagram.put("new.csv", written(INSTAGRAM, row(INSTAGRAM, Views="20")), age=60)
    instagram.put("old.csv", written(INSTAGRAM, row(INSTAGRAM, Views="10")), age=600)
    instagram.load("content_metrics")
    assert instagram.rows("metrics", "metric, value") == [["reach", "9800"], ["views", "20"]]
    again = instagram.load("content_metrics")
    assert (again.new, again.changed) == (0, 0)
    assert instagram.rows("metrics", "metric, value") == [["reach", "9800"], ["views", "20"]]


@pytest.mark.behaviour("restated_days", "instagram", "facebook")
def test_a_later_export_changes_the_figure_and_the_earlier_one_is_kept(instagram: Drop) -> None:
    instagram.put("old.csv", written(INSTAGRAM, row(INSTAGRAM, Views="10")), age=600)
    instagram.load("content_metrics")
    instagram.put("new.csv", written(INSTAGRAM, row(INSTAGRAM, Views="20")))
    assert instagram.load("content_metrics").changed == 1
    kept = instagram.warehouse.read("select value from raw_platforms__metrics_history where metric = 'views'")
    assert "10" in set(kept["value"])


@pytest.mark.parametrize("source", ["instagram", "facebook"])
@pytest.mark.behaviour("unique_not_added", "instagram", "facebook")
@pytest.mark.behaviour("exact_period", "instagram", "facebook")
def test_the_figures_of_a_quarter_are_not_offered_and_never_the_sum_of_posts(
    tmp_path: Path, source: str
) -> None:
    drop = Drop(tmp_path, source)
    header = INSTAGRAM if source == "instagram" else FACEBOOK
    drop.put("posts.csv", written(header, row(header), row(header, Post_ID="9")))
    drop.load("periods")
    drop.load("daily")
    rows = drop.rows("metrics", "grain, availability, value")
    assert sorted(map(tuple, rows)) == [
        (grain, "not_offered", None) for grain in ("quarter",) * 2 + ("year",) * 2
    ]


def test_accounts_have_a_name_and_no_followers(facebook: Drop) -> None:
    facebook.put("posts.csv", written(FACEBOOK, row(FACEBOOK)))
    facebook.load("accounts")
    assert facebook.rows("accounts", "account_id, name, taken_on, followers") == [
        [PAGE, "Metropolis", str(TODAY), None]
    ]


@pytest.mark.fault(27)
def test_a_file_still_being_written_is_read_by_the_next_run(instagram: Drop) -> None:
    instagram.put("posts.csv", written(INSTAGRAM, row(INSTAGRAM)), age=0)
    result = instagram.load("contents")
    assert result.fetched == 0 and "MEL_INSTAGRAM_EXPORT_DIR" in result.warnings[0]
    instagram.put("posts.csv", written(INSTAGRAM, row(INSTAGRAM)))
    assert instagram.load("contents").new == 1


def test_a_folder_that_is_not_there_is_named_with_its_setting(facebook: Drop) -> None:
    facebook.folder.rmdir()
    with pytest.raises(PermanentSourceError, match="MEL_FACEBOOK_EXPORT_DIR"):
        facebook.load("contents")


def test_a_time_zone_that_does_not_exist_is_named_with_its_setting(facebook: Drop) -> None:
    facebook.settings = facebook.settings.with_source("facebook", export_time_zone="Barcelona")
    with pytest.raises(SettingsError, match="MEL_FACEBOOK_EXPORT_TIME_ZONE"):
        facebook.load("contents")


def test_without_a_folder_and_without_a_token_facebook_is_not_used(tmp_path: Path) -> None:
    with pytest.raises(NotSetUpError):
        open_source("facebook", Settings(home=tmp_path, today=TODAY, _env_file=None))
