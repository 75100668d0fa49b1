"""The workbook of these settings, as the page ``/workbook`` works with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from mel_pipeline.defs.serving.list_desk import ListDesk
from mel_pipeline.defs.serving.workbook_view import Desk
from mel_pipeline.sources.workbook.sheets import LANGUAGES, sheets
from mel_pipeline.sources.workbook.texts import texts_in

if TYPE_CHECKING:
    from mel_pipeline.core.logins import Person
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.reporting.inputs.comments import Coder
    from mel_pipeline.sources.workbook.model import Preview, Version

ROLES = ("owner_role", "role", "provider")  # columns that name one


def desk_of(settings: Settings) -> Desk:
    """Reads and writes the versions in MEL_HOME; the warehouse is asked for the entries of drop-down lists only."""

    def write(language: str) -> tuple[str, bytes]:
        from mel_pipeline.reporting.inputs.statement_form import form

        version, content = form(settings, language)
        return f"workbook-v{version.number}-{language}.xlsx", content

    def comments(language: str, coder: str) -> tuple[str, bytes]:
        from mel_pipeline.reporting.inputs.comments import comments_form

        chosen: Coder = "second" if coder == "second" else "both" if coder == "both" else "first"
        version, content, _ = comments_form(settings, language, chosen)
        return f"comments-{chosen}-v{version.number}-{language}.xlsx", content

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
        comments,
        ListDesk(settings),
        preview,
        accept,
        history,
        _sheet,
        _column,
        _words_of(settings),
        _keys,
        roles,
    )


def _sheet(name: str, language: str) -> str:
    return texts_in(language).title(name) if name in sheets() else name


def _column(sheet: str, key: str, language: str) -> str:
    return texts_in(language).heading(sheets()[sheet], sheets()[sheet].column(key))


def _keys(sheet: str) -> list[str]:
    """Columns that tell rows apart; of several languages the text that everybody has."""
    return list(sheets()[sheet].key)


def _words_of(settings: Settings) -> Callable[[str, str, str, str], str]:
    """A choice in the language of the page, an indicator with its name; other values as they are."""

    @lru_cache(maxsize=len(LANGUAGES))
    def names(language: str, version: str) -> dict[str, str]:  # noqa: ARG001 - another version, other names
        return _indicators(settings, language)

    def word(sheet: str, key: str, value: str, language: str) -> str:
        from mel_pipeline.sources.workbook import versions

        column = sheets()[sheet].column(key)
        if column.kind == "indicator" and column.choices:
            known = names(language, versions.current(settings).id)
            return f"{value} {name}" if (name := known.get(value)) else value
        return texts_in(language).word(value) if column.allowed else value

    return word


def _indicators(settings: Settings, language: str) -> dict[str, str]:
    """Names of the indicators there are; none where the catalogue cannot be read, which the page says elsewhere."""
    from mel_pipeline.core.errors import MelError
    from mel_pipeline.transform.catalogue import catalogue_of

    try:
        known = catalogue_of(settings).indicators
    except MelError:
        return {}
    return {one.id: one.name.by_language.get(language, one.name.en) for one in known}
