"""The board deck: eight to ten slides whose titles are messages from the figures. One language, one edition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mel_pipeline.core.periods import previous_period, year_before
from mel_pipeline.reporting.figures.judgement import is_of_year
from mel_pipeline.reporting.figures.measures import words
from mel_pipeline.reporting.packs.closing_slides import decisions_slide, money_slide, reading_slide
from mel_pipeline.reporting.packs.content import based_on
from mel_pipeline.reporting.packs.native_charts import add_chart
from mel_pipeline.reporting.packs.slides import BOTTOM, LEFT, ROOM, TOP, Deck

if TYPE_CHECKING:
    from mel_pipeline.reporting.chart_data.indicator import ChartFrame
    from mel_pipeline.reporting.packs.content import View
    from mel_pipeline.reporting.page.tables import Row

MOST_CARDS, MOST_TARGETS, MOST_CHARTS = 6, 9, 4
WORST_FIRST = {"off": 0, "near": 1, "on": 2, "over": 3, "ahead": 4, "no_baseline": 5}
LONGEST = 260  # characters of a definition beside a chart


def board_deck(view: View) -> bytes:
    """The deck as a PPTX file: native charts and tables, the sources in the speaker notes."""
    deck = Deck(view)
    told: list[str] = []
    _cover(deck, told)
    _brief(deck, told)
    _targets(deck)
    for frame in chosen_frames(view):
        _chart(deck, frame, told)
    money_slide(deck)
    decisions_slide(deck)
    reading_slide(deck)
    return deck.saved()


def chosen_frames(view: View) -> list[ChartFrame]:
    """Headline indicators with something to draw and a title of their own."""
    found: dict[str, ChartFrame] = {}
    for measure in sorted(view.known, key=lambda one: not one.headline):
        if measure.pictured and len(found) < MOST_CHARTS:
            frame = view.frame(measure)
            if not frame.is_empty and frame.title not in found and len(frame.marks) > 1:
                found[frame.title] = frame
    return list(found.values())


def source_of(row: Row, view: View) -> str:
    t, measure = view.t, row.measure
    return t(
        "pack.source_line",
        name=measure.name,
        value=row.actual.text,
        id=measure.id,
        source=t.say(measure.source),
    )


def _cover(deck: Deck, told: list[str]) -> None:
    view = deck.view
    t = view.t
    title = _first_sentence(view.sentences.on_track)
    told.append(title)
    lines = [
        view.title,
        *([plan] if (plan := _plan(view)) else []),
        t("page.as_of", day=t.day(view.edition.data_as_of)),
    ]
    deck.cover(title, lines, [view.sentences.on_track, based_on(view)])


def _plan(view: View) -> str:
    return view.local(view.edition.plan)


def _brief(deck: Deck, told: list[str]) -> None:
    view = deck.view
    rows = [row for row in view.rows if row.measure.headline][:MOST_CARDS]
    title = next(
        (
            text.rstrip(".")
            for text in [*view.sentences.changes, *view.sentences.points]
            if text.rstrip(".") not in told
        ),
        view.t("page.headline"),
    )
    told.append(title)
    notes = [*view.sentences.points, *(source_of(row, view) for row in rows), based_on(view)]
    page = deck.slide(title, view.t("page.headline"), notes)
    across = 3
    wide, high = (ROOM - 0.25 * (across - 1)) / across, (BOTTOM - TOP - 0.25) / 2
    for place in range(across * 2):
        down, along = divmod(place, across)
        spot = (LEFT + along * (wide + 0.25), TOP + down * (high + 0.25), wide, high)
        if place < len(rows):
            row = rows[place]
            target = (
                ""
                if row.target.missing
                else view.t("pack.fact", name=view.t("page.target"), value=_target(row, view))
            )
            words_ = [row.measure.name, row.actual.text, _since(row, view), target, _status(row)]
            deck.card(page, spot, words_, row.standing.code)
        elif place == len(rows):
            deck.remark(page, spot, _more(view))


def _more(view: View) -> str:
    """What the cover does not say of the targets, or how many answered."""
    _, _, rest = view.sentences.on_track.partition(". ")
    return rest or view.sentences.answered or view.sentences.on_track


def _since(row: Row, view: View) -> str:
    """How it changed from the period before, where the two can be compared."""
    if row.actual.missing or not row.previous.change:
        return ""
    earlier = previous_period(view.edition.period)
    return view.t("pack.since", change=row.previous.change, value=row.previous.text, period=earlier)


def _status(row: Row) -> str:
    return f"{row.status.shape} {row.status.word}"


def _targets(deck: Deck) -> None:
    view = deck.view
    t = view.t
    rows = sorted(
        (row for row in view.rows if not row.target.missing),
        key=lambda row: (WORST_FIRST.get(row.standing.code, 9), not row.measure.headline),
    )[:MOST_TARGETS]
    late = [row for row in view.rows if row.standing.code == "off"]
    title = (
        t.plural("pack.behind", len(late), names=t.listed([row.measure.name for row in late[:2]]))
        if late
        else t("pack.none_behind")
    )
    notes = [t("pack.targets_note"), *(source_of(row, view) for row in rows), based_on(view)]
    page = deck.slide(title, t("pack.targets"), notes)
    head = [
        t("site.plan_indicator"),
        t("page.actual"),
        t("page.expected_by_now"),
        t("page.target"),
        t("page.status"),
    ]
    body, colours = [head], {}
    for place, row in enumerate(rows, start=1):
        expected = row.standing.expected
        body.append(
            [
                row.measure.name,
                _measured(row, view),
                "" if expected is None else t.value(row.measure, expected),
                _target(row, view),
                f"{row.status.shape} {row.status.word}",
            ]
        )
        colours[place, 4] = deck.colour_of(row.standing.code)
    deck.table(
        page,
        body,
        [4.6, 1.75, 1.75, 2.1, 1.93],
        TOP + 0.05,
        high=(BOTTOM - TOP - 0.1) / len(body) if len(body) > 7 else 0.55,
        colours=colours,
    )


def _measured(row: Row, view: View) -> str:
    """What is measured against the target: of an amount the year so far, with its year."""
    value, target = row.standing.value, row.standing.target
    if value is None:
        return row.actual.text
    shown = view.t.value(row.measure, value)
    return (
        f"{shown} ({target.period})"
        if target and is_of_year(row.measure, target, view.edition.period)
        else shown
    )


def _target(row: Row, view: View) -> str:
    target = row.standing.target
    if target is None:
        return row.target.text
    return f"{row.target.text} ({view.t.period(target.period)})"


def _chart(deck: Deck, frame: ChartFrame, told: list[str]) -> None:
    view = deck.view
    t, measure = view.t, frame.measure
    row = next(row for row in view.rows if row.measure.id == measure.id)
    title = frame.title if frame.title not in told else f"{measure.name}: {row.actual.text}"
    told.append(title)
    notes = [frame.alt, source_of(row, view), measure.limitations, frame.footnote, based_on(view)]
    page = deck.slide(title, _line_of(row, view), [note for note in notes if note])
    deck.text(page, [frame.subtitle], LEFT, TOP - 0.12, 8.2, 0.35, size=13, colour=deck.look.quiet)
    add_chart(page, frame, (LEFT - 0.1, TOP + 0.3, 8.2, BOTTOM - TOP - 0.65), deck.look, t)
    deck.text(page, [_foot(frame, view)], LEFT, BOTTOM - 0.28, 8.2, 0.3, size=10, colour=deck.look.quiet)
    _beside(deck, page, row)


def _foot(frame: ChartFrame, view: View) -> str:
    """Without the sentence about intervals, which native charts do not draw."""
    return " ".join(frame.footnote.replace(view.t("chart.interval"), "").split())


def _line_of(row: Row, view: View) -> str:
    names = {
        str(int(line["number"])): words(line.get(f"name_{view.language}")) or words(line["name_en"])
        for line in view.edition.lines_of_action.to_dict("records")
    }
    named = [names[line] for line in row.measure.lines if line in names]
    return named[0] if len(named) == 1 else view.t("page.across")


def _beside(deck: Deck, page: Any, row: Row) -> None:
    """Right of a chart: the figure, what it compares with, and what is counted."""
    view, t = deck.view, deck.view.t
    left, wide = 9.15, 3.58
    deck.box(page, left, TOP, wide, BOTTOM - TOP, fill=deck.look.soft)
    inner, room = left + 0.25, wide - 0.5
    deck.text(
        page, [row.measure.name], inner, TOP + 0.15, room, 0.55, size=13, colour=deck.look.quiet, strong=True
    )
    deck.text(
        page,
        [row.actual.text],
        inner,
        TOP + 0.7,
        room,
        0.6,
        size=28 if len(row.actual.text) < 12 else 21,
        colour=deck.look.navy,
        strong=True,
    )
    period = view.edition.period
    earlier = {previous_period(period): row.previous, year_before(period): row.year_before}
    facts = [
        t("pack.fact", name=name, value=f"{cell.text}{f' ({cell.change})' if cell.change else ''}")
        for name, cell in earlier.items()
        if not cell.missing
    ]
    facts += (
        []
        if row.target.missing
        else [
            t("pack.fact", name=t("page.target"), value=_target(row, view)),
            f"{row.status.shape} {row.status.word}",
        ]
    )
    deck.text(page, facts, inner, TOP + 1.35, room, 1.5, size=12.5, gap=4)
    deck.text(
        page, [t("pack.counted")], inner, TOP + 2.75, room, 0.3, size=12.5, colour=deck.look.navy, strong=True
    )
    deck.text(page, [_short(row.measure.definition)], inner, TOP + 3.05, room, 2.0, size=12)


def _short(text: str) -> str:
    """Whole sentences, as many as fit beside a chart."""
    found = ""
    for sentence in text.replace("\n", " ").split(". "):
        if found and len(found) + len(sentence) > LONGEST:
            break
        found = f"{found} {sentence.rstrip('.')}.".strip()
    return found if len(found) <= LONGEST + 80 else f"{found[:LONGEST].rsplit(' ', 1)[0]} …"


def _first_sentence(text: str) -> str:
    return text.split(". ", maxsplit=1)[0].rstrip(".")
