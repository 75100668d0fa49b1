"""The workbook of these settings, as the page ``/workbook`` works with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.defs.serving.workbook_view import Desk
from mel_pipeline.sources.workbook.sheets import LANGUAGES, sheets
from mel_pipeline.sources.workbook.texts import texts_in

if TYPE_CHECKING:
    from mel_pipeline.core.logins import Person
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.sources.workbook.model import Preview, Version

ROLES = ("owner_role", "role", "provider")  # columns that name one


def desk_of(settings: Settings) -> Desk:
    """Reads and writes the versions in MEL_HOME; the warehouse is asked for the entries of drop-down lists only."""

    def write(language: str) -> tuple[str, bytes]:
        from mel_pipeline.reporting.inputs.statements import form

        version, content = form(settings, language)
        return f"workbook-v{version.number}-{language}.xlsx", content

    def preview(content: bytes) -> Preview:
        from mel_pipeline.defs.workbook import previewed

        return previewed(settings, content)

    def accept(shown: Preview, role: str, note: str, remove: bool, by: Person | None) -> Version:
        from mel_pipeline.publication import signatures

        return signatures.accept(settings, shown, role, note, remove=remove, by=by)

    def history() -> list[Version]:
        from mel_pipeline.sources.workbook import versions

        return versions.history(settings)

    def roles() -> list[str]:
        found = {version.role for version in history()}
        for rows in history()[0].rows.values():
            found |= {str(row[column]) for row in rows for column in ROLES if row.get(column)}
        return sorted(found - {""})

    return Desk(
        settings.report_sources,
        settings.organisation_name,
        list(LANGUAGES),
        write,
        preview,
        accept,
        history,
        _sheet,
        _column,
        _word,
        roles,
    )


def _sheet(name: str, language: str) -> str:
    return texts_in(language).title(name) if name in sheets() else name


def _column(sheet: str, key: str, language: str) -> str:
    return texts_in(language).heading(sheets()[sheet], sheets()[sheet].column(key))


def _word(sheet: str, key: str, value: str, language: str) -> str:
    """A choice in the language of the page; other values as they are."""
    is_choice = bool(sheets()[sheet].column(key).allowed)
    return texts_in(language).word(value) if is_choice else value
