"""JSON as services send it: decimals exact, and what is no number or letter left for its own row to fail."""

from __future__ import annotations

import json
import re
from decimal import Decimal

_NO_LETTERS = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")  # such an escape may be half of a pair
_UNSTORABLE = re.compile("[\ud800-\udfff\x00]")
_MOST_DIGITS = 100  # of a number; a longer one is none


def read_json(body: bytes) -> object:
    """The value of a body.

    Raises:
        ValueError: it is not JSON, or not in UTF-8.
        RecursionError: it is nested deeper than any service nests it.
    """
    try:
        data = json.loads(body, parse_float=_decimal, parse_constant=str)
    except json.JSONDecodeError:
        raise
    except ValueError:  # an integer of thousands of digits, or bytes that are not UTF-8
        data = json.loads(body, parse_float=_decimal, parse_constant=str, parse_int=_integer)
    return _replaced(data) if _NO_LETTERS.search(body) else data


def _replaced(data: object) -> object:
    """Half of a pair of surrogates, and the character zero, cannot be stored: U+FFFD shows where one was."""
    if isinstance(data, str):
        return _UNSTORABLE.sub("\ufffd", data)
    if isinstance(data, list):
        return [_replaced(one) for one in data]
    if isinstance(data, dict):
        return {_replaced(name): _replaced(value) for name, value in data.items()}
    return data


def _decimal(text: str) -> Decimal | str:
    """``1e999999999`` stays text: written out, it would fill the memory."""
    try:
        number = Decimal(text)
    except ArithmeticError:
        return text
    return number if abs(number.adjusted()) < _MOST_DIGITS else text


def _integer(text: str) -> int | str:
    return int(text) if len(text) < _MOST_DIGITS else text
