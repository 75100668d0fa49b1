"""Who may do what, by a file that people write; and who stands behind a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from mel_pipeline.core.errors import LoginError
from mel_pipeline.core.logins import MARK, Person, Role, Users, acting, acting_lead, tags_of
from mel_pipeline.core.settings import Settings

SECRET = "x" * 40


@pytest.fixture
def users(tmp_path: Path) -> Users:
    (tmp_path / "users.yml").write_text("lead: [anna]\noperator: [ben@example.org]\nreader: ['*']\n")
    return Users(tmp_path)


@pytest.fixture
def settings(tmp_path: Path, users: Users) -> Settings:
    return Settings(
        home=tmp_path, public_url="https://mel.example.org", proxy_secret=SecretStr(SECRET), _env_file=None
    )


def test_a_person_has_the_role_of_the_file_and_anybody_else_the_role_of_everybody(users: Users) -> None:
    assert users.role_of("anna") is Role.LEAD
    assert users.role_of("ben@example.org") is Role.OPERATOR
    assert users.role_of("Anna") is Role.READER, "names are compared letter by letter"
    users.path.write_text("lead: [anna]")
    assert users.role_of("ben@example.org") is None, "read again, and unknown people have no role"


@pytest.mark.parametrize(
    "content",
    ["", "[]", "lead: anna", "boss: [anna]", "lead: [anna", "lead: ['*']", "operator: ['*']", "lead: [1]",
     "lead: [anna]\noperator: [anna]", "lead: ['an na']", "lead: [añna]", "lead: ['{http.auth.user.id}']", "lead: ['']", "lead: [x]\nlead: {}"],
)  # fmt: skip
def test_a_file_that_could_mean_two_things_lets_nobody_in(users: Users, content: str) -> None:
    users.path.write_text(content)
    with pytest.raises(LoginError, match=r"users\.yml") as refused:
        users.role_of("anna")
    assert "anna" not in str(refused.value), "no name in a message"


def test_a_run_carries_a_mark_that_leads_back_to_the_person_and_says_nothing_to_others(
    settings: Settings,
) -> None:
    tags = tags_of(Person("anna", "lead"), SECRET)
    assert "anna" not in str(tags)
    assert tags != tags_of(Person("anna", "lead"), SECRET + "x")
    assert acting(settings, tags) == Person("anna", "lead")


def test_a_mark_of_nobody_is_refused_and_no_other_role_than_a_lead_publishes(settings: Settings) -> None:
    with pytest.raises(LoginError, match="Start it again"):
        acting(settings, {MARK: "forged"})
    with pytest.raises(LoginError, match="takes the role lead"):
        acting_lead(settings, tags_of(Person("ben@example.org", "lead"), SECRET))


def test_a_command_at_the_terminal_is_that_account_s(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "carla")
    assert acting(settings) == acting_lead(settings, {}) == Person("carla", "terminal")


def test_without_a_login_nobody_is_recorded(tmp_path: Path) -> None:
    without = Settings(home=tmp_path, _env_file=None)
    assert acting(without) is None and acting_lead(without, {MARK: "x"}) is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [("https://MEL.example.org/", "https://mel.example.org"), ("https://mel.example.org:443", "https://mel.example.org"),
     ("https://mel.example.org:8443", "https://mel.example.org:8443"), ("http://localhost:80", "http://localhost")],
)  # fmt: skip
def test_the_outer_address_is_written_as_browsers_send_it(tmp_path: Path, given: str, kept: str) -> None:
    made = Settings(home=tmp_path, public_url=given, proxy_secret=SecretStr(SECRET), _env_file=None)
    assert made.public_url == kept


@pytest.mark.parametrize(
    "wrong",
    [{"public_url": "http://mel.example.org"}, {"public_url": "https://mel.example.org/dagster"}, {"public_url": "mel"},
     {"public_url": "https://a@mel.example.org"}, {"public_url": ""}, {"proxy_secret": SecretStr("short")},
     {"proxy_secret": SecretStr("")}, {"proxy_secret": SecretStr("with a space " * 4)}],
)  # fmt: skip
def test_half_a_login_or_a_weak_one_is_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    good = {"public_url": "https://mel.example.org", "proxy_secret": SecretStr(SECRET)}
    with pytest.raises(ValidationError):
        Settings(home=tmp_path, _env_file=None, **{**good, **wrong})
