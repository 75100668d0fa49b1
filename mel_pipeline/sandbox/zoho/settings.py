"""Metadata of CRM v8: which modules there are, and which fields a module has."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mel_pipeline.sandbox.zoho.account import Account, Call


def routes(account: Account) -> list[Route]:
    async def modules(request: Request, call: Call) -> Response:
        await account.permit(request, call, scope="ZohoCRM.settings.modules.READ")
        listed = [
            {
                "api_name": module.api_name,
                "module_name": module.module_name,
                "plural_label": module.plural_label,
                "singular_label": module.plural_label.removesuffix("s"),
                "generated_type": "custom" if module.module_name != module.api_name else "default",
                "api_supported": True,
            }
            for module in account.modules.values()
        ]
        return JSONResponse({"modules": listed})

    async def fields(request: Request, call: Call) -> Response:
        await account.permit(request, call, scope="ZohoCRM.settings.fields.READ")
        module = account.module(request.query_params.get("module", ""))
        listed = [field.described(module.picks(name)) for name, field in module.fields.items()]
        return JSONResponse({"fields": listed})

    return [
        Route("/crm/v8/settings/modules", account.served(modules)),
        Route("/crm/v8/settings/fields", account.served(fields)),
    ]
