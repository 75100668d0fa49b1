"""The same post by export and by API is one, in any order; edits and renames keep its history."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mel_pipeline.sources.linkedin.client import LinkedIn
from mel_pipeline.sources.shared.base import Source
from mel_pipeline.sources.shared.http import Http, Policy
from mel_pipeline.sources.x.client import X
from mel_pipeline_tests.fixtures.loopback import Reply, Request, Service, serving
from mel_pipeline_tests.fixtures.platforms import CASES, Folder

QUICK = Policy(connect=2, read=5, attempts=2, backoff=0.001, longest_wait=0.1, throttled=0.01)
ORDERS = [("file", "api"), ("api", "file", "api")]


def linkedin_answer(request: Request) -> Reply:
    """Both posts of the export, one as a share and one as a ugcPost."""
    if request.path.endswith("/posts"):
        posts = [
            {"id": f"urn:li:{kind}:735000000000000000{number}", "commentary": "Call for cities", "publishedAt": ms}
            for kind, number, ms in (("share", 1, ms_of(2026, 7, 14)), ("ugcPost", 2, ms_of(2026, 9, 30)))
        ]  # fmt: skip
        return Reply({"elements": posts, "paging": {"links": []}})
    kind = "share" if "shares=" in str(request.query) or "shares" in request.query else "ugcPost"
    number = "1" if kind == "share" else "2"
    figures = {"impressionCount": 950, "clickCount": 12, "likeCount": 7, "commentCount": 1, "shareCount": 2}
    return Reply(
        {"elements": [{kind: f"urn:li:{kind}:735000000000000000{number}", "totalShareStatistics": figures}]}
    )


def ms_of(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, 9, tzinfo=UTC).timestamp() * 1000)


def x_answer(request: Request) -> Reply:
    """The post of the export, edited since: a new id."""
    post = {
        "id": "1861000000000000777", "edit_history_tweet_ids": ["1861000000000000001", "1861000000000000777"],
        "text": "Hello (edited)", "created_at": "2026-09-20T09:05:00.000Z",
        "public_metrics": {"impression_count": 1700, "like_count": 8},
    }  # fmt: skip
    return Reply({"data": [post], "meta": {"result_count": 1}})


def api(folder: Folder, server: Service) -> Source:
    values = {"api_url": server.url, "export_dir": "", "access_token": "t"}
    if folder.source == "x":
        settings = folder.settings.with_source("x", bearer_token="t", **values | {"access_token": ""})
        return X(settings, Http(QUICK), lambda: 0.0)
    return LinkedIn(folder.settings.with_source("linkedin", **values), Http(QUICK))


@pytest.mark.slow
@pytest.mark.fault(83)
@pytest.mark.behaviour("one_post", "linkedin", "x")
@pytest.mark.parametrize("source", ["linkedin", "x"])
@pytest.mark.parametrize("order", ORDERS, ids="-".join)
@pytest.mark.sweep("file-api-x", "api-file-api-x")
def test_posts_by_export_and_by_api_are_the_same_rows_in_any_order(
    tmp_path: Path, source: str, order: tuple[str, ...]
) -> None:
    folder = Folder(tmp_path, source)
    if source == "linkedin":
        folder.put("content.xlsx", CASES / "linkedin_then_api/content.xlsx")
        ids, account = ["7350000000000000001", "7350000000000000002"], "90000001"
    else:
        link = "https://x.com/metropolis_org/status/1861000000000000001"
        folder.put(
            "content.csv",
            f'Post id,Date,Post text,Post Link,Impressions,Likes\n1861000000000000001,"Sun, Sep 20, 2026",Hello,{link},1500,7\n',
        )
        ids, account = ["1861000000000000001"], "300000001"
    with serving(linkedin_answer if source == "linkedin" else x_answer) as server:
        for way in order:
            for entity in ("contents", "content_metrics"):
                folder.load(entity, source=None if way == "file" else api(folder, server))
    posts = folder.warehouse.records(
        "select account_id, content_id from raw_platforms__contents order by all"
    )
    assert posts == [{"account_id": account, "content_id": number} for number in ids]
    figures: list[dict[str, Any]] = folder.warehouse.records(
        "select distinct content_id from raw_platforms__metrics order by all"
    )
    assert [row["content_id"] for row in figures] == ids
