"""One Zoho account: its modules, its limits, its faults, and the addresses it answers on."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable
from typing import Any

from starlette.routing import Route

from mel_pipeline.sandbox.organisation import Organisation
from mel_pipeline.sandbox.organisation.newsletter import Issue
from mel_pipeline.sandbox.zoho import sample
from mel_pipeline.sandbox.zoho.answers import RefusedError
from mel_pipeline.sandbox.zoho.bulk import CREDITS, PATH, Bulk
from mel_pipeline.sandbox.zoho.campaigns import BASE, Campaigns
from mel_pipeline.sandbox.zoho.clock import Clock
from mel_pipeline.sandbox.zoho.coql import Coql
from mel_pipeline.sandbox.zoho.crm import Crm
from mel_pipeline.sandbox.zoho.faults import Call, Faults
from mel_pipeline.sandbox.zoho.gate import Gate
from mel_pipeline.sandbox.zoho.limits import Credits, Traffic, Window
from mel_pipeline.sandbox.zoho.metadata import Metadata
from mel_pipeline.sandbox.zoho.modules import Module
from mel_pipeline.sandbox.zoho.oauth import ALL_SCOPES, OAuth, module_scope
from mel_pipeline.sandbox.zoho.page_tokens import PageTokens
from mel_pipeline.sandbox.zoho.people import People
from mel_pipeline.sandbox.zoho.schema import STANDARD_MODULES, Field

_FIRST_ID = 546_000_001_000_000_000  # the sample's own ids lie below


class Account:
    """Empty at first. ``pages_delay`` is how long each page of data takes, in seconds."""

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        concurrency: int = 10,
        credits: int = 50_000,
        pages_delay: float = 0.0,
    ) -> None:
        self.clock = clock or Clock()
        self.concurrency, self.pages_delay = concurrency, pages_delay
        self.scopes = set(ALL_SCOPES)
        self.modules: dict[str, Module] = {}
        self.forms: dict[str, list[dict[str, Any]]] = {}  # Zoho People: records by link name of the form
        self.campaigns: list[Issue] = []  # Zoho Campaigns
        self.calls: list[Call] = []
        self.windows: list[Window] = []
        self.credits, self.traffic = Credits(self.clock, credits), Traffic()
        self.page_tokens = PageTokens(self.clock)
        self.faults = Faults(self)
        self.oauth = OAuth(self)
        self.bulk = Bulk(self)
        self._lock = threading.RLock()  # a test changes records while the server reads them
        self._ids = itertools.count(_FIRST_ID, 1_000)

    @classmethod
    def of(cls, organisation: Organisation, clock: Clock | None = None) -> Account:
        """The sample organisation's account; its clock starts when everything it holds has been written."""
        account = cls(clock or Clock(sample.latest(organisation)))
        sample.furnish(account, organisation)
        return account

    def window(self, calls: int, seconds: float, lock: float = 0.0) -> Window:
        """A limit of calls in a time; ``forgive`` lifts it."""
        made = Window(self.clock, calls, seconds, lock)
        self.windows.append(made)
        return made

    def forgive(self) -> None:
        """Forget the calls made so far, as if their time had passed: tests that share an account are strangers."""
        for window in self.windows:
            window.forget()

    def add_module(
        self,
        api_name: str,
        fields: Iterable[Field],
        module_name: str | None = None,
        plural_label: str | None = None,
    ) -> Module:
        """A module; one that is not Zoho's own gets a module name that differs from its API name."""
        own = api_name if api_name in STANDARD_MODULES else f"CustomModule{len(self.modules) + 1}"
        self.modules[api_name] = Module(
            api_name,
            fields,
            module_name=module_name or own,
            plural_label=plural_label or api_name.replace("_", " "),
            clock=self.clock,
            lock=self._lock,
            next_id=self.next_id,
        )
        return self.modules[api_name]

    def next_id(self) -> int:
        return next(self._ids)

    @property
    def credits_used(self) -> int:
        """In the last 24 hours."""
        return self.credits.used

    @property
    def highest_concurrency(self) -> int:
        """Most calls that were in flight at once; sign-ins do not count."""
        return self.traffic.highest

    def known(self, name: str) -> Module:
        """A module the user may see.

        Raises:
            RefusedError: there is none of that name, or it is kept from the user.
        """
        if name not in self.modules:
            raise RefusedError("INVALID_MODULE", {"resource_path_index": 0})
        if name in self.faults.denied:
            raise RefusedError("NO_PERMISSION", {"permissions": [f"Crm_Implied_View_{name}"]}, 403)
        return self.modules[name]

    def readable(self, name: str) -> Module:
        """A module whose records the token and its user may read.

        Raises:
            RefusedError: the scope is missing, or the module cannot be seen.
        """
        if name in self.faults.revoked:
            raise RefusedError("OAUTH_SCOPE_MISMATCH", status=401)
        self.oauth.require(module_scope(name))
        return self.known(name)

    def routes(self) -> list[Route]:
        crm, coql, metadata, people = Crm(self), Coql(self), Metadata(self), People(self)
        campaigns = Campaigns(self)
        return [
            _post("/oauth/v2/token", Gate(self, self.oauth.token, service="oauth", credits=0)),
            _get("/crm/v8/settings/modules", Gate(self, metadata.modules)),
            _get("/crm/v8/settings/fields", Gate(self, metadata.fields)),
            _post("/crm/v8/coql", Gate(self, coql.query, page=True, heavy=True)),
            _post(PATH, Gate(self, self.bulk.create, credits=CREDITS)),
            _get(f"{PATH}/{{job}}", Gate(self, self.bulk.details)),
            _get(f"{PATH}/{{job}}/result", Gate(self, self.bulk.download)),
            _get("/crm/v8/{module}/deleted", Gate(self, crm.deleted, credits=2, page=True)),
            _get("/crm/v8/{module}/actions/count", Gate(self, crm.count)),
            _get("/crm/v8/{module}/{record}", Gate(self, crm.record, page=True)),
            _get("/crm/v8/{module}", Gate(self, crm.records, page=True)),
            _get("/people/api/forms/{form}/getRecords", Gate(self, people.records, service="people")),
            _get(f"{BASE}/api/v1.1/recentcampaigns", Gate(self, campaigns.recent, service="campaigns")),
            _get(f"{BASE}/api/v1.1/campaignreports", Gate(self, campaigns.reports, service="campaigns")),
        ]


def _get(path: str, gate: Gate) -> Route:
    return Route(path, gate, methods=["GET"])


def _post(path: str, gate: Gate) -> Route:
    return Route(path, gate, methods=["POST"])
