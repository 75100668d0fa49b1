"""Exports of YouTube Studio, X analytics and LinkedIn's page analytics in a drop folder, into a warehouse."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from openpyxl import Workbook

from mel_pipeline.core.contracts import contract_of
from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.settings import Settings
from mel_pipeline.ingest.load import load_entity
from mel_pipeline.ingest.load_result import LoadResult
from mel_pipeline.sources import open_source
from mel_pipeline.warehouse import Warehouse
from mel_pipeline_tests.conftest import TODAY

ACCOUNTS = {"youtube": {"channel_ids": "UC1"}, "x": {}, "linkedin": {"organization_ids": "77"}}
STUDIO = (
    "Content,Video title,Video publish time,Duration,Views,Likes,Watch time (hours),Impressions click-through rate (%)\n"
    "Total,,,,\"12,340\",,123.4,\n"
    'smpl1,A talk,"Nov 20, 2024",0:12:31,"12,300",40,120.1,3.2\n'
    'smpl2,Late,"Jan 2, 2025",1:02:03,40,,3.3,1.2\n'
)  # fmt: skip
X_OLD = (
    '"Tweet id","Tweet permalink","Tweet text","time","impressions","engagements","retweets","replies","likes"\r\n'
    '"1861000000000000001","https://twitter.com/metropolis_org/status/1861000000000000001","Hello #cities","2024-11-26 09:05 +0000","1500.0","10","2","0","7"\r\n'
    '"1861000000000000002","https://twitter.com/metropolis_org/status/1861000000000000002","New Year","2024-12-31 23:30 +0000","900","1","0","0","1"\r\n'
)  # fmt: skip


class Drop:
    """A folder of one platform's exports, with its own warehouse."""

    def __init__(self, home: Path, source: str) -> None:
        self.source, self.folder = source, home / "drop"
        self.folder.mkdir()
        own = Settings(home=home, today=TODAY, sample=False)
        self.settings = own.with_source(source, export_dir=str(self.folder), **ACCOUNTS[source])
        self.warehouse = Warehouse(f"duckdb:///{home}/w.duckdb")

    def put(self, name: str, content: str | bytes | Workbook) -> None:
        path = self.folder / name
        if isinstance(content, Workbook):
            content.save(path)
        else:
            path.write_bytes(content.encode("utf-8-sig") if isinstance(content, str) else content)
        os.utime(path, (time.time() - 60,) * 2)

    def load(self, entity: str, quarter: str = "2024-Q4") -> LoadResult:
        source = open_source(self.source, self.settings)
        return load_entity(
            source, contract_of(self.source), entity, self.warehouse, quarter=Quarter.parse(quarter)
        )

    def figures(self, grain: str) -> list[tuple[object, ...]]:
        rows = self.warehouse.read(
            "select account_id, content_id, metric, period_start, value, availability from raw_platforms__metrics"
            f" where grain = '{grain}' order by all"
        )
        return list(rows.astype(object).where(rows.notna(), None).itertuples(index=False, name=None))


def linkedin_book() -> Workbook:
    book = Workbook()
    book.active.title = "Metrics"
    book.active.append(["Aggregated engagement metrics for both organic and sponsored updates"])
    book.active.append(
        [
            "Date",
            "Impressions (organic)",
            "Impressions (sponsored)",
            "Impressions (total)",
            "Unique impressions (organic)",
            "Clicks (organic)",
            "Reactions (organic)",
        ]
    )
    book.active.append(["11/24/2024", 420, 9000, 9420, 231, 12, 8])
    book.active.append(["11/25/2024", 0, 0, 0, 0, 0, None])
    posts = book.create_sheet("All posts")
    posts.append(["All posts of the page"])
    posts.append(["Post title", "Post link", "Posted by", "Created date", "Impressions", "Clicks", "Likes"])
    posts.append(
        [
            "Housing",
            "https://www.linkedin.com/feed/update/urn:li:activity:7266000000000000001",
            "Marguerite Sample",
            "11/24/2024",
            "1,500",
            12,
            8,
        ]
    )
    return book


@pytest.mark.slow
@pytest.mark.behaviour("by_name", "youtube")
@pytest.mark.behaviour("missing_not_zero", "youtube")
def test_youtube_studio_total_row_is_not_a_video_and_month_names_are_read(tmp_path: Path) -> None:
    drop = Drop(tmp_path, "youtube")
    drop.put("Table data.csv", STUDIO)
    assert drop.load("accounts").new == 1
    contents = drop.load("contents")
    assert (contents.new, contents.quarantined) == (2, 0)
    drop.load("content_metrics")
    assert drop.figures("lifetime") == [
        ("UC1", "smpl1", "commentCount", "2024-11-20", None, "not_offered"),
        ("UC1", "smpl1", "likeCount", "2024-11-20", "40", "given"),
        ("UC1", "smpl1", "viewCount", "2024-11-20", "12300", "given"),
    ]
    drop.load("content_metrics", "2025-Q1")
    assert ("UC1", "smpl2", "likeCount", "2025-01-02", None, "no_data") in drop.figures("lifetime")


