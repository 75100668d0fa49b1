"""What each role may open and do: pages here, operations in ``roles.yml``, jobs by a tag of theirs. Data and sentences only."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mel_pipeline.core.logins import Role
from mel_pipeline.core.yaml_io import yaml_file
from mel_pipeline.defs.serving.guard import ACCEPT, SAFE_METHODS

_FILE = Path(__file__).with_name("roles.yml")
# Beginnings of paths, in small letters, and the least role that may open them; anything else anybody with a role may read.
PAGES = {
    "/report_asset": Role.LEAD,  # says that something was made, without making it
    ACCEPT: Role.LEAD,
    "/workbook/comments": Role.LEAD,  # people's own words
    "/workbook": Role.OPERATOR,
    "/drafts": Role.OPERATOR,
    "/download_debug": Role.OPERATOR,
}
WRITES = ("/graphql", "/report_asset", "/workbook")  # take a POST; GraphQL is looked into


def may(role: Role, kind: str, name: str) -> bool:
    """Whether a role may use a field of the root ``kind`` (query, mutation, subscription), or has a permission of Dagster's."""
    least = _least(kind).get(name, Role.LEAD)
    return role.includes(least)


def least_for(kind: str, name: str) -> Role:
    """The least role that may."""
    return _least(kind).get(name, Role.LEAD)


@cache
def _least(kind: str) -> dict[str, Role]:
    return {name: Role(role) for role, lists in yaml_file(_FILE).items() for name in lists[kind]}


def refusal_of_path(role: Role, method: str, path: str) -> str:
    """Why a role may not open an address; empty if it may."""
    small = path.lower()
    least = next((least for begin, least in PAGES.items() if small.startswith(begin)), Role.READER)
    if not role.includes(least):
        return refusal(
            role, f"open {'/'.join(path.split('/')[:2])}" if least != Role.LEAD else "do this", least
        )
    if method not in SAFE_METHODS and not small.startswith(WRITES):
        return refusal(role, "send anything to this address", None)
    return ""


def refusal(role: Role, what: str, least: Role | None) -> str:
    """Says what was refused, and who may do it."""
    enough = [str(other) for other in Role if least and other.includes(least)]
    who = f"that takes the role {' or '.join(enough)}" if enough else "nobody may"
    return f"Your role, {role}, may not {what}: {who}."
