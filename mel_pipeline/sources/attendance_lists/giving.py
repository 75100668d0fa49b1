"""A list that somebody gives by browser: read at once, so that its troubles are known, then put into the drop folder."""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ContractError
from mel_pipeline.core.private_files import private_folder
from mel_pipeline.sources.attendance_lists.client import (
    TABLES,
    AttendanceLists,
    dropped_lists,
    place_words,
)
from mel_pipeline.sources.attendance_lists.client import open as open_folder
from mel_pipeline.sources.attendance_lists.withdrawn import given_again, withdraw
from mel_pipeline.sources.shared.survey.personal import without_personal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from mel_pipeline.core.settings import Settings

LONGEST = 120  # characters of a name
STATED = (
    "list_name",
    "event_code",
    "event_title",
    "held_on",
    "held_on_otherwise",
    "order_of_days",
    "place_words",
)
Stated = Mapping[str, str | None]  # what a list says about its event, by column
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]{0,40}")
_UNFIT = re.compile(r"[^\w .()+,-]+")


@dataclass(frozen=True)
class Given:
    """A list in the folder. ``people``: its rows that count; ``refused``: why others do not, by row and never by name.

    ``stated``: what it says about its event, once for each event it names. ``renamed``: the same list stood in the
    folder under this name, and has its new one now. ``same``: names under which the same list stands there as well,
    with what it says under each.
    """

    name: str
    people: int
    refused: tuple[str, ...]
    replaced: bool
    stated: tuple[Stated, ...] = ()
    renamed: str = ""
    same: tuple[tuple[str, tuple[Stated, ...]], ...] = ()


def is_code(text: str) -> bool:
    """Whether the name of a file can hold it as a code."""
    return bool(_CODE.fullmatch(text.replace("/", "-")))


def without_codes(name: str, codes: Collection[str]) -> str:
    """The name of a file without codes that are not those of its event."""
    stem, dot, ending = name.rpartition(".")
    for code in codes:
        parts = [re.escape(part) for part in re.split(r"[^A-Za-z0-9]+", code) if part]
        whole = rf"(?<![A-Za-z0-9]){'[^A-Za-z0-9]+'.join(parts)}(?![A-Za-z0-9])"
        stem = re.sub(whole, " ", stem, flags=re.IGNORECASE) if parts else stem
    return f"{' '.join(stem.split()).strip(' .~-_,') or 'list'}{dot}{ending}"


def give_list(
    settings: Settings,
    name: str,
    content: bytes,
    code: str = "",
    lacks_event: Callable[[Sequence[Stated]], bool] = lambda _: False,
) -> Given:
    """Put a list into the drop folder; the next run loads it. One of the same name is replaced.

    Args:
        lacks_event: whether the same list, where it stands under another name, counts for no event: then it is given
            again and takes that one's place. Two events may have had the same people, and each keeps its list.
        name: of the file as the browser gives it; only its letters, digits and plain marks are kept.
        code: of the event; goes before the name unless it stands there.

    Raises:
        ContractError: the list cannot be read, and why. Nothing was kept.
    """
    kept = _name(name, code.strip())
    folder = private_folder(settings.attendance_folder)
    with tempfile.TemporaryDirectory(dir=settings.home, prefix=".list-") as apart:
        path = Path(apart) / kept
        path.write_bytes(content)
        people, refused, stated = _read(open_folder(settings, settle_seconds=0), Path(apart))
    if not people:
        why = " ".join(refused) or f"{kept}: nobody is on it."
        raise ContractError(f"Reading the attendance list: {why} Nothing was kept.")
    replaced = (folder / kept).exists()
    _put(folder, kept, content)
    renamed, same = _same_lists(folder / kept, content, stated, lacks_event)
    return Given(kept, people, refused, replaced, stated, renamed, same)


def names(settings: Settings) -> set[str]:
    """Of the lists directly in the folder."""
    folder = settings.attendance_folder
    found = dropped_lists(folder) if folder.is_dir() else []
    return {file.name for file in found if file.path == folder / file.name}


def look_at(settings: Settings, name: str) -> Given | None:
    """A list that is in the folder; None where none directly in it has this name.

    Raises:
        ContractError: the list cannot be read, and why.
    """
    folder = settings.attendance_folder
    path = _file(folder, name)
    if path is None:
        return None
    content = path.read_bytes()
    with tempfile.TemporaryDirectory(dir=settings.home, prefix=".list-") as apart:
        (Path(apart) / name).write_bytes(content)
        people, refused, stated = _read(open_folder(settings, settle_seconds=0), Path(apart))
    _, same = _same_lists(path, content, stated, lambda _: False)
    return Given(name, people, refused, replaced=False, stated=stated, same=same)