@pytest.mark.slow
def test_youtube_studio_days_of_the_channel_are_read_too(tmp_path: Path) -> None:
    drop = Drop(tmp_path, "youtube")
    drop.put("Totals.csv", "Date,Views,Likes\nTotal,30,\n2024-11-20,12,1\n2024-11-21,18,\n")
    drop.load("daily")
    assert drop.figures("day") == [
        ("UC1", "all", "likes", "2024-11-20", "1", "given"), ("UC1", "all", "likes", "2024-11-21", None, "no_data"),
        ("UC1", "all", "views", "2024-11-20", "12", "given"), ("UC1", "all", "views", "2024-11-21", "18", "given"),
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.behaviour("business_day", "x")
def test_x_posts_carry_their_offset_and_fall_on_the_business_day(tmp_path: Path) -> None:
    drop = Drop(tmp_path, "x")
    drop.put("tweets.csv", X_OLD.replace('"1500.0"', '"1500"'))
    assert drop.load("contents").new == 1
    assert drop.load("contents", "2025-Q1").new == 1  # half past midnight in Madrid
    drop.load("content_metrics")
    found = {row[2]: row[4] for row in drop.figures("lifetime")}
    assert found == {
        "impression_count": "1500", "like_count": "7", "reply_count": "0", "retweet_count": "2", "bookmark_count": None,
    }  # fmt: skip
    names = drop.warehouse.read("select account_id from raw_platforms__contents")
    assert set(names["account_id"]) == {"metropolis_org"}
    drop.load("periods")
    assert {row[5] for row in drop.figures("quarter")} == {"not_offered"}


@pytest.mark.slow
def test_x_export_as_it_is_called_today_is_read_too(tmp_path: Path) -> None:
    drop = Drop(tmp_path, "x")
    drop.put(
        "content.csv",
        "Post id,Date,Post text,Post Link,Impressions,Likes,Reposts\n"
        '1861000000000000001,"Tue, Nov 26, 2024",Hello,https://x.com/metropolis_org/status/1861000000000000001,1500,7,2\n',
    )
    drop.load("content_metrics")
    assert (
        "metropolis_org",
        "1861000000000000001",
        "retweet_count",
        "2024-11-26",
        "2",
        "given",
    ) in drop.figures("lifetime")


@pytest.mark.slow
@pytest.mark.behaviour("malformed", "zoho_survey")
def test_unreadable_rows_of_an_export_are_quarantined_each_with_its_reason(tmp_path: Path) -> None:
    drop = Drop(tmp_path, "x")
    drop.put(
        "tweets.csv",
        X_OLD + '"1.861E+18","https://x.com/a/status/1","x","2024-11-26 09:05 +0000","1","1","1","1","1"\r\n',
    )
    result = drop.load("content_metrics")
    waiting = " ".join(result.waiting)
    assert "tweets.csv, row 2" in waiting and "impression_count is not a whole number" in waiting  # 1500.0
    assert "tweets.csv, row 4" in waiting and "Excel has shortened the id" in waiting


@pytest.mark.slow
@pytest.mark.behaviour("unique_not_added", "linkedin")
def test_linkedin_days_and_posts_are_found_under_a_description_and_only_organic_figures_are_taken(
    tmp_path: Path,
) -> None:
    drop = Drop(tmp_path, "linkedin")
    drop.put("content.xlsx", linkedin_book())
    drop.load("daily")
    day = {row[2]: row[4] for row in drop.figures("day") if row[3] == "2024-11-24"}
    assert day == {
        "impressionCount": "420",
        "uniqueImpressionsCount": "231",
        "clickCount": "12",
        "likeCount": "8",
    }
    empty = {row[2]: (row[4], row[5]) for row in drop.figures("day") if row[3] == "2024-11-25"}
    assert empty["impressionCount"] == ("0", "given") and empty["likeCount"] == (None, "no_data")
    drop.load("content_metrics")
    assert (
        "77",
        "7266000000000000001",  # the number alone: the API names the same post by share or ugcPost
        "impressionCount",
        "2024-11-24",
        "1500",
        "given",
    ) in drop.figures("lifetime")
    drop.load("contents")
    drop.load("accounts")
    for table in ("contents", "metrics", "accounts"):
        assert "Marguerite" not in drop.warehouse.read(f"select * from raw_platforms__{table}").to_csv()


@pytest.mark.slow
@pytest.mark.parametrize("source", ["youtube", "x", "linkedin"])
def test_a_file_of_another_kind_has_its_own_error_and_the_others_load(tmp_path: Path, source: str) -> None:
    drop = Drop(tmp_path, source)
    good = {"youtube": ("a.csv", STUDIO), "x": ("a.csv", X_OLD), "linkedin": ("a.xlsx", linkedin_book())}[
        source
    ]
    drop.put(*good)
    drop.put("other.csv", "Identificador,Título\n1,Ana Pérez\n")
    drop.put("login.csv", "<!DOCTYPE html><html></html>")
    result = drop.load("contents")
    assert result.new >= 1
    waiting = " ".join(result.waiting)
    assert "The first row reads: Identificador, Título." in waiting
    assert "web page" in waiting
    assert "Ana" not in waiting


@pytest.mark.parametrize("source", ["youtube", "linkedin"])
def test_exports_that_do_not_name_their_account_need_exactly_one(tmp_path: Path, source: str) -> None:
    drop = Drop(tmp_path, source)
    (name,) = ACCOUNTS[source]
    drop.settings = drop.settings.with_source(source, **{name: "1,2"})
    with pytest.raises(
        SettingsError,
        match=f"exactly one account in MEL_{source}_{name}".upper().replace(
            "EXACTLY ONE ACCOUNT IN", "exactly one account in"
        ),
    ):
        drop.load("contents")


@pytest.mark.slow
def test_a_newer_export_restates_an_older_one_and_the_earlier_figure_is_kept(tmp_path: Path) -> None:
    drop = Drop(tmp_path, "youtube")
    drop.put("1.csv", STUDIO)
    drop.load("content_metrics")
    drop.put("2.csv", STUDIO.replace('"12,300"', '"12,900"'))
    assert drop.load("content_metrics").changed == 1
    versions = drop.warehouse.read(
        "select value from raw_platforms__metrics_history where metric = 'viewCount' order by _loaded_at"
    )
    assert versions["value"].tolist() == ["12300", "12900"]
