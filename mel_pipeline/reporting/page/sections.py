"""What stands where: each indicator once, under its line of action or its topic. Decides nothing about layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mel_pipeline.reporting.figures.measures import Measure, words
from mel_pipeline.reporting.page.topics import TOPICS, topic_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mel_pipeline.reporting.edition import Edition
    from mel_pipeline.reporting.page.tables import Row
    from mel_pipeline.reporting.text.texts import Texts


@dataclass(frozen=True)
class Picture:
    """A chart for the page: a wide drawing and one for phones, as data URLs, and its numbers as a table.

    ``anchor`` is the indicator, or the name of an overview picture.
    """

    anchor: str
    name: str
    alt: str
    headings: Sequence[str]
    table: Sequence[Sequence[str]]
    svg: bytes  # the wide drawing
    small_svg: bytes  # the narrow one
    wide: str
    narrow: str
    width: int
    height: int
    small_width: int
    small_height: int


@dataclass(frozen=True)
class Elsewhere:
    """An indicator named under one of its lines and shown once, at ``anchor``."""

    name: str
    anchor: str


@dataclass(frozen=True)
class Section:
    """A page of the report: its charts, and a row for each other indicator that belongs to it.

    ``elsewhere``: indicators that belong here as well and stand under another heading, which their links lead to.
    """

    key: str  # gender | reach | satisfaction, or the number of a line of action
    heading: str
    pictures: list[Picture]
    rows: list[Row]
    elsewhere: list[Elsewhere]


def lines_of_action(
    edition: Edition,
    known: list[Measure],
    rows: dict[str, Row],
    pictures: dict[str, Picture],
    hero: Picture | None,
    texts: Texts,
) -> list[Section]:
    """The lines of action. Each indicator once, under one line or its topic; named where it belongs as well."""
    homes = _homes(known)
    lines = [
        (str(int(line["number"])), words(line.get(f"name_{texts.language}")) or words(line["name_en"]))
        for line in edition.lines_of_action.to_dict("records")
    ]
    if any(not measure.lines for measure in known):
        lines.append(("", texts("page.across")))
    sections = []
    for number, heading in lines:
        at_home = [measure for measure in known if homes.get(measure.id) == number]
        mine = [measure for measure in at_home if hero is None or measure.id != hero.anchor]
        others = [measure for measure in known if number in (measure.lines or ("",)) and measure not in mine]
        sections.append(
            Section(
                number,
                heading,
                pictures=[pictures[measure.id] for measure in mine if measure.id in pictures],
                rows=[rows[measure.id] for measure in mine if measure.id not in pictures],
                elsewhere=[Elsewhere(other.name, f"at-{other.id}") for other in others],
            )
        )
    return sections


def _homes(known: list[Measure]) -> dict[str, str]:
    """Indicator without a topic → the line of action it stands under."""
    return {measure.id: (measure.lines or ("",))[0] for measure in known if not topic_of(measure)}


def topics_across(
    known: list[Measure],
    rows: dict[str, Row],
    pictures: dict[str, Picture],
    hero: Picture | None,
    texts: Texts,
) -> list[Section]:
    """Gender balance, reach and satisfaction: the topics across the lines of action."""
    sections = []
    for topic in dict.fromkeys(TOPICS.values()):
        of_topic = [measure for measure in known if topic_of(measure) == topic]
        mine = [measure for measure in of_topic if hero is None or measure.id != hero.anchor]
        if of_topic:
            drawn = [pictures[measure.id] for measure in mine if measure.id in pictures]
            others = [rows[measure.id] for measure in mine if measure.id not in pictures]
            elsewhere = [Elsewhere(one.name, f"at-{one.id}") for one in of_topic if one not in mine]
            sections.append(Section(topic, texts.choice("topic", topic), drawn, others, elsewhere))
    return sections
