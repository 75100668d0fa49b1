"""One cell at a time: what a person wrote, as the text the raw table holds, or why it cannot be. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Literal

from mel_pipeline.core.periods import Quarter
from mel_pipeline.sources.workbook.said import Name, Said
from mel_pipeline.sources.workbook.texts import code_of

if TYPE_CHECKING:
    from mel_pipeline.sources.workbook.sheets import FormColumn

_INVISIBLE = dict.fromkeys([0x200B, 0x2060, 0xFEFF, 0x00AD])
_EXACT, _DIGITS = 1e15, 15  # a spreadsheet keeps 15 digits
NAMED = " · "  # between a code and its name in a list
_FIRST_YEAR, _LAST_YEAR = 1950, 2100
_APOSTROPHE = re.compile(r"^'(?=[=+\-@]|[\d.,]+$)")  # keeps a text from being read as a formula or a number
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
_ERRORS = re.compile(
    r"#(NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A|ERROR!|SPILL!|CALC!)|Err:\d+", re.IGNORECASE
)
_INDICATOR = re.compile(r"([A-Z]{3})[ -]?(\d{2})(?!\w)")
_QUARTERS = (
    re.compile(r"(?P<year>\d{4})[-/.]?[QT](?P<number>[1-4])"),
    re.compile(r"[QT](?P<number>[1-4])[-/.]?(?P<year>\d{4})"),
    re.compile(
        r"(?P<number>[1-4])(?:E|ER|EME|O|R|N|T|ST|ND|RD|TH|A)?[-/.]?[QT](?:DE|OF|DEL)?[-/.]?(?P<year>\d{4})"
    ),
)
_QUARTER_WORD = re.compile(r"TRIMESTRES?|QUARTER|TRIM\.?")

Kind = Literal["s", "n", "p", "d", "b", "e", "f", "m"]


class CellError(Exception):
    """The cell cannot be read; the text says what to write."""

    def __init__(self, why: Said) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class RawCell:
    """A cell as the file has it.

    ``kind``: s text, n number, p number shown as a percentage, d date, b true or false, e error, f formula without a
    stored value, m part of merged cells. ``text`` has a number as digits, a date as ISO.
    """

    kind: Kind
    text: str

    @property
    def is_empty(self) -> bool:
        return self.kind == "s" and not clean_text(self.text)


def clean_text(text: str) -> str:
    """Without control characters, invisible ones and spaces at the ends; line breaks are plain."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").translate(_INVISIBLE)
    text = "".join(one for one in text if one == "\n" or unicodedata.category(one) not in ("Cc", "Cs"))
    return _APOSTROPHE.sub("", re.sub(r" *\n *", "\n", text).strip())


def _plain(text: str) -> str:
    """Letters, digits and marks of any width or script as the plain ones, without spaces; a raised 2 is no 2."""
    found = []
    for one in clean_text(text):
        if unicodedata.category(one) == "No":
            found.append(one)
        elif not one.isspace():
            found.append(unicodedata.normalize("NFKC", str(unicodedata.decimal(one, one))))
    return "".join(found).translate(_DASHES)


def number_text(value: float) -> str:
    """Digits without an exponent."""
    if abs(value) >= _EXACT:
        return repr(value)
    number = Decimal(repr(value))
    return f"{number.to_integral_value() if number == number.to_integral_value() else number:f}"


def read_cell(column: FormColumn, cell: RawCell) -> str | None:
    """The value of a cell; None: empty.

    Raises:
        CellError: it cannot be one of the column.
    """
    if cell.kind == "m":
        raise CellError(Said("merged"))
    if cell.kind == "f":
        raise CellError(Said("formula_unknown"))
    if cell.kind == "e" or (cell.kind == "s" and _ERRORS.fullmatch(cell.text.strip())):
        raise CellError(Said("formula_error"))
    if cell.is_empty:
        return None
    if column.choices and column.kind == "integer" and cell.kind == "s":
        cell = RawCell("s", cell.text.partition(NAMED)[0])  # the list shows a name behind the number
    value = _READERS[column.kind](column, cell)
    if column.pattern and column.kind == "text" and not re.fullmatch(column.pattern, value):
        raise CellError(Said("wrong_form"))
    return value


def _text(column: FormColumn, cell: RawCell) -> str:
    if cell.kind == "d":
        raise CellError(Said("text_as_date"))
    if cell.kind == "b":
        raise CellError(Said("text_as_bool"))
    text = f"{_times_hundred(cell.text)}%" if cell.kind == "p" else clean_text(cell.text)
    if len(text) > column.most:
        raise CellError(Said("too_long", length=len(text), most=column.most))
    if column.said and code_of(text, (column.said,)):
        return column.said
    return text


def _number(column: FormColumn, cell: RawCell) -> str:
    if cell.kind in ("d", "b"):
        raise CellError(Said("number_as_date" if cell.kind == "d" else "number_as_bool"))
    if cell.kind == "p":
        if not column.percent:
            raise CellError(Said("percent_for_number"))
        written = _times_hundred(cell.text)
    else:
        written = cell.text if cell.kind == "n" else _digits(column, cell.text)
    value = Decimal(written)
    if len(value.as_tuple().digits) > _DIGITS and abs(value) >= _EXACT:
        raise CellError(Said("too_many_digits", most=_DIGITS))
    if (column.minimum is not None and value < Decimal(repr(column.minimum))) or (
        column.maximum is not None and value > Decimal(repr(column.maximum))
    ):
        raise CellError(_range(column))
    return number_text(float(value))


