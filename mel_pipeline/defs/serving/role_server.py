"""The Dagster web server behind a login: every operation passes the gate, every run carries who launched it.

HTTP and websockets meet in the two methods overridden here, after the request has been read and before anything is executed.
Dagster's own permissions follow the role as well: its UI shows what a role may do, and refuses the rest a second time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dagster._core.definitions.selector import JobSelector
from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
from dagster._core.workspace.permissions import PermissionResult
from dagster_webserver.webserver import DagsterWebserver
from graphql import MiddlewareManager
from starlette.responses import JSONResponse, PlainTextResponse

from mel_pipeline.core.logins import Person, Role, tags_of
from mel_pipeline.defs.serving.gate import OVER_WEBSOCKET, Gate
from mel_pipeline.defs.serving.launches import is_for_operators, launches, tag_lists
from mel_pipeline.defs.serving.login import person_of
from mel_pipeline.defs.serving.roles import may

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection, Request
    from starlette.responses import Response
    from starlette.websockets import WebSocket


class RoleContext(WorkspaceRequestContext):
    """Dagster's context of one request, with the permissions of the person who sent it."""

    def __init__(self, base: WorkspaceRequestContext, person: Person, secret: str) -> None:
        super().__init__(
            base.instance,
            base.get_current_workspace(),
            base.process_context,
            base.version,
            base.source,
            base.read_only,
        )
        self.role = Role(person.role)
        self._tags = tags_of(person, secret)

    @property
    def permissions(self) -> Mapping[str, PermissionResult]:
        return {name: self._permission(name, result) for name, result in super().permissions.items()}

    def permissions_for_location(self, *, location_name: str) -> Mapping[str, PermissionResult]:
        own = super().permissions_for_location(location_name=location_name)
        return {name: self._permission(name, result) for name, result in own.items()}

    def _permission(self, name: str, result: PermissionResult) -> PermissionResult:
        if may(self.role, "permissions", str(name)) or not result.enabled:
            return result
        return PermissionResult(enabled=False, disabled_reason=f"Your role, {self.role}, may not do this.")

    def has_permission_for_selector(self, permission: str, selector: Any) -> bool:
        allowed = super().has_permission_for_selector(permission, selector)
        if allowed and isinstance(selector, JobSelector) and str(permission).startswith("launch"):
            return self.role is Role.LEAD or is_for_operators(self, selector)
        return allowed

    @property
    def show_instance_config(self) -> bool:
        return self.role is not Role.READER

    def get_viewer_tags(self) -> dict[str, str]:
        """Dagster puts them on backfills."""
        return self._tags

    def get_reporting_user_tags(self) -> dict[str, str]:
        return self._tags


class _OnMutations(MiddlewareManager):
    """Middleware of the root's mutations alone: a query resolves ten thousands of fields."""

    def __init__(self, middleware: Any, resolvers: Iterator[Any]) -> None:
        super().__init__(middleware)
        self._mutations = set(resolvers)

    def get_field_resolver(self, field_resolver: Any) -> Any:
        is_mutation = field_resolver in self._mutations
        return super().get_field_resolver(field_resolver) if is_mutation else field_resolver


class RoleServer(DagsterWebserver[WorkspaceProcessContext, RoleContext]):
    """Args:
    secret: makes the marks of people on runs.
    """

    def __init__(self, process_context: WorkspaceProcessContext, secret: str) -> None:
        self.secret = secret
        super().__init__(process_context)
        self.gate = Gate(self._graphene_schema.graphql_schema, launches)

    def _make_request_context(self, conn: HTTPConnection) -> RoleContext:
        person = person_of(conn.scope)
        if person is None:
            raise PermissionError("a request without a person came past the login")
        return RoleContext(self._process_context.create_request_context(conn), person, self.secret)

    def build_graphql_middleware(self) -> Any:
        mutations = self._graphene_schema.graphql_schema.mutation_type
        return _OnMutations(_stamp, (field.resolve for field in mutations.fields.values()))

    async def graphql_http_endpoint(self, request: Request) -> Response:
        try:
            body = await request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or not isinstance(body.get("operationName"), str | None):
            return PlainTextResponse("One operation a request, as an object of JSON.", 400)
        if isinstance(body.get("variables"), str):
            return PlainTextResponse("Variables are an object, not text.", 400)
        response: Response = await super().graphql_http_endpoint(request)
        return response

    async def gen_graphql_response(
        self, request_context: RoleContext, query: str, variables: Any, operation_name: str | None
    ) -> JSONResponse:
        if words := self.gate.refusal(request_context, request_context.role, query, variables):
            return JSONResponse({"data": None, "errors": [_error(words)]})
        return await super().gen_graphql_response(request_context, query, variables, operation_name)

    async def graphql_ws_endpoint(self, websocket: WebSocket) -> None:
        try:
            await super().graphql_ws_endpoint(websocket)
        except (AttributeError, KeyError, TypeError, json.JSONDecodeError):  # no message of the protocol
            await websocket.close(1003)

    async def execute_graphql_subscription(
        self, websocket: WebSocket, operation_id: str, query: str, variables: Any, operation_name: str | None
    ) -> Any:
        with self.request_context(websocket) as context:
            words = self.gate.refusal(context, context.role, query, variables, OVER_WEBSOCKET)
        if words:
            return None, _error(words)
        return await super().execute_graphql_subscription(
            websocket, operation_id, query, variables, operation_name
        )


def _error(words: str) -> dict[str, Any]:
    return {"message": words, "extensions": {"code": "FORBIDDEN"}}


def _stamp(resolve: Any, root: Any, info: Any, **given: Any) -> Any:
    """Put the person on the runs a mutation launches, over whatever the client wrote."""
    own = info.context.get_viewer_tags()
    for holder, name in tag_lists(info.field_name, given):
        kept = [tag for tag in holder.get(name) or [] if tag["key"] not in own]
        holder[name] = [*kept, *({"key": key, "value": value} for key, value in own.items())]
    return resolve(root, info, **given)
