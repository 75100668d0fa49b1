"""The set-up finishes from any state, with uv or pip."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

REQUIREMENTS = Path(__file__).parents[2] / "requirements"


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The script, in a project of its own."""
    monkeypatch.syspath_prepend(str(REQUIREMENTS))
    import install as script

    monkeypatch.setattr(script, "HERE", tmp_path)
    monkeypatch.setattr(script, "PROJECT", tmp_path)
    return script


class Programs:
    """Fakes pip and uv; Python runs for real."""

    def __init__(self, script: ModuleType, monkeypatch: pytest.MonkeyPatch, *failing: str) -> None:
        self.commands: list[list[str]] = []
        self.settings: list[dict[str, str] | None] = []
        real = script.Installer.run

        def run(own: Any, command: list[str], settings: Any = None, *, quiet: bool = False) -> int:
            program = command[2] if command[1] == "-m" else ""
            if program not in ("uv", "pip"):
                return real(own, command, settings, quiet=quiet)
            self.commands.append(command)
            self.settings.append(settings)
            return int(program in failing)

        monkeypatch.setattr(script.Installer, "run", run)
        monkeypatch.setattr(script.Installer, "_pip_settings", lambda _: {"constraint": "old.txt"})

    @property
    def names(self) -> list[str]:
        return [command[2] for command in self.commands]


@pytest.fixture
def set_up(install: ModuleType, tmp_path: Path) -> Callable[..., Path]:
    lock = tmp_path / "tools.txt"
    lock.write_text("six==1.17.0\n", encoding="utf-8")

    def run() -> Path:
        stamp = tmp_path / ".venv-tools" / "tools.stamp"
        with install.alone() as held:
            install.set_up(stamp, lock, [lock], package=False, held=held)
        assert stamp.exists()
        assert not (stamp.parent / "unfinished").exists()
        return stamp.parent

    return run


def _runs(folder: Path) -> bool:
    return subprocess.run([folder / "bin" / "python", "-c", ""], check=False).returncode == 0


@pytest.mark.slow
def test_a_finished_environment_is_left_alone(install, set_up, monkeypatch, capsys) -> None:
    programs = Programs(install, monkeypatch)
    set_up()
    done = list(programs.commands)
    capsys.readouterr()
    set_up()
    assert programs.commands == done
    assert capsys.readouterr().out == ""


def _python_is_gone(folder: Path) -> None:
    (folder / "bin" / "python").unlink()
    (folder / "bin" / "python").symlink_to("/nowhere/python3")


def _python_does_not_run(folder: Path) -> None:
    (folder / "bin" / "python").unlink()
    (folder / "bin" / "python").write_bytes(b"\x7fELF cut off")
    (folder / "bin" / "python").chmod(0o755)


def _stopped_while_installing(folder: Path) -> None:
    (folder / "unfinished").touch()


def _package_without_record(folder: Path) -> None:
    made = next(folder.glob("lib/python*/site-packages")) / "half-1.0.dist-info"
    made.mkdir()
    (made / "METADATA").touch()


def _is_a_file(folder: Path) -> None:
    folder.rename(folder.with_name("aside"))
    folder.touch()


@pytest.mark.slow
@pytest.mark.parametrize(
    "break_it",
    [_python_is_gone, _python_does_not_run, _stopped_while_installing, _package_without_record, _is_a_file],
)
@pytest.mark.sweep
def test_a_partial_environment_is_rebuilt(
    install, set_up, monkeypatch, break_it: Callable[[Path], None]
) -> None:
    Programs(install, monkeypatch)
    folder = set_up()
    rest = folder / "rest"
    rest.touch()
    break_it(folder)
    assert _runs(set_up())
    assert not rest.exists()


@pytest.mark.slow
def test_pip_installs_with_a_notice_if_uv_fails(install, set_up, monkeypatch, capsys) -> None:
    programs = Programs(install, monkeypatch, "uv")
    set_up()
    assert programs.names[-2:] == ["uv", "pip"]
    assert "uv could not install this" in capsys.readouterr().out
    for command in programs.commands[-2:]:
        assert "--require-hashes" in command
        assert command[-1].endswith("tools.txt")


@pytest.mark.slow
def test_the_next_set_up_starts_over_if_both_fail(install, set_up, monkeypatch, tmp_path: Path) -> None:
    programs = Programs(install, monkeypatch, "uv", "pip")
    with pytest.raises(install.SetupError, match=r"tools\.txt could not be installed"):
        set_up()
    assert (tmp_path / ".venv-tools" / "unfinished").exists()
    assert "pip" in programs.names


@pytest.mark.slow
def test_pip_installs_without_uv(install, set_up, monkeypatch, capsys) -> None:
    monkeypatch.setattr(install, "UV_LOCK", _lock_of(install, "0.0.0"))
    programs = Programs(install, monkeypatch, "pip")
    with pytest.raises(install.SetupError):
        set_up()
    assert programs.names == ["pip", "pip"]
    assert "uv could not be installed" in capsys.readouterr().out


def _lock_of(install: ModuleType, version: str) -> Path:
    path: Path = install.PROJECT / "lock.txt"
    path.write_text(f"uv=={version} \\\n    --hash=sha256:0\n", encoding="utf-8")
    return path


@pytest.mark.slow
def test_constraints_of_other_projects_reach_neither_installer(install, set_up, monkeypatch) -> None:
    monkeypatch.setenv("PIP_CONSTRAINT", "old.txt")
    monkeypatch.setenv("UV_CONSTRAINT", "old.txt")
    programs = Programs(install, monkeypatch, "uv")
    set_up()
    uv, pip = programs.settings[-2:]
    assert uv is not None
    assert "UV_CONSTRAINT" not in uv
    assert pip is not None
    assert pip["PIP_CONSTRAINT"] == os.devnull


@pytest.mark.slow
def test_a_second_set_up_waits_for_the_first(install) -> None:
    order: list[str] = []

    def second() -> None:
        with install.alone():
            order.append("second")

    with install.alone():
        waiting = threading.Thread(target=second)
        waiting.start()
        time.sleep(0.3)
        order.append("first")
    waiting.join(10)
    assert order == ["first", "second"]


@pytest.mark.slow
def test_a_program_that_outlives_a_killed_set_up_keeps_the_next_one_waiting(install, tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[1]); import install; from pathlib import Path\n"
        "install.HERE = Path(sys.argv[2])\n"
        "with install.alone() as held:\n"
        "    install.Installer(held).run(['sh', '-c', f'kill -9 {os.getpid()}; sleep 1; touch ' + sys.argv[2] + '/late'])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(REQUIREMENTS), str(tmp_path)], check=False)
    assert done.returncode == -9
    assert not (tmp_path / "late").exists()
    with install.alone():
        assert (tmp_path / "late").exists()
