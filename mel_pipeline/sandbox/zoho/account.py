"""One Zoho account: its modules, limits and faults. Its routes are in ``service``."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mel_pipeline.sandbox.organisation.newsletter import Issue
from mel_pipeline.sandbox.zoho.answers import RefusedError
from mel_pipeline.sandbox.zoho.clock import Clock
from mel_pipeline.sandbox.zoho.faults import Call, Faults
from mel_pipeline.sandbox.zoho.limits import Credits, Traffic, Window
from mel_pipeline.sandbox.zoho.modules import Module
from mel_pipeline.sandbox.zoho.oauth import ALL_SCOPES, OAuth, Token, module_scope
from mel_pipeline.sandbox.zoho.page_tokens import PageTokens
from mel_pipeline.sandbox.zoho.schema import STANDARD_MODULES, Field

_FIRST_ID = 546_000_001_000_000_000  # the sample's own ids are lower


@dataclass
class BulkResults:
    """Shape of bulk job files: rows per job, and the header of the id column."""

    rows: int = 200_000
    id_column: str = "id"


class Account:
    """Empty at first. ``pages_delay``: seconds each page of data takes."""

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
        self.zgid = "738964"  # the organisation
        self.modules: dict[str, Module] = {}
        self.forms: dict[str, list[dict[str, Any]]] = {}  # Zoho People: records by link name of the form
        self.campaigns: list[Issue] = []  # Zoho Campaigns
        self.calls: list[Call] = []
        self.windows: list[Window] = []
        self.credits, self.traffic = Credits(self.clock, credits), Traffic()
        self.page_tokens = PageTokens(self.clock)
        tokens: dict[str, Token] = {}
        self.faults = Faults(tokens.clear, self.page_tokens.expire)
        self.oauth = OAuth(self.clock, self.faults, self.scopes, self.window, tokens)
        self.bulk = BulkResults()
        self._lock = threading.RLock()  # tests change records while the server reads them
        self._ids = itertools.count(_FIRST_ID, 1_000)

    def window(self, calls: int, seconds: float, lock: float = 0.0) -> Window:
        """Add a limit of calls per time window; ``reset_limits`` clears it."""
        made = Window(self.clock, calls, seconds, lock)
        self.windows.append(made)
        return made

    def reset_limits(self) -> None:
        """Forget the calls made so far, so that tests sharing an account do not affect each other."""
        for window in self.windows:
            window.reset()

    def add_module(
        self,
        api_name: str,
        fields: Iterable[Field],
        module_name: str | None = None,
        plural_label: str | None = None,
    ) -> Module:
        """Add a module; a custom one gets a module name that differs from its API name."""
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
        """Maximum number of concurrent calls; sign-ins do not count."""
        return self.traffic.highest

    def known(self, name: str) -> Module:
        """A module the user may see.

        Raises:
            RefusedError: unknown module, or hidden from the user.
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
