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
from mel_pipeline.sources.attendance_lists.client import TABLES, AttendanceLists, place_words
from mel_pipeline.sources.attendance_lists.client import open as open_folder
from mel_pipeline.sources.shared.survey.personal import without_personal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    folder under this name, and has its new one now.
    """

    name: str
    people: int
    refused: tuple[str, ...]
    replaced: bool
    stated: tuple[Stated, ...] = ()
    renamed: str = ""


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
    target = folder / kept
    replaced = target.exists()
    partial = folder / f".{secrets.token_hex(6)}"  # files that begin with a dot are not read
    try:
        partial.write_bytes(content)
        partial.chmod(0o600)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return Given(
        kept, people, refused, replaced, stated, _without_earlier(target, content, stated, lacks_event)
    )


def _without_earlier(
    target: Path,
    content: bytes,
    stated: Sequence[Stated],
    lacks_event: Callable[[Sequence[Stated]], bool],
) -> str:
    """Takes the same list out of the folder where it counts for no event; loads know a renamed list by its content.

    Returns:
        That name, or an empty text.
    """
    for path in sorted(target.parent.iterdir()):
        same = path != target and path.is_file() and path.suffix == target.suffix and path.name[0] != "."
        if not (same and path.stat().st_size == len(content) and path.read_bytes() == content):
            continue
        named = {"list_name": path.name, "place_words": place_words(path.name)}
        if lacks_event([{**one, **named} for one in stated]):
            path.unlink()
            return path.name
    return ""


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
    if code and not _CODE.fullmatch(code):
        raise ContractError(
            "Reading the attendance list: the event's code has letters, digits, dots and hyphens only."
        )
    bare = without_personal(name.replace("\\", "/").rpartition("/")[2])
    stem, dot, ending = _UNFIT.sub(" ", bare).strip(" .~-").rpartition(".")
    if not dot or f".{ending.lower()}" not in TABLES or not stem.strip(" .~-"):
        raise ContractError(
            f"Reading the attendance list: it is none of {', '.join(sorted(TABLES))}. Save or export it so."
        )
    known = code.casefold() in stem.casefold()
    whole = " ".join(f"{'' if known else code} {stem}".split())
    return f"{whole[:LONGEST].strip()}.{ending.lower()}"
