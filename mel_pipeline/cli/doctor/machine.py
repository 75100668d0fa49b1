"""The machine: where settings come from, space, and who else can read what is private."""

from __future__ import annotations

import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from mel_pipeline.cli.doctor.finding import WorthALookError
from mel_pipeline.core import environment
from mel_pipeline.core.errors import SettingsError
from mel_pipeline.core.login_settings import LOCAL
from mel_pipeline.core.logins import FILE, Role, Users
from mel_pipeline.core.private_files import open_to_others, readable_by_others
from mel_pipeline.core.settings import Settings

FREE_BYTES = 1_000_000_000
SOON_BYTES = 5_000_000_000
SHOWN = 3
BACKUP_AGE = timedelta(days=2)


def settings_file() -> str:
    """Where the settings were read."""
    path, other = environment.env_file(), environment.overlooked()
    if other:
        raise WorthALookError(
            f"read from {path}; {other} in the current folder is not read. Remove it or move it there"
        )
    if not path.exists():
        return f"no file {path}; defaults and the environment are used"
    return f"read from {path}"


def space(settings: Settings) -> str:
    """Free space where data and reports are written; a run that meets a full disk fails."""
    home = settings.home
    if not os.access(_nearest(home), os.W_OK):
        raise SettingsError(f"{home} is not writable: grant this user write access, or set MEL_HOME")
    folders = [home, settings.published_dir, *([settings.deliver_dir] if settings.deliver_dir else [])]
    free = {folder: shutil.disk_usage(_nearest(folder)).free for folder in folders}
    folder, least = min(free.items(), key=lambda item: item[1])
    words = f"{folder}, {least / 1e9:.1f} GB free"
    if least < FREE_BYTES:
        raise SettingsError(
            f"{words}; at least 1 GB is needed. Remove what is not needed, or move the folder"
        )
    if least < SOON_BYTES:
        raise WorthALookError(f"{words}; below 5 GB a run may soon fail")
    return words


def privacy(settings: Settings) -> str:
    """Whether another user of the machine can read data or secrets."""
    file = environment.env_file()
    found = readable_by_others(settings.home)
    if file.is_file() and open_to_others(file):
        found.append(file)
    url = settings.database_url
    warehouse = Path(url.removeprefix(environment.DUCKDB).partition("?")[0])
    if url.startswith(environment.DUCKDB) and warehouse.is_file() and open_to_others(warehouse):
        found.append(warehouse)
    if not found:
        return "MEL_HOME and the settings are readable by this user alone"
    names = ", ".join(str(path) for path in dict.fromkeys(found[:SHOWN]))
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    raise WorthALookError(
        f"other users of this machine can read {names}{more}. Run: chmod -R go-rwx {settings.home} {file}"
    )


def login(settings: Settings) -> str:
    """Whether others can reach the UI, and whether they must sign in."""
    from urllib.parse import urlsplit

    if not settings.has_login:
        if urlsplit(settings.ui_url).hostname not in LOCAL:
            raise WorthALookError(
                "none, and MEL_UI_URL is not this machine's: everyone who reaches the UI there may do everything. Set"
                " MEL_PUBLIC_URL and MEL_PROXY_SECRET; see docs/operator.md"
            )
        return "none: the UI answers this machine alone, and everyone who uses it may do everything"
    roles = list(Users(settings.home).by_login().values())
    counts = ", ".join(f"{roles.count(role)} {role}" for role in reversed(list(Role)) if role in roles)
    if Role.LEAD not in roles:
        raise WorthALookError(f"{counts}: nobody may publish. Name a lead in {FILE} of MEL_HOME")
    return f"at {settings.public_url}: {counts}"


def backups(settings: Settings, now: datetime) -> str:
    """When the last backup was made; its content is checked by `mel backup --check`.

    Args:
        now: UTC, without zone.
    """
    from mel_pipeline.backup.making import NO_KEYS
    from mel_pipeline.backup.manifest import backups as made
    from mel_pipeline.backup.manifest import read

    place = settings.backup_dir
    if place is None:
        if settings.sample:
            return "none of the sample; set MEL_BACKUP_DIR to make some"
        raise WorthALookError(
            "none: set MEL_BACKUP_DIR to a folder on another disk, and run `mel backup` each night"
        )
    found = made(place)
    if not found:
        raise WorthALookError(f"none yet in {place}: run `mel backup`, from a timer")
    last = read(found[-1])
    age = now - last.made_at
    if age > BACKUP_AGE:
        raise WorthALookError(
            f"the last one in {place} is {age.days} days old: does the timer of `mel backup` run?"
        )
    if NO_KEYS in last.left_out:
        raise WorthALookError(f"the last one has no keys: {NO_KEYS}")
    return f"{len(found)} in {place}, the last of {last.made_at:%Y-%m-%d %H:%M} UTC"


def _nearest(folder: Path) -> Path:
    """The folder, or the one above in which it would be made."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())
