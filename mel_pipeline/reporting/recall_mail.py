"""What receivers of a recalled edition are told: which version, since when, why, by which role, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ReportError
from mel_pipeline.reporting.page.restatement_notes import recall_sentence
from mel_pipeline.reporting.text.texts import texts_of

if TYPE_CHECKING:
    from pathlib import Path

    from mel_pipeline.reporting.edition import Edition


def recall_mail(edition: Edition, sources_dir: Path, language: str) -> tuple[str, str]:
    """Subject and text.

    Raises:
        ReportError: the edition is not recalled.
    """
    publication = edition.publication
    if publication is None or publication.recall is None:
        raise ReportError(f"Writing about the recall of {edition.period}: it is not recalled.")
    t = texts_of(edition, sources_dir, language)
    title = t.period_title(edition.period)
    lines = [
        t("recall.opening", period=title),
        recall_sentence(publication, publication.recall, t),
        t("recall.ask"),
        *([t("page.sample_mark")] if edition.is_sample else []),
        t("mail.why", organisation=edition.organisation),
    ]
    return t("recall.subject", organisation=edition.organisation, period=title), "\n\n".join(lines) + "\n"
