"""Zoho CRM as a source: its API, or a folder of exports made by hand."""

from __future__ import annotations

from typing import ClassVar

from mel_pipeline.core.contracts import SourceContract, contract_of
from mel_pipeline.core.errors import PermanentSourceError
from mel_pipeline.core.settings import Settings
from mel_pipeline.sources.shared.base import EVERY, Client, Load, Pull
from mel_pipeline.sources.shared.http import Http, Policy
from mel_pipeline.sources.shared.oauth.zoho import ZohoAuth
from mel_pipeline.sources.zoho_crm import exports
from mel_pipeline.sources.zoho_crm.api import Api
from mel_pipeline.sources.zoho_crm.exports import ExportFolder
from mel_pipeline.sources.zoho_crm.mapping import Mapping, mapping_for
from mel_pipeline.sources.zoho_crm.pull import ModulePull


def open(settings: Settings, policy: Policy | None = None) -> ZohoCrm | ExportFolder:
    """The folder of exports where the settings name one, else the API."""
    if settings.zoho_export_dir is not None:
        return exports.open(settings)
    return ZohoCrm(open_api(settings, policy), contract_of("zoho_crm"), mapping_for(settings))


def open_api(settings: Settings, policy: Policy | None = None) -> Api:
    http = Http(policy)
    return Api(
        http,
        ZohoAuth(settings, http),
        concurrency=settings.zoho_concurrency,
        reserve=settings.zoho_credit_reserve,
    )


class ZohoCrm(Client):
    """Zoho CRM v8. Every entity of the contract is a module of the organisation, by its mapping."""

    source = "zoho_crm"

    def __init__(self, api: Api, contract: SourceContract, mapping: Mapping) -> None:
        self._api, self._contract, self._mapping = api, contract, mapping

    def account(self) -> str | None:
        """The organisation's id; None if the token may not read it: the scope is optional."""
        try:
            return self._api.organisation()
        except PermanentSourceError:  # a load says what else is wrong
            return None

    @property
    def known(self) -> SourceContract:
        return self._contract

    def _module_load(self, load: Load) -> Pull:
        """Records changed since the cursor (all of them without one), then what was deleted."""
        pull = ModulePull(self._api, load.contract, self._mapping[load.entity], load.cursor, load.checkpoint)
        return Pull(
            pull.batches(),
            pull.cursor,
            pull.expected_count,
            pull.complete,
            pull.schema,
            pull.usage,
            pull.warnings,
        )

    loads: ClassVar = {EVERY: _module_load}
