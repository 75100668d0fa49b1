"""Install the pipeline as a service: code with its environment, settings, units and timers of systemd.

    sudo make install                        # a service of this machine, as the user mel
    make install                             # your own service, which goes on when you log out
    sudo make install OPTIONS=--sample       # with the sample organisation, to look at it first
    sudo make install OPTIONS=--no-start     # start nothing yet: to restore a backup first
    sudo make install OPTIONS=--back         # the version that was installed before

Standard library only. It can be interrupted and run again; settings and data are never overwritten.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PROJECT = Path(__file__).resolve().parents[1]
UNITS = PROJECT / "deploy" / "systemd"
KEPT_RELEASES = 2  # this one and the one before
ENVIRONMENT = (
    "requirements/install.py", ".venv/run.stamp", "--lock", "requirements/run.txt", "--package"
)  # fmt: skip
SERVICES = ("mel.service", "mel-doctor.timer", "mel-backup.timer")
USER = "mel"
FOLDERS = ("MEL_HOME", "MEL_REPORTS_DIR", "MEL_BACKUP_DIR", "MEL_DELIVER_DIR")  # the service writes there


class InstallError(Exception):
    """What could not be installed, and what to do."""


@dataclass(frozen=True)
class Layout:
    """Where everything goes. ``root``: put before every path, for images and tests."""

    root: Path
    is_system: bool

    def _at(self, system: str, user: str) -> Path:
        if self.is_system:
            return self.root / system.lstrip("/")
        home = Path(os.environ.get("HOME", "~")).expanduser()
        return self.root / str(home / user).lstrip("/") if self.root != Path("/") else home / user

    @property
    def app(self) -> Path:
        return self._at("/opt/mel-pipeline", ".local/share/mel-pipeline/app")

    @property
    def current(self) -> Path:
        """A link to the release in use."""
        return self.app / "current"

    @property
    def env(self) -> Path:
        return self._at("/etc/mel/mel.env", ".config/mel/mel.env")

    @property
    def home(self) -> Path:
        return self._at("/var/lib/mel", ".local/share/mel-pipeline/data")

    @property
    def reports(self) -> Path:
        """Readers may open it, so it is outside the private folder of the data."""
        return self._at("/srv/mel/reports", "mel-reports")

    @property
    def backups(self) -> Path:
        return self._at("/var/backups/mel", ".local/share/mel-pipeline/backups")

    @property
    def units(self) -> Path:
        return self._at("/etc/systemd/system", ".config/systemd/user")

    @property
    def command(self) -> Path:
        return self._at("/usr/local/bin/mel", ".local/bin/mel")

    def named(self, path: Path) -> str:
        """A path as the installed system will see it."""
        return str(path) if self.root == Path("/") else f"/{path.relative_to(self.root)}"


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    try:
        layout = _layout(options)
        if options.check:
            return _check(layout)
        if options.back:
            _go_back(layout)
        else:
            _install(layout, options)
        _start(layout, at_once=not options.no_start)
    except (InstallError, subprocess.CalledProcessError, OSError) as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--user", action="store_true", help="your own service, even as root")
    parser.add_argument("--sample", action="store_true", help="settings of the sample organisation")
    parser.add_argument("--back", action="store_true", help="return to the version installed before")
    parser.add_argument(
        "--check", action="store_true", help="say what this version would change; switch nothing"
    )
    parser.add_argument(
        "--no-start", action="store_true", help="start nothing yet: to restore a backup first"
    )
    parser.add_argument(
        "--root", type=Path, default=Path("/"), help="install below this folder: starts nothing"
    )
    return parser


def _layout(options: argparse.Namespace) -> Layout:
    is_system = not options.user and os.geteuid() == 0
    if options.root == Path("/") and shutil.which("systemctl") is None:
        raise InstallError(
            "systemd is needed (Debian: apt install systemd). Without it run `mel dev` under your own supervisor; see"
            " docs/operator.md."
        )
    return Layout(options.root.absolute() if options.root != Path("/") else options.root, is_system)


def _install(layout: Layout, options: argparse.Namespace) -> None:
    if layout.is_system and layout.root == Path("/"):
        _make_user(layout)
    release = _release(layout)
    _settings(layout, sample=options.sample)
    own = ((layout.home, 0o700), (layout.reports, 0o755), (layout.backups, 0o700))
    for folder, mode in (*own, *(((layout.home / "sample", 0o700),) if options.sample else ())):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)
        _give(layout, folder)
    _write_units(layout)
    _write_command(layout)
    _point_to(layout, release)
    _prune(layout)


def _make_user(layout: Layout) -> None:
    import pwd

    try:
        pwd.getpwnam(USER)
    except KeyError:
        _run(["useradd", "--system", "--home-dir", str(layout.home), "--shell", "/usr/sbin/nologin", USER])
        _say(f"User {USER} made.")


def _release(layout: Layout) -> Path:
    """The code of this clone's last commit with its own environment, in a folder of its own."""
    version = _output(["git", "-C", str(PROJECT), "describe", "--always", "--tags", "--abbrev=12"])
    folder = layout.app / version
    if (folder / ".complete").exists():
        _say(f"Version {version} is installed already.")
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with subprocess.Popen(["git", "-C", str(PROJECT), "archive", "HEAD"], stdout=subprocess.PIPE) as archive:
        _run(["tar", "-x", "-C", str(folder)], stdin=archive.stdout)
    if archive.returncode:
        raise InstallError(
            "Reading the clone: `git archive HEAD` failed. Install from a clone with a commit."
        )
    _say(f"Version {version}: installing its environment ...")
    _run([_python(layout), *ENVIRONMENT], cwd=folder)
    # The service may not write here: without bytecode each of its processes would compile the code again.
    _run([str(folder / ".venv/bin/python"), "-m", "compileall", "-q", "mel_pipeline"], cwd=folder)
    (folder / ".complete").touch()
    return folder


