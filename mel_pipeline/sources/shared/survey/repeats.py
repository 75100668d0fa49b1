"""Repeated groups of a form (one row per participant, several per response): joined to their response as lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.files import FileRefusedError, Table
from mel_pipeline.sources.shared.survey.headers import in_words, unique_names
from mel_pipeline.sources.shared.survey.model import Group, Repeats
from mel_pipeline.sources.shared.survey.personal import is_personal_header, without_personal

_PARENT = {"parent index", "parent key"}  # Kobo's XLSX, ODK's archive
_OWN = {"index", "key", "parent index", "parent key", "parent table name", "set of", "parent row"}


def is_repeat(table: Table) -> bool:
    """Whether a table holds rows that belong to the rows of another."""
    return bool(_PARENT & {normalize_text(name) for name in table.header})


def main_and_repeats(tables: Mapping[str, Table]) -> tuple[str, dict[str, Table]]:
    """The name of the table with the responses, and the tables of repeated groups.

    Raises:
        FileRefusedError: there is no such table, or several.
    """
    groups = {name: table for name, table in tables.items() if is_repeat(table)}
    main = [name for name in tables if name not in groups]
    if len(main) != 1:
        raise FileRefusedError(
            f"The workbook has {len(main)} sheets that might hold the responses. Keep one sheet per file,"
            " or export it as CSV."
            if main
            else "The file holds the repeated groups of a form, not its responses."
            " Export the form's main table."
        )
    return main[0], groups


def joined(main: Table, groups: Mapping[str, Table]) -> Repeats | None:
    """The rows of each group, by row of the main table.

    Raises:
        FileRefusedError: the main table has no column to join the groups by.
    """
    if not groups:
        return None
    names = [normalize_text(name) for name in main.header]
    key = next((names.index(name) for name in ("index", "key") if name in names), None)
    if key is None:
        raise FileRefusedError(
            "The workbook has repeated groups, but its main sheet has no column _index to join them by."
            " Export it again, unchanged."
        )
    links = {name: _links(table) for name, table in groups.items()}

    def row_of_main(name: str, parent: str, above: str) -> str:
        """Follow a row's parents up to the main table; ODK writes the whole path into the key."""
        while above in links and above != name:
            name = above
            parent, above = links[above].get(parent, ("", ""))
        return parent.split("/")[0] if parent.startswith("uuid:") else parent

    return Repeats(key, {name: _by_row(name, table, row_of_main) for name, table in groups.items()})


def _links(table: Table) -> dict[str, tuple[str, str]]:
    """A row's key -> its parent's key, and the parent's table (empty: not given)."""
    names = [normalize_text(name) for name in table.header]
    own = next((column for column, name in enumerate(names) if name in ("index", "key")), None)
    if own is None:
        return {}
    return {row[own].strip(): _parent(names, row) for row in table.rows()}


def _parent(names: Sequence[str], row: Sequence[str]) -> tuple[str, str]:
    parent = next(column for column, name in enumerate(names) if name in _PARENT)
    above = names.index("parent table name") if "parent table name" in names else None
    return row[parent].strip(), row[above].strip() if above is not None else ""


def _by_row(name: str, table: Table, row_of_main: Callable[[str, str, str], str]) -> Group:
    names = [normalize_text(header) for header in table.header]
    texts = unique_names(in_words(header) for header in table.header)
    columns = {
        column: text
        for column, text in enumerate(texts)
        if names[column] not in _OWN
        and not names[column].startswith("submission")
        and not is_personal_header(text)
    }
    found: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for row in table.rows():
        answers = {
            text: without_personal(cell) for column, text in columns.items() if (cell := row[column].strip())
        }
        found[row_of_main(name, *_parent(names, row))].append(answers)
    return found
