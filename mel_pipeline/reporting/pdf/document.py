"""The page model as one JSON document for ``report.typ``: words and order, no layout.

Apart from chart data, what the web page folds away (every table of the quality section, where a figure comes from)
is left out of the PDF; the workbook has it as well.
"""

from __future__ import annotations

import base64
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from mel_pipeline.reporting.page.model import plan_of
from mel_pipeline.reporting.pdf.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.reporting.page.model import PageModel
    from mel_pipeline.reporting.page.sections import Picture, Section
    from mel_pipeline.reporting.page.tables import Row

TALLEST = 1.35  # a picture of half a page; taller ones are set across it


def pdf_document(page: PageModel) -> dict[str, Any]:
    """The input of ``report.typ``: only texts, layout numbers and drawings, so that all of it fits into JSON."""
    t, edition = page.t, page.edition
    previous = "page.previous_year" if edition.grain == "year" else "page.previous"
    return {
        "language": t.language,
        "title": t("page.title", organisation=edition.organisation, period=t.period_title(edition.period)),
        "organisation": edition.organisation,
        "logo": _logo(edition.logo, t("page.logo", organisation=edition.organisation)),
        "plan": plan_of(edition, t),
        "eyebrow": t("page.eyebrow"),
        "period": t.period_title(edition.period),
        "day": [edition.data_as_of.year, edition.data_as_of.month, edition.data_as_of.day],
        "as_of": t("page.as_of", day=t.day(edition.data_as_of)),
        "standing": {**asdict(page.standing), "short": _standing(page)},
        "page_of": _page_of(page),
        "is_sample": edition.is_sample,
        "is_year": edition.grain == "year",
        "words": {name: t(key) for name, key in WORDS.items()} | {"previous": t(previous)},
        "front": _front(page),
        "sections": _lines_of_action(page) + _topics(page),
        "projects": {"heading": t("projects.title"), "intro": t("projects.intro"), "lines": page.projects},
        "learning": _learning(page),
        "performance": {
            "heading": t("page.performance"),
            "intro": t("page.performance_intro", period=edition.period),
            "rows": [_row(row) for row in page.rows],
        },
        "definitions": {
            "heading": t("page.definitions"),
            "intro": t("page.definitions_intro"),
            "sheets": [_sheet(row, page) for row in page.sheets],
        },
        "restatements": _restatements(page),
        "quality": _quality(page),
        "cite": {"heading": t("page.cite"), **_cite(page)},
        "annex": {"heading": t("formats.annex"), "intro": t("formats.annex_intro")},
    }


def _standing(page: PageModel) -> str:
    publication = page.edition.publication
    if publication is None:
        return page.standing.tag
    return page.t("site.published", version=publication.version, day=page.t.day(publication.day))


def _logo(address: str, words: str) -> dict[str, Any] | None:
    """Bytes, format and text of a logo; None where there is none."""
    if not address:
        return None
    kind, _, content = address.partition(";base64,")
    form = "svg" if kind.endswith("svg+xml") else "png"
    return {"bytes": list(base64.b64decode(content)), "format": form, "words": words}


def _page_of(page: PageModel) -> list[str]:
    """The text before, between and after the two numbers of ``Page 1 of 9``."""
    before, _, rest = page.t("formats.page_of", page="\0", pages="\1").partition("\0")
    between, _, after = rest.partition("\1")
    return [before, between, after]


def _lines_of_action(page: PageModel) -> list[dict[str, Any]]:
    first = [page.overviews[name] for name in ("member_map",) if name in page.overviews]
    return [
        {
            **_section(section, f"line-{place}", first if place == 1 else [], page),
            "eyebrow": page.t("page.line", number=section.key) if section.key else "",
            "intro": page.membership if place == 1 else "",
        }
        for place, section in enumerate(page.sections, start=1)
    ]


def _topics(page: PageModel) -> list[dict[str, Any]]:
    first = {"reach": "platforms", "satisfaction": "likert"}
    topics = []
    for section in page.topics:
        overview = page.overviews.get(first.get(section.key, ""))
        topics.append(
            {
                **_section(section, f"topic-{section.key}", [overview] if overview else [], page),
                "eyebrow": page.t("topic.eyebrow"),
                "intro": _topic_intro(section.key, page),
                "ladder": _ladder(page) if section.key == "reach" else None,
            }
        )
    return topics


def _topic_intro(key: str, page: PageModel) -> str:
    own = {"satisfaction": page.answered, "reach": page.ladder.intro}
    return own[key] if key in own else page.t(f"topic.{key}_intro")


def _ladder(page: PageModel) -> dict[str, Any]:
    groups = [
        {"heading": heading, "rungs": [asdict(rung) for rung in rungs]}
        for heading, rungs in page.ladder.groups
    ]
    return {"descends": page.ladder.descends, "groups": groups}


def _section(section: Section, label: str, first: Sequence[Picture], page: PageModel) -> dict[str, Any]:
    elsewhere = [[other.name, other.anchor] for other in section.elsewhere]
    before, _, after = page.t("front.elsewhere", names="\0").partition("\0")
    return {
        "label": label,
        "heading": section.heading,
        "intro": "",
        "ladder": None,
        "pictures": [_picture(picture) for picture in [*first, *section.pictures]],
        "also": bool(section.pictures),
        "rows": [_row(row) for row in section.rows],
        "elsewhere": {"before": before, "names": elsewhere, "after": after},
    }