def _python(layout: Layout) -> str:
    """A Python that the service's user can start: one below /root or another home cannot be."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        real = Path(candidate).resolve()
        fits = (
            real.exists()
            and _output([candidate, "-c", "import sys; print(sys.version_info >= (3, 11))"]) == "True"
        )
        if fits and (
            not layout.is_system or all(path.stat().st_mode & 0o001 for path in (real, *real.parents))
        ):
            return candidate
    raise InstallError(
        f"The user {USER} cannot start {Path(sys.executable).resolve()}, and there is no other Python 3.11 or later. Install"
        " one (Debian: apt install python3 python3-venv) and run this again."
    )


def _settings(layout: Layout, *, sample: bool) -> None:
    """``mel.env``, unless there is one."""
    if layout.env.exists():
        _say(f"{layout.named(layout.env)} stays as it is.")
        return
    example = (PROJECT / ".env.example").read_text(encoding="utf-8")
    home = layout.named(layout.home / "sample" if sample else layout.home)
    ours = {
        "MEL_SAMPLE": "true" if sample else "false",
        "MEL_HOME": home,
        "MEL_REPORTS_DIR": layout.named(layout.reports / "sample" if sample else layout.reports),
        "MEL_SURVEY_DIR": f"{home}/survey_exports",
        "MEL_BACKUP_DIR": layout.named(layout.backups),
        "MEL_BACKUP_PASSPHRASE": secrets.token_urlsafe(24),
        "MEL_TEAM": "true",
    }
    written = {line.lstrip("#").partition("=")[0] for line in ours}
    lines = [
        "# Written by deploy/install.py; the lines below explain themselves, docs/operator.md says more."
    ]
    lines += [f"{name}={value}" for name, value in ours.items()]
    # The sample is at no address of a real service: only what is unset points at it.
    others = [f"#{line}" if sample and line[:1].isalpha() else line for line in example.splitlines()]
    lines += [line for line in others if line.lstrip("#").partition("=")[0] not in written]
    layout.env.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(layout.env, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    _say(f"Settings: {layout.named(layout.env)}. Keep its MEL_BACKUP_PASSPHRASE in another place as well.")


def _write_units(layout: Layout) -> None:
    common = (UNITS / f"common.{'system' if layout.is_system else 'user'}").read_text(encoding="utf-8")
    values = {
        "app": layout.named(layout.current),
        "env": layout.named(layout.env),
        "home": layout.named(layout.home),
        "writes": " ".join(_writes(layout)),
        "user": USER,
        "target": "multi-user.target" if layout.is_system else "default.target",
    }
    layout.units.mkdir(parents=True, exist_ok=True)
    for unit in sorted((*UNITS.glob("*.service"), *UNITS.glob("*.timer"))):
        text = unit.read_text(encoding="utf-8").replace("{common}", common.strip())
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", value)
        (layout.units / unit.name).write_text(text, encoding="utf-8")


def _writes(layout: Layout) -> list[str]:
    """Folders that the service may write: those made here, and those that its settings name elsewhere."""
    own = [layout.named(folder) for folder in (layout.home, layout.reports, layout.backups)]
    for line in layout.env.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        folder = Path(value.strip().strip("'\""))
        if name.strip() not in FOLDERS or not folder.is_absolute():
            continue
        if not any(folder.is_relative_to(other.lstrip("-")) for other in own):
            own.append(f"-{folder}")  # a disk that is not mounted stops no service; what writes there says so
    return own


def _write_command(layout: Layout) -> None:
    """``mel`` for people, with the settings and the rights of the service."""
    layout.command.parent.mkdir(parents=True, exist_ok=True)
    layout.command.write_text(_command(layout, layout.current), encoding="utf-8")
    layout.command.chmod(0o755)


def _command(layout: Layout, release: Path) -> str:
    program, env = f"{layout.named(release)}/.venv/bin/mel", layout.named(layout.env)
    if layout.is_system:
        return f"""#!/bin/sh
