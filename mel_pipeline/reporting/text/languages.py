"""The languages of the reports: the files in ``reports/locales``. Which of them are asked for, and which are complete.

A language is complete when it has every text of ``en.yml``, every sentence listed there, and the names, definitions
and limitations of the edition. One that is not is refused: an edition is never half in English.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from babel import Locale

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.languages import BASE, CODE
from mel_pipeline.reporting.text.texts import flat_texts, read_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pandas as pd

    from mel_pipeline.reporting.edition import Edition

PLACE = re.compile(r"\{\w+\}")
OWN = "format.before_quarter."  # what only some languages need
MOST_NAMED = 5


def languages(sources_dir: Path, requested: str = "") -> list[str]:
    """The requested languages (``en,fr``), English first and always; without a request, all that have a file.

    Raises:
        ReportError: a requested language has no file.
    """
    found = {path.stem for path in (sources_dir / "locales").glob("*.yml") if CODE.fullmatch(path.stem)}
    wanted = {name.strip() for name in requested.split(",") if name.strip()}
    if unknown := sorted(wanted - found):
        raise ReportError(
            f"Choosing the languages of the reports: there is no file locales/{unknown[0]}.yml."
            f" There are: {', '.join(sorted(found))}. Correct MEL_LANGUAGES."
        )
    return sorted((wanted | {BASE}) if wanted else found, key=lambda name: (name != BASE, name))


def language_name(code: str) -> str:
    """The English name of a language."""
    return str(Locale.parse(code).english_name)


def refused(edition: Edition, sources_dir: Path, wanted: Iterable[str]) -> dict[str, str]:
    """The incomplete languages among ``wanted``, each with a sentence that says what is missing.

    Raises:
        ReportError: a locale file cannot be read.
    """
    missing = {language: gaps(edition, sources_dir, language) for language in wanted}
    return {language: sentence_of(language, found) for language, found in missing.items() if found}


def gaps(edition: Edition, sources_dir: Path, language: str) -> list[str]:
    """What a language lacks for this edition: keys of texts, English sentences, names of the catalogue."""
    return (
        []
        if language == BASE
        else [
            *gaps_of_file(sources_dir, language),
            # Those counted by hand are named in the workbook; English stands in for a language left empty there.
            *_gaps_of_frame(
                _calculated(edition.indicators),
                "indicator_id",
                ("name", "definition", "limitations", "rationale"),
                language,
            ),
            *_gaps_of_frame(edition.lines_of_action, "number", ("name",), language, "line of action "),
        ]
    )


def gaps_of_file(sources_dir: Path, language: str) -> list[str]:
    """What ``locales/<language>.yml`` lacks: texts, places to fill in, sentences."""
    if language == BASE:
        return []
    folder = sources_dir / "locales"
    english, other = read_texts(folder / f"{BASE}.yml"), read_texts(folder / f"{language}.yml")
    sentences, phrases = english.pop("phrases", []), other.pop("phrases", {})
    own, given = dict(flat_texts(english)), dict(flat_texts(other))
    return [
        *(key for key in own if key not in given and not key.startswith(OWN)),
        *(
            f"{key} ({', '.join(sorted(lost))})"
            for key in own
            if key in given and (lost := _lost(own[key], given[key]))
        ),
        *(f"'{sentence}'" for sentence in sentences if not str(phrases.get(sentence) or "").strip()),
    ]


def _lost(english: Any, other: Any) -> set[str]:
    return _places(english) ^ _places(other)


def _places(entry: Any) -> set[str]:
    forms = entry.values() if isinstance(entry, dict) else [entry]
    return {place for form in forms for place in PLACE.findall(str(form))}


def _gaps_of_frame(
    frame: pd.DataFrame, key: str, fields: Sequence[str], language: str, what: str = ""
) -> list[str]:
    return [
        f"{field} of {what}{row[key]}"
        for row in frame.to_dict("records")
        for field in fields
        if str(row.get(f"{field}_{BASE}") or "").strip() and not _said(row.get(f"{field}_{language}"))
    ]


def _calculated(indicators: pd.DataFrame) -> pd.DataFrame:
    if "is_stated" not in indicators:
        return indicators
    return indicators[~indicators["is_stated"].fillna(False).astype(bool)]


def _said(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def sentence_of(language: str, missing: Sequence[str]) -> str:
    """Says that a language is incomplete, what is missing and what to do."""
    shown = ", ".join(missing[:MOST_NAMED]) + (", …" if len(missing) > MOST_NAMED else "")
    count = "1 text is" if len(missing) == 1 else f"{len(missing)} texts are"
    return (
        f"{language_name(language)} ({language}) is incomplete, so no edition is written in it: {count} missing:"
        f" {shown}. Add them to locales/{language}.yml and to the names in the catalogue, or leave {language} out of"
        " MEL_LANGUAGES."
    )
