"""Restatements of published figures in words: the footnote beside a figure, the table, the edition's status label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mel_pipeline.reporting.edition import Edition, Publication, Recall
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.text.texts import Texts

HELD = "held"


@dataclass(frozen=True)
class RestatementRow:
    """One row of the table: a figure, a reason, and how much of the difference is due to that reason."""

    id: str
    name: str
    cell: str
    published: str
    now: str
    difference: str
    reason: str


@dataclass(frozen=True)
class PublicationLabel:
    """Whether the figures are provisional or published, as a tag and as a sentence; of a later version, why it was made.

    ``code``: provisional, published or recalled, for the colour of the tag.
    """

    tag: str
    sentence: str
    note: str = ""
    code: str = "provisional"


def publication_label(edition: Edition, texts: Texts) -> PublicationLabel:
    if edition.publication is None:
        return PublicationLabel(texts("page.provisional"), texts("page.provisional_long"))
    publication = edition.publication
    if publication.recall is not None:
        sentence = recall_sentence(publication, publication.recall, texts)
        return PublicationLabel(texts("recall.tag"), sentence, code="recalled")
    sentence = texts(
        "page.published_long",
        version=publication.version,
        day=texts.day(publication.day),
        role=publication.role,
    )
    note = texts("page.version_note", version=publication.version, note=publication.note)
    return PublicationLabel(
        texts("page.published"), sentence, note if publication.version > 1 else "", "published"
    )


def recall_sentence(publication: Publication, recall: Recall, texts: Texts) -> str:
    """Which version was recalled, when, by whom and why; the reason as it was written."""
    return texts(
        "recall.sentence",
        version=publication.version,
        published=texts.day(publication.day),
        day=texts.day(recall.day),
        role=recall.role,
        reason=recall.reason,
    )


def footnotes(
    rows: Sequence[Mapping[str, Any]], known: Mapping[str, Measure], texts: Texts
) -> dict[str, str]:
    """Indicator → footnote of its total, where the data now differ from what was published."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["disaggregation"] == "total" and row["indicator_id"] in known:
            found.setdefault(row["indicator_id"], []).append(row)
    return {indicator: _footnote(mine, known[indicator], texts) for indicator, mine in found.items()}


def restatement_rows(
    rows: Sequence[Mapping[str, Any]], known: Mapping[str, Measure], texts: Texts
) -> list[RestatementRow]:
    """The ledger of a period; numbers are hidden where the difference concerns too few people."""
    found = []
    for row in rows:
        measure = known.get(row["indicator_id"])
        if measure is None:
            continue
        hidden = texts.choice("status", "suppressed") if row["state"] == HELD else ""
        part = row["difference"]
        found.append(
            RestatementRow(
                measure.id,
                measure.name,
                _cell(row["disaggregation"], texts),
                hidden or texts.value(measure, row["published"]),
                hidden or texts.value(measure, row["current"]),
                hidden or ("" if part is None else texts.change(measure, float(part))),
                _reason(row, texts),
            )
        )
    return found


def _footnote(rows: Sequence[Mapping[str, Any]], measure: Measure, texts: Texts) -> str:
    reasons = ", ".join(dict.fromkeys(_reason(row, texts) for row in rows))
    if rows[0]["state"] == HELD:
        return texts("page.restated_held", reason=reasons)
    published, now = (texts.value(measure, rows[0][name]) for name in ("published", "current"))
    return texts("page.restated_footnote", published=published, now=now, reason=reasons)


def _reason(row: Mapping[str, Any], texts: Texts) -> str:
    return texts.choice("reason", row["reason"] or "not_known")


def _cell(disaggregation: str, texts: Texts) -> str:
    if disaggregation == "total":
        return texts("table.total")
    dimension, _, category = disaggregation.partition("=")
    return f"{texts.named('dimension', dimension)}: {texts.category(dimension, category)}"
