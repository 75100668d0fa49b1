"""Read parameters from the query string or a form body."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request


async def form_values(request: Request) -> dict[str, str]:
    """Query parameters and, for a POST, the fields of its url-encoded body."""
    body = (await request.body()).decode("utf-8") if request.method == "POST" else ""
    return {**request.query_params, **dict(parse_qsl(body, keep_blank_values=True))}
