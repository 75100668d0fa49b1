"""Approve and publish a quarter with everything its editions say: figures, targets, judgements, texts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mel_pipeline.core.clock import utc_now
from mel_pipeline.core.languages import BASE
from mel_pipeline.core.periods import Quarter
from mel_pipeline.core.target_path import last_day
from mel_pipeline.publication import publishing, store
from mel_pipeline.publication.release import release
from mel_pipeline.publication.store import Entry
from mel_pipeline.reporting.digests import digest_of
from mel_pipeline.reporting.edition_text import edition_texts, register_text
from mel_pipeline.reporting.inputs.editions import read_live, stated_in
from mel_pipeline.reporting.inputs.kept_editions import FROZEN, Kept, kept_of
from mel_pipeline.reporting.inputs.register_data import read_register
from mel_pipeline.reporting.page.said import said
from mel_pipeline.reporting.text.texts import texts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mel_pipeline.core.logins import Person
    from mel_pipeline.core.settings import Settings
    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.warehouse import Warehouse


def approve_edition(
    warehouse: Warehouse,
    settings: Settings,
    quarter: Quarter,
    role: str,
    note: str,
    without: Mapping[str, str] | None = None,
    by: Person | None = None,
) -> Entry:
    """Approve the figures of a quarter, its targets, definitions and texts. Arguments and errors as ``publishing.approve``."""
    content = content_of(warehouse, settings, quarter)
    return publishing.approve(warehouse, settings, quarter, role, note, without, content, by)


def publish_edition(
    warehouse: Warehouse, settings: Settings, quarter: Quarter, by: Person | None = None
) -> Entry:
    """Publish a quarter as it was approved and keep its edition whole, and that of the year that it closes.

    Where only targets, definitions or texts have changed since, that is a new version as well.

    Raises:
        PublicationError: as ``publishing.publish``.
        ReportError: what the MEL lead wrote for the edition cannot be read.
    """
    content = content_of(warehouse, settings, quarter)
    try:
        entry = publishing.publish(warehouse, settings, quarter, content, by)
    finally:
        release(warehouse, settings)
    keep_editions(warehouse, settings, quarter)
    return entry


def content_of(warehouse: Warehouse, settings: Settings, quarter: Quarter) -> str:
    """Digest of what people state in the editions of a quarter: targets, definitions, plan, narrative.

    Raises:
        ReportError: it cannot be read; or nothing has been calculated.
    """
    stated = []
    for period in _periods(warehouse, quarter):
        edition = read_live(warehouse, settings, period, for_readers=False)
        said(
            edition, [texts_of(edition, settings.report_sources, BASE)]
        )  # refuses texts that cannot be filled in
        stated.append(stated_in(edition))
    return digest_of(stated)


def keep_editions(warehouse: Warehouse, settings: Settings, quarter: Quarter) -> bool:
    """Keep the editions of a published quarter, unless they are kept already. Returns whether it did.

    An interrupted publication, and one made before editions were kept, is completed by the next run of the quarter.
    """
    from mel_pipeline.warehouse.migrating import ensure_tables

    publication = store.last_publication(warehouse, str(quarter))
    if publication is None or kept_of(warehouse, str(quarter)) is not None:
        return False
    editions: dict[str, Kept] = {}
    texts: list[str] = []
    for period in _periods(warehouse, quarter):
        with warehouse.connect():
            edition = read_live(warehouse, settings, period, for_readers=True)
            register = register_text(read_register(warehouse, last_day(period)))
        body, figures = edition_texts(with_sentences(edition, settings))
        texts += [body, register, *figures.values()]
        editions[period] = Kept(
            store.digest_of(body),
            {name: store.digest_of(part) for name, part in figures.items()},
            store.digest_of(register),
        )
    details = {
        "version": publication.version,
        "editions": {name: vars(kept) for name, kept in editions.items()},
    }
    entry = Entry(
        str(quarter), FROZEN, utc_now(), publication.figures, version=publication.version, details=details
    )
    with warehouse.transaction() as connection:
        ensure_tables(connection)
        store.store_texts(connection, texts)
        store.append(connection, entry)
    return True


def with_sentences(edition: Edition, settings: Settings) -> Edition:
    """The edition with its judgements, and its sentences in every configured language that is complete."""
    from mel_pipeline.reporting import languages, refused

    wanted = languages(settings.report_sources, settings.languages)
    incomplete = refused(edition, settings.report_sources, wanted)
    spoken = [
        texts_of(edition, settings.report_sources, language)
        for language in wanted
        if language not in incomplete
    ]
    return replace(edition, said=said(edition, spoken))


def _periods(warehouse: Warehouse, quarter: Quarter) -> list[str]:
    """The quarter, and the year that it closes; none before it is calculated."""
    if not warehouse.has_table("released_figures"):
        return []
    rows = warehouse.records(
        "select distinct period from released_figures where quarter = :quarter and grain <> 'month' order by period desc",
        {"quarter": str(quarter)},
    )
    return [str(row["period"]) for row in rows]
