"""A zip on stdin, its files on stdout, one after the other. Run by archive.py, never imported.

On success, stderr gets a JSON list of each file's name and where it ends, in bytes. The table of contents is
checked before anything is unpacked. Exit code 3 means refused, with the sentence on stderr; 4 too little memory;
others damaged.
"""

from __future__ import annotations

import json
import resource
import stat
import sys
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from typing import BinaryIO

MOST_PARTS = 100  # a download holds three files, or one for each account
_REFUSED, _NO_MEMORY, _DAMAGED = 3, 4, 5
_CHUNK = 1 << 20
_UNPACKED = "Download it again, or unpack it and put the CSV or XLSX files it holds into the folder."


class RefusedError(Exception):
    """The zip is not read, for the reason given."""


def main(limits: dict[str, int]) -> int:
    for kind, most in (
        (resource.RLIMIT_AS, limits["memory"]),
        (resource.RLIMIT_CPU, limits["seconds"]),
        (resource.RLIMIT_FSIZE, limits["expanded"]),
    ):
        with suppress(ValueError):  # macOS has no memory limit; the time limit still applies
            resource.setrlimit(kind, (most, most))
    try:
        with zipfile.ZipFile(sys.stdin.buffer) as archive:
            check(archive.infolist(), limits["expanded"])
            sys.stderr.write(json.dumps(write(archive, sys.stdout.buffer)))
    except RefusedError as reason:
        sys.stderr.write(str(reason))
        return _REFUSED
    except MemoryError:
        return _NO_MEMORY
    except Exception:  # anything an untrusted file can cause; its text may quote a name
        return _DAMAGED
    return 0


def check(parts: Sequence[zipfile.ZipInfo], expanded: int) -> None:
    """Check the archive by its table of contents."""
    names = [part.filename for part in parts]
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > expanded:
        raise RefusedError(
            f"The zip unpacks to more than {expanded >> 20} MB or {MOST_PARTS:,} files. An export is smaller."
            f" {_UNPACKED}"
        )
    if "[content_types].xml" in {name.lower() for name in names}:
        raise RefusedError(
            "The file is an Office file with the ending .zip. Give it its own ending, such as .xlsx."
        )
    if len({name.lower() for name in names}) != len(names) or any(_leads_out(name) for name in names):
        raise RefusedError(
            f"The zip holds files with the same name, or with a path that leads out of it. No platform writes that."
            f" {_UNPACKED}"
        )
    if any(part.flag_bits & 1 for part in parts):
        raise RefusedError(f"The zip is locked with a password. {_UNPACKED}")
    usual = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
    if any(part.compress_type not in usual or stat.S_ISLNK(part.external_attr >> 16) for part in parts):
        raise RefusedError(f"The zip holds links, or is packed in a way that no platform uses. {_UNPACKED}")


def _leads_out(name: str) -> bool:
    return (
        name.startswith("/")
        or "\\" in name
        or ":" in name.split("/", maxsplit=1)[0][:2]
        or ".." in name.split("/")
    )


def write(archive: zipfile.ZipFile, out: BinaryIO) -> list[tuple[str, int]]:
    """Every file that is not hidden, with where it ends in ``out``."""
    parts = [part for part in archive.infolist() if not (part.is_dir() or _is_hidden(part.filename))]
    names = _names([part.filename for part in parts])
    found = []
    for part, name in zip(parts, names, strict=True):
        with archive.open(part) as file:
            while chunk := file.read(_CHUNK):
                out.write(chunk)
        out.flush()
        found.append((name, out.tell()))
    if not found:
        raise RefusedError("The zip is empty. Download it again.")
    return found


def _is_hidden(path: str) -> bool:
    return any(folder[:1] in (".", "~") or folder == "__MACOSX" for folder in path.split("/"))


def _names(paths: Sequence[str]) -> list[str]:
    """Each file without its folders, or with them where another has the same name: none may pass for the other."""
    short = [path.rsplit("/", 1)[-1] for path in paths]
    lower = [name.casefold() for name in short]
    return [
        path.replace("/", " - ") if lower.count(name.casefold()) > 1 else name
        for path, name in zip(paths, short, strict=True)
    ]


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
