"""The first page: how many indicators are on track, what needs a decision, and what the MEL lead wrote.

Sentences are built from figures by rules; pure functions. The MEL lead's own main points replace the drafted ones.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING

from mel_pipeline.core.errors import ReportError
from mel_pipeline.core.languages import BASE
from mel_pipeline.core.periods import previous_period, year_before
from mel_pipeline.reporting.figures.findings import main_points
from mel_pipeline.reporting.figures.judgement import BANDS, IN_BAND, JUDGED, ON_TRACK, status_key
from mel_pipeline.reporting.figures.lookup import Figures
from mel_pipeline.sources.workbook.said import Said

if TYPE_CHECKING:
    from mel_pipeline.reporting.edition import Edition, Narrative, Wording
    from mel_pipeline.reporting.figures.measures import Measure
    from mel_pipeline.reporting.page.tables import Row
    from mel_pipeline.reporting.text.texts import Texts

HEADLINES = 5
MOST_DECISIONS = 5
MOST_AT_RISK = 6  # names on page one; the rest is counted
WORST_FIRST = ("off", "off_way", "out_of_band", "near", "near_way")
PLACE = re.compile(r"\{([A-Z]{3}-\d{2})(?: (previous|year before|target))?\}")


def on_track(rows: Sequence[Row], texts: Texts, *, is_sample: bool) -> str:
    """How many targets are on track and how many balance bands are kept; those that cannot be judged yet apart."""
    codes = Counter(row.standing.code for row in rows)
    good, judged = (sum(codes[code] for code in listed) for listed in (ON_TRACK, JUDGED))
    bands = sum(codes[code] for code in BANDS)
    sentences = [
        texts.plural("story.on_track", judged, good=texts.number(good)) if judged else "",
        texts("story.sample_targets") if judged and is_sample else "",
        texts.plural("story.bands", bands, kept=texts.number(codes[IN_BAND])) if bands else "",
        texts.plural("story.ahead", codes["ahead"]) if codes["ahead"] else "",
        texts.plural("story.no_baselines", codes["no_baseline"]) if codes["no_baseline"] else "",
    ]
    return " ".join(filter(None, sentences)) or texts("story.no_targets")


def at_risk(rows: Sequence[Row], texts: Texts) -> list[list[str]]:
    """Figures that missed their target, are behind it or out of balance: status (a key of the texts) and names.

    Worst first, headline figures before others of the same status. Those beyond the first six are a count without a status.
    """
    found = [(status_key(row.standing), row.measure) for row in rows]
    found = [item for item in found if item[0] in WORST_FIRST]
    found.sort(key=lambda item: (WORST_FIRST.index(item[0]), not item[1].headline))
    named = {key: [one.name for other, one in found[:MOST_AT_RISK] if other == key] for key in WORST_FIRST}
    rest = len(found) - MOST_AT_RISK
    return [
        *([key, "\u00a0· ".join(names)] for key, names in named.items() if names),
        *([["", texts.plural("story.more_at_risk", rest)]] if rest > 0 else []),
    ]


def opening_points(edition: Edition, known: Sequence[Measure], figures: Figures, texts: Texts) -> list[str]:
    """The MEL lead's main points with the figures filled in; otherwise the drafted ones.

    Raises:
        ReportError: a written point names an unknown indicator, or contains a number typed by hand.
    """
    written = edition.narrative.main_points if edition.narrative else []
    if not written:
        return main_points(known, figures, edition.period, texts)
    measures = {measure.id: measure for measure in known}
    return [_filled(localised(point, texts), measures, figures, texts) for point in written]


def named_in_title(edition: Edition) -> list[str]:
    """The indicators in the MEL lead's first main point."""
    written = edition.narrative.main_points if edition.narrative else []
    return [place[1] for place in PLACE.finditer(written[0].by_language[BASE])] if written else []


def localised(wording: Wording, texts: Texts) -> str:
    """A written text in the language, or else the English one, which is then recorded as missing."""
    if texts.language in wording.by_language:
        return wording.by_language[texts.language]
    english = wording.by_language[BASE]
    texts.missing.add(english)
    return english


