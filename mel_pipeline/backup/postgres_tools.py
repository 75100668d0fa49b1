"""Dagster's storage on PostgreSQL, by PostgreSQL's own programs: its tables are Dagster's affair."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from mel_pipeline.core.errors import BackupError

_DEBIAN = "/usr/lib/postgresql"


def dump(url: str, file: Path) -> str | None:
    """Write the database as one file; why not, if it could not be."""
    return _run("pg_dump", ["--format=custom", "--no-owner", "--no-privileges", f"--file={file}"], url)


def restore(url: str, file: Path) -> None:
    """Load such a file into an empty database.

    Raises:
        BackupError: the program is missing or failed.
    """
    if trouble := _run("pg_restore", ["--no-owner", "--no-privileges", "--exit-on-error", str(file)], url):
        raise BackupError(f"Restoring Dagster's history: {trouble}")


def _run(name: str, arguments: list[str], url: str) -> str | None:
    program = _program(name)
    if program is None:
        return f"{name} is not installed (Debian: apt install postgresql-client)."
    address, password = _without_password(url)
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own program
        [program, f"--dbname={address}", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return None
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return f"{name} ended with {done.returncode}: {lines[0] if lines else 'no message'}"


def _without_password(url: str) -> tuple[str, str]:
    """The address as PostgreSQL's programs read it; a password on a command line is seen by every user."""
    parts = urlsplit(re.sub(r"^postgres(ql)?(\+\w+)?:", "postgresql:", url))
    user, _, place = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    netloc = f"{name}@{place}" if name else place
    return urlunsplit(parts._replace(netloc=netloc)), unquote(password)


def _program(name: str) -> str | None:
    """Of the newest version installed: an older pg_dump refuses a newer server."""
    versions = sorted(
        Path(_DEBIAN).glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]), reverse=True
    )
    return str(versions[0]) if versions else shutil.which(name)
