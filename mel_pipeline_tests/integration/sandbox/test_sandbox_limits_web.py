"""Limits of web statistics, newsletters and survey servers, beside the recorded answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import requests

from mel_pipeline.sandbox import Sandbox
from mel_pipeline.sandbox.platforms import brevo, kobo, mailchimp, matomo, odk
from mel_pipeline_tests.fixtures.limits import TODAY, recorded

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


# Mailchimp


def mailed(box: Sandbox, path: str) -> Any:
    headers = {"Authorization": f"Bearer {mailchimp.KEY}"}
    return requests.get(f"{box.url}/mailchimp/3.0/{path}", headers=headers, timeout=10).json()


def test_reports_tell_opens_by_machines_apart_since_june_2024(box: Sandbox) -> None:
    reports = {
        report["send_time"][:10]: report["opens"] for report in mailed(box, "reports?count=100")["reports"]
    }
    wanted = recorded("mailchimp_report_mpp")["reports"][0]["opens"]
    assert set(reports["2024-09-08"]) == set(wanted)
    assert all(
        opens["proxy_excluded_unique_opens"] < opens["unique_opens"]
        for day, opens in reports.items()
        if day > "2024-06-22"
    )
    assert set(reports["2024-06-08"]) == {"opens_total", "unique_opens", "open_rate"}


def test_a_deleted_audience_is_not_listed_and_its_reports_are(box: Sandbox) -> None:
    assert {report["list_is_active"] for report in mailed(box, "reports")["reports"]} == {True}
    box.platforms["mailchimp"].limit(mailchimp.AUDIENCE, mailchimp.DELETED_LIST)
    assert mailed(box, "lists") == {"lists": [], "total_items": 0}
    assert {report["list_is_active"] for report in mailed(box, "reports")["reports"]} == {False}


# Brevo


def sent(box: Sandbox, path: str) -> requests.Response:
    return requests.get(f"{box.url}/brevo/v3/{path}", headers={"api-key": brevo.KEY}, timeout=10)


def test_a_list_has_counts_of_the_last_six_months_and_a_campaign_has_its_own(box: Sandbox) -> None:
    span = "startDate=2024-11-01T00:00:00Z&endDate=2026-11-20T00:00:00Z&status=sent"
    listed = sent(box, f"emailCampaigns?{span}&statistics=globalStats&limit=100").json()["campaigns"]
    with_counts = {one["sentDate"][:7] for one in listed if one["statistics"]["globalStats"]["delivered"]}
    assert (min(with_counts), max(with_counts)) == ("2026-06", "2026-11")
    own = sent(box, f"emailCampaigns/{listed[-1]['id']}?statistics=globalStats").json()["statistics"]
    assert own["globalStats"]["appleMppOpens"] > 0
    unasked = sent(box, f"emailCampaigns/{listed[-1]['id']}").json()["statistics"]["globalStats"]
    assert set(unasked.values()) == {0}


def test_an_address_that_is_not_authorised_is_refused_by_its_number(box: Sandbox) -> None:
    assert sent(box, "contacts/lists").status_code == 200
    box.platforms["brevo"].limit("account", brevo.UNKNOWN_ADDRESS)
    answer = sent(box, "contacts/lists")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert "unrecognised IP address 192.0.2.7" in answer.json()["message"]


# Survey servers


def test_a_page_of_more_than_a_thousand_submissions_is_cut_and_a_form_not_shared_is_not_found(
    box: Sandbox,
) -> None:
    headers = {"Authorization": f"Token {kobo.TOKEN}"}
    address = f"{box.url}/kobo/api/v2/assets/{kobo.FORM}/data/?format=json&limit=30000"
    page = requests.get(address, headers=headers, timeout=10).json()
    assert len(page["results"]) == min(1_000, page["count"])
    assert bool(page["next"]) == (page["count"] > 1_000)
    box.platforms["kobo"].limit(kobo.FORM, kobo.NOT_FOUND)
    answer = requests.get(address, headers=headers, timeout=10)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


def test_a_form_without_rights_and_a_deleted_one_have_their_own_codes(box: Sandbox) -> None:
    login = {"email": odk.EMAIL, "password": odk.PASSWORD}
    token = requests.post(f"{box.url}/odk/v1/sessions", json=login, timeout=10).json()["token"]

    def code() -> float:
        address = f"{box.url}/odk/v1/projects/{odk.PROJECT}/forms/{odk.FORM}/fields"
        answer = requests.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        assert answer.status_code == (200 if isinstance(answer.json(), list) else int(answer.json()["code"]))
        return 200 if answer.status_code == 200 else float(answer.json()["code"])

    found = [code()]
    for limit in (odk.NOT_FOUND, odk.NO_RIGHTS):
        box.platforms["odk"].limit(odk.FORM, limit)
        found.append(code())
    assert found == [200, 404.1, 403.1]
