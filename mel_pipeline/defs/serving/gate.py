"""Which operations a document of GraphQL asks for, and whether a role may use them. Decides before anything is executed.

Every operation of a document counts, whichever is named, and every fragment and alias is followed; a skipped field
counts as well. Arguments are read by the library that executes them, so that both see the same.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)
from graphql.execution.values import get_argument_values, get_variable_values

from mel_pipeline.core.logins import Role
from mel_pipeline.defs.serving.roles import least_for, may, refusal

LARGEST = 500_000  # characters of a document; the UI's longest has some 20,000
OVER_HTTP, OVER_WEBSOCKET = ("query", "mutation"), ("subscription",)
AGAIN = {"reexecutePartitionBackfill", "resumePartitionBackfill"}
INTROSPECTION = {"__typename", "__schema", "__type"}


@dataclass(frozen=True)
class Launch:
    """What an operation would start: its name for people, and whether operators may start it."""

    what: str
    for_operators: bool


@dataclass(frozen=True)
class Asked:
    """A field at the root of an operation, with its arguments as the executor will see them."""

    kind: str
    name: str
    arguments: dict[str, Any]


class Gate:
    """Args:
    launches: what a field of the root ``mutation`` would start; empty for those that start nothing.
    """

    def __init__(self, schema: GraphQLSchema, launches: Callable[[Any, Asked], Iterable[Launch]]) -> None:
        self.schema = schema
        self.launches = launches

    def refusal(
        self, context: Any, role: Role, query: object, variables: object, kinds: Container[str] = OVER_HTTP
    ) -> str:
        """Why a role may not send a document; empty if it may.

        Args:
            context: handed to ``launches``.
            kinds: of operations that are taken the way it came.
        """
        if not isinstance(query, str) or not isinstance(variables, dict | None) or len(query) > LARGEST:
            return "The request is not understood: it takes one query and an object of variables."
        try:
            asked = list(self._asked(query, variables or {}))
        except (GraphQLError, RecursionError) as error:
            words = str(getattr(error, "message", "it is nested too deeply"))
            return f"The query is not understood: {words}"
        if not asked or any(field.kind not in kinds for field in asked):
            return "Queries and mutations are sent over HTTP, subscriptions over a websocket."
        return next(filter(None, (self._refusal_of(context, role, field) for field in asked)), "")

    def _refusal_of(self, context: Any, role: Role, field: Asked) -> str:
        if field.name not in INTROSPECTION and not may(role, field.kind, field.name):
            return refusal(role, f"use {field.name}", least_for(field.kind, field.name))
        kept = [launch for launch in self.launches(context, field) if not launch.for_operators]
        if kept and role is not Role.LEAD:
            return refusal(role, f"start {kept[0].what}", Role.LEAD)
        if kept and field.name in AGAIN:
            return (
                f"Launch {kept[0].what} from its own page: a backfill that goes on carries the name of the person who"
                " began it."
            )
        return ""

    def _asked(self, query: str, variables: dict[str, Any]) -> Iterator[Asked]:
        document = parse(query)
        fragments = {
            part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)
        }
        for operation in document.definitions:
            if isinstance(operation, OperationDefinitionNode):
                yield from self._of_operation(operation, fragments, variables)

    def _of_operation(
        self,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDefinitionNode],
        variables: dict[str, Any],
    ) -> Iterator[Asked]:
        kind = operation.operation.value
        root = self.schema.get_root_type(operation.operation)
        values = get_variable_values(self.schema, operation.variable_definitions or (), variables)
        for node in _fields(operation.selection_set, fragments, set()):
            name = node.name.value
            if name in INTROSPECTION:
                yield Asked(kind, name, {})
                continue
            definition = root.fields.get(name) if root else None
            if definition is None:
                raise GraphQLError(f"there is no {kind} {name}.")
            if isinstance(values, list):  # variables that do not fit: what they would ask for is not known
                raise values[0]
            yield Asked(kind, name, get_argument_values(definition, node, values))


def _fields(
    selected: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode], seen: set[str]
) -> Iterator[FieldNode]:
    """Fields at the root, those of fragments included; each fragment once."""
    for node in selected.selections:
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(node.selection_set, fragments, seen)
        elif not isinstance(node, FragmentSpreadNode):
            raise GraphQLError("this kind of selection is not known.")
        elif node.name.value not in seen:
            seen.add(node.name.value)
            if node.name.value not in fragments:
                raise GraphQLError(f"there is no fragment {node.name.value}.")
            yield from _fields(fragments[node.name.value].selection_set, fragments, seen)
