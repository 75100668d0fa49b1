"""Names and values of settings: ``MEL_*`` of the environment, then the one ``.env`` file of this installation.

The folder a command happens to be started in plays no part: a service started in ``/`` reads the same file as a person in
the clone. A name that is no setting is refused, because a mistyped one would silently leave a default in place.
"""

from __future__ import annotations

import difflib
import io
import os
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from mel_pipeline.core.errors import SettingsError

PROJECT = Path(__file__).resolve().parents[2]  # root of a clone; site-packages in an installed wheel
SHIPPED = PROJECT / "mel_pipeline" / "shipped"  # the files of the clone that a wheel contains
PREFIX, ENV_FILE = "MEL_", "MEL_ENV_FILE"
# Of dbt's profile, the tests and the benchmarks; no settings of ours.
OTHERS = {ENV_FILE, "MEL_DBT_DUCKDB_PATH", "MEL_BENCHMARK_DIR", "MEL_WRITE_GOLDEN"}
OTHER_PREFIX = "MEL_TEST_"
ENCODING = "utf-8-sig"  # Windows editors begin a file with a byte order mark
DUCKDB = "duckdb:///"


def user_folder() -> Path:
    """The user's folder for application data: home of an installation without a clone."""
    from platformdirs import user_data_path

    return user_data_path("mel-pipeline", appauthor=False)


def env_file() -> Path:
    """Where the settings are written: ``MEL_ENV_FILE``, otherwise ``.env`` of the installation, which may be missing.

    Raises:
        SettingsError: ``MEL_ENV_FILE`` names no file.
    """
    named = os.environ.get(ENV_FILE, "").strip()
    if not named:
        return (user_folder() if SHIPPED.is_dir() else PROJECT) / ".env"
    path = Path(named).expanduser().absolute()
    if not path.exists() or path.is_dir():
        raise SettingsError(
            f"Reading the settings: {ENV_FILE} is {path}, and there is no such file. Correct the path, or unset it."
        )
    return path


def written() -> dict[str, str]:
    """Names, in capitals, and values of the file; empty without one.

    Raises:
        SettingsError: the file cannot be read or understood, or sets a name to two values; or there is none, and the
            current folder has one that would be overlooked.
    """
    path = env_file()
    try:
        state = path.stat()
    except FileNotFoundError:
        _require_nothing_overlooked(path)
        return {}
    except OSError as error:
        raise _unreadable(path, str(error.strerror)) from None
    return _parsed(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)
def _parsed(path: Path, *_: int) -> dict[str, str]:
    try:
        text = path.read_text(encoding=ENCODING)
    except UnicodeDecodeError:
        raise _unreadable(path, "it is not text in UTF-8") from None
    except OSError as error:
        raise _unreadable(path, str(error.strerror)) from None
    _require_clear(path, text)
    values = dotenv_values(stream=io.StringIO(text))
    return {name.upper(): value or "" for name, value in values.items()}


def _unreadable(path: Path, reason: str) -> SettingsError:
    return SettingsError(
        f"Reading the settings in {path}: {reason}. Make it a UTF-8 file that the user of this command may read."
    )


def overlooked() -> Path | None:
    """A file with settings of ours in the current folder that is not the one that is read."""
    here = Path.cwd() / ".env"
    try:
        text = here.read_text(encoding=ENCODING)
    except (OSError, UnicodeDecodeError):
        return None
    is_ours = any(
        line.strip().removeprefix("export ").upper().startswith(PREFIX) for line in text.splitlines()
    )
    return here if is_ours and here != env_file() else None


def _require_nothing_overlooked(path: Path) -> None:
    if here := overlooked():
        raise SettingsError(
            f"Reading the settings: {here} is not read, because settings no longer depend on the current folder."
            f" Move it to {path}, or set {ENV_FILE}={here}."
        )


def _require_clear(path: Path, text: str) -> None:
    seen: dict[str, tuple[int, str | None]] = {}
    for binding in parse_stream(io.StringIO(text)):
        line = (
            binding.original.line + len(binding.original.string) - len(binding.original.string.lstrip("\n"))
        )
        if binding.error:
            raise SettingsError(
                f"Reading the settings in {path}: line {line} cannot be understood. Write NAME=value, with quotes around"
                " a value that has spaces or #."
            )
        if binding.key is None:
            continue
        name = binding.key.upper()
        if name in seen and seen[name][1] != binding.value:
            raise SettingsError(
                f"Reading the settings in {path}: {name} is set twice, in lines {seen[name][0]} and {line}."
                " Keep one of them."
            )
        seen[name] = (line, binding.value)


def value_of(name: str) -> str:
    """A setting as written: in the environment, otherwise in the file, otherwise empty."""
    given = {key.upper(): value for key, value in os.environ.items() if key.upper() == name}
    return given.get(name) or written().get(name, "")


def names() -> dict[str, str]:
    """Every ``MEL_*`` name that is set, with where."""
    path = env_file()
    found = {name: f"in {path}" for name in written() if name.startswith(PREFIX)}
    found |= {name.upper(): "in the environment" for name in os.environ if name.upper().startswith(PREFIX)}
    return {
        name: where
        for name, where in found.items()
        if name not in OTHERS and not name.startswith(OTHER_PREFIX)
    }


def require_known(unknown: Collection[str], known: Collection[str]) -> None:
    """Refuse names that are no settings, with the nearest one that is.

    Raises:
        SettingsError: there is any.
    """
    where, sentences = names(), []
    for name in sorted(unknown):
        near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
        hint = f"; did you mean {near[0]}?" if near else ""
        sentences.append(f"{name} ({where[name]}) is not a setting{hint}")
    if sentences:
        raise SettingsError(
            f"Reading the settings: {' '.join(_closed(item) for item in sentences)} Correct or remove"
            f" {'it' if len(sentences) == 1 else 'them'}; docs/operator.md and .env.example list all settings."
        )


def _closed(sentence: str) -> str:
    return sentence if sentence.endswith("?") else f"{sentence}."


def absolute(value: str, name: str) -> str:
    """A path that means the same wherever a command is started.

    A relative path of the file starts at the file's folder, one of the environment at the current folder.

    Args:
        name: its setting, which says where it was written.
    """
    prefix = DUCKDB if value.startswith(DUCKDB) else ""
    path = value.removeprefix(prefix)
    if not path or path.startswith((":memory:", "/")) or "://" in path:
        return value
    is_given = any(key.upper() == name for key in os.environ)
    return prefix + os.path.normpath(
        (Path.cwd() if is_given else env_file().parent) / Path(path).expanduser()
    )


def pin_paths(paths: Collection[str]) -> None:
    """Make relative paths of the environment absolute: call before this process, or a child, changes its folder.

    Args:
        paths: names of the settings that hold paths.
    """
    for name in (*paths, ENV_FILE):
        if os.environ.get(name, "").strip():
            os.environ[name] = absolute(os.environ[name], name)
