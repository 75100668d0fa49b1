"""The PDF as pages: the numbers of the web page in each language, nothing cut off or split, no page wasted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from pypdf import PdfReader

from mel_pipeline.reporting import build_editions, cache
from mel_pipeline.reporting.edition import Decision, Edition, Narrative, Publication, Wording
from mel_pipeline.reporting.text.texts import load_texts
from mel_pipeline_tests.fixtures.paper import Word, lines_of, printed_shares, squeezed, wasted, words_of
from mel_pipeline_tests.golden.sample_edition import REPORTS, sample_edition

MARGIN = 42.5  # 15 mm in points
WIDTH, HEIGHT = 595.3, 841.9
NUMBER = re.compile(r"\d(?:[\d.,\u00a0\u202f]*\d)?")


def full_edition(period: str) -> Edition:
    """Published, with something in every section."""
    day = sample_edition().data_as_of
    wording = Wording(
        {"en": "Call each city before the lab.", "fr": "Appeler chaque ville.", "es": "Llamar antes."}
    )
    narrative = Narrative(lessons=[wording], decisions=[Decision(wording, "Programmes", day, True)])
    return sample_edition(
        period, narrative=narrative, publication=Publication(2, day, "Secretary General", "")
    )


EDITIONS = {
    ("2024-Q4", "en"): sample_edition("2024-Q4"),
    ("2024-Q4", "fr"): full_edition("2024-Q4"),
    ("2024-Q4", "es"): full_edition("2024-Q4"),
    ("2024", "en"): full_edition("2024"),
}
MARKS: dict[tuple[str, str], pytest.MarkDecorator | tuple[()]] = {
    ("2024-Q4", "en"): (),
    ("2024", "en"): pytest.mark.slow,
}


@dataclass(frozen=True)
class Paper:
    """A PDF and the web page with the same content."""

    language: str
    pdf: Path
    html: str


@pytest.fixture(
    scope="module",
    params=[pytest.param(key, marks=MARKS.get(key, pytest.mark.long), id=" ".join(key)) for key in EDITIONS],
)
def paper(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, drawn_pictures: Path
) -> Iterator[Paper]:
    language = request.param[1]
    with cache.using(drawn_pictures):
        made = build_editions(
            EDITIONS[request.param], tmp_path_factory.mktemp("paper"), REPORTS, [language], with_pdf=True
        )[language]
    assert made.pdf is not None
    yield Paper(language, made.pdf, made.page.read_text(encoding="utf-8"))


@pytest.mark.long
def test_every_number_in_the_pdf_is_on_the_web_page(paper: Paper) -> None:
    on_screen = {squeezed(number) for number in NUMBER.findall(words_on_screen(paper.html))}
    on_paper = {squeezed(number) for number in numbers_of(paper)}
    assert len(on_paper) > 60
    assert on_paper - on_screen == set()


@pytest.mark.slow
def test_every_headline_figure_of_the_web_page_is_on_the_first_page_of_the_pdf(paper: Paper) -> None:
    front = paper.html.partition('<section class="line"')[0]
    shown = re.findall(r'class="(?:bar-value|number actual[^"]*)">(?:<span>)?([^<]+)<', front)
    first = squeezed(lines_of(paper.pdf)[0])
    assert len(shown) >= 5
    assert [figure for figure in shown if squeezed(figure) not in first] == []


def test_nothing_is_printed_outside_the_margins(paper: Paper) -> None:
    for number, words in enumerate(words_of(paper.pdf), start=1):
        assert words
        for word in words:
            assert word.left >= MARGIN - 1 and word.right <= WIDTH - MARGIN + 1, (number, word)
            assert word.top >= 20 and word.bottom <= HEIGHT - 20, (number, word)


@pytest.mark.slow
def test_no_words_overlap(paper: Paper) -> None:
    for number, words in enumerate(words_of(paper.pdf), start=1):
        ordered = sorted(words, key=lambda word: word.left)
        for place, word in enumerate(ordered):
            for other in ordered[place + 1 :]:
                if other.left >= word.right - 1:
                    break
                assert shared_height(word, other) < 0.4, (number, word, other)


@pytest.mark.slow
def test_no_page_is_empty_or_nearly_so(paper: Paper, tmp_path: Path) -> None:
    shares = printed_shares(paper.pdf, tmp_path)
    assert len(shares) > 8
    assert min(shares) > 0.012, shares


def test_no_page_leaves_its_lower_third_empty_unless_a_chapter_ends(paper: Paper) -> None:
    assert wasted(paper.pdf) == []


def test_quarters_and_ranges_are_not_split_across_lines(paper: Paper) -> None:
    for page in lines_of(paper.pdf):
        assert "Q4" in page or "T4" in page or "2024" in page
        for line, following in pairwise(page.splitlines()):
            assert not re.search(r"\b(19|20)\d\d-$|\bT[1-4]$", line), (line, following)
            assert not (re.search(r"\d[%\s]*–$", line) and re.match(r"\d", following)), (line, following)


def shared_height(one: Word, other: Word) -> float:
    """Vertical overlap of two boxes as a share of the shorter one."""
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared / min(one.bottom - one.top, other.bottom - other.top)


def numbers_of(paper: Paper) -> list[str]:
    """The numbers in the content, without page numbers."""
    texts = load_texts(REPORTS, paper.language)
    before, between, _ = texts("formats.page_of", page="|", pages="|").split("|")
    data_at = texts("formats.data_at")
    found = []
    for page in (page.extract_text() for page in PdfReader(paper.pdf).pages):  # poppler drops narrow spaces
        in_contents = texts("formats.contents") in page.splitlines()
        for line in page.splitlines():
            text = re.sub(
                rf"{re.escape(before)}\d+{re.escape(between)}\d+|{re.escape(data_at)}\s*\d+", "", line
            )
            in_contents = in_contents and line != texts("page.line", number=1)
            found += NUMBER.findall(re.sub(r" \d+$", "", text) if in_contents else text)
    return found


def words_on_screen(html: str) -> str:
    """The words of the page, folded or not, and the alternative texts of pictures."""
    reader = _Words()
    reader.feed(html)
    return " ".join(reader.found)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._silent = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._silent = self._silent or tag == "style"
        self.found += [value or "" for name, value in attributes if name == "alt"]

    def handle_endtag(self, tag: str) -> None:
        self._silent = self._silent and tag != "style"

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(data)
