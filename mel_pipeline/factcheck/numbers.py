"""Numbers in running text of English, French and Spanish, with unit, precision and qualifier."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from babel.numbers import NumberFormatError, get_decimal_symbol, parse_decimal

from mel_pipeline.factcheck.non_figures import non_figures
from mel_pipeline.factcheck.number_words import spelled_numbers

_BEFORE = 40  # characters before a number searched for its qualifier
LOCALES = {"en": "en_GB", "fr": "fr_FR", "es": "es_ES"}
_SPACES = " \u00a0\u202f\u2009\u2007"
_S = f"[{_SPACES}]"
_DIGITS = re.compile(
    rf"(?<![\w.,])(?P<sign>[+\u2212]|(?<=[\s(])-(?=\d))?"
    rf"(?P<body>\d{{1,3}}(?:[{_SPACES}'’]\d{{3}})+(?![\d])(?:[.,]\d+)?|\d+(?:[.,]\d+)*)"
)
_LETTERS = {"k": 3, "m": 6, "md": 9, "mds": 9, "bn": 9}
_SCALES = {
    "thousand": 3,
    "mille": 3,
    "millier": 3,
    "milliers": 3,
    "mil": 3,
    "mil millones": 9,
    "million": 6,
    "millions": 6,
    "millón": 6,
    "millon": 6,
    "millones": 6,
    "milliard": 9,
    "milliards": 9,
}
_LONG = {"billion": 12, "billions": 12, "billón": 12, "billones": 12, "trillion": 18, "trillions": 18}
_SHORT = {"billion": 9, "billions": 9, "trillion": 12, "trillions": 12}
_SCALE_WORDS = sorted({*_SCALES, *_LONG}, key=lambda word: (-len(word), word))
_SCALE = re.compile(rf"{_S}*(?P<scale>{'|'.join(_SCALE_WORDS)})(?![\w’'])", re.IGNORECASE)
_LETTER_SCALE = re.compile(rf"{_S}?(?P<scale>[Kk]|M|Md|Mds|m(?=€)|bn|(?<=\d)m)(?=€|[^\w’'.]|\.?(?:\s|$)|$)")
_PERCENT = re.compile(
    rf"{_S}*(?:%|per{_S}?cent\b|pour{_S}cent\b|por{_S}ciento\b|pct\b|p\.{_S}?100\b)", re.IGNORECASE
)
_POINTS = re.compile(
    rf"{_S}*(?:(?:percentage{_S})?points?\b|pp\b|pts\b|puntos?\b)(?:{_S}(?:de{_S}pourcentage|porcentuales))?",
    re.IGNORECASE,
)
_SCORE = re.compile(rf"{_S}*(?:/|sur|out{_S}of|sobre){_S}*5(?![\d%]|[.,]\d)", re.IGNORECASE)
_CURRENCIES = {
    "EUR": r"€|EUR\b|euros?\b",
    "USD": r"US\$|USD\b|\$|dollars?\b|dólares\b",
    "CHF": rf"CHF\b|francs?{_S}suisses?\b|Swiss{_S}francs?\b",
    "GBP": r"£|GBP\b",
}
_MONEY_AFTER = {
    code: re.compile(rf"{_S}*(?:d[’']|de{_S})?(?:{words})", re.IGNORECASE)
    for code, words in _CURRENCIES.items()
}
_MONEY_BEFORE = {
    code: re.compile(rf"(?:{words}){_S}*\Z", re.IGNORECASE) for code, words in _CURRENCIES.items()
}
_QUALIFIERS: tuple[tuple[str, str], ...] = (
    ("at least", r"au moins|at least|al menos|por lo menos|como mínimo|no fewer than|no less than"),
    ("at most", r"au plus|tout au plus|at most|como máximo|no more than|à peine"),
    ("up to", r"jusqu[’']à|jusqu[’']en|up to|hasta|maximum(?: de| of)?|máximo(?: de)?"),
    ("more than", r"plus d[e’']|supérieure?s? à|au-delà de|more than|over|above|in excess of|exceed(?:ed|s|ing)?"
     r"|dépass(?:e|ent|é|ait|aient)|más de|superior(?:es)? a|por encima de|super(?:a|an|ó|aron)"),
    ("less than", r"moins d[e’']|inférieure?s? à|less than|fewer than|under|below|menos de|por debajo de"),
    ("almost", r"près d[e’']|presque|nearly|almost|close to|casi"),
    ("about", r"environ|quelque|à peu près|autour d[e’']|de l[’']ordre d[e’']|about|around|approximately|approx\.|some"
     r"|roughly|circa|ca\.|~|≈|unos|unas|alrededor de|aproximadamente|en torno a|cerca de"),
)  # fmt: skip
_QUALIFIED = [
    (name, re.compile(rf"(?:^|[^\w])(?:{words}){_S}*(?:les{_S}|los{_S}|las{_S}|the{_S}|de{_S})?\Z", re.IGNORECASE))
    for name, words in _QUALIFIERS
]  # fmt: skip
_ROUND = {
    "dizaine": 10,
    "douzaine": 12,
    "quinzaine": 15,
    "vingtaine": 20,
    "trentaine": 30,
    "quarantaine": 40,
    "cinquantaine": 50,
    "soixantaine": 60,
    "centaine": 100,
    "millier": 1000,
    "dozen": 12,
    "decena": 10,
    "docena": 12,
    "veintena": 20,
    "treintena": 30,
    "centenar": 100,
    "millar": 1000,
}
_ROUND_WORD = re.compile(rf"\b(?:une|un|a|una)\s+(?P<word>{'|'.join(_ROUND)})\b", re.IGNORECASE)
_ONE_SCALED = re.compile(
    r"\b(?:un|one|a)(?=\s+(?:million|milliard|millón|billion|thousand)\b)", re.IGNORECASE
)
_RANGE = re.compile(rf"{_S}*(?:-|–|—){_S}*|{_S}+(?:à|to|a){_S}+(?:les{_S}|los{_S})?")
_RANGE_AND = re.compile(rf"{_S}+(?:et|and|y){_S}+")
_BETWEEN = re.compile(r"\b(?:entre|between)\s+(?:[€$]|les\s|los\s|the\s)?\s*\Z", re.IGNORECASE)
_FROM = re.compile(r"\b(?:de|from|du|desde)\s+(?:[€$])?\s*\Z", re.IGNORECASE)


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
        for one in non_figures(text, names, nouns)
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
    return sorted([*others, *_ranges(text, figures)], key=lambda number: number.start)


def _candidates(text: str, language: str) -> Iterable[Number]:
    for match in _DIGITS.finditer(text):
        yield _of_digits(text, match, language)
    for match in _ROUND_WORD.finditer(text):
        value = Decimal(_ROUND[match["word"].lower()])
        yield Number(
            match.group(), match.start(), match.end(), value=value, round_step=value, qualifier="about"
        )
    for match in _ONE_SCALED.finditer(text):
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
        signed=bool(match["sign"]),
    )
    end = match.end()
    if (
        re.match(r"[^\W\d_]", text[end:])
        and not _LETTER_SCALE.match(text, end)
        and not _PERCENT.match(text, end)
    ):
        return Number(body, match.start(), end, "reference")  # 3D, 4x4
    return _finished(text, match.start(), end, number, language)


def read_digits(body: str, language: str) -> tuple[Decimal, Decimal, Decimal | None]:
    """Value, unit of the last digit, and the alternative value if the separators are ambiguous.

    ``12,345`` is 12345 in English; in French it is 12.345 or possibly 12345.
    """
    clean = re.sub(rf"[{_SPACES}'’]", "", body)
    marks = [c for c in clean if c in ".,"]
    own = get_decimal_symbol(LOCALES[language])
    if len(marks) == 1 and clean == body:
        whole, decimals = re.split(r"[.,]", clean)
        if len(decimals) == 3 and 1 <= len(whole) <= 3 and whole != "0":
            grouped, broken = Decimal(whole + decimals), Decimal(f"{whole}.{decimals}")
            # French and Spanish have no decimal point, English no decimal comma: it groups.
            if marks[0] == own:
                return broken, Decimal("0.001"), grouped
            return grouped, Decimal(1), None if language == "es" or marks[0] == "," else broken
    if len(set(marks)) == 1 and len(marks) > 1:
        return Decimal(re.sub(r"[.,]", "", clean)), Decimal(1), None
    try:
        value = Decimal(parse_decimal(clean, locale=LOCALES[language], strict=True))
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
    power = 0
    if scale := _LETTER_SCALE.match(text, end) or _SCALE.match(text, end):
        word = scale["scale"].lower()
        known = _LETTERS | _SCALES | (_SHORT if language == "en" else _LONG)
        power = known[word]
        end = scale.end()
    unit, end = _unit(text, end, number)
    for code, pattern in _MONEY_BEFORE.items():
        if unit == "count" and (before := pattern.search(text, max(0, start - 14), start)):
            unit, start = code, before.start()
    if unit.isupper() and number.step == Decimal("0.001") and number.other is not None and not power:
        # Nobody writes thousandths of a euro.
        number = replace(
            number, value=number.other, other=None, step=Decimal(1), round_step=_zeros(number.other)
        )
    factor = Decimal(1).scaleb(power)
    qualifier = next(
        (name for name, pattern in _QUALIFIED if pattern.search(text, max(0, start - _BEFORE), start)), ""
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


def _unit(text: str, end: int, number: Number) -> tuple[str, int]:
    if match := _PERCENT.match(text, end):
        return (
            ("points", points.end())
            if (points := _POINTS.match(text, match.end()))
            else ("percent", match.end())
        )
    if match := _POINTS.match(text, end):
        return "points", match.end()
    for code, pattern in _MONEY_AFTER.items():
        if match := pattern.match(text, end):
            return code, match.end()
    if number.value <= 5 and (match := _SCORE.match(text, end)):
        return "score", match.end()
    return "count", end


def _ranges(text: str, figures: list[Number]) -> list[Number]:
    """Figures with both ends of a range merged, and the first of ``from 3 to 4`` marked."""
    done: list[Number] = []
    for number in figures:
        last = done[-1] if done else None
        gap = text[last.end : number.start] if last else ""
        if last is None or last.high is not None or last.unit not in ("count", number.unit):
            done.append(number)
            continue
        dashed = _RANGE.fullmatch(gap) and last.value < number.value
        between = _RANGE_AND.fullmatch(gap) and _BETWEEN.search(
            text, max(0, last.start - _BEFORE), last.start
        )
        moved = (
            dashed
            and _FROM.search(text, max(0, last.start - _BEFORE), last.start)
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