def _front(page: PageModel) -> dict[str, Any]:
    front = page.front
    return {
        **asdict(replace(front, figures=[])),
        "figures": [_row(row) for row in front.figures],
        "decision": front.decision or page.t("story.nothing_to_decide"),
        "nothing": page.t("front.nothing_else" if front.lead else "story.no_changes"),
        "hero": _picture(page.hero) if page.hero else None,
    }


def _picture(picture: Picture) -> dict[str, Any]:
    """With the drawing for half a page, or the wide one where that would be too tall.

    ``tall``: the height of the narrow drawing as a part of its width.
    """
    tall = picture.small_height / picture.small_width
    is_wide = tall > TALLEST
    return {
        "id": picture.anchor,
        "name": picture.name,
        "alt": picture.alt,
        "svg": (picture.svg if is_wide else picture.small_svg).decode("utf-8"),
        "tall": round(tall, 3),
        "is_wide": is_wide,
        "headings": list(picture.headings),
        "table": [list(cells) for cells in picture.table],
    }


def _row(row: Row) -> dict[str, Any]:
    """A row of a table. It links to its indicator's definition; no target is a dash."""
    cells = {
        name: asdict(getattr(row, name))
        for name in ("actual", "previous", "year_before", "target", "baseline")
    }
    if row.target.missing:
        cells["target"]["text"] = "–"
    fraction = f"{row.numerator} / {row.denominator}" if row.numerator and row.denominator else ""
    return {
        **cells,
        "id": row.measure.id,
        "name": row.measure.name,
        "status": asdict(row.status) if row.status.code != "no_target" else None,
        "spark": {
            "runs": [[_point(point) for point in run.split()] for run in row.spark.runs],
            "last": row.spark.last,
        },
        "note": row.note,
        "restated": row.restated,
        "fraction": fraction,
        "n": row.n,
        "interval": row.interval,
    }


def _point(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


def _sheet(row: Row, page: PageModel) -> dict[str, Any]:
    t, m = page.t, row.measure
    formula = " / ".join(t.say(part) for part in (m.numerator_text, m.denominator_text) if part)
    baseline = row.baseline.text + (f" ({row.baseline.change})" if row.baseline.change else "")
    fields = [
        ("definition", m.definition),
        ("unit", row.unit),
        ("formula", formula if m.numerator_text else ""),
        ("aggregation", t.choice("rule", m.aggregation)),
        ("source", t.say(m.source)),
        ("frequency", t.named("frequency", m.frequency)),
        ("owner", t.say(m.owner_role)),
        ("level", t.choice("level", m.level)),
        ("rationale", m.rationale),
        ("collection", t.choice("collection", m.collection)),
        ("assessed", t.day(m.assessed_on) if m.assessed_on else t("page.not_assessed")),
        ("baseline", f"{baseline}. {t.say(m.baseline_note)}" if m.baseline_note else baseline),
        ("part_targets", ". ".join(row.part_targets)),
        ("months", ". ".join(row.months)),
        ("stated", "; ".join(row.stated)),
        ("earlier", "; ".join(row.earlier)),
        ("limitations", m.limitations),
    ]
    shown = [[t(f"page.{name}"), text] for name, text in fields if text]
    return {"id": m.id, "name": m.name, "fields": shown}


def _learning(page: PageModel) -> dict[str, Any]:
    t = page.t
    parts = ("lessons", "comments", "decisions") if page.learning else ()
    return {
        "heading": t("learning.title"),
        "nothing": "" if page.learning else t("learning.nothing", period=page.edition.period),
        "parts": [{"heading": t(f"learning.{name}"), "lines": page.learning[name]} for name in parts],
        "none": t("learning.none"),
    }


def _restatements(page: PageModel) -> dict[str, Any] | None:
    if not (page.edition.publication or page.restatements):
        return None
    intro = "page.restatements_intro" if page.restatements else "page.no_restatements"
    return {
        "heading": page.t("page.restatements"),
        "intro": " ".join(filter(None, [page.standing.note, page.t(intro)])),
        "rows": [asdict(row) for row in page.restatements],
    }


def _quality(page: PageModel) -> dict[str, Any]:
    t = page.t
    return {
        "heading": t("page.quality"),
        "intro": t("page.quality_intro"),
        "card": page.card,
        "rules": f"{t('page.rules_intro')} {'; '.join(page.rules_held)}. {page.worth_a_look}"
        if page.rules_held
        else "",
        "notes": [t.say(note) for note in page.edition.notes],
        "suppression": f"{t('page.suppression_text', shown=t('status.suppressed'))} {t('page.rounding')}",
    }


def _cite(page: PageModel) -> dict[str, str]:
    t, edition = page.t, page.edition
    return {
        "text": t(
            "page.cite_text",
            organisation=edition.organisation,
            year=edition.data_as_of.year,
            period=t.period_title(edition.period),
            day=t.day(edition.data_as_of),
            status=page.standing.tag.lower(),
        ),
        "sample": t("page.cite_sample") if edition.is_sample else "",
        "licence": t("page.licence", name=edition.licence.replace("-", " "))
        if edition.licence
        else t("page.no_licence", organisation=edition.organisation),
    }
