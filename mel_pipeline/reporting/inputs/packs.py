"""Packs of an edition: its content read from the warehouse and the organisation's folder, and the files written from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.core.donors import donors_of
from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.private_files import private_folder
from mel_pipeline.core.target_path import last_day
from mel_pipeline.reporting.inputs.editions import read_edition
from mel_pipeline.reporting.inputs.folders import editions_dir
from mel_pipeline.reporting.inputs.kept_editions import published_register
from mel_pipeline.reporting.inputs.register_data import read_register
from mel_pipeline.reporting.packs.content import Pack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mel_pipeline.core.settings import Settings
    from mel_pipeline.reporting.packs.build import BuiltPacks
    from mel_pipeline.warehouse import Warehouse

FOLDER = "packs"


def read_pack(warehouse: Warehouse, settings: Settings, period: str) -> Pack:
    """Frames of a pack. Of a published period: figures, texts and projects as they were published.

    Raises:
        ReportError: the period has not been calculated.
        PublicationError: a published edition was changed from outside.
        SettingsError: ``donors.yml`` cannot be read.
    """
    with warehouse.connect():
        edition = read_edition(warehouse, settings, period)
        kept = published_register(warehouse, period) if edition.publication else None
        register = kept or read_register(warehouse, last_day(period))
    donors = donors_of(settings.organisation, is_sample=settings.sample)
    return Pack(edition, register, settings.report_sources, donors)


def write_packs(
    warehouse: Warehouse,
    settings: Settings,
    period: str,
    kinds: Sequence[str] = (),
    folder: Path | None = None,
) -> BuiltPacks:
    """Write the packs of a period beside the drafts: the MEL lead completes them before they go out.

    Args:
        kinds: of ``packs.build.KINDS``; all by default.
        folder: another place; the period gets a folder in it.

    Raises:
        ReportError: there is no such kind, the edition lacks every language, or a file cannot be written.
    """
    from mel_pipeline.reporting import cache, languages, refused
    from mel_pipeline.reporting.packs.build import build_packs

    pack = read_pack(warehouse, settings, period)
    wanted = languages(settings.report_sources, settings.languages)
    incomplete = refused(pack.edition, settings.report_sources, wanted)
    chosen = [language for language in wanted if language not in incomplete]
    if not chosen:
        raise ReportError(f"Making packs of {period}: {next(iter(incomplete.values()))}")
    place = folder or packs_dir(settings)
    with cache.using(settings.pictures_dir):
        return build_packs(pack, place, chosen, kinds)


def packs_dir(settings: Settings) -> Path:
    """Where packs lie, for their owner alone."""
    return private_folder(editions_dir(settings, published=False) / FOLDER)
