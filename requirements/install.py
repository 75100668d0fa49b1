"""Create a virtual environment and install a lock file into it, with uv if possible, otherwise with pip.

    python requirements/install.py .venv/run.stamp --lock requirements/run.txt --package

Standard library only: this runs before anything is installed. It can be killed at any moment and run again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pip_settings import effective, uv_arguments, uv_environment

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
MAIN = PROJECT / ".venv"  # its pip and uv also install the other environments
UV_LOCK = HERE / "lock.txt"
WHEELS = ["--require-hashes", "--only-binary", ":all:"]
# PySpark, which the tests need, is published only as a source archive.
LOCKED = [*WHEELS, "--no-binary", "pyspark"]
PACKAGE = ["--no-deps", "--no-build-isolation", "--editable", str(PROJECT)]
QUIET_AT_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)"
IN_BIN = "Scripts/python.exe" if os.name == "nt" else "bin/python"


class SetupError(Exception):
    """What could not be installed, in a message for the user of `make`."""


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


@dataclass(frozen=True)
class Installer:
    """Runs programs that inherit the lock: if one outlives a killed `make`, the next `make` waits for it."""

    held: int

    def run(
        self, command: list[str], settings: Mapping[str, str] | None = None, *, quiet: bool = False
    ) -> int:
        said = subprocess.DEVNULL if quiet else None
        try:
            done = subprocess.run(
                command, env=settings, check=False, pass_fds=[self.held], stdout=said, stderr=said
            )
        except OSError:  # the interpreter is missing, or built for another machine
            return 127
        return done.returncode

    def is_whole(self, folder: Path) -> bool:
        """Whether an environment runs, has this script's Python version, and was completely installed."""
        needs = "import pip, sys" if folder == MAIN else "import sys"
        test = f"{needs}; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
        return (
            not _mark(folder).exists()
            and self.run([str(folder / IN_BIN), "-c", test], quiet=True) == 0
            # A package without RECORD was interrupted while it was being installed.
            and all(
                (info / "RECORD").exists() for info in folder.glob("lib/python*/site-packages/*.dist-info")
            )
        )

    def make(self, folder: Path) -> None:
        """Create an environment from scratch, replacing whatever is there."""
        say(f"Creating {folder.name} ...")
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        folder.mkdir(exist_ok=True)
        _mark(folder).touch()
        for path in folder.iterdir():
            if path == _mark(folder):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        # If .venv is activated, this script runs with the Python that has just been removed.
        python = getattr(sys, "_base_executable", sys.executable)
        made = f"venv.create({str(folder)!r}, symlinks={os.name != 'nt'}, with_pip={folder == MAIN})"
        if self.run([python, "-c", f"{QUIET_AT_CTRL_C}; import venv; {made}"]):
            raise SetupError(
                f"{folder.name} could not be created; Python's message is above. Fix its cause and run make again."
            )

    def install(self, folder: Path, what: list[str]) -> None:
        """Install with uv, otherwise with pip.

        Raises:
            SetupError: both failed.
        """
        if self._has_uv():
            taken = self._pip_settings()
            command = [str(MAIN / IN_BIN), "-m", "uv", "pip", "install", "--quiet"]
            command += ["--python", str(folder / IN_BIN), *uv_arguments(taken), *what]
            if self.run(command, uv_environment(taken, os.environ)) == 0:
                return
            say(
                "uv could not install this (its message is above). Installing with pip; this takes a minute or two ..."
            )
        if self._pip(folder, what):
            raise SetupError(
                f"{Path(what[-1]).name} could not be installed; pip's message is above. Fix its cause and run make again."
            )

    def _has_uv(self) -> bool:
        """Whether the locked uv is available; installs it if necessary."""
        wanted = UV_LOCK.read_text(encoding="utf-8").split()[0].removeprefix("uv==")
        test = f"import importlib.metadata as m, sys; sys.exit(m.version('uv') != {wanted!r})"
        if self.run([str(MAIN / IN_BIN), "-c", test], quiet=True) == 0:
            return True
        if self._pip(MAIN, [*WHEELS, "--requirement", str(UV_LOCK)]) == 0:
            return True
        say(
            "uv could not be installed (pip's message is above). Installing with pip; this takes a minute or two ..."
        )
        return False

    def _pip(self, folder: Path, what: list[str]) -> int:
        # Ignore settings meant for other work: constraints, and a different install location.
        settings = os.environ | {"PIP_CONSTRAINT": os.devnull, "PIP_USER": "0"}
        command = [str(MAIN / IN_BIN), "-m", "pip", "--python", str(folder / IN_BIN), "install", "--quiet"]
        return self.run([*command, "--disable-pip-version-check", "--use-pep517", *what], settings)

    def _pip_settings(self) -> dict[str, str]:
        command = [str(MAIN / IN_BIN), "-m", "pip", "config", "list"]
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, pass_fds=[self.held]
        )
        return effective(done.stdout)


def set_up(stamp: Path, lock: Path, newer: list[Path], *, package: bool, held: int) -> None:
    """Make the environment that contains the stamp match the lock.

    Args:
        stamp: a file in the environment that marks a complete installation.
        lock: the requirements file.
        newer: files that make the stamp out of date when they are newer.
        package: whether to install this project too, editable.
        held: file descriptor of the lock that keeps others out.
    """
    installer, folder = Installer(held), stamp.parent
    if not installer.is_whole(folder):
        installer.make(folder)
    elif stamp.exists() and all(path.stat().st_mtime <= stamp.stat().st_mtime for path in newer):
        return  # another `make` has done it in the meantime
    say(f"Installing {lock.stem}.txt into {folder.name} ...")
    _mark(folder).touch()
    installer.install(folder, [*LOCKED, "--requirement", str(lock)])
    if package:
        installer.install(folder, PACKAGE)
    _mark(folder).unlink()
    stamp.touch()


def _mark(folder: Path) -> Path:
    """Exists while an environment is being changed: after a kill, an incomplete one may look complete."""
    return folder / "unfinished"


@contextlib.contextmanager
def alone() -> Iterator[int]:
    """Wait until no other set-up of this project runs. The lock is on this folder, which always exists."""
    import fcntl

    held = os.open(HERE, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another set-up of this project ...")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield held
    finally:
        os.close(held)


def main() -> int:
    reader = argparse.ArgumentParser(description="Create an environment and install a lock file into it.")
    reader.add_argument(
        "stamp", help="file in the environment that marks it as complete, relative to the project folder"
    )
    reader.add_argument("--lock", required=True, help="requirements file with hashes")
    reader.add_argument("--newer", nargs="*", default=[], help="files the stamp must not be older than")
    reader.add_argument("--package", action="store_true", help="install this project as well")
    given = reader.parse_args()
    try:
        with alone() as held:
            newer = [PROJECT / name for name in given.newer if (PROJECT / name).exists()]  # not FORCE
            set_up(PROJECT / given.stamp, PROJECT / given.lock, newer, package=given.package, held=held)
    except SetupError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. Run the same command again to continue.\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
