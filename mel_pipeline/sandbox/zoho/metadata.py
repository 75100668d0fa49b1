"""Zoho CRM's settings API: modules and their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mel_pipeline.sandbox.zoho.answers import RefusedError
from mel_pipeline.sandbox.zoho.modules import Module
from mel_pipeline.sandbox.zoho.schema import (
    LEAD_FIELDS,
    STANDARD_FIELDS,
    STANDARD_MODULES,
    SYSTEM_FIELDS,
    Field,
)

if TYPE_CHECKING:
    from mel_pipeline.sandbox.zoho.account import Account

_SYSTEM = {field.api_name for field in (*SYSTEM_FIELDS, *LEAD_FIELDS)}


class Metadata:
    def __init__(self, account: Account) -> None:
        self._account = account

    async def organisation(self, _: Request) -> Response:
        """``GET /crm/v8/org``; the real one holds address, currency and licence as well."""
        self._account.oauth.require("ZohoCRM.org.READ")
        return JSONResponse(
            {"org": [{"id": "546000000000000900", "zgid": self._account.zgid, "type": "production"}]}
        )

    async def modules(self, _: Request) -> Response:
        """``GET /crm/v8/settings/modules``: includes those the user may not read."""
        self._account.oauth.require("ZohoCRM.settings.modules.READ")
        listed = [_module(number, module) for number, module in enumerate(self._account.modules.values(), 1)]
        return JSONResponse({"modules": listed})

    async def fields(self, request: Request) -> Response:
        """``GET /crm/v8/settings/fields?module=``: includes hidden fields, and with ``type=all`` unused ones.

        https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html
        """
        self._account.oauth.require("ZohoCRM.settings.fields.READ")
        name = request.query_params.get("module")
        if not name:
            raise RefusedError("REQUIRED_PARAM_MISSING", {"param_name": "module"})
        module = self._account.known(name)
        kind = request.query_params.get("type")
        if kind not in (None, "all", "unused"):
            raise RefusedError("INVALID_DATA", {"param_name": "type"})
        listed = [
            _field(number, field, module)
            for number, field in enumerate(module.fields.values(), 1)
            if kind == "all" or field.unused == (kind == "unused")
        ]
        return JSONResponse({"fields": listed})


def _module(number: int, module: Module) -> dict[str, Any]:
    custom = module.api_name not in STANDARD_MODULES
    return {
        "id": str(546_000_000_000_002_000 + number),
        "api_name": module.api_name,
        "module_name": module.module_name,
        "plural_label": module.plural_label,
        "singular_label": module.plural_label.removesuffix("s"),
        "generated_type": "custom" if custom else "default",
        "api_supported": True,
        "visible": True,
        "status": "visible",
    }


def _field(number: int, field: Field, module: Module) -> dict[str, Any]:
    standard = field.api_name in _SYSTEM or field.api_name in STANDARD_FIELDS
    body: dict[str, Any] = {
        "id": str(546_000_000_000_010_000 + number),
        "api_name": field.api_name,
        "field_label": field.label or field.api_name.replace("_", " "),
        "data_type": field.data_type,
        "custom_field": not standard,
        "view_type": {"view": field.visible, "edit": True, "create": True, "quick_create": False},
        "visible": True,
        "read_only": field.formula is not None or field.api_name in _SYSTEM,
        "length": field.length or 255,
    }
    if field.api_json_type is not None:
        body["json_type"] = field.api_json_type
    if field.data_type in ("picklist", "multiselectpicklist"):
        words = module.words(field.api_name)
        body["pick_list_values"] = [{"display_value": word, "actual_value": word} for word in words]
    if field.data_type == "textarea":
        body["textarea"] = {"type": "rich_text" if field.is_rich_text else "small"}
    return body
