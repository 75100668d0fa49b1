"""Matomo's reporting API over HTTP, with its real response shapes and errors."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from mel_pipeline.sandbox.forms import form_values
from mel_pipeline.sandbox.limits import Limit
from mel_pipeline.sandbox.organisation import Organisation
from mel_pipeline.sandbox.organisation.presence import Site
from mel_pipeline.sandbox.platforms.base import Platform
from mel_pipeline.sandbox.zoho.clock import Clock

TOKEN = "sample-matomo-token"
ENDED_DAYS, UNPROCESSED_DAYS = 90, 2
_ISSUES = "https://github.com/matomo-org/matomo/issues"


def _body(message: str) -> dict[str, str]:
    return {"result": "error", "message": message}


BAD_TOKEN = Limit(
    "a token that is wrong, expired or sent in the address",
    _body("Unable to authenticate with the provided token. It is either invalid or expired."),
    f"{_ISSUES}/21789",
    status=401,
    always=True,
)
NO_ACCESS = Limit(
    "a site that the token may not view",
    _body("You can't access this resource as it requires 'view' access for the website id = {site}."),
    f"{_ISSUES}/13406",
)
NO_SITE = Limit(
    "a site that was deleted",
    _body("An unexpected website was found in the request: website id was set to '{site}' ."),
    f"{_ISSUES}/15710",
    always=True,
)
ENDED = Limit(
    "a site without visits, such as one that ended 90 days ago: days are empty lists",
    {"2026-11-19": []},
    f"{_ISSUES}/15647",
)
UNPROCESSED = Limit(
    "days whose reports were not processed yet: empty lists as well",
    {"2026-11-19": []},
    f"{_ISSUES}/13753",
)


class Matomo(Platform):
    name = "matomo"

    def __init__(self, organisation: Organisation, clock: Clock) -> None:
        super().__init__(organisation, clock)
        self.sites = {site.id: site for site in organisation.sites}

    def endpoints(self) -> list[BaseRoute]:
        return [Route("/index.php", self.call, methods=["GET", "POST"])]

    def refusal(self, kind: Literal["expired_token", "throttled"]) -> Response:
        """Matomo itself never throttles; the server in front of it does."""
        return Response(status_code=429) if kind == "throttled" else BAD_TOKEN.response()

    async def call(self, request: Request) -> Response:
        values = await form_values(request)
        if values.get("token_auth") != TOKEN:
            return BAD_TOKEN.response()
        number = str(values.get("idSite"))
        if (site := self.sites.get(number)) is None:
            return NO_SITE.response(site=number)
        if self.limited(number, NO_ACCESS):
            return NO_ACCESS.response(site=number)
        if values.get("method") == "SitesManager.getSiteFromId":
            return JSONResponse({"idsite": site.id, "name": site.name})
        if values.get("method") != "VisitsSummary.get" or values.get("period") not in ("day", "month"):
            return _matomo_error("The method or period is not available in the sample.")
        try:
            first, last = (date.fromisoformat(part) for part in str(values.get("date")).split(","))
        except ValueError:
            return _matomo_error("Date format must be: YYYY-MM-DD,YYYY-MM-DD.")
        visits = self._counted(site)
        if values["period"] == "month":
            return JSONResponse(_months(visits, first, last))
        body: dict[str, Any] = {}
        for offset in range((last - first).days + 1):
            day = first + timedelta(days=offset)
            seen = visits.get(day)
            body[day.isoformat()] = (
                []
                if seen is None
                else {
                    "nb_visits": seen,
                    "nb_actions": int(seen * 2.6),
                    "bounce_rate": f"{45 + day.day % 12}%",
                }
            )
        return JSONResponse(body)

    def _counted(self, site: Site) -> dict[date, int | None]:
        """The days of a site that has not ended and whose reports are processed."""
        ages = {ENDED: ENDED_DAYS, UNPROCESSED: UNPROCESSED_DAYS}
        without = max((age for limit, age in ages.items() if self.limited(site.id, limit)), default=0)
        until = self.organisation.today - timedelta(days=without)
        return {day: seen for day, seen in site.visits.items() if day < until}


def _months(visits: dict[date, int | None], first: date, last: date) -> dict[str, Any]:
    """Visits and unique visitors per month; unique visitors are fewer than the visits and more than a day's."""
    body: dict[str, Any] = {}
    for month in sorted(_between(first, last)):
        seen = [count for day, count in visits.items() if (day.year, day.month) == month and count]
        figures = {"nb_visits": sum(seen), "nb_uniq_visitors": int(sum(seen) * 0.71)}
        body[f"{month[0]}-{month[1]:02}"] = figures if seen else []
    return body


def _between(first: date, last: date) -> set[tuple[int, int]]:
    return {
        ((number - 1) // 12, (number - 1) % 12 + 1)
        for number in range(first.year * 12 + first.month, last.year * 12 + last.month + 1)
    }


def _matomo_error(message: str) -> Response:
    return JSONResponse(_body(message))


PLATFORM = Matomo
