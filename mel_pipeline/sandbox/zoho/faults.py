"""What can go wrong, to be switched on: single calls, whole modules, tokens, jobs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mel_pipeline.sandbox.zoho.account import Account, Call


@dataclass
class Fault:
    """One fault of calls whose path matches; ``times`` None is for good, ``after`` lets some pass first."""

    match: str
    times: int | None = 1
    after: int = 0
    status: int | None = None
    body: Mapping[str, Any] | bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    reset: bool = False  # the connection is dropped without an answer
    truncate: bool = False  # the right answer, cut short of its length
    delay: float = 0.0


class Faults:
    """The faults of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._faults: list[Fault] = []
        self.on_call: Callable[[Call], object] | None = None  # runs as a call arrives
        self.ignore_if_modified_since = False
        self.bulk: str | None = None  # stuck | fail | truncated
        self.revoked: set[str] = set()
        self.denied: set[str] = set()

    def add(self, match: str, **kind: Any) -> None:
        """A fault of calls whose path matches the regular expression; see Fault for its kinds."""
        self._faults.append(Fault(match, **kind))

    def clear(self) -> None:
        self._faults.clear()

    def throttle_sign_in(self, times: int, shape: str = "400", text: str = "Access Denied") -> None:
        """Zoho refuses tokens for a while, with status 200 or 400; the text may be localised."""
        told = {"error": text, "error_description": "Too many requests.", "status": "failure"}
        self.add(r"^/oauth/v2/token$", times=times, status=int(shape), body=told)

    def revoke_scope(self, module: str) -> None:
        self.revoked.add(module)

    def deny(self, module: str) -> None:
        self.denied.add(module)

    def expire_access_tokens(self) -> None:
        self._account.tokens.clear()

    def expire_page_tokens(self) -> None:
        """Those issued so far are a day old now."""
        for token in self._account.page_tokens.values():
            token.issued -= 86_401.0

    def take(self, path: str) -> Fault | None:
        """The fault that meets this call, counted."""
        for fault in self._faults:
            if fault.times == 0 or not re.search(fault.match, path):
                continue
            if fault.after:
                fault.after -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
            return fault
        return None
