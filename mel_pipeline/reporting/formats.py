"""An edition in every language and format that is asked for: page, PDF, workbook, data files, charts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting.cache import as_before, is_kept, keep
from mel_pipeline.reporting.digests import digest_of_pages
from mel_pipeline.reporting.edition import check_columns
from mel_pipeline.reporting.open_data.build import build_data_package
from mel_pipeline.reporting.page.build import BuiltReport, build_editions
from mel_pipeline.reporting.pictures.drawing import draw_ahead
from mel_pipeline.reporting.workbook.build import build_workbook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.reporting.edition import Edition

FORMATS = ("html", "pdf", "xlsx", "csv")


@dataclass(frozen=True)
class BuiltEdition:
    """What was written: ``reports`` by language, and the other files."""

    reports: dict[str, BuiltReport]
    files: list[Path]


def build_all(
    edition: Edition,
    out_dir: Path,
    sources_dir: Path,
    languages: Sequence[str],
    formats: Sequence[str] = FORMATS,
    processes: int = 1,
) -> BuiltEdition:
    """Write the edition under ``<out_dir>/<period>/``. The page is always written: the others follow from it.

    Inside ``kept_in`` nothing is composed while everything it is made of, and every file, is as it was.

    Args:
        processes: how many may draw an edition that has not been drawn before.

    Raises:
        ReportError: as ``build_editions``, or a format is asked for that does not exist.
    """
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise ReportError(
            f"Writing {edition.period}: there is no format {', '.join(unknown)}. There are: {', '.join(FORMATS)}."
            " Correct MEL_FORMATS."
        )
    name = f"edition-{edition.period}"
    asked = [edition, str(out_dir.absolute()), list(languages), list(formats)]
    made_of = digest_of_pages(asked, sources_dir)
    found = as_before(name, made_of, BuiltEdition)
    if found is not None:
        return found
    if not is_kept(name):
        check_columns(edition)
        draw_ahead(edition, sources_dir, languages, processes)
    made = _build(edition, out_dir, sources_dir, languages, formats)
    keep(name, made_of, made, _lying(out_dir / edition.period))
    return made


def _lying(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name[0] not in ".~"]


def _build(
    edition: Edition, out_dir: Path, sources_dir: Path, languages: Sequence[str], formats: Sequence[str]
) -> BuiltEdition:
    reports = build_editions(edition, out_dir, sources_dir, languages, with_pdf="pdf" in formats)
    files = [report.pdf for report in reports.values() if report.pdf]
    if "xlsx" in formats:
        files += [build_workbook(edition, out_dir, sources_dir, language) for language in languages]
    if "csv" in formats:
        files.append(build_data_package(edition, out_dir))
    return BuiltEdition(reports, files)
