"""Google Analytics 4: Data API and Admin API, with the campaign site of AVANTIA."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from random import Random
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from mel_pipeline.sandbox.organisation import Organisation
from mel_pipeline.sandbox.platforms.google import GooglePlatform, google_error
from mel_pipeline.sandbox.zoho.clock import Clock

PROPERTY = "440000001"
LAUNCHED = date(2024, 11, 18)
TOKENS_A_DAY = 200_000
_METRICS = {"sessions": "TYPE_INTEGER", "screenPageViews": "TYPE_INTEGER", "totalUsers": "TYPE_INTEGER"}


class GoogleAnalytics(GooglePlatform):
    """One property. Rows come in no particular order, and values are text."""

    name = "ga4"
    refresh_token = "sample-ga4-refresh-token"

    def __init__(self, organisation: Organisation, clock: Clock) -> None:
        super().__init__(organisation, clock)
        self.tokens_left = TOKENS_A_DAY
        self.time_zone = "Europe/Madrid"
        self.thresholded = False
        self.visits = _visits(organisation.today)

    def endpoints(self) -> list[BaseRoute]:
        return [
            Route("/token", self.token, methods=["POST"]),
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
            words = "Exhausted property tokens per day. These quota tokens will return in under 24 hours."
            return google_error(429, "RESOURCE_EXHAUSTED", words, "rateLimitExceeded")
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
        if self.thresholded:
            body["metadata"]["subjectToThresholding"] = True
        if rows:
            body |= {"rows": rows[start : start + most], "rowCount": len(rows)}
        return JSONResponse(body)

    def _refused(self, request: Request) -> Response | None:
        if (refused := self.let_in(request)) is not None:
            return refused
        if request.path_params["site"] == PROPERTY:
            return None
        words = "User does not have sufficient permissions for this property."
        return google_error(403, "PERMISSION_DENIED", words, "forbidden")

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
        for day, count in sorted(
            seen.items(), key=lambda item: hashlib.sha256(str(item[0]).encode()).digest()
        ):
            figures = {"sessions": count, "screenPageViews": int(count * 2.2), "totalUsers": int(count * 0.9)}
            rows.append(
                {
                    "dimensionValues": [{"value": f"{day:%Y%m%d}"}],
                    "metricValues": [{"value": str(figures[name])} for name in metrics],
                }
            )
        return rows


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
