"""Visits of web sites by day, and the issues of the newsletters, as their services give them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from mel_pipeline_tests.backtests.second_calculation.periods import TIME_ZONE
from mel_pipeline_tests.backtests.second_calculation.platforms import Http, google_token
from mel_pipeline_tests.backtests.second_calculation.zoho import Zoho

GA4_ID = "440000001"


@dataclass(frozen=True)
class Issue:
    """An issue; ``opens`` by people, None where the service cannot tell them from machines."""

    platform: str
    sent_on: date
    recipients: int
    delivered: int
    opens: int | None
    clicks: int


def visits(url: str, year: int) -> dict[str, dict[date, int]]:
    """Visits by site and day; days without data are left out."""
    found = {}
    matomo = Http(f"{url}/matomo")
    for number in ("1", "2"):
        token = {"module": "API", "format": "JSON", "token_auth": "sample-matomo-token", "idSite": number}
        name = matomo.post("/index.php", **token, method="SitesManager.getSiteFromId")["name"]
        days = matomo.post(
            "/index.php", **token, method="VisitsSummary.get", period="day", date=f"{year}-01-01,{year}-12-31"
        )
        found[name] = {date.fromisoformat(day): seen["nb_visits"] for day, seen in days.items() if seen}
    token = google_token(Http(f"{url}/ga4"), "sample-ga4-refresh-token")
    google = Http(f"{url}/ga4", **token)
    name = google.get(f"/admin/v1beta/properties/{GA4_ID}")["displayName"]
    report = google.post(
        f"/data/v1beta/properties/{GA4_ID}:runReport",
        json={
            "dateRanges": [{"startDate": f"{year}-01-01", "endDate": f"{year}-12-31"}],
            "dimensions": [{"name": "date"}],
            "metrics": [{"name": "sessions"}],
        },
    )
    found[name] = {
        datetime.strptime(row["dimensionValues"][0]["value"], "%Y%m%d").date(): int(
            row["metricValues"][0]["value"]
        )
        for row in report.get("rows", [])
    }
    return found


def issues(url: str, zoho: Zoho, year: int) -> list[Issue]:
    return [*_zoho(zoho, year), *_mailchimp(url), *_brevo(url, year)]


def _zoho(zoho: Zoho, year: int) -> Iterator[Issue]:
    for report in zoho.issues(year):
        yield Issue(
            "Zoho Campaigns",
            _day(report["sent_at"]),
            int(report["emails_sent_count"]),
            int(report["delivered_count"]),
            int(report["opens_count"]),
            int(report["unique_clicks_count"]),
        )


def _mailchimp(url: str) -> Iterator[Issue]:
    http = Http(f"{url}/mailchimp/3.0", Authorization="Bearer sample-mailchimp-key-us21")
    for report in http.get("/reports", count=1000)["reports"]:
        bounces = report["bounces"]["hard_bounces"] + report["bounces"]["soft_bounces"]
        yield Issue(
            "Mailchimp",
            _day(report["send_time"]),
            report["emails_sent"],
            report["emails_sent"] - bounces,
            report["opens"].get("proxy_excluded_unique_opens"),
            report["clicks"]["unique_subscriber_clicks"],
        )


def _brevo(url: str, year: int) -> Iterator[Issue]:
    http = Http(f"{url}/brevo/v3", api_key="sample-brevo-key")
    listed = http.get(
        "/emailCampaigns", status="sent", startDate=f"{year}-01-01T00:00:00+00:00", limit=100,
        endDate=f"{year + 1}-01-02T00:00:00+00:00",
    )  # fmt: skip
    for campaign in listed["campaigns"]:
        # The list has zeros for campaigns older than six months.
        counts = http.get(f"/emailCampaigns/{campaign['id']}", statistics="globalStats")["statistics"][
            "globalStats"
        ]
        yield Issue(
            "Brevo",
            _day(campaign["sentDate"]),
            counts["sent"],
            counts["delivered"],
            counts["uniqueViews"],
            counts["uniqueClicks"],
        )


def _day(moment: str) -> date:
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(TIME_ZONE)).date()
