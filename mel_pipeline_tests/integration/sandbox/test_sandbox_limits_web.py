"""Limits of web statistics, newsletters and survey servers, beside the recorded answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import requests

from mel_pipeline.sandbox import Sandbox
from mel_pipeline.sandbox.platforms import matomo
from mel_pipeline_tests.fixtures.limits import TODAY

# Matomo


def visits(box: Sandbox, site: str = "1", **values: str) -> Any:
    days = f"{TODAY - timedelta(days=100)},{TODAY - timedelta(days=1)}"
    form = {"module": "API", "method": "VisitsSummary.get", "period": "day", "format": "JSON", "date": days}
    form |= {"token_auth": matomo.TOKEN, "idSite": site, **values}
    answer = requests.post(f"{box.url}/matomo/index.php", data=form, timeout=10)
    assert answer.status_code == (200 if form["token_auth"] == matomo.TOKEN else 401)
    return answer.json()


def test_a_site_without_access_and_a_deleted_one_answer_an_error_with_status_200(box: Sandbox) -> None:
    box.platforms["matomo"].limit("2", matomo.NO_ACCESS)
    denied = "You can't access this resource as it requires 'view' access for the website id = 2."
    gone = "An unexpected website was found in the request: website id was set to '9' ."
    for method in ("VisitsSummary.get", "SitesManager.getSiteFromId"):
        assert visits(box, "2", method=method) == {"result": "error", "message": denied}
        assert visits(box, "9", method=method) == {"result": "error", "message": gone}
    assert "result" not in visits(box, "1")
    assert "Unable to authenticate" in visits(box, token_auth="wrong")["message"]


def test_days_of_a_site_that_ended_and_days_not_processed_are_empty_lists(box: Sandbox) -> None:
    box.platforms["matomo"].limit("1", matomo.UNPROCESSED)
    assert [day for day, figures in visits(box).items() if figures == []] == ["2026-11-18", "2026-11-19"]
    box.platforms["matomo"].limit("1", matomo.ENDED)
    ended = visits(box)
    assert [bool(figures) for figures in ended.values()] == [True] * 10 + [False] * 90
    assert visits(box, period="month")["2026-10"] == []
    assert all(visits(box, "2").values())
