"""Zoho Campaigns: the list of campaigns and each one's report; counts are text, errors come with status 200."""

from __future__ import annotations

from collections import deque
from datetime import UTC

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mel_pipeline.sandbox.organisation.newsletter import Issue, share_by
from mel_pipeline.sandbox.zoho.account import Account, Call, RefusalError

CALLS, SPAN, LOCK = 500, 300, 1_800
_BASE = "/campaigns/api/v1.1"


def routes(account: Account) -> list[Route]:
    made: deque[float] = deque()
    locked_until = [0.0]

    async def permit(request: Request, call: Call) -> Response | None:
        try:
            await account.permit(request, call, credits=0)
        except RefusalError as refusal:
            if refusal.status != 401:
                raise
            return _error(request, "1007", "Unauthorized request.", 401)
        while made and made[0] <= account.now - SPAN:
            made.popleft()
        if len(made) >= CALLS:
            locked_until[0] = account.now + LOCK
        if account.now < locked_until[0]:
            return _error(request, "998", "API call limit exceeded. Please try again after 30 minutes.")
        made.append(account.now)
        return None

    def issues() -> list[Issue]:
        return account.organisation.newsletter if account.organisation else []

    async def recent(request: Request, call: Call) -> Response:
        if (refused := await permit(request, call)) is not None:
            return refused
        query = request.query_params
        first, count = int(query.get("fromindex", 1)), int(query.get("range", 20))
        listed = issues() if query.get("sort") == "asc" else issues()[::-1]
        part = listed[first - 1 : first - 1 + count]
        if not part:
            return _error(request, "6101", "No campaign available in this view.")
        told = [
            {
                "campaign_key": issue.key,
                "campaign_name": issue.name,
                "campaign_status": "Sent",
                "campaigntype": "Normal",
                "sent_time": str(int(issue.sent_at.replace(tzinfo=UTC).timestamp() * 1000)),
                "subject": issue.name,
                "from_email": "newsletter@sample.invalid",
            }
            for issue in part
        ]
        return JSONResponse(
            {"recent_campaigns": told, "status": "success", "code": "200", "uri": f"{_BASE}/recentcampaigns"}
        )

    async def report(request: Request, call: Call) -> Response:
        if (refused := await permit(request, call)) is not None:
            return refused
        wanted = request.query_params.get("campaignkey", "")
        issue = next((issue for issue in issues() if issue.key == wanted), None)
        if issue is None:
            return _error(request, "6002", "This campaign is not sent (or) Invalid campaign key.")
        part = share_by(issue.sent_at, account.clock.now().replace(tzinfo=None))
        opened = round(issue.opened * part)
        told = {
            "emails_sent_count": str(issue.sent),
            "delivered_count": str(issue.delivered),
            "hardbounce_count": str(issue.hard_bounces),
            "softbounce_count": str(issue.soft_bounces),
            "bounces_count": str(issue.hard_bounces + issue.soft_bounces),
            "opens_count": str(opened),
            "unopened": str(issue.delivered - opened),
            "total_opens_count": str(round(issue.opens * part)),
            "unique_clicks_count": str(round(issue.clicked * part)),
            "unsub_count": str(round(issue.unsubscribed * part)),
            "complaints_count": str(issue.complaints),
            "spams_count": "0",
            "open_percent": f"{100 * opened / issue.delivered:.1f}",
        }
        return JSONResponse(
            {"campaign-reports": [told], "status": "success", "code": "0", "uri": f"{_BASE}/campaignreports"}
        )

    return [
        Route(f"{_BASE}/recentcampaigns", account.served(recent)),
        Route(f"{_BASE}/campaignreports", account.served(report)),
    ]


def _error(request: Request, code: str, message: str, status: int = 200) -> Response:
    uri = request.url.path.removeprefix("/campaigns")
    return JSONResponse({"status": "error", "code": code, "message": message, "uri": uri}, status)