def main_point_fault(text: str, known: Container[str]) -> Said | None:
    """Why a text cannot be a main point; None: it can. For the page, and for the workbook when it is written."""
    if re.search(r"\d", PLACE.sub("", text)):
        return Said("typed_number")
    unknown = [place[1] for place in PLACE.finditer(text) if place[1] not in known]
    return Said("point_unknown", code=unknown[0]) if unknown else None


def _filled(text: str, measures: Mapping[str, Measure], figures: Figures, texts: Texts) -> str:
    if fault := main_point_fault(text, measures):
        raise ReportError(f"Reading the main points: {fault}.")

    def value(place: re.Match[str]) -> str:
        measure = measures[place[1]]
        if place[2] == "target":
            target = figures.target(measure, figures.period)
            return texts("page.no_target") if target is None else texts.value_with_unit(measure, target.value)
        periods = {"previous": previous_period, "year before": year_before}
        period = periods[place[2]](figures.period) if place[2] else figures.period
        reading = figures.total(measure.id, period)
        return texts.value_with_unit(measure, reading.value if reading else None)

    return PLACE.sub(value, text)


def decisions_needed(edition: Edition, rows: Sequence[Row], texts: Texts) -> list[str]:
    """What needs a decision: open decisions first, then indicators off target, then missing headline figures."""
    found = [
        texts(
            "story.open_decision_due" if item.due else "story.open_decision",
            text=localised(item.text, texts).removesuffix("."),
            owner=texts.say(item.owner_role),
            **({"day": texts.day(item.due)} if item.due else {}),
        )
        for item in (edition.narrative.decisions if edition.narrative else [])
        if item.is_open
    ]
    for code in ("off", "out_of_band", "no_baseline"):
        found += [_off_course(row, texts) for row in rows if row.standing.code == code]
    found += [
        texts("story.missing", name=row.measure.name, owner=texts.say(row.measure.owner_role))
        for row in rows
        if row.measure.headline and row.status.code == "not_available"
    ]
    return found[:MOST_DECISIONS]


def open_restatements(edition: Edition, texts: Texts) -> list[str]:
    """Published figures that wait to be restated: the one decision that a published edition gets later."""
    waiting = sum(
        1 for row in edition.restatements if row["disaggregation"] == "total" and row["state"] == "open"
    )
    return [texts.plural("story.restatements", waiting)] if waiting else []


def _off_course(row: Row, texts: Texts) -> str:
    judged, measure = row.standing, row.measure
    late = judged.code == "off" and not judged.is_due
    return texts(
        f"story.{'behind' if late else judged.code}",
        name=measure.name,
        value=texts.value_with_unit(measure, judged.value),
        expected=texts.value(measure, judged.expected),
        target=row.target.text,
        period=judged.target.period if judged.target else "",
        owner=texts.say(measure.owner_role),
    )


def narrative_of(edition: Edition, texts: Texts) -> dict[str, list[str]]:
    """Lessons, themes of comments and decisions in words; themes mentioned by too few people are merged."""
    narrative: Narrative | None = edition.narrative
    if narrative is None:
        return {}
    shown = [theme for theme in narrative.comments if theme.people >= edition.min_cell]
    rest = len(narrative.comments) - len(shown)
    comments = [
        texts.plural("learning.theme", theme.people, theme=localised(theme.theme, texts))
        for theme in sorted(shown, key=lambda theme: -theme.people)
    ]
    comments += [texts.plural("learning.other_themes", rest)] if rest else []
    if agreed := narrative.agreement:
        kappa, low, high = (texts.number(value, 2) for value in (agreed.kappa, agreed.low, agreed.high))
        comments.append(texts.plural("learning.agreement", agreed.comments, kappa=kappa, low=low, high=high))
    decisions = []
    for item in narrative.decisions:
        state = texts("learning.open") if item.is_open else texts("learning.taken")
        due = texts("learning.due", day=texts.day(item.due)) if item.due else ""
        decisions.append(
            texts(
                "learning.decision",
                text=localised(item.text, texts),
                owner=texts.say(item.owner_role),
                state=state,
                due=due,
            )
        )
    return {
        "lessons": [localised(lesson, texts) for lesson in narrative.lessons],
        "comments": comments,
        "decisions": decisions,
    }