# mel with the settings and the rights of the service. The settings are readable by root alone.
set -eu
test "$(id -u)" = 0 || {{ echo "Use: sudo mel $*" >&2; exit 1; }}
place=$(mktemp -d /run/mel.XXXXXX)
trap 'rm -rf "$place"' EXIT
install -m 0400 -o {USER} {env} "$place/mel.env"
chown {USER} "$place"
cd /
MEL_ENV_FILE="$place/mel.env" runuser -u {USER} -- {program} "$@"
"""
    return f'#!/bin/sh\nMEL_ENV_FILE={env} exec {program} "$@"\n'


def _check(layout: Layout) -> int:
    """What this clone's version would change, said by itself with the settings of the service."""
    if not layout.env.exists():
        raise InstallError("Checking an upgrade: nothing is installed here yet. Run `make install`.")
    release = _release(layout)
    command = layout.app / ".check"
    command.write_text(_command(layout, release), encoding="utf-8")
    command.chmod(0o700)
    code = subprocess.run([str(command), "upgrade", "--check"], check=False).returncode
    command.unlink()
    _say("Nothing was changed. `make install` switches to this version.")
    return code


def _point_to(layout: Layout, release: Path) -> None:
    fresh = layout.app / ".current"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(release.name)
    fresh.replace(layout.current)
    os.utime(release)
    _say(f"In use: {release.name}.")


def _releases(layout: Layout) -> list[Path]:
    """Complete ones, the one used last at the end."""
    return sorted(
        (path.parent for path in layout.app.glob("*/.complete") if not path.parent.is_symlink()), key=_used
    )


def _used(folder: Path) -> float:
    return folder.stat().st_mtime


def _prune(layout: Layout) -> None:
    for old in _releases(layout)[:-KEPT_RELEASES]:
        shutil.rmtree(old)


def _go_back(layout: Layout) -> None:
    """To the release used before; it refuses a warehouse whose tables the newer one has changed."""
    others = [folder for folder in _releases(layout) if folder.name != layout.current.readlink().name]
    if not others:
        raise InstallError("Going back: no earlier version is installed here.")
    _point_to(layout, others[-1])


def _start(layout: Layout, *, at_once: bool) -> None:
    if not at_once:
        _say("Nothing was started. `make install` starts it.")
        return
    if layout.root != Path("/") or not Path("/run/systemd/system").is_dir():
        _say(f"systemd does not run here. Start {' '.join(SERVICES)} where it does.")
        return
    manager = ["systemctl"] if layout.is_system else ["systemctl", "--user"]
    if not layout.is_system:
        _run(["loginctl", "enable-linger"])
    _run([*manager, "daemon-reload"])
    _run([*manager, "enable", "--quiet", *SERVICES])
    _run([*manager, "restart", *SERVICES])
    _say(
        f"Started: {', '.join(SERVICES)}. The UI is on http://127.0.0.1:3000; `mel doctor` says what is missing."
    )


def _give(layout: Layout, path: Path) -> None:
    if layout.is_system and layout.root == Path("/"):
        shutil.chown(path, USER, USER)


def _run(command: list[str], cwd: Path | None = None, stdin: IO[bytes] | None = None) -> None:
    subprocess.run(command, check=True, cwd=cwd, stdin=stdin)


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
