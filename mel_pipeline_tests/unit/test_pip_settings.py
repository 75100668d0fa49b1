"""uv gets pip's configuration."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

REQUIREMENTS = Path(__file__).parents[2] / "requirements"


def _loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, REQUIREMENTS / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


settings = _loaded("pip_settings")


@pytest.fixture
def pip_says(tmp_path: Path):
    """Configuration files and variables as pip itself resolves them, parsed by our code."""

    def say(user: str = "", own: str = "", **variables: str) -> dict[str, str]:
        (tmp_path / "pip").mkdir(exist_ok=True)
        (tmp_path / "pip" / "pip.conf").write_text(user, encoding="utf-8")
        (tmp_path / "own.conf").write_text(own, encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        # No file of this machine: HOME, XDG_CONFIG_HOME and XDG_CONFIG_DIRS are where pip looks for them.
        places = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path)}
        places["PIP_CONFIG_FILE"] = str(tmp_path / "own.conf")
        command = [sys.executable, "-m", "pip", "config", "list"]
        done = subprocess.run(
            command, env=kept | places | variables, capture_output=True, text=True, check=True
        )
        return settings.effective(done.stdout)

    return say


@pytest.mark.slow
def test_the_nearest_level_wins_and_the_environment_above_all(pip_says) -> None:
    user = "[global]\nindex-url = https://far.example/simple\ntimeout = 5\n[install]\nretries = 2\n"
    own = "[global]\nindex-url = https://near.example/simple\nretries = 1\n"
    said = pip_says(user, own, PIP_DEFAULT_TIMEOUT="30")
    assert said["index-url"] == "https://near.example/simple"
    assert said["retries"] == "2"  # the command's section overrides the global one
    assert said["timeout"] == "30"  # two names of one option
    assert pip_says(user, own, PIP_INDEX_URL="https://now.example/simple")["index-url"] == (
        "https://now.example/simple"
    )


@pytest.mark.slow
def test_values_on_several_lines_are_several_locations(pip_says, tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    own = (
        "[global]\nextra-index-url =\n    https://one.example/simple\n    https://two.example/simple\n"
        f"find-links =\n    {tmp_path / 'wheels'}\n    {tmp_path / 'gone'}\n    https://links.example/page.html\n"
    )
    made = settings.uv_environment(pip_says(own=own), {})
    assert made["UV_INDEX"] == "https://one.example/simple https://two.example/simple"
    assert made["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert made["UV_FIND_LINKS"] == f"{tmp_path / 'wheels'},https://links.example/page.html"


@pytest.mark.slow
def test_passwords_percent_signs_equal_signs_and_quotes_are_preserved(pip_says) -> None:
    url = "https://user:p%40ss'w=\"rd@mirror.example/simple?a=b"
    assert (
        settings.uv_environment(pip_says(own=f"[global]\nindex-url = {url}\n"), {})["UV_DEFAULT_INDEX"] == url
    )


@pytest.mark.slow
def test_commands_other_than_install_and_empty_values_do_not_count(pip_says) -> None:
    own = "[download]\nindex-url = https://other.example/simple\n[global]\nproxy =\n"
    said = pip_says("[global]\nproxy = http://proxy.example:3128\n[install]\nno-index = true\n", own)
    assert said.get("index-url") != "https://other.example/simple"
    assert settings.uv_arguments(said) == ["--no-index"]
    assert settings.uv_arguments(pip_says("[global]\nno-index = off\n")) == []


@pytest.mark.parametrize(
    "listing",
    ["", "no key at all", "global.index-url=", "global.index-url=__import__('os').abort()", "global.timeout='soon'",
     "global.index-url=5", "=='='", ":env:.='x'", "global.retries='inf'", "global.timeout='1e999'"],
)  # fmt: skip
def test_lines_that_are_not_settings_are_ignored(listing: str) -> None:
    made = settings.uv_environment(settings.effective(listing), {})
    assert set(made) <= {"UV_SYSTEM_CERTS"}


def test_a_folder_with_a_comma_is_still_one_location(tmp_path: Path) -> None:
    place = tmp_path / "wheels,old"
    place.mkdir()
    made = settings.uv_environment({"find-links": str(place)}, {})
    assert made["UV_FIND_LINKS"] == place.as_uri().replace(",", "%2C")


def test_settings_for_uv_itself_take_precedence() -> None:
    pip = {
        "index-url": "https://pip.example/simple",
        "extra-index-url": "https://more.example",
        "timeout": "9",
    }
    own = {"UV_INDEX_URL": "https://uv.example/simple", "UV_HTTP_TIMEOUT": "60"}
    made = settings.uv_environment(pip, own)
    assert {name: made[name] for name in own} == own
    assert "UV_DEFAULT_INDEX" not in made
    assert "UV_INDEX" not in made


def test_no_constraint_reaches_the_lock() -> None:
    made = settings.uv_environment({"constraint": "old.txt"}, {"UV_CONSTRAINT": "x", "UV_OVERRIDE": "y"})
    assert not [name for name in made if name in ("UV_CONSTRAINT", "UV_OVERRIDE")]


def test_seconds_and_attempts_are_whole_numbers_for_uv() -> None:
    made = settings.uv_environment({"timeout": "2.5", "retries": "3"}, {})
    assert (made["UV_HTTP_TIMEOUT"], made["UV_HTTP_RETRIES"]) == ("3", "3")


def test_a_proxy_is_used_for_all_and_before_that_of_the_environment() -> None:
    made = settings.uv_environment(
        {"proxy": "user:word@proxy.example:3128"}, {"https_proxy": "http://old.example"}
    )
    assert made["HTTPS_PROXY"] == made["HTTP_PROXY"] == "http://user:word@proxy.example:3128"
    assert "https_proxy" not in made


def test_uv_uses_the_certificates_of_pip(tmp_path: Path) -> None:
    bundle = tmp_path / "office.pem"
    assert settings.uv_environment({"cert": str(bundle)}, {"SSL_CERT_FILE": "old.pem"})[
        "SSL_CERT_FILE"
    ] == str(bundle)
    assert settings.uv_environment({"cert": str(tmp_path)}, {})["SSL_CERT_DIR"] == str(tmp_path)
    assert settings.uv_environment({"cert": "~/ca.pem"}, {})["SSL_CERT_FILE"] == str(Path.home() / "ca.pem")
    assert settings.uv_environment({}, {"REQUESTS_CA_BUNDLE": "a.pem"})["SSL_CERT_FILE"] == "a.pem"
    assert settings.uv_environment({"client-cert": "me.pem"}, {})["SSL_CLIENT_CERT"] == "me.pem"


def test_without_configured_certificates_the_system_store_is_used_if_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "_system_has_certificates", lambda: True)
    assert settings.uv_environment({}, {})["UV_SYSTEM_CERTS"] == "1"
    assert "UV_SYSTEM_CERTS" not in settings.uv_environment({"use-deprecated": "legacy-certs"}, {})
    assert "UV_SYSTEM_CERTS" not in settings.uv_environment({}, {"UV_NATIVE_TLS": "0"})
    monkeypatch.setattr(settings, "_system_has_certificates", lambda: False)
    assert "UV_SYSTEM_CERTS" not in settings.uv_environment({}, {})


def test_no_cache_for_pip_is_no_cache_for_uv_unless_uv_sets_its_own() -> None:
    assert settings.uv_environment({"no-cache-dir": "off"}, {})["UV_NO_CACHE"] == "1"
    assert "UV_NO_CACHE" not in settings.uv_environment({"no-cache-dir": "1"}, {"UV_CACHE_DIR": "/somewhere"})


def test_trusted_hosts_are_passed_on() -> None:
    made = settings.uv_environment({"trusted-host": "one.example\ntwo.example:8443"}, {})
    assert made["UV_INSECURE_HOST"] == "one.example two.example:8443"