def _range(column: FormColumn) -> Said:
    low = f"{column.minimum:g}" if column.minimum is not None else ""
    high = f"{column.maximum:g}" if column.maximum is not None else ""
    key = "between" if low and high else "at_least" if low else "at_most"
    return Said(key, low=low, high=high)


def _whole(column: FormColumn, cell: RawCell) -> str:
    text = _number(column, cell)
    if "." in text or "e" in text:
        raise CellError(Said("not_whole"))
    return text


def _times_hundred(text: str) -> str:
    return number_text(float(round(Decimal(text) * 100, 12)))


def _digits(column: FormColumn, written: str) -> str:
    """A number written as text: with either decimal mark, with spaces or points between thousands."""
    text = _plain(written).replace("'", "")
    if column.percent and text.endswith("%"):
        text = text[:-1]
    marks = re.sub(r"[^.,]", "", text)
    if not re.fullmatch(r"[+-]?[\d.,]*\d[\d.,]*", text):
        raise CellError(Said("no_number"))
    if marks and len(set(marks)) == 2:
        last = max(text.rfind("."), text.rfind(","))
        whole, decimals = text[:last], text[last + 1 :]
        other = "," if text[last] == "." else "."
        groups = whole.lstrip("+-").split(other)
        if text[last] in whole or not _are_groups(groups):
            raise CellError(Said("several_numbers"))
        text = f"{whole.replace(other, '')}.{decimals}"
    elif len(marks) > 1:
        groups = text.lstrip("+-").split(marks[0])
        if not _are_groups(groups):
            raise CellError(Said("several_numbers"))
        text = text.replace(marks[0], "")
    elif marks:
        whole, decimals = text.lstrip("+-").split(marks)
        if len(decimals) == 3 and whole not in ("", "0") and len(whole) <= 3:
            parts = {"text": text, "whole": whole, "decimals": decimals, "mark": marks}
            raise CellError(Said("thousand_or_fraction", **parts))
        text = text.replace(marks, ".")
    try:
        return str(Decimal(text))
    except InvalidOperation:
        raise CellError(Said("no_number")) from None


def _are_groups(groups: list[str]) -> bool:
    """Whether digits are grouped by thousands."""
    return 1 <= len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:])


def _date(_: FormColumn, cell: RawCell) -> str:
    if cell.kind == "d":
        day = datetime.fromisoformat(cell.text).date()
    elif cell.kind == "s":
        day = _day(_plain(cell.text))
    else:
        raise CellError(Said("no_day"))
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise CellError(Said("year_out", year=str(day.year)))
    return day.isoformat()


def _day(text: str) -> date:
    parts = re.fullmatch(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})", text.removeprefix("'"))
    wrong = CellError(Said("no_day"))
    if not parts:
        raise wrong
    first, mark, second, third = parts[1], parts[2], int(parts[3]), parts[4]
    try:
        if len(first) == 4:
            return date(int(first), second, int(third))
        if len(third) != 4:
            raise wrong
        if mark != "." and int(first) <= 12 and second <= 12 and int(first) != second:
            days = [f"{third}-{second:02d}-{int(first):02d}", f"{third}-{int(first):02d}-{second:02d}"]
            raise CellError(Said("two_days", first=days[0], second=days[1]))
        if mark != "." and second > 12:
            return date(int(third), int(first), second)
        return date(int(third), second, int(first))
    except ValueError:
        raise wrong from None


def _period(column: FormColumn, cell: RawCell) -> str:
    wrong = CellError(Said("no_period"))
    if cell.kind == "d":
        return str(Quarter.of(datetime.fromisoformat(cell.text).date()))
    if cell.kind not in ("s", "n"):
        raise wrong
    text = _plain(cell.text).upper().removeprefix("'")
    text = _QUARTER_WORD.sub("T", text.replace("\u00b0", "").replace("\u00ba", ""))
    if re.fullmatch(r"\d{4}", text) and _FIRST_YEAR <= int(text) <= _LAST_YEAR:
        return text
    for shape in _QUARTERS:
        if found := shape.fullmatch(text):
            return f"{found['year']}-Q{found['number']}"
    if column.kind == "span" and (days := re.fullmatch(r"(\d{4}-\d\d-\d\d)/(\d{4}-\d\d-\d\d)", text)):
        first, last = _day(days[1]), _day(days[2])
        if first <= last:
            return text
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        day = _day(text)
        return day.isoformat() if column.kind == "span" else str(Quarter.of(day))
    raise wrong


def _indicator(_: FormColumn, cell: RawCell) -> str:
    text = unicodedata.normalize("NFKC", clean_text(cell.text)).translate(_DASHES).upper()
    found = _INDICATOR.match(text) if cell.kind == "s" else None
    if not found:
        raise CellError(Said("no_code"))
    return f"{found[1]}-{found[2]}"


def _choice(column: FormColumn, cell: RawCell) -> str:
    if cell.kind == "b" and column.allowed == ("yes", "no"):
        return "yes" if cell.text == "true" else "no"
    found = code_of(clean_text(cell.text), column.allowed) if cell.kind == "s" else None
    if found is None:
        raise CellError(Said("no_choice", words=[Name(word=code) for code in column.allowed]))
    return found


_READERS = {
    "text": _text,
    "number": _number,
    "integer": _whole,
    "date": _date,
    "period": _period,
    "span": _period,
    "indicator": _indicator,
    "choice": _choice,
}
