"""Makes a virtual environment and installs a lock into it: by uv where it can, by pip where it cannot.

    python requirements/install.py .venv/run.stamp --lock requirements/run.txt --package

Standard library alone: this runs before anything is installed. It may be killed at any moment and run again.
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
MAIN = PROJECT / ".venv"  # its pip and uv serve the other environments too
UV_LOCK = HERE / "lock.txt"
WHEELS = ["--require-hashes", "--only-binary", ":all:"]
# PySpark, which the tests need, comes as a source archive alone.
LOCKED = [*WHEELS, "--no-binary", "pyspark"]
PACKAGE = ["--no-deps", "--no-build-isolation", "--editable", str(PROJECT)]
QUIET_AT_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)"
IN_BIN = "Scripts/python.exe" if os.name == "nt" else "bin/python"


class SetupError(Exception):
    """What could not be installed, in words for whoever typed `make`."""


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


@dataclass(frozen=True)
class Installer:
    """Runs programs, which all hold the lock: one that outlives a killed `make` keeps the next one waiting."""

    held: int

    def run(
        self, command: list[str], settings: Mapping[str, str] | None = None, *, quiet: bool = False
    ) -> int:
        said = subprocess.DEVNULL if quiet else None
        try:
            done = subprocess.run(
                command, env=settings, check=False, pass_fds=[self.held], stdout=said, stderr=said
            )
        except OSError:  # an interpreter that is gone, or one for another machine
            return 127
        return done.returncode

    def is_whole(self, folder: Path) -> bool:
        """Whether an environment runs, has the Python this script runs with, and was not left half made."""
        needs = "import pip, sys" if folder == MAIN else "import sys"
        test = f"{needs}; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
        return (
            not _mark(folder).exists()
            and self.run([str(folder / IN_BIN), "-c", test], quiet=True) == 0
            # What a record is missing of was being installed when somebody stopped it.
            and all(
                (info / "RECORD").exists() for info in folder.glob("lib/python*/site-packages/*.dist-info")
            )
        )

    def make(self, folder: Path) -> None:
        """Make an environment anew, whatever lies there."""
        say(f"Making {folder.name} ...")
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
        # Where .venv is activated, this runs with the very Python that has just been removed.
        python = getattr(sys, "_base_executable", sys.executable)
        made = f"venv.create({str(folder)!r}, symlinks={os.name != 'nt'}, with_pip={folder == MAIN})"
        if self.run([python, "-c", f"{QUIET_AT_CTRL_C}; import venv; {made}"]):
            raise SetupError(f"{folder.name} could not be made; Python's words are above.")

    def install(self, folder: Path, what: list[str]) -> None:
        """Install by uv or else by pip.

        Raises:
            SetupError: neither could.
        """
        if self._has_uv():
            taken = self._pip_settings()
            command = [str(MAIN / IN_BIN), "-m", "uv", "pip", "install", "--quiet"]
            command += ["--python", str(folder / IN_BIN), *uv_arguments(taken), *what]
            if self.run(command, uv_environment(taken, os.environ)) == 0:
                return
            say("uv could not install this (its words are above), so pip does; it takes a minute or two ...")
        if self._pip(folder, what):
            raise SetupError(f"{Path(what[-1]).name} could not be installed; pip's words are above.")

    def _has_uv(self) -> bool:
        """Whether there is the locked uv, which is installed if need be."""
        wanted = UV_LOCK.read_text(encoding="utf-8").split()[0].removeprefix("uv==")
        test = f"import importlib.metadata as m, sys; sys.exit(m.version('uv') != {wanted!r})"
        if self.run([str(MAIN / IN_BIN), "-c", test], quiet=True) == 0:
            return True
        if self._pip(MAIN, [*WHEELS, "--requirement", str(UV_LOCK)]) == 0:
            return True
        say(
            "uv could not be installed (pip's words are above), so pip installs; it takes a minute or two ..."
        )
        return False

    def _pip(self, folder: Path, what: list[str]) -> int:
        # Not what a configuration says for other work: constraints, and another place to install to.
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
    """Bring the environment around the stamp to what the lock says.

    Args:
        stamp: a file in the environment that says all is installed.
        lock: the requirements file.
        newer: what makes the stamp old when it is newer.
        package: whether this project is installed too, as it lies here.
        held: the lock that keeps others out.
    """
    installer, folder = Installer(held), stamp.parent
    if not installer.is_whole(folder):
        installer.make(folder)
    elif stamp.exists() and all(path.stat().st_mtime <= stamp.stat().st_mtime for path in newer):
        return  # another `make` has done it meanwhile
    say(f"Installing {lock.stem}.txt into {folder.name} ...")
    _mark(folder).touch()
    installer.install(folder, [*LOCKED, "--requirement", str(lock)])
    if package:
        installer.install(folder, PACKAGE)
    _mark(folder).unlink()
    stamp.touch()


def _mark(folder: Path) -> Path:
    """There while an environment is worked on: what a kill leaves behind may look whole and not be."""
    return folder / "unfinished"


@contextlib.contextmanager
def alone() -> Iterator[int]:
    """Until nobody else sets up this project. The lock lies on this folder, which is always there."""
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
    reader = argparse.ArgumentParser(description="Make an environment and install a lock into it.")
    reader.add_argument(
        "stamp", help="file in the environment that says it is done, from the project's folder"
    )
    reader.add_argument("--lock", required=True, help="requirements file with hashes")
    reader.add_argument("--newer", nargs="*", default=[], help="what the stamp must not be older than")
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
        sys.stderr.write("Stopped. The same command begins where it must.\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
