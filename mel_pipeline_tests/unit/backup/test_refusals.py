"""What the commands say to somebody who gave them the wrong folder, or one that the account may not use."""

from __future__ import annotations

import errno
import os
import re
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mel_pipeline.backup import keys, making, manifest
from mel_pipeline.cli.main import app
from mel_pipeline.core.errors import BackupError
from mel_pipeline.core.settings import Settings

NAME = "mel-2026-11-30T030000Z"


def _backup(place: Path) -> Path:
    folder = place / NAME
    (folder / "home").mkdir(parents=True)
    (folder / "home" / "notices.json").write_text("{}", encoding="utf-8")
    held = manifest.Manifest(
        made_at=datetime(2026, 11, 30, 3),
        version="1",
        warehouse="duckdb",
        rows=0,
        published=[],
        files=manifest.hashes(folder),
    )
    manifest.write(folder, held)
    return folder


def _refuse(monkeypatch: pytest.MonkeyPatch, on: str, number: int, name: str) -> None:
    """The system refuses one file or folder, as it does to an account without rights; tests may run as root."""
    real = getattr(Path, on)

    def refusing(path: Path, *arguments: object, **named: object) -> object:
        if path.name == name:
            raise OSError(number, os.strerror(number), str(path))
        return real(path, *arguments, **named)

    monkeypatch.setattr(Path, on, refusing)


@pytest.mark.fault(197)
@pytest.mark.parametrize(
    ("on", "number", "name", "advice"),
    [
        ("mkdir", errno.EACCES, "backups", f"run `chown {os.getuid()} "),
        ("open", errno.EACCES, ".lock", f"run `chown {os.getuid()} "),
        ("open", errno.EROFS, ".lock", "run `make install` again"),
        ("mkdir", errno.ENOSPC, "backups", "Make room"),
    ],
)
def test_a_backup_folder_without_rights_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on: str, number: int, name: str, advice: str
) -> None:
    place = tmp_path / "backups"
    settings = Settings(_env_file=None, home=tmp_path / "home", backup_dir=place)  # type: ignore[call-arg]
    _refuse(monkeypatch, on, number, name)
    with pytest.raises(BackupError) as told, making.alone(making.place_of(settings)):
        pass
    said = str(told.value)
    assert said.startswith(f"Writing a backup into {place}: {os.strerror(number)}. ")
    assert advice in said and said.endswith("or choose another MEL_BACKUP_DIR.")


@pytest.mark.fault(198)
def test_a_wrong_path_of_a_backup_is_answered_with_those_that_are_near(tmp_path: Path) -> None:
    made = _backup(tmp_path)
    for wrong, why in (
        (tmp_path, "it has no manifest.json"),
        (tmp_path / "mel-2026-11-03T030000Z", "there is no such folder"),
    ):
        with pytest.raises(BackupError, match=f"{why}.*Complete ones here: {re.escape(str(made))}\\."):
            manifest.check(wrong)
    with pytest.raises(BackupError, match=r"no such folder\. `mel backup --list` shows those that are"):
        manifest.check(tmp_path / "elsewhere" / NAME)
    assert manifest.check(made).files


@pytest.mark.fault(198)
def test_a_backup_that_the_account_may_not_read_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _backup(tmp_path)
    with monkeypatch.context() as refusing:
        _refuse(refusing, "read_text", errno.EACCES, manifest.FILE)
        with pytest.raises(BackupError, match=rf"may not read all of it.*chown -R {os.getuid()}") as told:
            manifest.check(folder)
        assert "damaged" not in str(told.value)
    with monkeypatch.context() as refusing:
        refusing.setattr(os, "access", lambda path, mode: Path(path).name != "home")
        with pytest.raises(BackupError, match="may not read all of it"):
            manifest.check(folder)
    with monkeypatch.context() as refusing:
        _refuse(refusing, "read_text", errno.EACCES, f"{NAME}.keys")
        with pytest.raises(BackupError, match=rf"Permission denied.*run `chown {os.getuid()} "):
            keys.read_keys(keys.file_of(folder), "correct horse")


@pytest.mark.fault(198)
@pytest.mark.parametrize("command", [["restore"], ["backup", "--check"]])
def test_the_commands_say_what_to_do_about_a_folder_they_may_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    folder = _backup(tmp_path)
    monkeypatch.setenv("MEL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    ended = CliRunner().invoke(app, [*command, str(folder)])
    assert isinstance(ended.exception, BackupError), ended.output
    assert "may not read all of it" in str(ended.exception)