def name_event(settings: Settings, name: str, code: str, others: Collection[str] = ()) -> str | None:
    """Give a list of the folder the code of its event: it gets a new name, and the next load takes the old one back.

    Args:
        others: codes that may stand in its name and are not those of its event.

    Returns:
        The new name; None where no list has the old one.

    Raises:
        ContractError: the code holds what no name can.
    """
    folder = settings.attendance_folder
    path = _file(folder, name)
    if path is None:
        return None
    kept = _name(without_codes(name, others), code.strip())
    if kept != name:
        _put(folder, kept, path.read_bytes())
        withdraw(folder, name)
    return kept


def take_out(settings: Settings, name: str) -> bool:
    """Remove a list: the next load takes its people back. False where none directly in the folder has this name."""
    folder = settings.attendance_folder
    if _file(folder, name) is None:
        return False
    withdraw(folder, name)
    return True


def _file(folder: Path, name: str) -> Path | None:
    """A list directly in the folder, by the name that people see; no path leads out of it."""
    found = dropped_lists(folder) if folder.is_dir() else []
    return next((file.path for file in found if file.name == name and file.path == folder / name), None)


def _put(folder: Path, name: str, content: bytes) -> None:
    partial = folder / f".{secrets.token_hex(6)}"  # files that begin with a dot are not read
    try:
        partial.write_bytes(content)
        partial.chmod(0o600)
        partial.replace(folder / name)
    finally:
        partial.unlink(missing_ok=True)
    given_again(folder, name)


def _same_lists(
    target: Path,
    content: bytes,
    stated: Sequence[Stated],
    lacks_event: Callable[[Sequence[Stated]], bool],
) -> tuple[str, tuple[tuple[str, tuple[Stated, ...]], ...]]:
    """The same list under other names. Where it counts for no event, it is taken out of the folder.

    Returns:
        The name of one taken out, or an empty text; the others, with what they say.
    """
    out, others = "", []
    for path in sorted(target.parent.iterdir()):
        same = path != target and path.is_file() and path.suffix == target.suffix and path.name[0] != "."
        if not (same and path.stat().st_size == len(content) and path.read_bytes() == content):
            continue
        named = {"list_name": path.name, "place_words": place_words(path.name)}
        says = tuple({**one, **named} for one in stated)
        if not lacks_event(says):
            others.append((path.name, says))
            continue
        withdraw(target.parent, path.name)
        out = out or path.name
    return out, tuple(others)


def _read(source: AttendanceLists, folder: Path) -> tuple[int, tuple[str, ...], tuple[Stated, ...]]:
    people = 0
    refused: list[str] = []
    stated: dict[tuple[str | None, ...], Stated] = {}
    for batch in source.within(folder).pull("attendances").batches:
        people += len(batch.frame)
        refused += [f"{row.source_ref}: {row.reason}" for row in batch.rejected]
        said = batch.frame[list(STATED)].astype(object)
        for cells in said.where(said.notna(), None).drop_duplicates().itertuples(index=False, name=None):
            stated.setdefault(cells[:4], dict(zip(STATED, cells, strict=True)))
    return people, tuple(refused), tuple(stated.values())


def _name(name: str, code: str) -> str:
    """The name in the folder: no path, no hidden file, nobody's address.

    Raises:
        ContractError: it is no table, or the code holds what no code does.
    """
    code = code.replace("/", "-")
    if code and not is_code(code):
        raise ContractError(
            "Reading the attendance list: the event's code has letters, digits, dots and hyphens only."
        )
    bare = without_personal(name.replace("\\", "/").rpartition("/")[2])
    stem, dot, ending = _UNFIT.sub(" ", bare).strip(" .~-").rpartition(".")
    if not dot or f".{ending.lower()}" not in TABLES or not stem.strip(" .~-"):
        raise ContractError(
            f"Reading the attendance list: it is none of {', '.join(sorted(TABLES))}. Save or export it so."
        )
    known = bool(code) and place_words(code) in place_words(stem)
    whole = " ".join(f"{'' if known else code} {stem}".split())
    return f"{whole[:LONGEST].strip()}.{ending.lower()}"
