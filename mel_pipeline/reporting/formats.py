"""An edition in every requested language and format: page, PDF, workbook, data files, charts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mel_pipeline.reporting import cache
from mel_pipeline.reporting.digests import digest_of_pages
from mel_pipeline.reporting.edition import check_columns
from mel_pipeline.reporting.format_names import FORMATS, require_formats
from mel_pipeline.reporting.open_data.build import build_data_package
from mel_pipeline.reporting.page.build import BuiltReport, build_editions
from mel_pipeline.reporting.pictures.drawing import draw_in_processes
from mel_pipeline.reporting.workbook.build import build_workbook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.reporting.edition import Edition


@dataclass(frozen=True)
class BuiltEdition:
    """What was written: ``reports`` by language, and the other files. ``refused``: what incomplete languages lack."""

    reports: dict[str, BuiltReport]
    files: list[Path]
    refused: dict[str, str] = field(default_factory=dict)


def build_all(
    edition: Edition,
    out_dir: Path,
    sources_dir: Path,
    languages: Sequence[str],
    formats: Sequence[str] = FORMATS,
    processes: int = 1,
) -> BuiltEdition:
    """Write the edition under ``<out_dir>/<period>/``. The page is always written: the others follow from it.

    Inside ``cache.using`` nothing is built while all inputs and all written files are unchanged.

    Args:
        processes: how many may draw an edition that has not been drawn before.

    Raises:
        ReportError: as ``build_editions``, or a requested format does not exist.
    """
    require_formats(formats)
    name = f"edition-{edition.period}"
    inputs = [edition, str(out_dir.absolute()), list(languages), list(formats)]
    digest = digest_of_pages(inputs, sources_dir)
    cached = cache.get(name, digest, BuiltEdition)
    if cached is not None:
        return cached
    if not cache.has(name):
        check_columns(edition)
        draw_in_processes(edition, sources_dir, languages, processes)
    built = _build(edition, out_dir, sources_dir, languages, formats)
    cache.put(name, digest, built, _edition_files(out_dir / edition.period))
    return built


def _edition_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name[0] not in ".~"]


def _build(
    edition: Edition, out_dir: Path, sources_dir: Path, languages: Sequence[str], formats: Sequence[str]
) -> BuiltEdition:
    reports = build_editions(edition, out_dir, sources_dir, languages, with_pdf="pdf" in formats)
    files = [report.pdf for report in reports.values() if report.pdf]
    if "xlsx" in formats:
        files += [build_workbook(edition, out_dir, sources_dir, language) for language in languages]
    if "csv" in formats:
        files.append(build_data_package(edition, out_dir, languages))
    return BuiltEdition(reports, files)
