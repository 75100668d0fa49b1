"""`make install`: where things go, what systemd thinks of the units, and whether what they start runs."""

from __future__ import annotations

import importlib.util
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mel_pipeline.core.settings import PROJECT, Settings, load_settings

pytestmark = pytest.mark.exhaustive  # each installation clones the repository
UNITS = ("mel.service", "mel-doctor.service", "mel-backup.service", "mel-doctor.timer", "mel-backup.timer")
SERVICES = [name for name in UNITS if name.endswith(".service")]
# The environment itself is installed by requirements/install.py, which has its own tests; here this one serves.
LINK = ("-c", f"import os; os.symlink({sys.prefix!r}, '.venv')")


@pytest.fixture
def installer(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("deploy_install", PROJECT / "deploy" / "install.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "deploy_install", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ENVIRONMENT", LINK)
    yield module


@pytest.fixture
def root(installer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service of the machine, installed below a folder."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert installer.main(["--root", str(tmp_path / "root"), "--sample"]) == 0
    return tmp_path / "root"


def values_of(unit: Path, name: str) -> list[str]:
    lines = unit.read_text(encoding="utf-8").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{name}=")]


def test_systemd_accepts_every_unit_and_finds_the_services_well_confined(root: Path) -> None:
    units = root / "etc/systemd/system"
    verified = subprocess.run(
        ["systemd-analyze", "verify", *(str(units / name) for name in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in verified.stderr.splitlines() if line.startswith(("mel", str(units)))]
    # What is started is below the root here; the user is made by the installer on the machine itself.
    assert [line for line in ours if "/current/.venv/bin/mel is not executable" not in line] == []
    assert os.access(root / "opt/mel-pipeline/current/.venv/bin/mel", os.X_OK)
    for name in SERVICES:
        judged = subprocess.run(
            [
                "systemd-analyze",
                "security",
                "--offline=true",
                "--threshold=20",
                str(root / "etc/systemd/system" / name),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert judged.returncode == 0, judged.stdout.splitlines()[-1]


def test_the_service_writes_its_data_reports_and_backups_alone(root: Path) -> None:
    unit = root / "etc/systemd/system/mel.service"
    (writes,) = values_of(unit, "ReadWritePaths")
    assert writes.split() == ["/var/lib/mel", "/srv/mel/reports", "/var/backups/mel"]
    assert values_of(unit, "ProtectSystem") == ["strict"] and values_of(unit, "User") == ["mel"]
    modes = {
        name: (root / name).stat().st_mode & 0o777
        for name in ("var/lib/mel", "var/backups/mel", "etc/mel/mel.env")
    }
    assert modes == {"var/lib/mel": 0o700, "var/backups/mel": 0o700, "etc/mel/mel.env": 0o600}


@pytest.mark.fault(199)
def test_a_backup_folder_on_another_disk_is_open_to_the_service_after_installing_again(
    installer: Any, root: Path
) -> None:
    settings = root / "etc/mel/mel.env"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(
        text.replace("MEL_BACKUP_DIR=/var/backups/mel", "MEL_BACKUP_DIR=/mnt/disk/mel"), "utf-8"
    )
    assert installer.main(["--root", str(root), "--sample"]) == 0
    (writes,) = values_of(root / "etc/systemd/system/mel-backup.service", "ReadWritePaths")
    assert writes.split() == ["/var/lib/mel", "/srv/mel/reports", "/var/backups/mel", "-/mnt/disk/mel"]


def test_the_home_of_the_sample_is_there_before_the_first_start(root: Path) -> None:
    """`users.yml` is written there by hand before anything has run."""
    home = root / "var/lib/mel/sample"
    assert home.is_dir() and home.stat().st_mode & 0o777 == 0o700


def test_secrets_reach_the_service_as_a_credential_and_stand_in_no_unit(root: Path) -> None:
    settings = (root / "etc/mel/mel.env").read_text(encoding="utf-8")
    (passphrase,) = [
        line.partition("=")[2] for line in settings.splitlines() if line.startswith("MEL_BACKUP_PASS")
    ]
    assert len(passphrase) >= 24
    for name in UNITS:
        text = (root / "etc/systemd/system" / name).read_text(encoding="utf-8")
        assert passphrase not in text and "{" not in text.replace("${", "")
    unit = root / "etc/systemd/system/mel.service"
    assert values_of(unit, "LoadCredential") == ["mel.env:/etc/mel/mel.env"]
    assert values_of(unit, "Environment") == ["MEL_ENV_FILE=%d/mel.env"]


def test_the_sample_is_asked_at_no_address_of_a_real_service(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEL_ENV_FILE", str(root / "etc/mel/mel.env"))
    settings = load_settings(sandbox_port=8723)
    assert settings.sample and settings.home == Path("/var/lib/mel/sample")
    addresses = {
        name: value
        for name in Settings.model_fields
        if name.endswith("_url") and (value := getattr(settings, name))
    }
    asked = {name: str(value) for name, value in addresses.items() if name.startswith("zoho_")}
    assert len(asked) == 4 and all(value.startswith("http://127.0.0.1:8723") for value in asked.values()), (
        asked
    )


def test_it_is_installed_without_being_started_so_that_a_backup_can_be_restored_first(
    installer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    begun: list[object] = []
    monkeypatch.setattr(installer, "_run", lambda command, **_: begun.append(command))
    layout = installer._layout(installer._parser().parse_args(["--root", str(tmp_path)]))
    installer._start(layout, at_once=False)
    assert begun == [] and "Nothing was started. `make install` starts it." in capsys.readouterr().out


def test_an_upgrade_keeps_settings_and_the_version_before_to_go_back_to(
    installer: Any, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env, app = root / "etc/mel/mel.env", root / "opt/mel-pipeline"
    env.write_text("MEL_SAMPLE=true\n# mine\n", encoding="utf-8")
    first = (app / "current").readlink().name
    newer = tmp_path / "newer"
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{PROJECT}", str(newer)], check=True)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(
        ["git", "-C", str(newer), *identity, "commit", "-q", "--allow-empty", "-m", "Newer"], check=True
    )
    monkeypatch.setattr(installer, "PROJECT", newer)
    assert installer.main(["--root", str(root)]) == 0
    second = (app / "current").readlink().name
    assert second != first and env.read_text(encoding="utf-8") == "MEL_SAMPLE=true\n# mine\n"
    assert installer.main(["--root", str(root), "--back"]) == 0
    assert (app / "current").readlink().name == first
    (app / second / ".complete").unlink()
    assert installer.main(["--root", str(root), "--back"]) == 1


def test_your_own_service_runs_what_its_units_start(
    installer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As a user with lingering services: the real paths, below another home; systemd itself does not run here."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert installer.main(["--user", "--sample"]) == 0
    units = tmp_path / "home/.config/systemd/user"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MEL_")}

    def start(name: str) -> subprocess.CompletedProcess[str]:
        (setting,) = values_of(units / name, "Environment")
        variable, _, value = setting.partition("=")
        return subprocess.run(
            shlex.split(values_of(units / name, "ExecStart")[0]),
            env={**environment, variable: value},
            cwd=values_of(units / name, "WorkingDirectory")[0],
            capture_output=True,
            text=True,
            check=False,
        )

    doctor = start("mel-doctor.service")
    assert f"read from {tmp_path}/home/.config/mel/mel.env" in doctor.stdout
    broken = [line.split(":")[0] for line in doctor.stdout.splitlines() if line.startswith("✗")]
    assert (doctor.returncode, broken) == (2, ["✗ Dagster daemon"])  # it is not running
    backup = start("mel-backup.service")
    assert (backup.returncode, backup.stderr) == (
        1,
        "Error: Copying the warehouse: it is empty. Run a quarter first.\n",
    )
    command = tmp_path / "home/.local/bin/mel"
    said = subprocess.run(
        [str(command), "--version"], env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith("mel ")

    capfd.readouterr()
    assert installer.main(["--user", "--check"]) == 0
    said_by_check = capfd.readouterr().out
    assert "Quarters recalculated on a copy: 0." in said_by_check
    assert said_by_check.endswith("Nothing was changed. `make install` switches to this version.\n")
