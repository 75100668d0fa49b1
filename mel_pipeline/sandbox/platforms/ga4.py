"""Google Analytics 4: Data API and Admin API, with the campaign site of AVANTIA."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from random import Random
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from mel_pipeline.sandbox.limits import Limit
from mel_pipeline.sandbox.organisation import Organisation
from mel_pipeline.sandbox.platforms.google import ANALYTICS, GooglePlatform, google_error
from mel_pipeline.sandbox.zoho.clock import Clock

PROPERTY = "440000001"
LAUNCHED = date(2024, 11, 18)
TOKENS_A_DAY = 200_000
_METRICS = {"sessions": "TYPE_INTEGER", "screenPageViews": "TYPE_INTEGER", "totalUsers": "TYPE_INTEGER"}
_DOCS = "https://developers.google.com/analytics/devguides/reporting/data/v1"
_METADATA = f"{_DOCS}/rest/v1beta/ResponseMetaData"
FEW = 45  # sessions of a day withheld with THRESHOLDED

# What a report is not whole for stands in its metadata; the rows do not show it.
SAMPLED = Limit(
    "a report from a sample of the events, one entry a date range",
    {"metadata": {"samplingMetadatas": [{"samplesReadCount": "1000", "samplingSpaceSize": "50000"}]}},
    _METADATA,
)
THRESHOLDED = Limit(
    "a report with small groups withheld: quiet days are missing",
    {"metadata": {"subjectToThresholding": True}},
    _METADATA,
)
OTHER_ROW = Limit(
    "a report with some of its rows rolled into a row (other), here the oldest days",
    {
        "metadata": {"dataLossFromOtherRow": True},
        "rows": [{"dimensionValues": [{"value": "(other)"}], "metricValues": [{"value": "420"}]}],
    },
    _METADATA,
)
NO_ACCESS = Limit(
    "a property that the account may not read",
    {
        "error": {
            "code": 403,
            "message": "User does not have sufficient permissions for this property. To learn more about Property ID,"
            f" see {_DOCS}/property-id.",
            "status": "PERMISSION_DENIED",
        }
    },
    "https://github.com/googleapis/google-cloud-node/issues/4780",
    status=403,
)
EXHAUSTED = Limit(
    "more quota tokens than a property has a day",
    {
        "error": {
            "code": 429,
            "message": "Exhausted property tokens per day. These quota tokens will return in under 24 hours.",
            "status": "RESOURCE_EXHAUSTED",
        }
    },
    f"{_DOCS}/quotas",
    status=429,
    always=True,
)


class GoogleAnalytics(GooglePlatform):
    """One property. Rows come in no particular order, and values are text."""

    name = "ga4"
    refresh_token = "sample-ga4-refresh-token"
    scopes = (ANALYTICS,)

    def __init__(self, organisation: Organisation, clock: Clock) -> None:
        super().__init__(organisation, clock)
        self.tokens_left = TOKENS_A_DAY
        self.time_zone = "Europe/Madrid"
        self.visits = _visits(organisation.today)

    def endpoints(self) -> list[BaseRoute]:
        return [
            *self.sign_in(),
            Route("/admin/v1beta/properties/{site}", self.described),
            Route("/data/v1beta/properties/{site}:runReport", self.report, methods=["POST"]),
        ]

    async def described(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        return JSONResponse(
            {
                "name": f"properties/{PROPERTY}",
                "displayName": "avantia.metropolis (sample)",
                "timeZone": self.time_zone,
            }
        )

    async def report(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        query = await request.json()
        dimensions = [one["name"] for one in query.get("dimensions", [])]
        metrics = [one["name"] for one in query.get("metrics", [])]
        unknown = (set(dimensions) - {"date"}) | (set(metrics) - set(_METRICS))
        if unknown or not metrics:
            words = f"Did you mean something else? Field {', '.join(sorted(unknown))} is not a valid dimension or metric."
            return google_error(400, "INVALID_ARGUMENT", words, "badRequest")
        self.tokens_left -= 4
        if self.tokens_left <= 0:
            return EXHAUSTED.response()
        days = query["dateRanges"][0]
        first, last = date.fromisoformat(days["startDate"]), date.fromisoformat(days["endDate"])
        rows = self._rows(first, last, dimensions, metrics)
        start, most = int(query.get("offset", "0")), int(query.get("limit", "10000"))
        body: dict[str, Any] = {
            "metricHeaders": [{"name": name, "type": _METRICS[name]} for name in metrics],
            "metadata": {"currencyCode": "EUR", "timeZone": self.time_zone},
            "propertyQuota": {"tokensPerDay": {"consumed": 4, "remaining": self.tokens_left}},
            "kind": "analyticsData#runReport",
        }
        if dimensions:
            body["dimensionHeaders"] = [{"name": name} for name in dimensions]
        for limit in (SAMPLED, THRESHOLDED, OTHER_ROW):
            if self.limited(PROPERTY, limit):
                body["metadata"] |= limit.answer()["metadata"]
        if rows:
            body |= {"rows": rows[start : start + most], "rowCount": len(rows)}
        return JSONResponse(body)

    def _refused(self, request: Request) -> Response | None:
        if (refused := self.let_in(request, *self.scopes)) is not None:
            return refused
        if request.path_params["site"] == PROPERTY and not self.limited(PROPERTY, NO_ACCESS):
            return None
        return NO_ACCESS.response()

    def _rows(
        self, first: date, last: date, dimensions: list[str], metrics: list[str]
    ) -> list[dict[str, Any]]:
        seen = {day: count for day, count in self.visits.items() if first <= day <= last}
        if not seen:
            return []
        if not dimensions:
            total = sum(seen.values())
            figures = {
                "sessions": total,
                "screenPageViews": int(total * 2.2),
                "totalUsers": int(total * 0.68),
            }
            return [{"metricValues": [{"value": str(figures[name])} for name in metrics]}]
        rows = []
        labelled = self._labelled(seen)
        for label in sorted(labelled, key=lambda label: hashlib.sha256(label.encode()).digest()):
            count = labelled[label]
            figures = {"sessions": count, "screenPageViews": int(count * 2.2), "totalUsers": int(count * 0.9)}
            rows.append(
                {
                    "dimensionValues": [{"value": label}],
                    "metricValues": [{"value": str(figures[name])} for name in metrics],
                }
            )
        return rows

    def _labelled(self, seen: dict[date, int]) -> dict[str, int]:
        """Sessions by the label of their row."""
        few = FEW if self.limited(PROPERTY, THRESHOLDED) else 0
        labelled = {f"{day:%Y%m%d}": count for day, count in seen.items() if count >= few}
        if self.limited(PROPERTY, OTHER_ROW):
            oldest = sorted(labelled)[: len(labelled) // 10 + 1]
            labelled["(other)"] = sum(labelled.pop(label) for label in oldest)
        return labelled


def _visits(today: date) -> dict[date, int]:
    """Busy during the campaign (25 November to 31 December 2024), quiet later."""
    found = {}
    for number in range(max(0, (today - LAUNCHED).days - 1)):
        day = LAUNCHED + timedelta(days=number)
        rng = Random(f"ga4 {day}")
        usual = 420 if date(2024, 11, 25) <= day <= date(2024, 12, 31) else 60
        found[day] = int(usual * rng.uniform(0.6, 1.5))
    return found


PLATFORM = GoogleAnalytics
