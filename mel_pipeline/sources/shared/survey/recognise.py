"""Which tool wrote an export, recognised by its first rows alone. No files here; no tool by name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mel_pipeline.core.normalize_text import normalize_text
from mel_pipeline.sources.shared.files import FileRefusedError
from mel_pipeline.sources.shared.survey.headers import in_words
from mel_pipeline.sources.shared.survey.layouts import tools
from mel_pipeline.sources.shared.survey.model import Layout, Sheet
from mel_pipeline.sources.shared.survey.profile import Profile

_SHOWN, _LONGEST = 6, 40  # headers, and characters of each
_PARENTS = {"parent index", "parent key", "submission id"}
_NOT_SHOWN = re.compile(
    r"[@\d]|\b(name|nombre|nom|prenom|apellidos?|surname|e ?mail|correo|courriel|mail|ip|phone|telefono"
    r"|telephone|address|adresse|direccion)\b"
)


def recognise(sheet: Sheet, profiles: Sequence[Profile] = ()) -> Layout:
    """The layout of an export: of the tool whose headers it has, or of a profile if no tool fits.

    Raises:
        FileRefusedError: no tool and no profile fits, or more than one does.
    """
    found = {name: layout for name, tool in tools().items() if (layout := tool.recognise(sheet))}
    if not found:
        found = {profile.tool: layout for profile in profiles if (layout := profile.layout(sheet))}
    if len(found) > 1:
        raise FileRefusedError(
            f"The headers fit more than one tool: {', '.join(sorted(found))}. Export the file again, unchanged;"
            " if two profiles fit, make their headers more specific."
        )
    if not found:
        raise FileRefusedError(_unknown(sheet))
    return next(iter(found.values()))


def _unknown(sheet: Sheet) -> str:
    header = sheet.first_rows[0] if sheet.first_rows else []
    if _PARENTS & {normalize_text(name) for name in header}:
        return (
            "The table holds the repeated groups of a form, not its responses."
            " Put the form's main table into the folder."
        )
    shown = [_shown(name) for name in header[:_SHOWN]]
    more = ", …" if len(header) > _SHOWN else ""
    return (
        f"The file is not an export of a known survey tool. It has {len(header)} columns: {', '.join(shown)}{more}."
        " Export it again from the tool, unchanged. If it comes from another tool, a data person can write a profile for"
        " it: see mel_pipeline/sources/survey_files/README.md."
    )


def _shown(header: str) -> str:
    """A header for a message; where the file has none, its first row may be a person's answers."""
    words = in_words(header)
    if not words:
        return "(empty)"
    if _NOT_SHOWN.search(normalize_text(words)) or "@" in words:
        return "(not shown)"
    return f"'{words[:_LONGEST]}{'…' if len(words) > _LONGEST else ''}'"
