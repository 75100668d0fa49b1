"""Zoho Campaigns over HTTP: newsletter issues and their reports. Counts are text; errors come inside HTTP 200."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mel_pipeline.sandbox.limits import Limit
from mel_pipeline.sandbox.organisation.newsletter import Issue
from mel_pipeline.sandbox.zoho.schema import MADRID

if TYPE_CHECKING:
    from mel_pipeline.sandbox.zoho.account import Account

CALLS, WINDOW, LOCK, RANGE = 500, 300, 1_800, 5
BASE = "/campaigns"  # in place of the host of Zoho Campaigns
_DOCS = "https://www.zoho.com/marketingautomation/help/developers/v1"


def _body(code: int, message: str) -> dict[str, str]:
    head = {"uri": "{uri}", "version": "1.1", "status": "error"}
    return {**head, "code": str(code), "message": message}


# Zoho does not document the answer of a locked endpoint: this is the code of Marketing Automation, its sister product.
LOCKED = Limit(
    "more than 500 calls of an endpoint in five minutes: it is locked for half an hour",
    _body(2008, "Calls limit exceeded."),
    f"{_DOCS}/recent-campaign.html",
    always=True,
)
END_OF_LIST = Limit(
    "a list of campaigns from after its last one",
    _body(6101, "No campaign available in this view."),
    f"{_DOCS}/recent-campaign.html",
    always=True,
)
NOT_SENT = Limit(
    "the report of a campaign that is not sent, or was deleted",
    _body(6002, "This campaign is not sent (or) Invalid campaign key."),
    f"{_DOCS}/last-campaign-report.html",
    always=True,
)
_NETWORKS = ("twitter", "facebook", "linkedin", "other")


class Campaigns:
    def __init__(self, account: Account) -> None:
        self._account = account
        self._windows = {name: account.window(CALLS, WINDOW, LOCK) for name in ("recent", "reports")}

    async def recent(self, request: Request) -> Response:
        """``GET /api/v1.1/recentcampaigns``: by creation time, counted from 1, five by default."""
        if (refused := self._refused(request, "recent")) is not None:
            return refused
        query = request.query_params
        first, many = query.get("fromindex", "1"), query.get("range", str(RANGE))
        if not (first.isdecimal() and many.isdecimal()):
            return _error(request, 2007, "Parameter value is invalid")
        status = query.get("status", "all").lower()
        chosen = [
            issue
            for issue in self._account.campaigns
            if status in ("all", "all campaigns") or status.rstrip("s") == _status(issue).lower()
        ]
        chosen.sort(key=lambda issue: issue.created, reverse=query.get("sort", "desc") != "asc")
        part = chosen[max(int(first), 1) - 1 :][: int(many)]
        if not part:
            return END_OF_LIST.response(uri=_uri(request))
        details = f"{{range={many}, status={status.title()}, fromindex={first}}}"
        return _success(request, {"requestdetails": details, "recent_campaigns": [_listed(i) for i in part]})

    async def reports(self, request: Request) -> Response:
        """``GET /api/v1.1/campaignreports?campaignkey=``."""
        if (refused := self._refused(request, "reports")) is not None:
            return refused
        key = request.query_params.get("campaignkey", "")
        issue = next((issue for issue in self._account.campaigns if issue.key == key and issue.sent), None)
        if issue is None:
            return NOT_SENT.response(uri=_uri(request))
        return _success(
            request,
            {
                "message": "success",
                "campaign-reports": [_report(issue)],
                "campaign-details": [_details(issue)],
                "campaign-reach": [{**dict.fromkeys(_NETWORKS, "0"), **_reach(issue)}],
            },
        )

    def _refused(self, request: Request, name: str) -> Response | None:
        self._account.oauth.require("ZohoCampaigns.campaign.READ")
        if not self._windows[name].admits():
            return LOCKED.response(uri=_uri(request))
        if request.query_params.get("resfmt", "XML").upper() != "JSON":
            text = f'<response uri="{_uri(request)}" version="1.1"><status>success</status><code>0</code></response>'
            return Response(text, media_type="text/xml")
        return None


def _status(issue: Issue) -> str:
    return "Sent" if issue.sent else "Draft"


def _listed(issue: Issue) -> dict[str, str]:
    row = {
        "campaign_key": issue.key,
        "campaign_name": issue.name,
        "subject": issue.subject,
        "campaign_status": _status(issue),
        "campaigntype": "Normal",
        "campaign_preview": f"https://campaigns.sample.invalid/preview?campaignId={issue.key}",
        **_moment("created", issue.created),
    }
    return {**row, **_moment("sent", issue.sent), "sent_time_zone": "Europe/Madrid"} if issue.sent else row


def _moment(name: str, moment: datetime) -> dict[str, str]:
    """Milliseconds since 1970, and as shown in the UI in the organisation's time zone."""
    aware = moment.replace(tzinfo=UTC)
    milliseconds = str(int(aware.timestamp() * 1_000))
    return {
        f"{name}_time": milliseconds,
        f"{name}_time_gmt": milliseconds,
        f"{name}_date_string": _shown(aware),
    }


