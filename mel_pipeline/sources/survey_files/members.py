"""The exports in a zip: each table is one, but repeated groups of a form belong to its main table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from mel_pipeline.sources.shared.files import DropFile, FileRefusedError, open_tables
from mel_pipeline.sources.shared.survey.repeats import is_repeat

Groups = dict[str, DropFile]


def survey_of(table: DropFile, file: DropFile) -> str:
    """The name of a survey: of the table, without the zip it is in and without its ending."""
    return PurePath(table.name.removeprefix(f"{file.name}, ")).stem


def exports_in(
    tables: Sequence[DropFile], fallback: str | None
) -> tuple[list[tuple[DropFile, Groups]], dict[str, str]]:
    """Main tables with the repeated groups that belong to them, and why some groups belong to none, by name.

    ODK Central calls a group after its form: `Feedback.csv`, `Feedback-participants.csv`.
    """
    if len(tables) == 1:
        return [(tables[0], {})], {}
    repeats = [table for table in tables if _is_repeat(table, fallback)]
    mains: list[tuple[DropFile, Groups]] = [(table, {}) for table in tables if table not in repeats]
    refused: dict[str, str] = {}
    for table in repeats:
        stem = PurePath(table.name).stem
        owners = [main for main in mains if stem.startswith(PurePath(main[0].name).stem)]
        if not owners:
            refused[table.name] = (
                "The file holds the repeated groups of a form, and its main table is not beside it. Export both."
            )
        else:
            main, groups = max(owners, key=lambda one: len(one[0].name))
            groups[stem.removeprefix(PurePath(main.name).stem).strip("-_ ") or stem] = table
    return mains, refused


def _is_repeat(file: DropFile, fallback: str | None) -> bool:
    """Whether a table holds the rows of a repeated group; one that cannot be read is refused when it is."""
    try:
        with open_tables(file, fallback) as tables:
            return len(tables) == 1 and all(map(is_repeat, tables.values()))
    except FileRefusedError:
        return False
