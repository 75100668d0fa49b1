"""Reads Zoho over HTTP: the CRM's modules and the staff form as frames, the newsletter's reports as records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
import requests

SIGN_IN = {
    "grant_type": "refresh_token",
    "client_id": "sample-client",
    "client_secret": "sample-client-secret",
    "refresh_token": "sample-refresh-token",
}
MODULES = {
    "Accounts": ["Account_Name", "Member_Type", "Region", "Jurisdiction_Type", "Joined_On", "Left_On"],
    "Contacts": ["Gender"],
    "Deals": ["Account_Name", "Pipeline", "Stage", "Edition", "Amount", "Currency", "Exchange_Rate", "Signed_On"],
    "Network_Events": [
        "Name", "Event_Code", "Event_Type", "Lab", "Programme", "Themes", "Line_of_Action", "Event_Status",
        "Organised_By_Network", "Start_Time", "End_Time",
    ],
    "Participations": ["Event", "Contact", "Account", "Role", "Attended", "Survey_Invited"],
    "Board_Seats": ["Contact", "Term_Start", "Term_End"],
}  # fmt: skip


class Zoho:
    """One sign-in for all three services."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = requests.Session()
        answer = self._http.post(f"{url}/oauth/v2/token", data=SIGN_IN, timeout=30)
        self._http.headers["Authorization"] = f"Zoho-oauthtoken {answer.json()['access_token']}"

    def crm(self) -> dict[str, pd.DataFrame]:
        """All live records by module. A link to another record is its id, a list of choices a list."""
        return {module: self._module(module, fields) for module, fields in MODULES.items()}

    def _module(self, module: str, fields: Sequence[str]) -> pd.DataFrame:
        query = {"fields": ",".join(fields), "per_page": "200", "sort_by": "id", "sort_order": "asc"}
        rows: list[dict[str, Any]] = []
        page: dict[str, str] = {"page": "1"}
        while page:
            answer = self._get(f"/crm/v8/{module}", query | page)
            rows += [{name: _linked(value) for name, value in row.items()} for row in answer["data"]]
            token = answer["info"]["next_page_token"]
            page = {"page_token": token} if token else {}
        return pd.DataFrame(rows, columns=["id", *fields])

    def staff(self) -> pd.DataFrame:
        """Posts in the secretariat, one row a person and contract."""
        answer = self._get("/people/api/forms/employee/getRecords", {"sIndex": "1", "limit": "200"})
        people = [row for entry in answer["response"]["result"] for rows in entry.values() for row in rows]
        assert len(people) < 200, "more than a page"
        return pd.DataFrame(people)

    def issues(self, year: int) -> Iterator[dict[str, str]]:
        """The issues sent in about a year, with the counts of their reports."""
        query = {"resfmt": "JSON", "status": "sent", "fromindex": "1", "range": "1000"}
        listed = self._get("/campaigns/api/v1.1/recentcampaigns", query)["recent_campaigns"]
        for issue in listed:
            sent = pd.Timestamp(int(issue["sent_time_gmt"]), unit="ms", tz="UTC")
            if abs(sent.year - year) <= 1:
                key = {"resfmt": "JSON", "campaignkey": issue["campaign_key"]}
                report = self._get("/campaigns/api/v1.1/campaignreports", key)["campaign-reports"][0]
                yield report | {"sent_at": sent.isoformat()}

    def _get(self, path: str, query: dict[str, str]) -> Any:
        answer = self._http.get(f"{self._url}{path}", params=query, timeout=30)
        assert answer.status_code == 200, f"{path}: HTTP {answer.status_code} {answer.text[:200]}"
        return answer.json()


def _linked(value: object) -> object:
    return value["id"] if isinstance(value, dict) else value
