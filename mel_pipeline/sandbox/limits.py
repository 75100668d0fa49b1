"""What the real services refuse, or answer otherwise than asked, and the public page or report that says so.

A simulator states each of its limits as a `Limit` in its module and answers with it. docs/sources.md lists them:
they are found there, not registered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType
from typing import Any

from starlette.responses import JSONResponse, Response


@dataclass(frozen=True, eq=False)
class Limit:
    """One limit of a service.

    Attributes:
        when: what meets it, as docs/sources.md says it.
        body: the service's answer, or the part of it that differs; ``{name}`` in a text is filled in.
        source: address of the public page or report that words it.
        status: HTTP status of the answer.
        always: the sample enforces it, as the real service does; any other is switched on for one account.
    """

    when: str
    body: Mapping[str, Any]
    source: str
    status: int = 200
    always: bool = False

    def answer(self, **values: object) -> dict[str, Any]:
        """The body with its texts filled in."""
        filled: dict[str, Any] = _filled(self.body, values)
        return filled

    def response(self, **values: object) -> Response:
        return JSONResponse(self.answer(**values), self.status)


def limits_of(module: ModuleType) -> dict[str, Limit]:
    """The limits a simulator states, by the lower-case name of their constant."""
    return {name.lower(): value for name, value in vars(module).items() if isinstance(value, Limit)}


def limits() -> Iterator[tuple[str, str, Limit]]:
    """Module, name and limit of every simulator."""
    package = import_module("mel_pipeline.sandbox")
    for found in walk_packages(package.__path__, f"{package.__name__}."):
        for name, limit in limits_of(import_module(found.name)).items():
            yield found.name, name, limit


def _filled(value: Any, values: Mapping[str, object]) -> Any:
    if isinstance(value, str):
        return value.format_map(values) if values else value
    if isinstance(value, Mapping):
        return {_filled(key, values): _filled(part, values) for key, part in value.items()}
    return [_filled(part, values) for part in value] if isinstance(value, list) else value