def _shown(moment: datetime) -> str:
    return moment.astimezone(MADRID).strftime("%d %b %Y, %I:%M %p")


def _report(issue: Issue) -> dict[str, str]:
    bounced, unopened = issue.hard_bounces + issue.soft_bounces, issue.delivered - issue.opened
    counts = {
        "emails_sent_count": issue.recipients,
        "delivered_count": issue.delivered,
        "opens_count": issue.opened,
        "unopened": unopened,
        "unique_clicks_count": issue.clicked,
        "bounces_count": bounced,
        "hardbounce_count": issue.hard_bounces,
        "softbounce_count": issue.soft_bounces,
        "unsub_count": issue.unsubscribed,
        "spams_count": issue.marked_as_spam,
        "complaints_count": issue.marked_as_spam,
        "forwards_count": issue.forwarded,
        "autoreply_count": 0,
        "unsent_count": 0,
    }
    percents = {
        "delivered_percent": _percent(issue.delivered, issue.recipients),
        "open_percent": _percent(issue.opened, issue.delivered),
        "unopened_percent": _percent(unopened, issue.delivered),
        "unique_clicked_percent": _percent(issue.clicked, issue.delivered),
        "clicksperopenrate": _percent(issue.clicked, issue.opened),
        "bounce_percent": _percent(bounced, issue.recipients),
        "unsubscribe_percent": _percent(issue.unsubscribed, issue.delivered),
        "spam_percent": _percent(issue.marked_as_spam, issue.delivered),
        "complaints_percent": _percent(issue.marked_as_spam, issue.delivered),
        "forward_percent": _percent(issue.forwarded, issue.delivered),
        "unsent_percent": "0.0",
    }
    return {"campaign_name": issue.name, **{name: str(n) for name, n in counts.items()}, **percents}


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "0.0"


def _details(issue: Issue) -> dict[str, str]:
    assert issue.sent is not None
    return {
        "campaign_key": issue.key,
        "campaign_name": issue.name,
        "email_subject": issue.subject,
        "email_type": "html_template_editor",
        "created_time": _shown(issue.created.replace(tzinfo=UTC)),
        "sent_time": _shown(issue.sent.replace(tzinfo=UTC)),
    }


def _reach(issue: Issue) -> dict[str, str]:
    return {"emails": str(issue.delivered), "total": str(issue.delivered)}


def _uri(request: Request) -> str:
    return request.url.path.removeprefix(BASE)


def _success(request: Request, body: dict[str, Any]) -> Response:
    head = {"uri": _uri(request), "version": "1.1", "status": "success", "code": "0"}
    return JSONResponse({**head, **body})


def _error(request: Request, code: int, message: str) -> Response:
    return JSONResponse({**_body(code, message), "uri": _uri(request)})
