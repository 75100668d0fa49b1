"""The last slides of a deck: money, decisions, and how to read the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mel_pipeline.reporting.figures.measures import number, words
from mel_pipeline.reporting.packs.content import based_on
from mel_pipeline.reporting.packs.native_charts import add_pairs
from mel_pipeline.reporting.packs.slides import BOTTOM, LEFT, ROOM, TOP, Deck

if TYPE_CHECKING:
    from mel_pipeline.reporting.packs.content import View

MOST_DECISIONS = 5


def money_slide(deck: Deck) -> None:
    """Budget and spending of the edition's year, project by project; no slide without any."""
    view = deck.view
    t, year = view.t, view.edition.period[:4]
    frame = view.pack.register.finances
    rows = [row for row in (frame.to_dict("records") if len(frame) else []) if str(int(row["year"])) == year]
    if not rows:
        return
    names = {project.code: project.name for project in view.projects}
    currency = words(rows[0]["currency"])
    codes = [words(row["project_id"]) for row in rows]
    budget, spent = ([number(row[name]) for row in rows] for name in ("budget", "spent"))
    known = [
        (one, two) for one, two in zip(budget, spent, strict=True) if one is not None and two is not None
    ]
    title = t(
        "pack.spent_title",
        spent=_money_of(sum(two for _, two in known), currency, view),
        budget=_money_of(sum(one for one, _ in known), currency, view),
        year=year,
    )
    missing = [
        code for code, one, two in zip(codes, budget, spent, strict=True) if one is None or two is None
    ]
    notes = [
        t("pack.money_note"),
        *([t("pack.money_missing", codes=t.listed(missing))] if missing else []),
        based_on(view),
    ]
    page = deck.slide(title, t("site.money"), notes)
    add_pairs(
        page, codes, [(t("site.budget"), budget), (t("site.spent"), spent)], (LEFT - 0.1, TOP, 6.0, BOTTOM - TOP),
        deck.look, "#,##0", title,
    )  # fmt: skip
    head = [t("site.project"), t("site.budget"), t("site.spent"), t("site.spent_share")]
    shares = {
        project.code: next((money.share for money in project.money if money.year == year), "")
        for project in view.projects
    }
    body = [head] + [
        [
            names.get(code, code),
            _money_of(one, currency, view),
            _money_of(two, currency, view),
            shares.get(code, ""),
        ]
        for code, one, two in zip(codes, budget, spent, strict=True)
    ]
    shape_left = LEFT + 6.1
    table = deck.table(page, body, [2.55, 1.22, 1.22, 1.04], TOP + 0.35, high=0.86, size=12)
    table._graphic_frame.left = round(shape_left * 914_400)


def _money_of(value: float | None, currency: str, view: View) -> str:
    if value is None:
        return view.t("status.not_available")
    return f"{view.t.number(value)}\N{NO-BREAK SPACE}{currency}"


def decisions_slide(deck: Deck) -> None:
    """What the board is asked to decide, and what was learnt."""
    view = deck.view
    t = view.t
    open_ones = view.sentences.decisions[:MOST_DECISIONS]
    title = (
        t.plural("pack.decisions_title", len(open_ones))
        if open_ones
        else t("story.nothing_to_decide").rstrip(".")
    )
    notes = [*open_ones, *view.sentences.learning.get("lessons", []), based_on(view)]
    page = deck.slide(title, t("story.decide"), notes)
    lessons = view.sentences.learning.get("lessons", [])
    high = min(1.25, (BOTTOM - TOP) / max(1, len(open_ones)))
    wide = ROOM if not lessons else 7.9
    for place, text in enumerate(open_ones):
        top = TOP + place * high
        mark = deck.box(page, LEFT, top + 0.05, 0.5, 0.5, fill=deck.look.navy)
        deck._write(
            mark.text_frame, [str(place + 1)], 15, deck.look.paper, strong=True, align="center", middle=True
        )
        deck.text(page, [text], LEFT + 0.75, top, wide - 0.8, high - 0.05, size=17)
    if lessons:
        deck.box(page, 9.15, TOP, 3.58, BOTTOM - TOP, fill=deck.look.soft)
        deck.text(
            page, [t("pack.learnt")], 9.4, TOP + 0.15, 3.1, 0.3, size=13, colour=deck.look.navy, strong=True
        )
        deck.text(page, lessons[:4], 9.4, TOP + 0.55, 3.1, BOTTOM - TOP - 0.7, size=14, gap=10)


def reading_slide(deck: Deck) -> None:
    """Status, protection of small groups, rounding, how to cite."""
    view = deck.view
    t, edition = view.t, view.edition
    withheld = t.choice("status", "suppressed")
    texts = [
        (view.label.tag, view.label.sentence),
        (t("page.suppression"), t("page.suppression_text", shown=withheld)),
        (t("pack.rounding"), t("page.rounding")),
        *([(t("page.sample_heading"), t("page.sample_text"))] if edition.is_sample else []),
        (
            t("page.cite"),
            t(
                "page.cite_text",
                organisation=edition.organisation,
                year=edition.data_as_of.year,
                period=view.title,
                day=t.day(edition.data_as_of),
                status=view.label.tag.lower(),
            ),
        ),
    ]
    page = deck.slide(t("pack.reading_title"), t("pack.reading"), [t("pack.trace_note"), based_on(view)])
    columns, high = 2, (BOTTOM - TOP) / ((len(texts) + 1) // 2)
    wide = (ROOM - 0.5) / columns
    for place, (name, body) in enumerate(texts):
        down, along = divmod(place, columns)
        left, top = LEFT + along * (wide + 0.5), TOP + down * high
        deck.text(page, [name], left, top, wide, 0.32, size=14, colour=deck.look.navy, strong=True)
        deck.text(page, [body], left, top + 0.33, wide, high - 0.4, size=13.5)
