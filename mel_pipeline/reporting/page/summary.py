"""What the first page tells: how many indicators are on track, what changed and why, what needs a decision.

Sentences by rules from figures; pure functions. The MEL lead's own main points replace the drafted ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.periods import previous_period, year_before
from mel_pipeline.reporting.figures.findings import UNSTATED, adds_up, compared_period, main_points
from mel_pipeline.reporting.figures.lookup import Figures, Reading, comparable
from mel_pipeline.reporting.text.texts import rounded

if TYPE_CHECKING:
    from mel_pipeline.reporting.edition import Edition, Narrative, Said
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.page.tables import Row
    from mel_pipeline.reporting.text.texts import Texts

HEADLINES = 5
ON_TRACK, JUDGED = ("over", "on", "in_band"), ("over", "on", "in_band", "near", "off", "out_of_band")
MOST_CHANGES, MOST_DECISIONS = 5, 5
PLACE = re.compile(r"\{([A-Z]{3}-\d{2})(?: (previous|year before|target))?\}")


def on_track(rows: Sequence[Row], texts: Texts) -> str:
    """The share of indicators that reach their target or band; those whose target is still ahead apart."""
    judged = [row for row in rows if row.status.code in JUDGED]
    good = [row for row in judged if row.status.code in ON_TRACK]
    ahead = [row for row in rows if row.status.code == "ahead"]
    if not judged:
        return texts("story.no_targets")
    sentence = texts("story.on_track", good=texts.number(len(good)), judged=texts.number(len(judged)))
    return f"{sentence} {texts.plural('story.ahead', len(ahead))}" if ahead else sentence


def opening_points(edition: Edition, known: Sequence[Measure], figures: Figures, texts: Texts) -> list[str]:
    """What the MEL lead wrote, with the figures filled in; otherwise what the figures say themselves.

    Raises:
        ReportError: a written point names a figure that is not there, or holds a number typed by hand.
    """
    written = edition.narrative.main_points if edition.narrative else []
    if not written:
        return main_points(known, figures, edition.period, texts)
    measures = {measure.id: measure for measure in known}
    return [_filled(said_in(point, texts), measures, figures, texts) for point in written]


def said_in(said: Said, texts: Texts) -> str:
    """A written text in the language; the English one, remembered as missing, where there is none."""
    if texts.language in said.by_language:
        return said.by_language[texts.language]
    english = said.by_language["en"]
    texts.missing.add(english)
    return english


def _filled(text: str, measures: Mapping[str, Measure], figures: Figures, texts: Texts) -> str:
    if re.search(r"\d", PLACE.sub("", text)):
        raise ReportError(
            "Reading the main points: a number is typed by hand. Write it as {MEM-01}, so that it is always the figure;"
            " other numbers in words."
        )

    def value(place: re.Match[str]) -> str:
        measure = measures.get(place[1])
        if measure is None:
            raise ReportError(f"Reading the main points: there is no indicator {place[1]}. Correct the file.")
        if place[2] == "target":
            target = figures.target(measure, figures.period)
            return texts("page.no_target") if target is None else texts.value_with_unit(measure, target.value)
        periods = {"previous": previous_period, "year before": year_before}
        period = periods[place[2]](figures.period) if place[2] else figures.period
        reading = figures.total(measure.id, period)
        return texts.value_with_unit(measure, reading.value if reading else None)

    return PLACE.sub(value, text)


def changes(edition: Edition, known: Sequence[Measure], figures: Figures, texts: Texts) -> list[str]:
    """What moved among the headline figures: how far, since when, mostly where, and what part only in the data."""
    sentences = []
    for measure in known:
        if not measure.headline:
            continue
        earlier, then = _held_against(measure, figures)
        now = figures.total(measure.id, edition.period)
        if now is None or then is None or now.value is None or then.value is None:
            continue
        if not comparable(now, then):
            sentences.append(texts("story.other_coverage", name=measure.name, earlier=earlier))
            continue
        moved = float(rounded(now.value, measure.decimals) - rounded(then.value, measure.decimals))
        if moved:
            # A level has moved since then; an amount of one quarter is only held against that of another.
            key = "story.moved" if measure.aggregation == "stock" or measure.is_line else "story.against"
            sentence = texts(key, name=measure.name, change=texts.change(measure, moved), earlier=earlier)
            sentences.append(
                sentence + _where(measure, earlier, figures, texts) + _why(edition, measure, texts) + "."
            )
    return sentences[:MOST_CHANGES]


def _held_against(measure: Measure, figures: Figures) -> tuple[str, Reading | None]:
    """The period the main points speak of: the usual one, or the one before where that has no figure."""
    for earlier in (compared_period(measure, figures.period), previous_period(figures.period)):
        then = figures.total(measure.id, earlier)
        if then is not None and then.value is not None:
            return earlier, then
    return "", None


def _where(measure: Measure, earlier: str, figures: Figures, texts: Texts) -> str:
    """The category that moved most, where the cells make up the total in both periods."""
    if measure.unit in ("percent", "score"):
        return ""
    for dimension in ("region", "platform", "donor", "line_of_action"):
        now, then = (figures.cells(measure.id, period, dimension) for period in (figures.period, earlier))
        totals = [figures.total(measure.id, period) for period in (figures.period, earlier)]
        if (
            now
            and then
            and adds_up(totals[0], list(now.values()))
            and adds_up(totals[1], list(then.values()))
        ):
            moved = {name: _value(now, name) - _value(then, name) for name in {*now, *then} - set(UNSTATED)}
            most = max(moved, key=lambda name: (abs(moved[name]), name), default="")
            if most and moved[most] and list(filter(None, moved.values())) == [moved[most]]:
                return texts("story.all_in", where=texts.named("category", most))
            if most and moved[most]:
                return texts(
                    "story.mostly",
                    where=texts.named("category", most),
                    change=texts.change(measure, moved[most]),
                )
    return ""


def _value(cells: Mapping[str, Reading], name: str) -> float:
    """A category that a complete breakdown does not list counts nothing."""
    return (cells[name].value or 0.0) if name in cells else 0.0


def _why(edition: Edition, measure: Measure, texts: Texts) -> str:
    parts = {
        reason: amount
        for reason, amount in edition.movements.get(measure.id, {}).items()
        if reason != "real_change" and rounded(amount, measure.decimals)
    }
    told = [
        texts("story.part", change=texts.change(measure, amount), reason=texts.choice("reason", reason))
        for reason, amount in parts.items()
    ]
    return texts("story.of_which", parts=texts.listed(told)) if told else ""


def decisions_needed(edition: Edition, rows: Sequence[Row], texts: Texts) -> list[str]:
    """What somebody has to decide: open decisions first, then indicators off their target, then what is missing."""
    found = [
        texts(
            "story.open_decision",
            text=said_in(item.text, texts).removesuffix("."),
            owner=texts.say(item.owner_role),
        )
        for item in (edition.narrative.decisions if edition.narrative else [])
        if item.is_open
    ]
    for code in ("off", "out_of_band"):
        found += [
            texts(
                f"story.{code}",
                name=row.measure.name,
                value=row.actual.text,
                target=row.target.text,
                owner=texts.say(row.measure.owner_role),
            )
            for row in rows
            if row.status.code == code
        ]
    found += [
        texts("story.missing", name=row.measure.name, owner=texts.say(row.measure.owner_role))
        for row in rows
        if row.measure.headline and row.status.code == "not_available"
    ]
    waiting = sum(
        1 for row in edition.restatements if row["disaggregation"] == "total" and row["state"] == "open"
    )
    if waiting:
        found.append(texts.plural("story.restatements", waiting))
    return found[:MOST_DECISIONS]


def narrative_of(edition: Edition, texts: Texts) -> dict[str, list[str]]:
    """Lessons, themes of comments and decisions in words; themes of too few people are put together."""
    narrative: Narrative | None = edition.narrative
    if narrative is None:
        return {}
    shown = [theme for theme in narrative.comments if theme.people >= edition.min_cell]
    rest = len(narrative.comments) - len(shown)
    comments = [
        texts.plural("learning.theme", theme.people, theme=said_in(theme.theme, texts))
        for theme in sorted(shown, key=lambda theme: -theme.people)
    ]
    comments += [texts.plural("learning.other_themes", rest)] if rest else []
    decisions = []
    for item in narrative.decisions:
        state = texts("learning.open") if item.is_open else texts("learning.taken")
        due = texts("learning.due", day=texts.day(item.due)) if item.due else ""
        decisions.append(
            texts(
                "learning.decision",
                text=said_in(item.text, texts),
                owner=texts.say(item.owner_role),
                state=state,
                due=due,
            )
        )
    return {
        "lessons": [said_in(lesson, texts) for lesson in narrative.lessons],
        "comments": comments,
        "decisions": decisions,
    }
