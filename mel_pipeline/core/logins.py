"""People who sign in: their roles, as ``users.yml`` of MEL_HOME says, and who stands behind an act.

Without a login nobody is known, and nothing here is asked. Login names are stored in two places: the details of ledger
entries and the workbook's versions. Runs carry a mark that only this installation can read.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import pwd
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mel_pipeline.core.errors import LoginError
from mel_pipeline.core.yaml_io import yaml_file

if TYPE_CHECKING:
    from mel_pipeline.core.settings import Settings

FILE, EVERYBODY = "users.yml", "*"
MARK, ROLE_TAG = "mel/by", "mel/by_role"  # tags of a run, set by the server that launches it
# What a header can carry without an encoding: names and addresses. No braces: Caddy sends the placeholder itself where its
# authentication service gave no name.
LOGIN = re.compile(r"[!-z|~]{1,128}")


class Role(StrEnum):
    """What a person may do; each role includes those before it."""

    READER = "reader"
    OPERATOR = "operator"
    LEAD = "lead"

    def includes(self, other: Role) -> bool:
        order = list(Role)
        return order.index(self) >= order.index(other)


TERMINAL = "terminal"  # in place of a role: a command on the machine, by somebody who may read its settings


@dataclass(frozen=True)
class Person:
    """Who acts. ``role`` is a ``Role``, or ``terminal``."""

    login: str
    role: str

    def recorded(self) -> dict[str, str]:
        """As in the details of the ledger."""
        return {"login": self.login, "role": self.role}


class Users:
    """Who has which role. The file is read again when it changes; while it cannot be read nobody gets in."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE

    def by_login(self) -> dict[str, Role]:
        """Roles by login; ``*`` stands for everybody who signs in.

        Raises:
            LoginError: the file is missing or wrong.
        """
        try:
            return _checked(yaml_file(self.path), self.path)
        except FileNotFoundError:
            raise LoginError(
                f"Reading {self.path}: there is no such file, so nobody may sign in. Write it: a line for each role,"
                " such as `lead: [anna]`; see docs/operator.md."
            ) from None
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            reason = getattr(error, "strerror", None) or "it is not valid YAML"
            raise LoginError(
                f"Reading {self.path}: {reason}. Nobody may sign in until it is corrected."
            ) from None

    def role_of(self, login: str) -> Role | None:
        """None: not known here. Errors as ``by_login``."""
        found = self.by_login()
        return found.get(login) or found.get(EVERYBODY)


def _checked(content: Any, path: Path) -> dict[str, Role]:
    expected = "write a list of login names for each of lead, operator and reader"
    if not isinstance(content, dict) or not content:
        raise LoginError(f"Reading {path}: it holds no roles; {expected}.")
    found: dict[str, Role] = {}
    for name, logins in content.items():
        if name not in list(Role):
            raise LoginError(f"Reading {path}: `{name}` is no role; {expected}.")
        if not isinstance(logins, list) or not all(isinstance(login, str) for login in logins):
            raise LoginError(f"Reading {path}: `{name}` is no list of login names; {expected}.")
        for place, login in enumerate(logins, start=1):
            if login == EVERYBODY and name != Role.READER:
                raise LoginError(f"Reading {path}: `{EVERYBODY}`, everybody, can only be a reader.")
            if not LOGIN.fullmatch(login):
                raise LoginError(
                    f"Reading {path}: name {place} of `{name}` is not a login: letters without accents, digits and"
                    " signs, no spaces, at most 128."
                )
            if login in found:
                raise LoginError(
                    f"Reading {path}: name {place} of `{name}` stands there twice. Keep one role."
                )
            found[login] = Role(name)
    return found


def mark_of(login: str, secret: str) -> str:
    """What a run carries in place of a login: the same for the same person, and meaningless without the secret."""
    return hmac.new(secret.encode(), b"run of " + login.encode(), hashlib.sha256).hexdigest()[:20]


def tags_of(person: Person, secret: str) -> dict[str, str]:
    """Tags of a run that this person launches."""
    return {MARK: mark_of(person.login, secret), ROLE_TAG: person.role}


def launched_by(tags: Mapping[str, str], users: Users, secret: str) -> Person:
    """Who launched a run, with the role of today.

    Raises:
        LoginError: nobody of ``users`` did.
    """
    given = tags.get(MARK, "")
    for login, role in users.by_login().items():
        if hmac.compare_digest(mark_of(login, secret).encode(), given.encode()):
            return Person(login, role.value)
    raise LoginError(
        f"Finding out who started this run: nobody in {users.path.name} did. The person was removed there, or"
        " MEL_PROXY_SECRET has changed, since it was started. Start it again."
    )


def acting(settings: Settings, tags: Mapping[str, str] | None = None) -> Person | None:
    """Who stands behind what this process is about to do; None where nobody signs in.

    Args:
        tags: of the run that does it; None: a command at the terminal.

    Raises:
        LoginError: nobody known here launched the run.
    """
    if not settings.has_login:
        return None
    if (
        tags is None or MARK not in tags
    ):  # the web server marks each run it launches: this one was started on the machine
        return at_terminal()
    return launched_by(tags, Users(settings.home), settings.proxy_secret.get_secret_value())


def acting_lead(settings: Settings, tags: Mapping[str, str]) -> Person | None:
    """As ``acting``, for what only a lead may do.

    Raises:
        LoginError: nobody known here launched the run, or somebody who is no lead.
    """
    person = acting(settings, tags)
    if person and person.role not in (Role.LEAD, TERMINAL):
        raise LoginError(
            f"Your role, {person.role}, may not do this: that takes the role {Role.LEAD}. Nothing was changed."
        )
    return person


def at_terminal() -> Person:
    """Who types a command on the machine: the account, behind sudo as well."""
    try:
        account = os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container without an entry for its user
        account = str(os.getuid())
    return Person(account, TERMINAL)
