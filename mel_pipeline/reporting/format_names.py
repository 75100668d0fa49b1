"""Names of the formats of a report. Imports nothing that draws."""

from __future__ import annotations

from collections.abc import Collection

from mel_pipeline.core.errors import ReportError

FORMATS = ("html", "pdf", "xlsx", "csv")


def wanted_formats(text: str) -> list[str]:
    """The formats of ``MEL_FORMATS``, separated by commas.

    Raises:
        ReportError: there is no such format.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    require_formats(names)
    return names


def require_formats(names: Collection[str]) -> None:
    """Refuse a format that does not exist.

    Raises:
        ReportError: there is one.
    """
    if unknown := sorted(set(names) - set(FORMATS)):
        raise ReportError(
            f"Writing a report: there is no format {', '.join(unknown)}. There are: {', '.join(FORMATS)}."
            " Correct MEL_FORMATS."
        )
