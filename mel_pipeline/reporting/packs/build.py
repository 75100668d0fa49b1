"""All files of a pack, written only where they changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting.files import write_if_changed
from mel_pipeline.reporting.packs.content import Pack, View, projects_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mel_pipeline.core.donors import Donor

KINDS = ("deck", "donors", "iati", "social")


@dataclass
class BuiltPacks:
    """``files`` in the order of writing; ``notes``: what is missing, one sentence each."""

    folder: Path
    files: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def put(self, name: str, content: bytes) -> None:
        path = self.folder / name
        write_if_changed(path, content)
        self.files.append(path)


def build_packs(pack: Pack, out_dir: Path, languages: Sequence[str], kinds: Sequence[str] = ()) -> BuiltPacks:
    """Write ``<out_dir>/<period>/``: decks, donor reports with annexes, IATI, pictures.

    Raises:
        ReportError: there is no such kind, or a file cannot be written.
    """
    if unknown := sorted(set(kinds) - set(KINDS)):
        raise ReportError(
            f"Making packs: there is no kind {', '.join(unknown)}. There are: {', '.join(KINDS)}."
        )
    built = BuiltPacks(out_dir / pack.edition.period)
    makers: dict[str, Callable[[Pack, BuiltPacks, Sequence[str]], None]] = {
        "deck": _decks, "donors": _donor_reports, "iati": _iati, "social": _social,
    }  # fmt: skip
    for kind in KINDS:
        if not kinds or kind in kinds:
            makers[kind](pack, built, languages)
    return built


def _decks(pack: Pack, built: BuiltPacks, languages: Sequence[str]) -> None:
    from mel_pipeline.reporting.packs.deck import board_deck

    for language in languages:
        built.put(f"board-deck-{language}.pptx", board_deck(View(pack, language)))


def _donor_reports(pack: Pack, built: BuiltPacks, languages: Sequence[str]) -> None:
    from mel_pipeline.reporting.packs.annex import donor_annex
    from mel_pipeline.reporting.packs.donor_report import donor_report

    if not pack.donors.donors:
        built.notes.append(
            "No donor report was made: donors.yml of the organisation's folder names no donor."
        )
    for donor in pack.donors.donors:
        codes = projects_for(donor, pack.register)
        if not codes:
            built.notes.append(
                f"No report to {donor.name}: no project of the workbook names it, nor does donors.yml."
            )
            continue
        built.notes += _lacking(donor, codes)
        for language in _spoken(donor, languages, built):
            view = View(pack, language)
            stem = f"donors/{donor.key}/report-{donor.key}-{language}"
            built.put(f"{stem}.docx", donor_report(view, donor, codes))
            built.put(f"{stem}-annex.xlsx", donor_annex(view, donor, codes))


def _lacking(donor: Donor, codes: Sequence[str]) -> list[str]:
    lacking = [code for code in codes if not donor.references.get(code)]
    if not lacking:
        return []
    return [
        f"The report to {donor.name} lacks the number of the agreement of {', '.join(lacking)}: add it to donors.yml."
    ]


def _spoken(donor: Donor, languages: Sequence[str], built: BuiltPacks) -> list[str]:
    """The donor's languages; one that the edition lacks is named."""
    if lacking := [language for language in donor.languages if language not in languages]:
        built.notes.append(f"No report to {donor.name} in '{', '.join(lacking)}': the edition is not in it.")
    return [language for language in donor.languages if language in languages]


def _iati(pack: Pack, built: BuiltPacks, languages: Sequence[str]) -> None:
    from mel_pipeline.reporting.packs.iati import activities, what_is_missing

    if missing := what_is_missing(pack):
        built.notes.append("No IATI file was written: " + " ".join(missing))
        return
    built.put("iati-activities.xml", activities(pack, languages))


def _social(pack: Pack, built: BuiltPacks, languages: Sequence[str]) -> None:
    from mel_pipeline.reporting.packs.social import pictures

    for language in languages:
        for name, content in pictures(View(pack, language)).items():
            built.put(f"social/{language}/{name}", content)
