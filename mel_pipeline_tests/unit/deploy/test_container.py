"""What must be true of image and compose file wherever they run: no rights, no secrets, one way in."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import Any

import pytest
import yaml

from mel_pipeline.core.settings import PROJECT, Settings

CONTAINER = PROJECT / "deploy" / "container"
COMPOSE = yaml.safe_load((CONTAINER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LINES = (CONTAINER / "Containerfile").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_gains_rights_or_holds_a_secret_in_its_environment(name: str) -> None:
    service = SERVICES[name]
    assert "no-new-privileges:true" in service["security_opt"]
    for variable, value in service.get("environment", {}).items():
        is_secret = re.search(r"PASSWORD|SECRET|TOKEN|KEY", variable)
        assert not is_secret or str(value).startswith("/run/secrets/"), variable
    assert set(service.get("secrets", [])) <= COMPOSE["secrets"].keys()
    assert not service.get("privileged") and "docker.sock" not in str(service)


def test_the_pipeline_and_the_proxy_write_only_their_volumes() -> None:
    for name in ("mel", "proxy"):
        assert SERVICES[name]["read_only"] is True and SERVICES[name]["cap_drop"] == ["ALL"]
    assert {volume.partition(":")[2] for volume in SERVICES["mel"]["volumes"]} == {
        "/data",
        "/reports",
        "/backups",
    }


def test_the_only_way_in_is_the_proxy_and_the_database_reaches_nothing_outside() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"mel"}
    assert sorted(SERVICES["mel"]["ports"]) == ["443:443", "80:80"], "not the port of the UI"
    assert SERVICES["proxy"]["network_mode"] == "service:mel"
    assert (
        SERVICES["database"]["networks"] == ["inside"] and COMPOSE["networks"]["inside"]["internal"] is True
    )


def test_the_image_runs_as_a_user_with_a_health_check_and_settings_that_exist() -> None:
    last = max(number for number, line in enumerate(LINES) if line.startswith("FROM"))
    final = LINES[last:]
    assert "USER mel" in final and any(line.startswith("HEALTHCHECK") for line in final)
    named = set(re.findall(r"MEL_([A-Z_]+)=", "\n".join(final)))
    assert named == {"HOME", "REPORTS_DIR", "BACKUP_DIR"}
    assert {name.lower() for name in named} <= Settings.model_fields.keys()


@pytest.mark.parametrize("path", [".env", ".mel", ".git", "reports/published", ".venv"])
def test_settings_data_and_reports_never_enter_an_image(path: str) -> None:
    patterns = (CONTAINER / "Containerfile.dockerignore").read_text(encoding="utf-8").split("\n")
    assert any(fnmatch(path, pattern) for pattern in patterns if pattern and pattern[0] != "#")
