"""The routes of an account: sign-in, CRM, Bulk Read, People, Campaigns."""

from __future__ import annotations

from starlette.routing import Route

from mel_pipeline.sandbox.zoho.account import Account
from mel_pipeline.sandbox.zoho.bulk import CREDITS, PATH, Bulk
from mel_pipeline.sandbox.zoho.campaigns import BASE, Campaigns
from mel_pipeline.sandbox.zoho.coql import Coql
from mel_pipeline.sandbox.zoho.crm import Crm
from mel_pipeline.sandbox.zoho.gate import Gate
from mel_pipeline.sandbox.zoho.metadata import Metadata
from mel_pipeline.sandbox.zoho.people import People


def routes(account: Account) -> list[Route]:
    """Every route of the account, behind its gate."""
    crm, coql, metadata, people = Crm(account), Coql(account), Metadata(account), People(account)
    campaigns, bulk = Campaigns(account), Bulk(account)
    asking = Gate(account, account.oauth.authorize, service="oauth", credits=0)
    return [
        Route("/oauth/v2/auth", asking, methods=["GET", "POST"]),
        _post("/oauth/v2/token", Gate(account, account.oauth.token, service="oauth", credits=0)),
        _get("/crm/v8/org", Gate(account, metadata.organisation)),
        _get("/crm/v8/settings/modules", Gate(account, metadata.modules)),
        _get("/crm/v8/settings/fields", Gate(account, metadata.fields)),
        _post("/crm/v8/coql", Gate(account, coql.query, page=True, heavy=True)),
        _post(PATH, Gate(account, bulk.create, credits=CREDITS)),
        _get(f"{PATH}/{{job}}", Gate(account, bulk.details)),
        _get(f"{PATH}/{{job}}/result", Gate(account, bulk.download)),
        _get("/crm/v8/{module}/deleted", Gate(account, crm.deleted, credits=2, page=True)),
        _get("/crm/v8/{module}/actions/count", Gate(account, crm.count)),
        _get("/crm/v8/{module}/actions/fetch_full_data", Gate(account, crm.full_texts, page=True)),
        _get("/crm/v8/{module}/{record}", Gate(account, crm.record, page=True)),
        _get("/crm/v8/{module}", Gate(account, crm.records, page=True)),
        _get("/people/api/forms/{form}/getRecords", Gate(account, people.records, service="people")),
        _get(f"{BASE}/api/v1.1/recentcampaigns", Gate(account, campaigns.recent, service="campaigns")),
        _get(f"{BASE}/api/v1.1/campaignreports", Gate(account, campaigns.reports, service="campaigns")),
    ]


def _get(path: str, gate: Gate) -> Route:
    return Route(path, gate, methods=["GET"])


def _post(path: str, gate: Gate) -> Route:
    return Route(path, gate, methods=["POST"])
