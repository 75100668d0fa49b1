"""Numbers in running text, with unit, precision and qualifier. The words of each language are in ``words/``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from babel.numbers import NumberFormatError, get_decimal_symbol, get_group_symbol, parse_decimal

from mel_pipeline.factcheck.non_figures import non_figures
from mel_pipeline.factcheck.number_patterns import LETTER_SCALE, LETTERS, SPACES, Patterns, patterns_of
from mel_pipeline.factcheck.number_words import spelled_numbers

_BEFORE = 40  # characters before a number searched for its qualifier
_DIGITS = re.compile(
    rf"(?<![\w.,])(?P<sign>[+\u2212]|(?<=[\s(])-(?=\d))?"
    rf"(?P<body>\d{{1,3}}(?:[{SPACES}'’]\d{{3}})+(?![\d])(?:[.,]\d+)?|\d+(?:[.,]\d+)*)"
)
_SIGNED_MONEY = re.compile(r"[+\u2212]\s?[€$£]\s?$")  # +€800,000


@dataclass(frozen=True)
class Number:
    """A number as written.

    ``kind`` is ``figure``, or what the digits are instead (``year``, ``date``, ``reference`` ...); only figures use
    the other fields. ``step`` is the unit of the last written digit, ``round_step`` that of the last
    non-zero digit: ``875 000`` has steps 1 and 1,000, ``1,5 K`` has 100 and 100. ``high`` is the upper end of a range,
    ``other`` what the digits mean with the separators of another language, ``parts`` what they mean if a space
    in them separates two numbers.
    """

    text: str
    start: int
    end: int
    kind: str = "figure"
    value: Decimal = Decimal(0)
    high: Decimal | None = None
    unit: str = "count"  # count | percent | points | score | EUR | another currency
    step: Decimal = Decimal(1)
    round_step: Decimal = Decimal(1)
    qualifier: str = ""
    signed: bool = False
    earlier: bool = False  # the first of "from 3 to 4"
    other: Decimal | None = None
    parts: tuple[Decimal, ...] = ()


def find_numbers(
    text: str, language: str, names: Iterable[str] = (), nouns: frozenset[str] = frozenset()
) -> list[Number]:
    """Every number of a text in order, figures and others.

    Args:
        names: names with digits in them, as ``non_figures`` takes them.
        nouns: words that are counted, as ``non_figures`` takes them.
    """
    others = [
        Number(text[one.start : one.end].strip(), one.start, one.end, one.kind)
        for one in non_figures(text, language, names, nouns)
    ]
    taken = [(one.start, one.end) for one in others]
    figures: list[Number] = []
    for number in _candidates(text, language):
        if all(number.end <= start or number.start >= end for start, end in taken):
            figures.append(number)
            taken.append((number.start, number.end))
    others += [
        Number(match.group(), match.start(), match.end(), "fragment")
        for match in re.finditer(r"\d+", text)
        if all(match.end() <= start or match.start() >= end for start, end in taken)
    ]
    figures.sort(key=lambda number: number.start)
    return sorted([*others, *_ranges(text, figures, patterns_of(language))], key=lambda number: number.start)


def _candidates(text: str, language: str) -> Iterable[Number]:
    patterns = patterns_of(language)
    for match in _DIGITS.finditer(text):
        yield _of_digits(text, match, language)
    for match in patterns.round_word.finditer(text):
        value = Decimal(patterns.round[match["word"].lower()])
        yield Number(
            match.group(), match.start(), match.end(), value=value, round_step=value, qualifier="about"
        )
    for match in patterns.one_scaled.finditer(text):
        yield _finished(text, match.start(), match.end(), Number("", 0, 0, value=Decimal(1)), language)
    for start, end, value_of in spelled_numbers(text, language):
        number = Number("", 0, 0, value=Decimal(value_of), round_step=_zeros(Decimal(value_of)))
        yield _finished(text, start, end, number, language)


def _of_digits(text: str, match: re.Match[str], language: str) -> Number:
    body = match["body"]
    value, step, other = read_digits(body, language)
    parts = tuple(Decimal(part) for part in body.split(" ")) if re.fullmatch(r"\d+(?: \d+)+", body) else ()
    number = Number(
        *("", 0, 0),
        value=value,
        step=step,
        round_step=_zeros(value) if step == 1 else step,
        other=other,
        parts=parts,
        signed=bool(match["sign"]) or bool(_SIGNED_MONEY.search(text[: match.start()])),
    )
    end = match.end()
    if (
        re.match(r"[^\W\d_]", text[end:])
        and not LETTER_SCALE.match(text, end)
        and not patterns_of(language).percent.match(text, end)
    ):
        return Number(body, match.start(), end, "reference")  # 3D, 4x4
    return _finished(text, match.start(), end, number, language)


def read_digits(body: str, language: str) -> tuple[Decimal, Decimal, Decimal | None]:
    """Value, unit of the last digit, and the alternative value if the separators are ambiguous.

    ``12,345`` is 12345 in English; in French it is 12.345 or possibly 12345.
    """
    clean = re.sub(rf"[{SPACES}'’]", "", body)
    marks = [c for c in clean if c in ".,"]
    locale = patterns_of(language).locale
    own, group = get_decimal_symbol(locale), get_group_symbol(locale)
    if len(marks) == 1 and clean == body:
        whole, decimals = re.split(r"[.,]", clean)
        if len(decimals) == 3 and 1 <= len(whole) <= 3 and whole != "0":
            grouped, broken = Decimal(whole + decimals), Decimal(f"{whole}.{decimals}")
            # A mark that is not the language's decimal one groups; in doubt where the language groups otherwise.
            if marks[0] == own:
                return broken, Decimal("0.001"), grouped
            return grouped, Decimal(1), None if marks[0] == group else broken
    if len(set(marks)) == 1 and len(marks) > 1:
        return Decimal(re.sub(r"[.,]", "", clean)), Decimal(1), None
    try:
        value = Decimal(parse_decimal(clean, locale=locale, strict=True))
    except NumberFormatError:  # unambiguous in another language's notation: 1.5 in French
        last = marks[-1] if marks else own
        drop = "," if last == "." else "."
        value = Decimal(clean.replace(drop, "").replace(last, "."))
    digits = len(re.split(r"[.,]", clean)[-1]) if marks and not _grouping_last(clean, value) else 0
    return value, Decimal(1).scaleb(-digits), None


def _grouping_last(clean: str, value: Decimal) -> bool:
    return value == Decimal(re.sub(r"[.,]", "", clean))


def _zeros(value: Decimal) -> Decimal:
    """The unit of the last non-zero digit."""
    if value == 0:
        return Decimal(1)
    digits = str(abs(int(value)))
    return Decimal(1).scaleb(len(digits) - len(digits.rstrip("0")))


def _finished(text: str, start: int, end: int, number: Number, language: str) -> Number:
    """The number with the scale, unit and qualifier around it."""
    power, patterns = 0, patterns_of(language)
    if scale := LETTER_SCALE.match(text, end) or patterns.scale.match(text, end):
        power = (LETTERS | patterns.scales)[scale["scale"].lower()]
        end = scale.end()
    unit, end = _unit(text, end, number, patterns)
    for code, pattern in patterns.money_before.items():
        if unit == "count" and (before := pattern.search(text, max(0, start - 14), start)):
            unit, start = code, before.start()
    if unit.isupper() and number.step == Decimal("0.001") and number.other is not None and not power:
        # Nobody writes thousandths of a euro.
        number = replace(
            number, value=number.other, other=None, step=Decimal(1), round_step=_zeros(number.other)
        )
    factor = Decimal(1).scaleb(power)
    qualifier = next(
        (
            name
            for name, pattern in patterns.qualified
            if pattern.search(text, max(0, start - _BEFORE), start)
        ),
        "",
    )
    return replace(
        number,
        text=text[start:end].strip(),
        start=start,
        end=end,
        value=number.value * factor,
        step=number.step * factor,
        round_step=number.round_step * factor,
        other=None if number.other is None else number.other * factor,
        parts=() if power or unit != "count" else number.parts,
        unit=unit,
        qualifier=qualifier,
    )


def _unit(text: str, end: int, number: Number, patterns: Patterns) -> tuple[str, int]:
    if match := patterns.percent.match(text, end):
        return (
            ("points", points.end())
            if (points := patterns.points.match(text, match.end()))
            else ("percent", match.end())
        )
    if match := patterns.points.match(text, end):
        return "points", match.end()
    for code, pattern in patterns.money_after.items():
        if match := pattern.match(text, end):
            return code, match.end()
    if number.value <= 5 and (match := patterns.score.match(text, end)):
        return "score", match.end()
    return "count", end


def _ranges(text: str, figures: list[Number], patterns: Patterns) -> list[Number]:
    """Figures with both ends of a range merged, and the first of ``from 3 to 4`` marked."""
    done: list[Number] = []
    for number in figures:
        last = done[-1] if done else None
        gap = text[last.end : number.start] if last else ""
        if last is None or last.high is not None or last.unit not in ("count", number.unit):
            done.append(number)
            continue
        dashed = patterns.range.fullmatch(gap) and last.value < number.value
        between = patterns.range_and.fullmatch(gap) and patterns.between.search(
            text, max(0, last.start - _BEFORE), last.start
        )
        moved = (
            dashed
            and patterns.moved_from.search(text, max(0, last.start - _BEFORE), last.start)
            and (last.unit == number.unit)
        )
        if moved and gap.strip() not in ("-", "–", "—"):
            done[-1] = replace(last, earlier=True)
            done.append(number)
        elif dashed or between:
            joined = text[last.start : number.end]
            done[-1] = replace(number, text=joined, start=last.start, value=last.value, high=number.value)
        else:
            done.append(number)
    return done
